"""What a rollout behind the proxy costs those who ask meanwhile, and what the proxy costs."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import Comparison, Series
from tests.fleet.proxy.conftest import HOSTS, config, release, service
from tests.fleet.proxy.load import Load, Span, load
from tests.harness import Fleet, until
from tests.harness.images import ensure_traefik

_CALM = 2.0  # seconds without a switch, before each
_TURN = 3.0  # seconds of asking as fast as it goes
_CONNECTIONS = 4
_BARE = 8001  # the port that a container without a proxy publishes
_TURNS = 3


def rollout(runs: int, folder: Path) -> list[Comparison]:
    """Deploys and rollbacks of 2 hosts under load: failures, latency, and the proxy's throughput.

    The load is keep-alive connections with GETs, POSTs and downloads that last longer than a
    switch; latency is that of the short requests. A turn is a rollback and a deploy.
    """
    with Fleet.start(hosts=list(HOSTS)) as fleet, ExitStack() as stack:
        ensure_traefik(fleet.engine)  # where `prepare` looks it up
        for host in HOSTS:
            ensure_traefik(fleet[host].engine)
        shop = service(fleet, folder / "shop", config())
        release(shop, "one")
        release(shop, "two")
        addresses = [fleet[host].address for host in HOSTS]
        image = shop.lock()["artifact"]["image-id"]
        fleet[HOSTS[0]].docker("run", "--detach", "--publish", f"{_BARE}:8000", image)
        proxied, bare = _throughputs(addresses[0])
        lock = (shop.folder / ".shiplock").read_bytes()
        asked = [stack.enter_context(load(each, "shop.test", pause=0.02)) for each in addresses]
        switches: list[Span] = []
        for number in range(2 * runs):
            time.sleep(_CALM)
            begin = time.monotonic()
            if number % 2:
                (shop.folder / ".shiplock").write_bytes(lock)
            shop.run("deploy" if number % 2 else "rollback")
            switches.append((begin, time.monotonic()))
        stack.close()
    during, outside = _split(asked, switches)
    return [
        Comparison(
            "",
            f"failed in {len(switches)} switches",
            "requests",
            Series((float(sum(len(each.failures) for each in asked)),)),
            Series((float(sum(each.requests for each in asked)),)),
            aim=0,
        ),
        Comparison("s", "during a switch, p50", "outside", _at(during, 0.5), _at(outside, 0.5)),
        Comparison("s", "during a switch, p99", "outside", _at(during, 0.99), _at(outside, 0.99)),
        Comparison("requests/s", "through the proxy", "the bare container", proxied, bare),
    ]


def _split(asked: list[Load], switches: list[Span]) -> tuple[list[float], list[float]]:
    """Seconds of the requests that overlap a switch, and of those that don't."""
    during: list[float] = []
    outside: list[float] = []
    for begin, end in (span for each in asked for span in each.spans):
        overlaps = any(begin < last and first < end for first, last in switches)
        (during if overlaps else outside).append(end - begin)
    return sorted(during), sorted(outside)


def _at(ordered: list[float], share: float) -> Series:
    return Series((ordered[min(len(ordered) - 1, int(share * len(ordered)))],))


def _throughputs(address: str) -> tuple[Series, Series]:
    """Ask the proxy, and a container's published port, in turns."""
    until(lambda: _listens(address, _BARE), 30, "the bare container to listen")
    turns = [(_throughput(address, 80), _throughput(address, _BARE)) for _ in range(_TURNS)]
    return Series(tuple(a for a, _ in turns)), Series(tuple(b for _, b in turns))


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def _throughput(address: str, port: int) -> float:
    """Requests a second on a few keep-alive connections, each asking again at once."""
    answered = [0] * _CONNECTIONS
    end = time.monotonic() + _TURN

    def run(number: int) -> None:
        connection = http.client.HTTPConnection(address, port, timeout=30)
        while time.monotonic() < end:
            connection.request("GET", "/", headers={"Host": "shop.test"})
            answered[number] += len(connection.getresponse().read()) > 0
        connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / _TURN
