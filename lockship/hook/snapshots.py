"""Where a forced lock's snapshot is."""

from __future__ import annotations

from lockship.git import Repository
from lockship.hook.updates import Remote
from lockship.lock.model import Lock
from lockship.lock.version import snapshot_ref


def ref_of(lock: Lock) -> str:
    """Return the ref that keeps a forced lock's snapshot."""
    return snapshot_ref(lock.source.commit, lock.source.tree)


def on_remote(repository: Repository, remote: Remote, lock: Lock) -> bool:
    """Ask the remote whether it has the snapshot's ref. Raises LockshipError where it can't be.

    It has to be asked: nothing here says which refs of this kind were pushed before.
    """
    listed = repository.run("ls-remote", "--quiet", "--", remote.url or remote.name, ref_of(lock))
    return listed.decode().split() == [lock.source.snapshot, ref_of(lock)]
