"""Whether a commit is signed by a key that the repository allows, as git itself verifies it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from lockship.git import Objects, Repository
from lockship.gitobjects import commit, find_entry

SIGNERS: Final = ".lockship/allowed-signers"
_SSH: Final = b"\ngpgsig -----BEGIN SSH SIGNATURE-----\n"


def unsigned(repository: Repository, objects: Objects, oid: str) -> str | None:
    """Return why the commit doesn't count as signed; None where it does.

    Who may sign is said by the commit's own tree, in the format of ssh-keygen(1), ALLOWED SIGNERS:
    no setting of the machine counts. So only SSH signatures do.
    """
    data = objects.read(oid)
    signers = signers_of(objects, commit(oid, data).tree)
    if signers is None:
        return f"there is no {SIGNERS} in it that says who may sign"
    header = data.partition(b"\n\n")[0] + b"\n"
    if _SSH not in header:
        kind = "isn't signed by an SSH key" if b"\ngpgsig" in header else "isn't signed"
        return f"the commit {kind}"
    with tempfile.TemporaryDirectory(prefix="lockship-") as folder:
        allowed = Path(folder) / "allowed-signers"
        allowed.write_bytes(objects.read(signers))
        settings = (f"gpg.ssh.allowedSignersFile={allowed}", "gpg.ssh.program=ssh-keygen")
        words = [word for setting in settings for word in ("-c", setting)]
        process = repository.start(*words, "verify-commit", "--raw", oid)
        process.communicate()
    return "no key in that file has signed the commit" if process.returncode else None


def signers_of(objects: Objects, tree: str) -> str | None:
    """Return the blob of a tree's list of signers; None where there is none."""
    found = find_entry(objects.read, tree, SIGNERS.encode())
    return found.id if found is not None and found.is_file else None
