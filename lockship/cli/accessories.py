"""The join of accessories with secrets and git: what their containers are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockship.cli import secrets
from lockship.cli.lockfile import Found
from lockship.git import Repository
from lockship.lock.accessory import files_of

if TYPE_CHECKING:
    from lockship.secrets.secret import Secret

Given = tuple[dict[str, "Secret"], dict[str, bytes]]


def given(found: Found, name: str | None, *, only_plan: bool) -> Given:
    """Return the secrets of accessories (None: all), and their files' content by blob.

    A plan needs neither. Raises UsageError where the lock has no such accessory, LockshipError
    where a secret or a blob can't be had.
    """
    from lockship.deploy.accessory.tasks import chosen

    tables = chosen(found.lock, name).values()
    if only_plan:
        return {}, {}
    wanted = {each for table in tables for each in table.secrets}
    sources = {each: source for each, source in found.lock.secrets.items() if each in wanted}
    blobs = list(dict.fromkeys(file.blob for table in tables for file in files_of(table)))
    return secrets.resolved(sources, found.root), _read(found, blobs)


def _read(found: Found, blobs: list[str]) -> dict[str, bytes]:
    if not blobs:
        return {}
    with Repository.discover(found.root).objects() as objects:
        return {blob: objects.read(blob) for blob in blobs}
