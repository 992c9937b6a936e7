"""What a pinned image is for each of several platforms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import docker.errors
from msgspec import Struct

from lockship.errors import LockshipError
from lockship.host.credentials import auth_of
from lockship.host.engine import Engine, engine_errors
from lockship.host.images import credentials
from lockship.host.manifests import read_index
from lockship.host.parse import image_platform
from lockship.host.refusals import registry_error
from lockship.host.types import RegistryAuth
from lockship.lock.mirrors import mirrored
from lockship.lock.platform import plain
from lockship.lock.reference import parse_reference


class PlatformPins(Struct, frozen=True):
    """A pin by platform, and what to know."""

    pins: dict[str, str]
    note: str = ""


def look_up_platforms(
    engine: Engine,
    name: str,
    pin: str,
    platforms: Iterable[str],
    own: RegistryAuth | None = None,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> PlatformPins:
    """Return what the image that `pin` names is for each platform.

    `own` is the account of `[registry]`; `mirrors` are asked instead of their registries.
    Which platforms it has is the engine's answer. The digest of each one's image is the
    registry's own, where that can be asked from here; else it's the index's, which names it too.
    Raises LockshipError where a platform isn't among them.
    """
    wanted = list(platforms)
    reference = parse_reference(name)
    if reference is None:
        raise LockshipError(f"{name!r} is no image's name.", hint="Write it as docker takes it.")
    if pin.startswith("id:"):
        here = engine.image(pin.removeprefix("id:"))
        _refuse_missing(name, wanted, [here.platform] if here else [], "which is in no registry, ")
        return PlatformPins(dict.fromkeys(wanted, pin))
    asked = mirrored(f"{reference.repository}@{pin}", mirrors)
    reference = parse_reference(asked) or reference
    auth = auth_of(reference.registry, own)
    with engine_errors():
        try:
            answer: Mapping[str, Any] = engine.api.inspect_distribution(  # type: ignore[no-untyped-call]
                asked, auth_config=credentials(auth) if auth else {}
            )
        except docker.errors.APIError as error:
            raise registry_error(asked, str(error.explanation), error.status_code) or LockshipError(
                f"{reference.domain} has no {name} with the digest that is locked.",
                hint=f"Lock what it has now: `lockship prepare --upgrade {name}`.",
            ) from error
    told = [{k.capitalize(): v for k, v in each.items()} for each in answer.get("Platforms") or ()]
    _refuse_missing(name, wanted, list(map(image_platform, told)), "")
    if len(told) == 1:  # no index: the one image
        return PlatformPins(dict.fromkeys(wanted, pin))
    try:
        images = read_index(reference, pin, auth)
    except LockshipError as error:
        note = f"{name}: each platform's image is pinned by their index alone: {error.message}"
        return PlatformPins(dict.fromkeys(wanted, pin), note)
    return PlatformPins({each: images.get(plain(each), pin) for each in wanted})


def _refuse_missing(name: str, wanted: Iterable[str], there: list[str], what: str) -> None:
    missing = [each for each in wanted if plain(each) not in there]
    if missing:
        listed = ", ".join(dict.fromkeys(each for each in there if "unknown" not in each))
        raise LockshipError(
            f"{name}, {what}isn't made for {' and '.join(missing)}."
            if what
            else f"{name} isn't made for {' and '.join(missing)}.",
            details=[f"it is made for: {listed or 'nothing that is known'}"],
            hint="Take a base that has them, or take them out of [build] platforms.",
        )
