"""The join of `audit verify --registry`: whether the registry still has what was locked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.build import labels
from lockship.build.registry import RegistryRepository
from lockship.errors import LockshipError
from lockship.host.credentials import registry_auth
from lockship.host.engine import connect
from lockship.lock.image import Artifact
from lockship.lock.model import Lock

_Wrong = tuple[str, str, str, str]  # its kind, the lock's key, what, and what to do
_GONE = "Its lock can be built again: check out its commit, then `lockship build`."
_SWAPPED = "A host runs the digest, whatever the tag says; find out who pushed the tag."


def verify_registry(found: Iterable[Entry]) -> list[Finding]:
    """Look up each image that a committed lock records; return what isn't as recorded.

    An image is pulled into the local engine, since its labels are inside: what of it is here isn't
    sent again. Raises LockshipError where the engine or a registry doesn't answer.
    """
    entries = [each for each in found if each.lock is not None]
    fingerprints = {each.lock.fingerprint for each in entries if each.lock}
    findings: list[Finding] = []
    seen: set[tuple[str, str, str]] = set()
    tags: set[str] = set()
    with connect() as engine:
        for entry in entries:
            lock, artifact = entry.lock, entry.lock.artifact if entry.lock else None
            registry = lock.image.registry if lock else None
            if lock is None or artifact is None or artifact.digest is None or registry is None:
                continue
            there = RegistryRepository(engine, lock.image.repository, registry_auth(registry))
            wrong: list[_Wrong] = []
            # Of a tag the newest state counts: an older one may have been pushed again since.
            if lock.image.digest is None and lock.image.reference not in tags:
                tags.add(lock.image.reference)
                wrong += _tag(there, lock, artifact.digest)
            said = (f"{lock.image.repository}@{artifact.digest}", artifact.image_id, artifact.key)
            if said not in seen:
                seen.add(said)
                wrong += _image(there, lock, artifact, fingerprints)
            findings += [
                Finding(
                    about="registry", kind=kind, what=what, hint=hint, commit=entry.commit.id,
                    path=entry.path, version=lock.service.version, field=field,
                )
                for kind, field, what, hint in wrong
            ]  # fmt: skip
    return findings


def _tag(there: RegistryRepository, lock: Lock, digest: str) -> Iterator[_Wrong]:
    tagged = there.digest(lock.image.tag)
    if tagged is None:
        yield "tag", "image.tag", f"the registry has no tag {lock.image.tag}", _GONE
    elif tagged != digest:
        yield (
            "tag",
            "image.tag",
            f"the tag {lock.image.tag} is another image now, {_short(tagged)}",
            _SWAPPED,
        )


def _image(
    there: RegistryRepository, lock: Lock, artifact: Artifact, fingerprints: set[str]
) -> Iterator[_Wrong]:
    try:
        image = there.pull(artifact.digest or "")
    except LockshipError as error:
        if not error.message.startswith("The registry has no "):
            raise
        yield (
            "gone",
            "artifact.digest",
            f"the registry has no image {_short(artifact.digest or '')} any more",
            _GONE,
        )
        return
    if image.id != artifact.image_id:
        yield (
            "image",
            "artifact.image-id",
            f"the digest is of image {_short(image.id)}, not the locked one",
            _GONE,
        )
    if lock.image.digest is not None:
        return  # somebody else's build has none of our labels
    if image.labels.get(labels.BUILD_KEY) != artifact.key:
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
