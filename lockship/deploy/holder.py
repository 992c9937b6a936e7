"""Who holds a host's mutex, asked and ended from outside: for `lockship mutex`."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal

import msgspec
from msgspec import Struct

from lockship.host.errors import HostError, frozen
from lockship.host.process import Process
from lockship.host.server import Server

# POSIX sh, as in `mutex`, which writes the file: its line 1 is `info`, line 2 the program's process
# id; each heartbeat touches it. $1 is the file. Who can have a shared lock is alone.
_ASK: Final = """\
[ -e "$1" ] || exit 0
exec 9<"$1" || exit 1
flock -n -s 9 && exit 0
echo $(( $(date +%s) - $(stat -c %Y "$1") ))
cat "$1"
"""
# $2 is what line 1 must be. The process must have the very file open, as the holder has it: the
# number may be another's by now.
_BREAK: Final = """\
[ -e "$1" ] || { echo free; exit 0; }
exec 9<"$1" || exit 1
flock -n -s 9 && { echo free; exit 0; }
[ "$(sed -n 1p "$1")" = "$2" ] || { echo another; exit 0; }
pid=$(sed -n 2p "$1")
case $pid in ''|*[!0-9]*) echo unknown; exit 0 ;; esac
[ "/proc/$pid/fd/9" -ef "$1" ] || { echo unknown; exit 0; }
kill "$pid" || { echo unknown; exit 0; }
for look in 1 2 3 4 5; do
  flock -n -s 9 && { echo broken; exit 0; }
  sleep 1
done
echo unknown
"""
_PATIENCE: Final = 20.0  # seconds for an answer

Outcome = Literal["broken", "free", "another"]
_OUTCOMES: Final[dict[str, Outcome]] = {each: each for each in ("broken", "free", "another")}


class Said(Struct, frozen=True):
    """What a holder wrote about itself; nothing but its own word stands behind it."""

    performer: str = ""
    since: str = ""
    version: str = ""


class Holder(Struct, frozen=True):
    """Who holds a mutex. `info` is its line as it wrote it, `silent` s the age of its heartbeat."""

    info: bytes
    silent: int

    @property
    def said(self) -> Said:
        """Read `info`; empty where it can't be read."""
        try:
            return msgspec.json.decode(self.info, type=Said)
        except msgspec.MsgspecError:
            return Said()


def holder(server: Server, path: str) -> Holder | None:
    """Return who holds the mutex; None where nobody does."""
    process = server.spawn(["sh", "-c", _ASK, "sh", path])
    try:
        seconds = _line(server, process)
        if not seconds:
            return None
        info = _line(server, process)
        return Holder(info, max(0, int(seconds)) if seconds.isdigit() else 0)
    finally:
        process.close()


def end(server: Server, path: str, info: bytes) -> Outcome:
    """End the program that holds the mutex for whoever wrote `info`.

    "free": nobody held it any more; "another": somebody else does by now. Raises HostError where it
    still holds.
    """
    process = server.spawn(["sh", "-c", _BREAK, "sh", path, info.decode(errors="replace")])
    try:
        answer = _line(server, process).decode(errors="replace")
        if (outcome := _OUTCOMES.get(answer)) is not None:
            return outcome
        with suppress(TimeoutError):
            process.wait(2.0)
        raise HostError(
            server.name,
            "refused",
            "the mutex can't be broken: its holder on the host can't be ended",
            hint="Its login user, or root, may. It also ends by itself when its heartbeats do.",
            details=process.errors().strip().splitlines()[:3],
        )
    finally:
        process.close()


def _line(server: Server, process: Process) -> bytes:
    try:
        return process.readline(_PATIENCE).strip()
    except TimeoutError:
        raise frozen(server.name, _PATIENCE, "the mutex", server.login) from None
