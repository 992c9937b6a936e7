"""Build one image with BuildKit, from the locked tree and the pinned bases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lockship.build.bases import check_local, refuse_blind_builder, with_digests
from lockship.build.client import client_env, find_client
from lockship.build.command import build_command
from lockship.build.context import resolve
from lockship.build.folder import locked_tree
from lockship.build.given import given
from lockship.build.labels import BUILD_KEY, labels
from lockship.build.process import run_build
from lockship.build.target import Target
from lockship.errors import LockshipError
from lockship.host.credentials import account
from lockship.host.engine import Engine, Found
from lockship.lock.platform import plain
from lockship.progress import Event, Report
from lockship.scratch import scratch_folder
from lockship.secrets.secret import Secret


def built(
    engine: Engine,
    repository_root: Path,
    target: Target,
    secrets: Mapping[str, Secret],
    *,
    report: Report,
    tty: bool,
    fresh: Path | None = None,
) -> tuple[Found, str | None]:
    """Build an image, which gets no name; return it, and its `config` (see `lock.image.Made`).

    `fresh` is an empty folder to build in, and no cache is used then.
    """
    lock = target.lock
    client = find_client(os.environ)
    with (
        given(client, lock.build, secrets, os.environ, account(lock, secrets)) as beside,
        locked_tree(repository_root, lock, report, fresh) as files,
        scratch_folder() as scratch,
    ):
        context = resolve(files, lock.build)
        dockerfile = with_digests(context.dockerfile, lock.build, scratch / "from", lock.mirrors)
        refuse_blind_builder(client, client_env(os.environ), lock.build.base)
        check_local(engine, lock.build.base)
        iidfile = scratch / "iid"
        argv = build_command(
            client,
            target,
            context=context.folder,
            dockerfile=dockerfile,
            iidfile=iidfile,
            tty=tty,
            more=beside.words,
            fresh=fresh is not None,
        )
        step = f"build {target.reference}"
        report(Event("start", step))
        try:
            run_build(
                argv, {**client_env(os.environ, engine.env), **beside.env}, report=report, tty=tty
            )
        except BaseException:
            report(Event("failed", step))
            raise
        check_local(engine, lock.build.base)
        found = _verified(engine, iidfile, target)
        report(Event("done", step))
        said = iidfile.read_text().strip()
    return found, said if said != found.id else None


def _verified(engine: Engine, iidfile: Path, target: Target) -> Found:
    """Return the image that was just built, after comparing its labels with the lock."""
    # With a containerd image store the file's id may be the config's, by which none is found.
    found = engine.image(iidfile.read_text().strip())
    if found is None:
        alike = engine.labelled(BUILD_KEY, target.key)
        found = next((each for each in alike if _is_for(target, each)), None)
    if found is None:
        raise LockshipError(
            "The image was built, and the engine doesn't have it.",
            hint="The docker client may build on another engine: see `docker context ls`.",
        )
    if not _is_for(target, found):
        raise LockshipError(
            f"The image was built for {found.platform}; {target.platform} was asked for.",
            hint="Build with BuildKit as it comes with Docker 20.10 or newer, or with buildx.",
        )
    wrong = {k: v for k, v in labels(target.lock).items() if found.labels.get(k) != v}
    if wrong:
        raise LockshipError(
            "The image that was built doesn't carry the lock's labels.", details=sorted(wrong)
        )
    return found


def _is_for(target: Target, found: Found) -> bool:
    return target.platform is None or found.platform == plain(target.platform)
