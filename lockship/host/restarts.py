"""Starting and stopping containers so that an engine that died brings back what ran, and only that.

To an engine that comes back without `live-restore`, a container that outlived its crash counts as
stopped by hand: it ends it, and `unless-stopped` doesn't start it again (moby's `killWithSignal`).
`always` does, and would also start what was stopped on purpose. So a container has `always` for as
long as it is to run, and `unless-stopped` from its stop on.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import docker

_Policy = Literal["always", "unless-stopped"]
_ALWAYS: Final = "always"
_STOPPED: Final = "unless-stopped"


def while_running(policy: str) -> str:
    """Return the restart policy that a container is created with, for the one that is asked for."""
    return _ALWAYS if policy == _STOPPED else policy


def start(api: docker.APIClient, name: str, *, fresh: bool) -> None:
    """Start a container; `fresh`: it has the policy that it was created with."""
    api.start(name)
    if not fresh:
        _turn(api, name, _STOPPED, _ALWAYS)


def stop(api: docker.APIClient, name: str, timeout: float) -> None:
    """Stop a container for good: SIGTERM, and SIGKILL after `timeout` seconds. Gone is fine."""
    from docker.errors import NotFound

    with suppress(NotFound):
        _turn(api, name, _ALWAYS, _STOPPED)
        api.stop(name, timeout=math.ceil(timeout))


def _turn(api: docker.APIClient, name: str, policy: _Policy, into: _Policy) -> None:
    found = api.inspect_container(name)["HostConfig"].get("RestartPolicy") or {}
    if found.get("Name") == policy:
        wanted: Any = {"Name": into}  # the stubs know only two names
        api.update_container(name, restart_policy=wanted)
