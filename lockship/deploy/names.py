"""What things of a project are called on a host: containers, labels, files of the run folder."""

from __future__ import annotations

import re
from typing import Final

from lockship.lock.model import Lock
from lockship.lock.role import Role

LABEL_PREFIX: Final = "dev.lockship."
PROJECT: Final = "dev.lockship.project"
ROLE: Final = "dev.lockship.role"
VERSION: Final = "dev.lockship.version"
FINGERPRINT: Final = "dev.lockship.fingerprint"
SERVICE: Final = "dev.lockship.service"
_RENEWED: Final = re.compile(r"-r([1-9][0-9]*)\Z")  # a fingerprint or image ends no name so
UPSTREAM: Final = "dev.lockship.upstream"  # where the proxy finds a container: alias:port


def container_name(lock: Lock, role: str) -> str:
    """`<project>-<role>-<version>-<fingerprint's start>`: one name for one lock's role."""
    return f"{lock.project}-{role}-{lock.service.version}-{lock.short}"


def beside(name: str, image_id: str) -> str:
    """A name for the same lock's role with another image, while `name` still serves."""
    return f"{name}-{image_id.removeprefix('sha256:')[:8]}"


def renewed(name: str, generation: int) -> str:
    """A name for the same lock's role with its secrets looked up anew, the `generation`th time."""
    return f"{_RENEWED.sub('', name)}-r{generation}"


def generation(name: str) -> int:
    """How often a container's secrets were looked up anew, since its lock was deployed."""
    found = _RENEWED.search(name)
    return int(found[1]) if found else 0


def alias(lock: Lock, role: str, image_id: str, container: str) -> str:
    """How the proxy finds a container, whatever its address is after a restart: a name in DNS.

    A container's own name can be longer than the 63 characters of a name's part. `.internal` is
    never a domain of the Internet's, so a name that Docker doesn't know leads to no stranger.
    """
    again = generation(container)
    first = f"{lock.short}-{image_id.removeprefix('sha256:')[:8]}" + (f"-r{again}" if again else "")
    return f"{first}.{role}.{lock.project}.internal"


def known_as(lock: Lock, role: str) -> str:
    """How containers find those of a role, of any version, in a network that the lock names."""
    return f"{role}.{lock.project}.internal"


def upstream(lock: Lock, role: str, image_id: str, container: str) -> str | None:
    """Return `alias:port` of a role's container, by its name.

    None where the proxy doesn't serve the role.
    """
    if lock.proxy is None or not lock.roles[role].proxy:
        return None
    return f"{alias(lock, role, image_id, container)}:{lock.proxy.port}"


def container_labels(lock: Lock, role_name: str, role: Role) -> dict[str, str]:
    """Return the role's own labels and, over them, those by which lockship knows a container."""
    own = {key: value for key, value in role.labels.items() if not key.startswith(LABEL_PREFIX)}
    return own | {
        PROJECT: lock.project,
        SERVICE: lock.service.name,
        ROLE: role_name,
        VERSION: lock.service.version,
        FINGERPRINT: lock.fingerprint,
    }


def project_folder(lock: Lock) -> str:
    """The project's part of the run folder, relative to the login home unless absolute."""
    return f"{lock.deploy.run_folder}/{lock.project}"


def proxy_folder(lock: Lock) -> str:
    """The route files of a host's proxy, one for each project. No project's name begins with _."""
    return f"{lock.deploy.run_folder}/_proxy/dynamic"


def journal_path(lock: Lock) -> str:
    """One JSON line for each deploy, oldest first."""
    return f"{project_folder(lock)}/journal.jsonl"


def journal_end_path(lock: Lock) -> str:
    """The hash of the journal's last line: one that is edited or removed shows."""
    return f"{project_folder(lock)}/journal.end"


def releases_path(lock: Lock) -> str:
    """The releases that a rollback can return to, newest last."""
    return f"{project_folder(lock)}/releases.json"


def mutex_path(lock: Lock) -> str:
    """The file that a deploy in progress holds."""
    return f"{project_folder(lock)}/mutex"


def locks_folder(lock: Lock) -> str:
    """Copies of deployed lockfiles, named by fingerprint."""
    return f"{project_folder(lock)}/locks"


def stored_lock_path(lock: Lock, fingerprint: str) -> str:
    """Where the copy of the lock with this fingerprint is."""
    return f"{locks_folder(lock)}/{fingerprint.removeprefix('sha256:')}.toml"
