"""Which of a lock's images a host runs, and how its engine calls it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lockship.deploy.state import HostState
from lockship.errors import RefusedError
from lockship.host.types import EngineInfo
from lockship.lock.image import Artifact, Made
from lockship.lock.model import Lock


def tells(artifact: Artifact) -> bool:
    """Whether a host's engine has to say what it is: of several images, or of one with two ids."""
    return bool(artifact.platforms) or any(None not in made.ids for made in artifact.images)


def kind_of(host: str, lock: Lock, engine: EngineInfo | None) -> tuple[str, bool]:
    """Return a host's platform, and whether its engine knows images by their manifests.

    The platform is what the lock says of the host, else its engine; '' and False where neither
    makes a difference, and the engine wasn't asked.
    """
    if engine is None:
        return "", False
    return lock.hosts[host].platform or engine.platform, engine.containerd_store


def made_here(artifact: Artifact, state: HostState) -> Made | None:
    """Return a host's image, as its engine knows it; None where there is none for its platform."""
    made = artifact.of(state.platform)
    return made.known(by_manifest=state.by_manifest) if made else None


def image_on(lock: Lock, state: HostState) -> str | None:
    """Return the id of the host's image: None where it isn't built, '' where none is for it."""
    if lock.artifact is None:
        return None
    made = made_here(lock.artifact, state)
    return made.image_id if made else ""


def made_on(lock: Lock, artifact: Artifact, state: HostState) -> Made:
    """Return a host's image. Raises RefusedError where there is none for its platform."""
    return made_for(lock, artifact, [state])[state.host]


def made_for(lock: Lock, artifact: Artifact, states: Iterable[HostState]) -> dict[str, Made]:
    """Return each host's image. Raises RefusedError with every host that has none."""
    found = {state.host: (state.platform, made_here(artifact, state)) for state in states}
    without = {host: platform for host, (platform, made) in found.items() if made is None}
    if without:
        each = [f"{host} is {platform}" for host, platform in without.items()]
        some = next(iter(without))
        what = f"{lock.project} {lock.service.version} isn't built for every host's platform"
        raise RefusedError(
            f"{what}; nothing was changed.",
            details=[*each, f"the lock has {', '.join(artifact.platforms)}"],
            hint=f"Add it to [build] platforms, or say which one the host can run:"
            f' platform under [hosts."{some}"]; then `lockship prepare`.',
        )
    return {host: made for host, (_, made) in found.items() if made is not None}
