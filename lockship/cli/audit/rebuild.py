"""The join of `audit verify --rebuild`: a locked image is built once more, and compared."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lockship.audit.choose import named
from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.audit.layers import Rebuilt, added, compare
from lockship.build.again import built_again, recorded
from lockship.build.labels import FINGERPRINT
from lockship.build.target import Target, several, targets
from lockship.cli import console, progress, secrets
from lockship.errors import UsageError
from lockship.git import Repository
from lockship.host.buildhost import building_engine
from lockship.host.engine import Engine, engine_errors
from lockship.host.images import export
from lockship.host.imagetar import Exported, exported
from lockship.lock.image import Artifact, Made
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
    draws = not quietly and not lock.build.secrets and console.is_live(sys.stderr)
    done: list[Rebuilt] = []
    findings: list[Finding] = []
    with building_engine(lock) as engine:
        for target in targets(lock):
            made = artifact.of(target.platform or "")
            ours = recorded(engine, lock, made, values) if made else None
            if ours is None:
                findings.append(_gone(version, target, made))
                continue
            with (
                progress.shown(quietly=quietly, live=not draws) as report,
                built_again(
                    engine, repository.root, target, values, report=report, tty=draws
                ) as again,
                tempfile.TemporaryDirectory(prefix="lockship-images-") as folder,
            ):
                locked, anew = (_exported(engine, each.id, Path(folder)) for each in (ours, again))
                rebuilt, wrong = compare(version, locked, anew, _MAY_DIFFER)
            done.append(rebuilt)
            findings += [_about(target, each) for each in wrong]
    return added(done), findings


def _gone(version: str, target: Target, made: Made | None) -> Finding:
    image_id = f" {made.image_id.removeprefix('sha256:')[:12]}" if made else ""
    what = f"the locked image{image_id} is neither here nor in its registry"
    hint = "Its host may have it still; without it there is nothing to compare with."
    return _about(
        target, Finding(about="build", kind="gone", what=what, hint=hint, version=version)
    )


def _about(target: Target, finding: Finding) -> Finding:
    """Say of which platform's image it is, where there are several."""
    if not several(target.lock):
        return finding
    return msgspec.structs.replace(finding, what=f"{target.platform}: {finding.what}")


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
