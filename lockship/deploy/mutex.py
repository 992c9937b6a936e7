"""One deploy at a time on a host: a mutex that can't go stale.

It is held by a small program on the host, tied to this SSH connection: it has `flock` on a file and
goes on only while a heartbeat comes within the lease. So it ends with this process, however that
ends; a process that is frozen, or a network that is cut, loses it after the lease. Every heartbeat
is answered: `check` trusts the mutex only while an answered one is younger than the lease.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Final

from lockship.errors import SAME_COMMAND, LockshipError
from lockship.host.ahead import ahead
from lockship.host.errors import HostError, frozen
from lockship.host.process import Process
from lockship.host.server import Server

# POSIX sh; dash and busybox run it. $1 is the file, $2 the lease in seconds. Nothing is touched
# before its first line has come: it may be started by who won't need it. Children get no copy
# of descriptor 9, or one that lives on would hold the mutex. A file without text is that of a
# holder who hasn't written yet, or of someone who asks (`holder`): it's worth a second look. Each
# heartbeat touches it.
_HOLD: Final = """\
IFS= read -r info || exit 0
for tool in flock timeout dd; do
  command -v $tool >/dev/null 2>&1 || { echo "needs $tool"; exit 1; }
done
umask 077
mkdir -p "$(dirname "$1")" || exit 1
exec 9<>"$1" || exit 1
for look in 1 2 3; do
  flock -n 9
  case $? in
    0) break ;;
    1) ;;
    *) echo "needs flock"; exit 1 ;;
  esac
  if [ -s "$1" ] || [ $look = 3 ]; then echo busy; cat "$1"; exit 0; fi
  sleep 1
done
printf '%s\\n%s\\n' "$info" $$ >"$1" || exit 1
echo held
while beat=$(exec 9>&-; exec timeout "$2" dd bs=1 count=1 2>/dev/null); [ "$beat" = . ]; do
  touch -c "$1" 9>&-
  echo .
done
: >"$1"
"""
_PATIENCE: Final = 20.0  # seconds for the program to say whether it holds the mutex
_BEATS: Final = 5  # heartbeats per lease


class MutexHeld(LockshipError):  # noqa: N818 - a state of the host, not a fault
    """Another deploy holds the mutex; `info` is what it wrote about itself, one JSON line."""

    def __init__(self, host: str, info: bytes) -> None:
        super().__init__(
            f"{host}: another deploy is at work: {_readable(info)}",
            hint=f"wait for it: {SAME_COMMAND} --wait; were it dead, the mutex would be free",
        )
        self.host = host
        self.info = info


class MutexLost(LockshipError):  # noqa: N818
    """This process doesn't hold the mutex any more: it was frozen, or the connection broke."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"{host}: the mutex was lost: {why}",
            hint="run the same command again: it finishes the job",
        )
        self.host = host


def at_the_door(server: Server, path: str, *, lease: float) -> Future[Process]:
    """Begin to start the program, which takes nothing yet: `hold` then waits for one answer only.

    It ends with the connection.
    """
    argv = ["sh", "-c", _HOLD, "sh", path, str(math.ceil(lease))]
    return ahead(lambda: server.spawn(argv))


def hold(
    server: Server,
    path: str,
    info: bytes,
    *,
    lease: float,
    on_lost: Callable[[], None] = lambda: None,
    begun: Future[Process] | None = None,
) -> Mutex:
    """Take the mutex; a context manager that gives it back.

    `info` is one JSON line about the holder (performer, since, version); `lease` is in seconds;
    `on_lost` is called, from another thread, as soon as it's known to be lost; `begun` is what
    `at_the_door` returned for the same file.
    Raises MutexHeld when someone has it, HostError when the host can't (no `flock`).
    """
    process = (begun or at_the_door(server, path, lease=lease)).result()
    try:
        sent = _now()
        with suppress(OSError):  # it may have ended already; its answer says why
            process.write(info.replace(b"\n", b" ") + b"\n")
        answer = _readline(server, process).decode(errors="replace").strip()
        if answer == "held":
            return Mutex(server.name, process, sent, lease, on_lost)
        if answer == "busy":
            raise MutexHeld(server.name, _readline(server, process).strip())
        raise _failed(server, path, process, answer)
    except BaseException:
        process.close()
        raise


class Mutex:
    """A mutex that is held. `check` before every step that changes the host."""

    def __init__(
        self,
        host: str,
        process: Process,
        confirmed: float,
        lease: float,
        on_lost: Callable[[], None],
    ) -> None:
        self._host = host
        self._process = process
        self._lease = lease
        self._on_lost = on_lost
        self._confirmed = confirmed  # when the last heartbeat that was answered was sent
        self._why = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"mutex {host}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Mutex:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    @property
    def lost(self) -> bool:
        """Whether another process may have the mutex by now."""
        return self._process.poll() is not None or _now() - self._confirmed >= self._lease

    def check(self) -> None:
        """Raise MutexLost unless the mutex is certainly still held."""
        if self.lost:
            raise MutexLost(self._host, self._why or self._reason())

    def _reason(self) -> str:
        """Return, in words, how it was lost, as far as this side can know."""
        if self._process.poll() is None:
            return f"nothing was answered for {self._lease:g} s, or this process was frozen"
        return "the connection to the host ended, or somebody broke the mutex"

    def release(self) -> None:
        """Give it back; it is free when this returns, unless the host doesn't answer."""
        self._ended.set()
        with suppress(OSError, EOFError):  # else lost already: it frees itself
            self._process.close_input()
            self._process.wait(1.0)
        self._process.close()
        self._thread.join(timeout=1.0)

    def _beat(self) -> None:
        while not self._ended.wait(self._lease / _BEATS):
            sent = _now()
            try:
                self._process.write(b".")
                answered = self._process.readline(self._lease) == b".\n"
            except (OSError, EOFError, ValueError):  # ValueError: closed meanwhile
                answered = False
            if not answered:
                if not self._ended.is_set():
                    self._why = self._reason()  # before the connection is let go
                    self._on_lost()
                return
            self._confirmed = sent


def _now() -> float:
    """Seconds that also pass while this machine sleeps, where the system counts those."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _readline(server: Server, process: Process) -> bytes:
    try:
        return process.readline(_PATIENCE)
    except TimeoutError:
        raise frozen(server.name, _PATIENCE, "the mutex", server.login) from None


def _failed(server: Server, path: str, process: Process, answer: str) -> LockshipError:
    if answer.startswith("needs "):
        tool = answer.removeprefix("needs ")
        return HostError(
            server.name,
            "tools",
            f"there is no {tool} command, which the mutex needs",
            hint="install util-linux (flock) and coreutils (timeout, dd), or busybox, on the host",
        )
    with suppress(TimeoutError):  # its errors are complete when it has ended
        process.wait(2.0)
    said = process.errors().strip().splitlines()
    return HostError(
        server.name,
        "file",
        f"the mutex can't be made at {path}",
        hint="the login user must be able to write there, and the disk must have space",
        details=said[:3],
    )


def _readable(info: bytes) -> str:
    try:
        found = json.loads(info)
        return f"{found['performer']}, since {found['since']}, version {found['version']}"
    except (ValueError, KeyError, TypeError):
        return "its holder hasn't said who it is"
