"""The join of accessories with secrets and git: what their containers are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lockship.cli import secrets
from lockship.cli.lockfile import Found
from lockship.host.credentials import is_same
from lockship.lock.accessory import Accessory, files_of
from lockship.lock.mirrors import mirrored
from lockship.lock.model import Lock
from lockship.lock.reference import parse_reference
from lockship.lockedblobs import read_blobs

if TYPE_CHECKING:
    from lockship.deploy.accessory.tasks import Given


def given(found: Found, name: str | None, *, only_plan: bool) -> Given:
    """Return the secrets of accessories (None: all), and their files' content by blob.

    A plan needs neither. Raises UsageError where the lock has no such accessory, LockshipError
    where a secret or a file's blob can't be had.
    """
    from lockship.deploy.accessory.tasks import Given, chosen

    tables = chosen(found.lock, name)
    if only_plan:
        return Given()
    wanted = {each for table in tables.values() for each in table.secrets}
    if found.lock.registry is not None and _need_account(found.lock, tables.values()):
        wanted.add(found.lock.registry.password)
    sources = {each: source for each, source in found.lock.secrets.items() if each in wanted}
    files = {
        f"{accessory} {file.source}": file.blob
        for accessory, table in tables.items()
        for file in files_of(table)
    }
    contents = read_blobs(found.root, found.lock, "files of accessories", files)
    blobs = {files[which]: content for which, content in contents.items()}
    return Given(secrets.resolved(sources, found.root), blobs)


def _need_account(lock: Lock, tables: Iterable[Accessory]) -> bool:
    """Whether one of the images is in the registry for which the lock has an account."""
    server = lock.registry.server or lock.image.registry if lock.registry else None
    asked = (mirrored(table.image.partition("@")[0], lock.mirrors) for table in tables)
    names = (parse_reference(name) for name in asked)
    return any(name is not None and is_same(name.registry, server) for name in names)
