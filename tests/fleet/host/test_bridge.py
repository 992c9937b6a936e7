"""What is written down of bridged assets, in real containers; also where a deploy is killed."""

from typing import IO

import pytest

from lockship.deploy.assets.bridge import bridge
from lockship.deploy.assets.steps import BridgeAssets
from lockship.host.inside import Inside, Placed
from lockship.host.server import Server
from tests.fleet.host.conftest import spec

FOLDER = "/www/assets"


def made(server: Server, *names: str) -> None:
    """Make containers, each with one file of its own; that they run isn't needed."""
    for name in names:
        server.create(spec(f"shop-{name}", "busybox:1.36", "true"))
        server.inside(f"shop-{name}").place([Placed(f"{FOLDER}/{name}", b".", 0o644)])


def assets(server: Server, name: str) -> str:
    """The names of a container's files, one letter each."""
    return "".join(sorted(server.inside(f"shop-{name}").read(FOLDER)))


def between(server: Server, new: str, old: str) -> str:
    """Bridge; return what the new one has then."""
    bridge(server, BridgeAssets(f"shop-{new}", f"shop-{old}", FOLDER))
    return assets(server, new)


def test_what_was_borrowed_or_lent_is_not_passed_on(web1: Server) -> None:
    made(web1, *"abcde")
    assert between(web1, "b", "a") == "ab"
    assert between(web1, "c", "b") == "bc"
    assert assets(web1, "b") == "abc"
    # The oldest one, which was lent b's files, serves again.
    assert between(web1, "d", "a") == "ad"
    # Two that serve at once: nothing of either is passed on.
    assert between(web1, "e", "c") == "ce"
    assert between(web1, "e", "d") == "cde"
    made(web1, "n")
    assert between(web1, "n", "e") == "en"


def test_a_bridge_that_is_killed_is_finished_by_the_next(
    web1: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(web1, *"abc")
    unpack = Inside.unpack

    def killed(self: Inside, folder: str, archive: IO[bytes]) -> None:
        unpack(self, folder, archive)
        raise KeyboardInterrupt

    with monkeypatch.context() as here, pytest.raises(KeyboardInterrupt):
        here.setattr(Inside, "unpack", killed)
        between(web1, "b", "a")
    assert between(web1, "b", "a") == "ab"
    assert between(web1, "c", "b") == "bc", "and not a's, which b only borrowed"
