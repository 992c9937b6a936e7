"""What to do about a container that isn't healthy: a sentence for each usual cause. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lockship.deploy.sockets import Listening
from lockship.host.types import Container

if TYPE_CHECKING:
    from lockship.deploy.unhealthy import Answer, Asked

_LONGER: Final = "if it only needs longer, raise healthcheck.limit"
_NO_PROGRAM: Final = re.compile(r"not found|no such file or directory|permission denied")
# What services say to a host name that they don't know: Django 400, Rails 403, others 404 or 421.
_UNKNOWN_NAME: Final = frozenset({400, 403, 404, 421})


def advice(
    container: Container, answer: Answer, asked: Asked, ports: tuple[Listening, ...] | None
) -> str:
    """Return the sentence that fits; `ports` None: nobody could see who listens."""
    if container.oom_killed:
        return "raise its role's `memory` in lockship.toml (or free some there), then prepare"
    if container.state != "running" or "started again" in answer.said:
        image = container.image_id.removeprefix("sha256:")[:12]
        return f"its log says why it ended; try the image here: docker run --rm {image}"
    if asked.kind == "own":
        return _own(answer)
    if answer.status is not None:
        return _status(answer, asked)
    if "refused" in answer.said:
        return _port(asked, ports)
    return _LONGER


def _own(answer: Answer) -> str:
    if answer.said == "starting":
        return (
            "the engine first asks after the HEALTHCHECK's interval, 30 s unless it says another:"
            " shorten that (options.health-interval), or raise healthcheck.limit"
        )
    if _NO_PROGRAM.search(answer.said.lower()):
        return (
            "the HEALTHCHECK's program must be in the image; without one there, let lockship ask:"
            " healthcheck.path and healthcheck.port"
        )
    return f"its HEALTHCHECK says so: try it in a container; {_LONGER}"


def _status(answer: Answer, asked: Asked) -> str:
    redirects = answer.status in range(300, 400) and answer.target
    if redirects and answer.target.startswith("https://"):
        return (
            "it sends HTTP to HTTPS: let it answer this path without (the proxy does that for"
            f" clients), or say healthcheck.status = [{answer.status}]"
        )
    if redirects:
        return "set healthcheck.path to a page that doesn't redirect, or healthcheck.status"
    if not asked.named and answer.status in _UNKNOWN_NAME:
        return (
            "set healthcheck.path or healthcheck.status to what the service answers;"
            " where it answers by name only, healthcheck.host"
        )
    return "set healthcheck.path or healthcheck.status to what the service answers"


def _port(asked: Asked, ports: tuple[Listening, ...] | None) -> str:
    if ports is None:
        return "does it listen on 0.0.0.0 and on this port? else set healthcheck.port"
    if any(each.port == asked.port for each in ports):
        return f"it listens on 127.0.0.1 only; let it listen on 0.0.0.0, port {asked.port}"
    others = [str(each.port) for each in ports if each.reachable]
    if others:
        return (
            f"it listens on {' and '.join(others)}, not on {asked.port}:"
            " set healthcheck.port, and [proxy] port where it's behind the proxy"
        )
    return f"nothing listens there yet; {_LONGER}"
