"""A server that is far away: a delay in user space, and a count of the round trips over it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.fleet import Fleet
from tests.harness.hosts import TestHost


@dataclass
class Line:
    """The way to a server's sshd; `delay` is that of a round trip, in seconds."""

    host: TestHost
    delay: float = 0.0
    sent: list[float] = field(default_factory=list)
    """When the near side sent something, by the monotonic clock."""

    def trips(self, begin: float, end: float) -> int:
        """How many round trips one after another were begun: what is sent meanwhile is no more."""
        count, last = 0, -self.delay
        for at in self.sent:
            if begin <= at <= end and at >= last + self.delay:
                count, last = count + 1, at
        return count

    def to_the_switch(self, told: Sequence[tuple[float, str]], name: str, route: Path) -> int:
        """Those of a deploy from the connection to the rename of the host's route file.

        `told` are the lines that it printed, each with its time. The wait for a healthy container
        is left out, and so is what follows the rename: the proxy's own time.
        """
        connected, started, probed = (
            next(at for at, each in told if f"{name}  {step}" in each and "done" in each)
            for step in ("connect", "start", "probe")
        )
        switched = route.stat().st_ctime - time.time() + time.monotonic()
        return self.trips(connected, started) + self.trips(probed, switched)

    def serve(self, near: socket.socket) -> None:
        while True:
            try:
                inside, _ = near.accept()
            except OSError:
                return
            outside = socket.create_connection((self.host.address, self.host.port))
            for end in (inside, outside):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._carry(inside, outside, note=True)
            self._carry(outside, inside, note=False)

    def _carry(self, source: socket.socket, sink: socket.socket, *, note: bool) -> None:
        under_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def take() -> None:
            data = b"-"
            while data:
                try:
                    data = source.recv(1 << 16)
                except OSError:
                    data = b""
                if note:
                    self.sent.append(time.monotonic())
                under_way.put((time.monotonic() + self.delay / 2, data))

        def give() -> None:
            while True:
                at, data = under_way.get()
                time.sleep(max(0.0, at - time.monotonic()))
                try:
                    if not data:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(data)
                except OSError:
                    return

        for each in (take, give):
            threading.Thread(target=each, daemon=True).start()


@contextmanager
def far_away(fleet: Fleet, host: str, alias: str) -> Iterator[Line]:
    """Another name for a host in the ssh config, which leads there over a line."""
    line, address = Line(fleet[host]), fleet.network.address(1)
    with socket.create_server((address, 0)) as near:
        port = near.getsockname()[1]
        threading.Thread(target=line.serve, args=(near,), daemon=True).start()
        config, known = fleet.ssh_config, fleet.home.known_hosts
        block = f"Host {alias}\n    HostName {address}\n    Port {port}\n    User root\n\n"
        config.write_text(block + config.read_text())
        keys = "".join(f"[{address}]:{port} {key}\n" for key in line.host.host_keys)
        known.write_text(known.read_text() + keys)
        try:
            yield line
        finally:
            near.shutdown(socket.SHUT_RDWR)
            fleet.write_home()
