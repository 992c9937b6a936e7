"""What an image's name means today: the digest in its registry, or the id of one in none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import docker.errors
from msgspec import Struct

from lockship.errors import LockshipError
from lockship.host.credentials import auth_of
from lockship.host.engine import Engine, Found, engine_errors
from lockship.host.images import credentials, say_nothing
from lockship.host.patient import patiently
from lockship.host.refusals import registry_error
from lockship.host.types import RegistryAuth
from lockship.lock.mirrors import mirrored
from lockship.lock.reference import Reference, parse_reference


class ImagePin(Struct, frozen=True):
    """`sha256:...`, or `id:sha256:...` for an image that is in no registry; and what to know."""

    pin: str
    note: str = ""


def look_up(
    engine: Engine,
    name: str,
    own: RegistryAuth | None = None,
    note: Callable[[str], None] = say_nothing,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> ImagePin:
    """Return what identifies the image that a build would take for `name` now.

    `own` is the account of `[registry]`, for what is there. `note` is told of each further try. A
    registry that has one of `mirrors` isn't asked itself.

    An image of the engine that came from no registry is what BuildKit takes, so it is pinned by its
    id. Else the registry says the digest; where it can't be asked, the engine's own copy does.
    Raises LockshipError where neither has it.
    """
    reference = parse_reference(name)
    if reference is None:
        raise LockshipError(f"{name!r} is no image's name.", hint="Write it as docker takes it.")
    here = engine.image(name)
    copied = _digest_here(here, reference) if here else None
    if here is not None and copied is None:
        return ImagePin(f"id:{here.id}")
    try:
        digest = _patiently(engine, mirrored(name, mirrors), own, note)
    except LockshipError as error:
        if here is None or copied is None:
            raise
        unasked = f"{name}: pinned as it is here, unasked: {error.message}"
        return ImagePin(f"id:{here.id}" if copied == here.id else copied, unasked)
    if digest is not None:
        return ImagePin(digest)
    if here is not None:
        return ImagePin(f"id:{here.id}")
    asked_at = mirrors.get(reference.domain, reference.domain)
    raise LockshipError(
        f"There is no image {name}: {asked_at} doesn't have it, nor this engine.",
        hint="Mend its name, or build or load it here, then run the same command again.",
    )


def _patiently(
    engine: Engine, asked: str, own: RegistryAuth | None, note: Callable[[str], None]
) -> str | None:
    there = parse_reference(asked)
    assert there is not None  # noqa: S101 - a name's place in a mirror is a name
    auth = auth_of(there.registry, own)
    return patiently(there.domain, lambda: _ask(engine, asked, auth), note)


def is_pinned(engine: Engine, name: str, pin: str) -> Found | None:
    """Return the engine's image under `name` where its id is the pinned one (`id:sha256:...`)."""
    here = engine.image(name)
    return here if here is not None and f"id:{here.id}" == pin else None


def _digest_here(here: Found, reference: Reference) -> str | None:
    """Return the digest under which the engine got its image from this repository, if it did."""
    for each in here.digests:
        found = parse_reference(each)
        if found is not None and found.repository == reference.repository:
            return found.digest
    return None


def _ask(engine: Engine, name: str, auth: RegistryAuth | None) -> str | None:
    """Return the digest in the registry, through the engine; None where it has no such image."""
    with engine_errors():
        try:
            answer: Mapping[str, Any] = engine.api.inspect_distribution(  # type: ignore[no-untyped-call]
                name, auth_config=credentials(auth) if auth else {}
            )
        except docker.errors.APIError as error:
            refusal = registry_error(name, str(error.explanation), error.status_code)
            if refusal is None:
                return None
            raise refusal from error
    return str(answer["Descriptor"]["digest"])
