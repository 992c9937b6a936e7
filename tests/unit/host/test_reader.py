"""The program that reads files on a host, run here by the shells that hosts have."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockship.host.reader import COMMAND, Reader, Unread

SHELLS = [shell for shell in (("dash",), ("bash",), ("busybox", "sh")) if shutil.which(shell[0])]
Start = Callable[[], Reader]


class Piped:
    """The program as a child of this process, in place of one at the end of a channel."""

    def __init__(self, argv: list[str], home: Path) -> None:
        self.child = subprocess.Popen(
            argv, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self.child.stdin and self.child.stdout
        self.input, self.output = self.child.stdin, self.child.stdout

    def write(self, data: bytes) -> None:
        self.input.write(data)

    def read_until(self, mark: bytes, _timeout: float) -> bytes | None:
        found = b""
        while not found.endswith(mark):
            if not (byte := self.output.read(1)):
                return None
            found += byte
        return found.removesuffix(mark)

    def readline(self, _timeout: float) -> bytes:
        return self.output.readline()


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    started = []

    def begin() -> Reader:
        argv = [*request.param, *COMMAND[1:]]
        # A login shell may print something of its own first.
        started.append(Piped(["sh", "-c", 'echo welcome; exec "$@"', "sh", *argv], tmp_path))
        return Reader(started[-1], 5)  # type: ignore[arg-type]

    yield begin
    for process in started:
        process.input.close()
        assert process.child.wait(5) == 0
        process.output.close()


def test_files_and_folders_come_at_once_as_they_are(start: Start, tmp_path: Path) -> None:
    bytes_ = bytes(range(256)) * 1000
    (tmp_path / "binary").write_bytes(bytes_)
    (tmp_path / "empty").touch()
    folder = tmp_path / "a folder; echo"
    folder.mkdir()
    for name, text in {"b.yml": "two\n", "a.yml": "one", ".c.yml": "three", "d": "no"}.items():
        (folder / name).write_text(text)
    reader = start()
    for _ in range(2):
        files, folders = reader.look(
            ["binary", str(tmp_path / "empty"), "not/there", "/not/there"],
            [("a folder; echo", ".yml"), ("not there", ".yml"), (str(folder), ".none")],
        )
        assert files == [bytes_, b"", None, None]
        assert folders == [{"a.yml": b"one", "b.yml": b"two\n", ".c.yml": b"three"}, {}, {}]
    assert reader.home() == str(tmp_path)


def test_the_kernel_s_files_can_be_read(start: Start) -> None:
    (files, _) = start().look(["/proc/self/net/tcp", "/proc/1/not-there"], [])
    assert files[0] is not None
    assert b"local_address" in files[0]
    assert files[1] is None


def test_what_is_no_file_is_left_to_sftp(start: Start, tmp_path: Path) -> None:
    (tmp_path / "folder" / "file.yml").mkdir(parents=True)
    for files, folders in (
        (["folder"], []),
        (["two\nlines"], []),
        ([], [("folder", ".yml")]),
        ([], [("folder/file.yml/", "\n")]),
    ):
        with pytest.raises(Unread):
            start().look(files, folders)
