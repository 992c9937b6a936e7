"""Lock → image: find the image that the lock names, or build it; push it; say what it is.

An image is known by its build key (a label): the same key is the same content, built the same way.
A tag is never moved from one content to another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import asdict

from lockship.build.index import put_index
from lockship.build.labels import BUILD_KEY, FINGERPRINT
from lockship.build.making import built
from lockship.build.ready import taken
from lockship.build.registry import RegistryRepository
from lockship.build.target import Target, several, targets
from lockship.errors import RefusedError
from lockship.host.buildhost import building_engine
from lockship.host.credentials import auth_at
from lockship.host.engine import Engine, Found
from lockship.lock.image import Artifact, Image, Made
from lockship.lock.mirrors import repository_at
from lockship.lock.model import Lock
from lockship.progress import Event, Report
from lockship.secrets.secret import Secret

How = Literal["built", "found here", "found in registry"]
_FIRST: Final[tuple[How, ...]] = ("built", "found here", "found in registry")


class Built(Struct, frozen=True):
    """What the lock names, and how it came to be there; built where one of several was."""

    artifact: Artifact
    how: How


def build(
    repository_root: Path,
    lock: Lock,
    *,
    report: Report,
    tty: bool,
    secrets: Mapping[str, Secret] = MappingProxyType({}),
    before: Callable[[], None] = lambda: None,
) -> Built:
    """Find or build the lock's image; with a registry in its name, see that it is there.

    Reads only the lock and the git objects that it names, and writes nothing to the repository:
    the caller puts the artifact into the lockfile. `tty`: BuildKit draws its progress on stderr.
    `secrets` are at least those that the lock needs for building (`lock.needs`).
    `before` is called where something is to be built; what it raises stops that.

    Raises RefusedError where the tag belongs to other content, or the locked objects aren't here;
    LockshipError where the build, the engine or the registry fails.
    """
    wanted = targets(lock)
    key = wanted[0].key
    with building_engine(lock) as engine:
        registry = registry_of(engine, lock, secrets, report)
        if registry is not None and lock.image.digest is not None:
            found = taken(engine, registry, lock, lock.image.digest, key, report)
            return Built(found, "found in registry")
        made: list[Made] = []
        hows: set[How] = set()
        for target in wanted:
            one, how = _found(engine, registry, target, report)
            if one is None:
                if "built" not in hows:
                    before()
                here, config = built(
                    engine, repository_root, target, secrets, report=report, tty=tty
                )
                engine.tag(here.id, target.repository, target.tag)
                digest = registry.push(target.tag) if registry else None
                one = Made(image_id=here.id, digest=digest, config=config)
            made.append(one)
            hows.add(how)
        how = next(each for each in _FIRST if each in hows)
        if not several(lock):
            return Built(Artifact(key=key, **asdict(made[0])), how)
        images = dict(zip(lock.build.platforms, made, strict=True))
        known = lock.artifact if lock.artifact is not None and lock.artifact.key == key else None
        index = put_index(registry, lock, known, images) if registry is not None else None
        return Built(Artifact(key=key, digest=index, platforms=images), how)


def _found(
    engine: Engine, registry: RegistryRepository | None, target: Target, report: Report
) -> tuple[Made | None, How]:
    """Return an image that was made before, and where it was; None where it is to be built."""
    there = _in_registry(registry, target) if registry else None
    if there is not None:
        report(Event("note", f"{target.reference} is in the registry already"))
        return there, "found in registry"
    here = _here(engine, target)
    if here is None:
        return None, "built"
    report(Event("note", f"{target.reference} is built already"))
    digest = registry.push(target.tag) if registry else None
    known = target.known
    config = known.config if known is not None and known.image_id == here.id else None
    return Made(image_id=here.id, digest=digest, config=config), "found here"


def registry_of(
    engine: Engine, lock: Lock, secrets: Mapping[str, Secret], report: Report
) -> RegistryRepository | None:
    """Return the lock's registry; None where its image has none."""
    if lock.image.registry is None:
        return None
    repository = lock.image.repository
    if lock.image.digest is not None:  # somebody else's, that is only pulled
        repository = repository_at(repository, lock.mirrors)
    auth = auth_at(Image(repository=repository, tag="").registry, lock, secrets)
    return RegistryRepository(engine, repository, auth, report)


def _in_registry(registry: RegistryRepository, target: Target) -> Made | None:
    """Return what the registry has under the target's tag; None when it has nothing there."""
    digest = registry.digest(target.tag)
    if digest is None:
        return None
    if target.known is not None and target.known.digest == digest:
        return target.known
    found = registry.engine.image(f"{registry.name}@{digest}") or registry.pull(digest)
    _refuse_other_content(found, target, where="in the registry")
    return Made(image_id=found.id, digest=digest)


def _here(engine: Engine, target: Target) -> Found | None:
    """Return the target's image when this engine has it, after seeing that it has the tag.

    The image that the lock's artifact names comes first: other machines run that one. The tag's
    own may be the same content, built a second time.
    """
    tagged = engine.image(target.reference)
    if tagged is not None:
        _refuse_other_content(tagged, target, where="here")
    named = engine.image(target.known.image_id) if target.known is not None else None
    if named is None or named.labels.get(BUILD_KEY) != target.key:
        return tagged
    if tagged is None or tagged.id != named.id:
        engine.tag(named.id, target.repository, target.tag)
    return named


def _refuse_other_content(found: Found, target: Target, *, where: str) -> None:
    theirs = found.labels.get(BUILD_KEY)
    if theirs == target.key:
        return
    made = "was not built by lockship" if theirs is None else "was built from other content"
    raise RefusedError(
        f"The tag {target.reference} is taken {where}, and the image under it {made}.",
        details=[
            f"there:  build key {theirs or 'none'}",
            f"        fingerprint {found.labels.get(FINGERPRINT, 'none')}",
            f"locked: build key {target.key}",
            f"        fingerprint {target.lock.fingerprint}",
        ],
        hint=(
            "Name this version anew with `lockship prepare --version NAME`, or, if nothing uses it,"
            f" remove the old one{_removal(target, where)}."
        ),
    )


def _removal(target: Target, where: str) -> str:
    return f": `docker rmi {target.reference}`" if where == "here" else " from the registry"
