"""What a build that fails says."""

from __future__ import annotations

import os

import pytest

from lockship.build.process import run_build
from lockship.errors import LockshipError
from lockship.progress import quiet


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("exec user process caused: exec format error", "qemu-user-static"),
        ("exec /bin/sh: exec format error", "FROM --platform=$BUILDPLATFORM"),
        ("no such file or directory", ""),
    ],
)
def test_a_step_for_another_machine_says_what_to_do(said: str, hint: str) -> None:
    script = f"echo '#5 [2/2] RUN make'; echo '#5 ERROR: {said}' >&2; exit 1"
    with pytest.raises(LockshipError) as failed:
        run_build(["sh", "-c", script], os.environ, report=quiet, tty=False)
    assert failed.value.details[-1] == f"ERROR: {said}"
    assert hint in failed.value.hint
    assert bool(failed.value.hint) == bool(hint)
