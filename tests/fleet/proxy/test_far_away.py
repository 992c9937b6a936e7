"""A host that is 100 ms away: how often a deploy waits for an answer from there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.shop import Shop, image_table
from tests.harness import Fleet
from tests.harness.cli import lockship_command
from tests.harness.distance import far_away

DELAY = 0.1
TO_THE_SWITCH = 14
"""From the connection to the rename that switches, the wait for a healthy container aside.

11 were seen; on a busy machine what is sent together doesn't always go together.
"""
UNCHANGED = 11
"""With the connection's own four; 8 were seen."""


def test_a_deploy_from_far_away_takes_few_round_trips(
    proxied: Fleet, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with far_away(proxied, "web1", "far") as line:
        text = config(hosts=("far",), more=image_table(proxied))
        shop = service(proxied, tmp_path / "shop", text)
        release(shop, "one")
        shop.write("version", "two\n")
        shop.commit("Say two")
        shop.run("prepare")
        shop.run("build")
        line.delay = DELAY
        begin = time.monotonic()
        lines = told(shop)
        connected = next(at for at, each in lines if "far  connect" in each and "done" in each)
        before = line.trips(begin, connected)
        route = proxied["web1"].home / ".lockship/_proxy/dynamic/shop.yml"
        found = line.to_the_switch(lines, "far", route)
        begin = time.monotonic()
        told(shop)
        unchanged = line.trips(begin, time.monotonic())
    record_property(
        f"round trips at {DELAY * 1000:.0f} ms",
        f"{before} to connect, {found} from there to the switch, "
        f"{unchanged} in an unchanged deploy",
    )
    assert found <= TO_THE_SWITCH
    assert unchanged <= UNCHANGED


def told(shop: Shop) -> list[tuple[float, str]]:
    """The lines that a deploy prints, each with its time."""
    argv = lockship_command(["deploy"])
    with subprocess.Popen(
        argv, cwd=shop.folder, env=shop.fleet.env(), stderr=subprocess.PIPE, text=True
    ) as process:
        lines = [(time.monotonic(), line) for line in process.stderr or ()]
    assert process.returncode == 0, "".join(line for _, line in lines)
    return lines
