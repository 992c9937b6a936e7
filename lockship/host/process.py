"""A process on a host, on an SSH channel or (for this machine) a child."""

from __future__ import annotations

import select
import subprocess
import time
from typing import IO, TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import paramiko


class Process(Protocol):
    """A running program: its input, its output by lines, its exit status."""

    def write(self, data: bytes) -> None:
        """Send to its standard input. Raises OSError when nobody reads any more."""

    def close_input(self) -> None:
        """End its standard input."""

    def readline(self, timeout: float) -> bytes:
        r"""Return the next line with its `\n`, b'' at the end. Raises TimeoutError."""

    def poll(self) -> int | None:
        """Return its exit status; None while it runs, -1 when it's lost with its connection."""

    def wait(self, timeout: float) -> int:
        """Wait for its end and return its exit status. Raises TimeoutError."""

    def errors(self) -> str:
        """Return what it wrote to standard error since the last call."""

    def close(self) -> None:
        """Let it go: its input ends and its output is no longer read. A child is killed."""


class ChannelProcess:
    """A process at the other end of an SSH channel."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._buffer = b""

    def write(self, data: bytes) -> None:
        """See `Process`."""
        self._channel.sendall(data)

    def close_input(self) -> None:
        """See `Process`."""
        if not self._channel.closed:
            self._channel.shutdown_write()

    def readline(self, timeout: float) -> bytes:
        """See `Process`."""
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            self._channel.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data = self._channel.recv(1 << 15)
            except TimeoutError:
                raise TimeoutError(f"no line within {timeout:g} s") from None
            if not data:
                break
            self._buffer += data
        line, newline, self._buffer = self._buffer.partition(b"\n")
        return line + newline

    def read_until(self, mark: bytes, timeout: float) -> bytes | None:
        """Return what comes before the next `mark`, and drop that; None at the end.

        Raises TimeoutError after so many seconds without anything.
        """
        self._channel.settimeout(timeout)
        read = bytearray(self._buffer)
        seen = 0
        while (at := read.find(mark, seen)) < 0:
            seen = max(0, len(read) - len(mark))
            data = self._channel.recv(1 << 17)
            if not data:
                return None
            read += data
        self._buffer = bytes(read[at + len(mark) :])
        return bytes(read[:at])

    def poll(self) -> int | None:
        """See `Process`."""
        return self._channel.exit_status if self._channel.exit_status_ready() else None

    def wait(self, timeout: float) -> int:
        """See `Process`."""
        if not self._channel.status_event.wait(timeout):
            raise TimeoutError(f"still running after {timeout:g} s")
        return self._channel.exit_status

    def errors(self) -> str:
        """See `Process`."""
        found = b""
        while self._channel.recv_stderr_ready():
            found += self._channel.recv_stderr(1 << 15)
        return found.decode(errors="replace")

    def close(self) -> None:
        """See `Process`."""
        self._channel.close()


class ChildProcess:
    """A process on this machine."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        """`child` was started with pipes for all three of its files."""
        self._child = child
        self._stdin, self._stdout, self._stderr = (
            cast(IO[bytes], stream) for stream in (child.stdin, child.stdout, child.stderr)
        )
        self._buffer = b""

    def write(self, data: bytes) -> None:
        """See `Process`."""
        self._stdin.write(data)

    def close_input(self) -> None:
        """See `Process`."""
        self._stdin.close()

    def readline(self, timeout: float) -> bytes:
        """See `Process`."""
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if not select.select([self._stdout], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError(f"no line within {timeout:g} s")
            data = self._stdout.read(1 << 15)  # unbuffered: what is there now
            if not data:
                break
            self._buffer += data
        line, newline, self._buffer = self._buffer.partition(b"\n")
        return line + newline

    def poll(self) -> int | None:
        """See `Process`."""
        return self._child.poll()

    def wait(self, timeout: float) -> int:
        """See `Process`."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"still running after {timeout:g} s") from None

    def errors(self) -> str:
        """See `Process`."""
        found = b""
        while select.select([self._stderr], [], [], 0)[0]:
            data = self._stderr.read(1 << 15)
            if not data:
                break
            found += data
        return found.decode(errors="replace")

    def close(self) -> None:
        """See `Process`."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        for stream in (self._stdin, self._stdout, self._stderr):
            stream.close()
