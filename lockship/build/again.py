"""Build a locked image a second time, from nothing, to be compared with the one that was locked."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lockship.build.image import registry_of
from lockship.build.making import built
from lockship.build.target import Target
from lockship.errors import LockshipError
from lockship.host.engine import Engine, Found, engine_errors
from lockship.lock.image import Made
from lockship.lock.model import Lock
from lockship.progress import Report, quiet
from lockship.secrets.secret import Secret


@contextmanager
def built_again(
    engine: Engine,
    repository_root: Path,
    target: Target,
    secrets: Mapping[str, Secret],
    *,
    report: Report,
    tty: bool,
) -> Iterator[Found]:
    """Give the image that the target is today: built in a clean folder, without any cache or name.

    It is removed in the end, unless it is an image that was here before.
    """
    with engine_errors():
        before = {each["Id"] for each in engine.api.images(all=True)}
    with tempfile.TemporaryDirectory(prefix="lockship-rebuild-") as folder:
        base = Path(folder) / "build"
        found, _ = built(
            engine, repository_root, target, secrets, report=report, tty=tty, fresh=base
        )
    try:
        yield found
    finally:
        if found.id not in before:
            with (
                contextlib.suppress(LockshipError),
                engine_errors(),
            ):  # it has no name: it's rubbish
                engine.api.remove_image(found.id)


def recorded(engine: Engine, lock: Lock, made: Made, secrets: Mapping[str, Secret]) -> Found | None:
    """Return the image that the lock records, from here or from its registry; None if neither.

    Raises LockshipError where the registry doesn't answer.
    """
    here = engine.image(made.image_id)
    registry = registry_of(engine, lock, secrets, quiet)
    if here is not None or registry is None or made.digest is None:
        return here
    try:
        pulled = registry.pull(made.digest)
    except LockshipError as error:
        if not error.message.startswith("The registry has no "):
            raise
        return None
    return pulled if pulled.id == made.image_id else None
