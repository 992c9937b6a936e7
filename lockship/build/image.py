"""Lock → image: find the image that the lock names, or build it; push it; say what it is.

An image is known by its build key (a label): the same key is the same content, built the same way.
A tag is never moved from one content to another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from lockship.build.bases import check_local, refuse_blind_builder, with_digests
from lockship.build.client import client_env, find_client
from lockship.build.command import build_command
from lockship.build.context import resolve
from lockship.build.folder import locked_tree
from lockship.build.given import given
from lockship.build.labels import BUILD_KEY, FINGERPRINT, labels
from lockship.build.process import run_build
from lockship.build.ready import taken
from lockship.build.registry import RegistryRepository
from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.host.buildhost import building_engine
from lockship.host.credentials import account, lock_auth
from lockship.host.engine import Engine, Found
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.progress import Event, Report
from lockship.scratch import scratch_folder
from lockship.secrets.secret import Secret

How = Literal["built", "found here", "found in registry"]


class Built(Struct, frozen=True):
    """The image that the lock names, and how it came to be there."""

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
    key = build_key(lock)
    with building_engine(lock) as engine:
        registry = registry_of(engine, lock, secrets, report)
        if registry is not None and lock.image.digest is not None:
            found = taken(engine, registry, lock, lock.image.digest, key, report)
            return Built(found, "found in registry")
        there = _in_registry(registry, lock, key) if registry else None
        if there is not None:
            report(Event("note", f"{lock.image.reference} is in the registry already"))
            return Built(there, "found in registry")
        how: How = "found here"
        here = _here(engine, lock, key)
        if here is None:
            how = "built"
            before()
            here = built(engine, repository_root, lock, secrets, report=report, tty=tty)
            engine.tag(here.id, lock.image.repository, lock.image.tag)
        else:
            report(Event("note", f"{lock.image.reference} is built already"))
        digest = registry.push(lock.image.tag) if registry else None
        return Built(Artifact(key=key, image_id=here.id, digest=digest), how)


def registry_of(
    engine: Engine, lock: Lock, secrets: Mapping[str, Secret], report: Report
) -> RegistryRepository | None:
    """Return the lock's registry; None where its image has none."""
    if lock.image.registry is None:
        return None
    return RegistryRepository(engine, lock.image.repository, lock_auth(lock, secrets), report)


def _in_registry(registry: RegistryRepository, lock: Lock, key: str) -> Artifact | None:
    """Return what the registry has under the lock's tag; None when it has nothing there."""
    digest = registry.digest(lock.image.tag)
    if digest is None:
        return None
    known = lock.artifact
    if known is not None and known.key == key and known.digest == digest:
        return known
    found = registry.engine.image(f"{registry.name}@{digest}") or registry.pull(digest)
    _refuse_other_content(found, lock, key, where="in the registry")
    return Artifact(key=key, image_id=found.id, digest=digest)


def _here(engine: Engine, lock: Lock, key: str) -> Found | None:
    """Return the lock's image when this engine has it, after seeing that it has the lock's tag.

    The image that the lock's artifact names comes first: other machines run that one. The tag's
    own may be the same content, built a second time.
    """
    tagged = engine.image(lock.image.reference)
    if tagged is not None:
        _refuse_other_content(tagged, lock, key, where="here")
    known = lock.artifact
    named = engine.image(known.image_id) if known is not None and known.key == key else None
    if named is None or named.labels.get(BUILD_KEY) != key:
        return tagged
    if tagged is None or tagged.id != named.id:
        engine.tag(named.id, lock.image.repository, lock.image.tag)
    return named


def _refuse_other_content(found: Found, lock: Lock, key: str, *, where: str) -> None:
    theirs = found.labels.get(BUILD_KEY)
    if theirs == key:
        return
    made = "was not built by lockship" if theirs is None else "was built from other content"
    raise RefusedError(
        f"The tag {lock.image.reference} is taken {where}, and the image under it {made}.",
        details=[
            f"there:  build key {theirs or 'none'}",
            f"        fingerprint {found.labels.get(FINGERPRINT, 'none')}",
            f"locked: build key {key}",
            f"        fingerprint {lock.fingerprint}",
        ],
        hint=(
            "Name this version anew with `lockship prepare --version NAME`, or, if nothing uses it,"
            f" remove the old one{_removal(lock, where)}."
        ),
    )


def _removal(lock: Lock, where: str) -> str:
    return f": `docker rmi {lock.image.reference}`" if where == "here" else " from the registry"


def built(
    engine: Engine,
    repository_root: Path,
    lock: Lock,
    secrets: Mapping[str, Secret],
    *,
    report: Report,
    tty: bool,
    fresh: Path | None = None,
) -> Found:
    """Build the lock's image, which gets no name, and return it.

    `fresh` is an empty folder to build in, and no cache is used then.
    """
    if len(lock.build.platforms) > 1:
        raise UsageError(
            "A lock names one image, and [build] platforms asks for several.",
            hint="Keep one platform in lockship.toml, then `lockship prepare`.",
        )
    client = find_client(os.environ)
    with (
        given(client, lock.build, secrets, os.environ, account(lock, secrets)) as beside,
        locked_tree(repository_root, lock, report, fresh) as files,
        scratch_folder() as scratch,
    ):
        context = resolve(files, lock.build)
        dockerfile = with_digests(context.dockerfile, lock.build, scratch / "from")
        refuse_blind_builder(client, client_env(os.environ), lock.build.base)
        check_local(engine, lock.build.base)
        iidfile = scratch / "iid"
        argv = build_command(
            client,
            lock,
            context=context.folder,
            dockerfile=dockerfile,
            iidfile=iidfile,
            tty=tty,
            more=beside.words,
            fresh=fresh is not None,
        )
        step = f"build {lock.image.reference}"
        report(Event("start", step))
        try:
            run_build(
                argv, {**client_env(os.environ, engine.env), **beside.env}, report=report, tty=tty
            )
        except BaseException:
            report(Event("failed", step))
            raise
        check_local(engine, lock.build.base)
        found = _verified(engine, iidfile, lock)
        report(Event("done", step))
    return found


def _verified(engine: Engine, iidfile: Path, lock: Lock) -> Found:
    """Return the image that was just built, after comparing its labels with the lock."""
    # With a containerd image store the file's id may be the config's, by which none is found.
    found = engine.image(iidfile.read_text().strip()) or engine.labelled(BUILD_KEY, build_key(lock))
    if found is None:
        raise LockshipError(
            "The image was built, and the engine doesn't have it.",
            hint="The docker client may build on another engine: see `docker context ls`.",
        )
    wrong = {k: v for k, v in labels(lock).items() if found.labels.get(k) != v}
    if wrong:
        raise LockshipError(
            "The image that was built doesn't carry the lock's labels.", details=sorted(wrong)
        )
    return found
