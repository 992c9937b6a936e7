"""The join of `audit verify --registry`: whether the registry still has what was locked."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.build import labels
from lockship.build.registry import RegistryRepository
from lockship.build.target import several, targets
from lockship.cli import console, lockfile, secrets
from lockship.cli.text import visible
from lockship.errors import LockshipError
from lockship.host.credentials import account, is_same, registry_auth
from lockship.host.engine import connect
from lockship.host.types import RegistryAuth
from lockship.lock.image import Artifact, Made
from lockship.lock.model import Lock
from lockship.lock.shape import Path, dotted

_Wrong = tuple[str, str, str, str]  # its kind, the lock's key, what, and what to do
_GONE = "Its lock can be built again: check out its commit, then `lockship build`."
_SWAPPED = "A host runs the digest, whatever the tag says; find out who pushed the tag."


def verify_registry(found: Iterable[Entry], destination: str | None) -> list[Finding]:
    """Look up each image that a committed lock records; return what isn't as recorded.

    An image is pulled into the local engine, since its labels are inside: what of it is here isn't
    sent again. The account is that of the lockfile which is there now, of `destination`: nothing
    that an old lock says is run. Raises LockshipError where engine or registry don't answer.
    """
    entries = [each for each in found if each.lock is not None]
    fingerprints = {each.lock.fingerprint for each in entries if each.lock}
    findings: list[Finding] = []
    seen: set[tuple[str, str, str]] = set()
    tags: set[str] = set()
    auth = _accounts(destination)
    with connect() as engine:
        for entry in entries:
            lock, artifact = entry.lock, entry.lock.artifact if entry.lock else None
            registry = lock.image.registry if lock else None
            if lock is None or artifact is None or registry is None:
                continue
            there = RegistryRepository(engine, lock.image.repository, auth(registry))
            wrong: list[_Wrong] = []
            if several(lock) and artifact.digest and lock.image.reference not in tags:
                tags.add(lock.image.reference)
                wrong += _tag(there, lock.image.tag, artifact.digest)
            for tag, made, at in _made(lock, artifact):
                # Of a tag the newest state counts: an older one may have been pushed again since.
                named = f"{lock.image.repository}:{tag}"
                if lock.image.digest is None and named not in tags:
                    tags.add(named)
                    wrong += _tag(there, tag, made.digest or "")
                said = (f"{lock.image.repository}@{made.digest}", made.image_id, artifact.key)
                if said not in seen:
                    seen.add(said)
                    wrong += _image(there, lock, made, artifact.key, at, fingerprints)
            findings += [
                Finding(
                    about="registry", kind=kind, what=what, hint=hint, commit=entry.commit.id,
                    path=entry.path, version=lock.service.version, field=field,
                )
                for kind, field, what, hint in wrong
            ]  # fmt: skip
    return findings


def _accounts(destination: str | None) -> Callable[[str], RegistryAuth | None]:
    """Return what knows a registry's account: `[registry]`'s if it can be had, else a login's."""

    @cache
    def at(registry: str) -> RegistryAuth | None:
        try:
            now = lockfile.find(pathlib.Path.cwd(), destination)
        except LockshipError:  # an auditor needs no lockfile, only those in history
            return registry_auth(registry)
        own = now.lock.registry
        if own is None or not is_same(own.server or now.lock.image.registry, registry):
            return registry_auth(registry)
        try:
            wanted = {own.password: now.lock.secrets[own.password]}
            return account(now.lock, secrets.resolved(wanted, now.root))
        except LockshipError as error:
            why = error.details[0] if error.details else error.message
            console.say(f"[registry] isn't used, `docker login` counts: {visible(why)}")
            return registry_auth(registry)

    return at


def _made(lock: Lock, artifact: Artifact) -> Iterator[tuple[str, Made, Path]]:
    """Yield each image that was pushed: its tag, what was made, and the key that says so."""
    for target in targets(lock):
        made = artifact.of(target.platform or "")
        if made is not None and made.digest is not None:
            below = ("platforms", target.platform) if target.platform and several(lock) else ()
            yield target.tag, made, ("artifact", *below)


def _tag(there: RegistryRepository, tag: str, digest: str) -> Iterator[_Wrong]:
    tagged = there.digest(tag)
    if tagged is None:
        yield "tag", "image.tag", f"the registry has no tag {tag}", _GONE
    elif tagged != digest:
        what = f"the tag {tag} is another image now, {_short(tagged)}"
        yield "tag", "image.tag", what, _SWAPPED


def _image(
    there: RegistryRepository, lock: Lock, made: Made, key: str, at: Path, fingerprints: set[str]
) -> Iterator[_Wrong]:
    digest = made.digest or ""
    try:
        image = there.pull(digest)
    except LockshipError as error:
        if not error.message.startswith("The registry has no "):
            raise
        yield (
            "gone",
            dotted((*at, "digest")),
            f"the registry has no image {_short(digest)} any more",
            _GONE,
        )
        return
    if image.id != made.image_id:
        yield (
            "image",
            dotted((*at, "image-id")),
            f"the digest is of image {_short(image.id)}, not the locked one",
            _GONE,
        )
    if lock.image.digest is not None:
        return  # somebody else's build has none of our labels
    if image.labels.get(labels.BUILD_KEY) != key:
        yield "labels", "artifact.key", "the image's labels name another build", _GONE
    elif image.labels.get(labels.FINGERPRINT) not in fingerprints:
        yield (
            "labels",
            "fingerprint",
            "the image was built from a lock that was never committed",
            _GONE,
        )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
