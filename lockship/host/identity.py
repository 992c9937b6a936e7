"""Which keys to log in with, where paramiko would choose differently from OpenSSH."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import paramiko


def login_options(ssh_config: Mapping[str, Any], files: Sequence[str]) -> dict[str, Any]:
    """Return the options for `SSHClient.connect` that say which keys to offer.

    A missing IdentityFile is passed over, as OpenSSH does; paramiko would fail. With
    `IdentitiesOnly yes` only these files are offered, or the agent's keys of which they are the
    public halves: an agent's other keys would use up the attempts that sshd allows.
    """
    there = [file for file in files if Path(file).is_file()]
    options: dict[str, Any] = {"key_filename": there}
    if str(ssh_config.get("identitiesonly", "no")).lower() == "yes":
        options |= {"look_for_keys": not files, "allow_agent": False}
        key = _agent_key(files)
        if key is not None:
            options["pkey"] = key
    return options


def _agent_key(files: Sequence[str]) -> paramiko.PKey | None:
    """Return the agent's key whose public half is one of the files, or the `.pub` beside it."""
    wanted = {
        blob
        for file in files
        for path in (Path(file), Path(f"{file}.pub"))
        if (blob := _public_key(path)) is not None
    }
    if not wanted:
        return None
    agent = paramiko.Agent()
    return next((key for key in agent.get_keys() if key.asbytes() in wanted), None)


def _public_key(path: Path) -> bytes | None:
    try:
        words = path.read_text().split()
        return base64.b64decode(words[1], validate=True)
    except (OSError, UnicodeError, IndexError, binascii.Error):
        return None
