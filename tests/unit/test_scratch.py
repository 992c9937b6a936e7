"""A temporary folder: gone with its maker, however that ends."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lockship.scratch import scratch_folder, sweep


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_gone_at_the_end(temporary: Path) -> None:
    with scratch_folder() as folder:
        (folder / "layer").write_bytes(b"x")
        sweep()
        assert folder.parent == temporary
        assert (folder / "layer").exists(), "a sweep leaves alone what is in use"
    assert list(temporary.iterdir()) == []


def test_what_a_killed_one_left_goes_with_the_next(temporary: Path) -> None:
    code = (
        "import tempfile, time; from lockship.scratch import scratch_folder\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "with scratch_folder() as folder: print(folder, flush=True); time.sleep(100)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    sweep()
    assert left.exists()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left.exists()
    sweep()
    assert not left.exists()


def test_other_things_stay(temporary: Path) -> None:
    (temporary / "target").mkdir()
    (temporary / "lockship-held-link").symlink_to(temporary / "target")
    (temporary / "lockship-held-file").write_text("mine")
    (temporary / "other").mkdir()
    before = sorted(temporary.iterdir())
    sweep()
    assert sorted(temporary.iterdir()) == before
