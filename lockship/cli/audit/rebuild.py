"""The join of `audit verify --rebuild`: a locked image is built once more, and compared."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lockship.audit.choose import named
from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.audit.layers import Rebuilt, compare
from lockship.build.again import built_again, recorded
from lockship.build.labels import FINGERPRINT
from lockship.cli import console, progress, secrets
from lockship.errors import UsageError
from lockship.git import Repository
from lockship.host.buildhost import building_engine
from lockship.host.engine import Engine, engine_errors
from lockship.host.images import export
from lockship.host.imagetar import Exported, exported
from lockship.lock.image import Artifact
from lockship.lock.model import Lock

# The image may have been built for another lock of the same content: another destination's.
_MAY_DIFFER = frozenset({FINGERPRINT})


def verify_rebuild(
    repository: Repository,
    found: Sequence[Entry],
    word: str,
    destination: str | None,
    *,
    quietly: bool,
) -> tuple[Rebuilt | None, list[Finding]]:
    """Build the version that `word` names once more; return what differs from the locked image.

    Raises UsageError where no committed lock of it records an image, LockshipError where it can't
    be built any more.
    """
    lock, artifact = _chosen(repository, found, word, destination)
    if lock.image.digest is not None:
        raise UsageError(
            f"The image of {lock.service.version} was built by somebody else.",
            hint="There is nothing to build again; `audit verify --registry` looks at its digest.",
        )
    version = lock.service.version
    values = secrets.for_building(lock, repository.root)
    with building_engine(lock) as engine:
        ours = recorded(engine, lock, artifact, values)
        if ours is None:
            image_id = artifact.image_id.removeprefix("sha256:")[:12]
            what = f"the locked image {image_id} is neither here nor in its registry"
            hint = "Its host may have it still; without it there is nothing to compare with."
            return None, [
                Finding(about="build", kind="gone", what=what, hint=hint, version=version)
            ]
        draws = not quietly and not lock.build.secrets and console.is_live(sys.stderr)
        with (
            progress.shown(quietly=quietly, live=not draws) as report,
            built_again(engine, repository.root, lock, values, report=report, tty=draws) as again,
            tempfile.TemporaryDirectory(prefix="lockship-images-") as folder,
        ):
            locked, anew = (_exported(engine, each.id, Path(folder)) for each in (ours, again))
            return compare(version, locked, anew, _MAY_DIFFER)


def _chosen(
    repository: Repository, found: Sequence[Entry], word: str, destination: str | None
) -> tuple[Lock, Artifact]:
    chosen = named(repository, found, word, destination)
    locks = {each.lock.fingerprint: each.lock for each in chosen if each.lock}
    # The newest state that records an image: a later one may have lost it again.
    for each in found:
        if each.lock is not None and each.lock.fingerprint in locks and each.lock.artifact:
            return each.lock, each.lock.artifact
    raise UsageError(
        f"No committed lock of '{word}' records an image to compare with.",
        hint="`lockship build` puts it into the lock, `deploy --commit` commits it.",
    )


def _exported(engine: Engine, image_id: str, folder: Path) -> Exported:
    with engine_errors():
        return exported(export(engine.api, image_id), folder / image_id.removeprefix("sha256:"))


def told(rebuilt: Rebuilt) -> str:
    """Say in one line what came out."""
    differ = rebuilt.layers - rebuilt.identical - rebuilt.times
    parts = [f"{rebuilt.identical} the same to the byte"]
    if rebuilt.times:
        parts.append(f"{rebuilt.times} but for files' times")
    if differ > 0:
        parts.append(f"{differ} different")
    return f"{rebuilt.version} built again: of {rebuilt.layers} layers {', '.join(parts)}"
