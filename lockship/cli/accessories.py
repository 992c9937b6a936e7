"""The join of accessories with secrets and git: what their containers are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lockship.cli import secrets
from lockship.cli.lockfile import Found
from lockship.errors import LockshipError
from lockship.git import Repository
from lockship.gitobjects import hash_object
from lockship.lock.accessory import Accessory, files_of
from lockship.lock.model import Lock
from lockship.lock.reference import parse_reference

if TYPE_CHECKING:
    from lockship.deploy.accessory.tasks import Given


def given(found: Found, name: str | None, *, only_plan: bool) -> Given:
    """Return the secrets of accessories (None: all), and their files' content by blob.

    A plan needs neither. Raises UsageError where the lock has no such accessory, LockshipError
    where a secret or a blob can't be had.
    """
    from lockship.deploy.accessory.tasks import Given, chosen

    tables = chosen(found.lock, name).values()
    if only_plan:
        return Given()
    wanted = {each for table in tables for each in table.secrets}
    if found.lock.registry is not None and _need_account(found.lock, tables):
        wanted.add(found.lock.registry.password)
    sources = {each: source for each, source in found.lock.secrets.items() if each in wanted}
    blobs = list(dict.fromkeys(file.blob for table in tables for file in files_of(table)))
    return Given(secrets.resolved(sources, found.root), _read(found, blobs))


def _need_account(lock: Lock, tables: Iterable[Accessory]) -> bool:
    """Whether one of the images is in the registry for which the lock has an account."""
    server = lock.registry.server or lock.image.registry if lock.registry else None
    names = (parse_reference(table.image.partition("@")[0]) for table in tables)
    return any(name is not None and name.registry == server for name in names)


def _read(found: Found, blobs: list[str]) -> dict[str, bytes]:
    if not blobs:
        return {}
    with Repository.discover(found.root).objects() as objects:
        contents = {blob: objects.read(blob) for blob in blobs}
    for blob, content in contents.items():
        if hash_object("blob", content) != blob:
            raise LockshipError(f"Object {blob} isn't what its name says.", hint="Ask `git fsck`.")
    return contents
