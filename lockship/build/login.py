"""The account of `[registry]` for the docker client, which pulls base images and caches with it.

The client is given a configuration folder of its own, like the user's but for one credential
helper: a script that prints what is in its environment. So no password is in any file, and
`docker login` isn't needed, nor what it leaves behind. Where this process is killed, the folder
goes with the next build or deploy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lockship.host.types import RegistryAuth
from lockship.scratch import scratch_folder

_HELPER: Final = "lockship"
_VARIABLE: Final = "LOCKSHIP_REGISTRY_ACCOUNT"
# The protocol: github.com/docker/docker-credential-helpers, "get".
_SCRIPT: Final = f"""\
#!/bin/sh
[ "$1" = get ] || exit 1
cat >/dev/null
printf %s "${_VARIABLE}"
"""
_HUB: Final = ("docker.io", "index.docker.io", "https://index.docker.io/v1/")


@contextmanager
def logged_in(
    account: RegistryAuth | None, outer: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Have variables ready with which a docker client knows the account, while the block runs.

    `outer` is the environment of who builds.
    """
    if account is None:
        yield {}
        return
    theirs = Path(outer.get("DOCKER_CONFIG") or Path(outer.get("HOME") or Path.home()) / ".docker")
    with scratch_folder() as folder:
        config = folder / "config.json"
        config.touch(0o600)  # the accounts of who builds are in it too
        config.write_text(json.dumps(_with_helper(theirs, account.server)))
        for entry in theirs.iterdir() if theirs.is_dir() else ():
            if entry.name != "config.json":  # plugins, contexts, certificates
                (folder / entry.name).symlink_to(entry)
        programs = folder / ".programs"
        programs.mkdir()
        helper = programs / f"docker-credential-{_HELPER}"
        helper.write_text(_SCRIPT)
        helper.chmod(0o700)
        told = {
            "ServerURL": account.server,
            "Username": account.username,
            "Secret": account.password,
        }
        yield {
            "DOCKER_CONFIG": str(folder),
            "BUILDX_CONFIG": outer.get("BUILDX_CONFIG") or str(theirs / "buildx"),
            "PATH": f"{programs}:{outer.get('PATH', '')}",
            _VARIABLE: json.dumps(told),
        }


def _with_helper(folder: Path, server: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        found = {}
    config: dict[str, Any] = found if isinstance(found, dict) else {}
    said = config.get("credHelpers")
    helpers = dict(said) if isinstance(said, dict) else {}
    helpers |= dict.fromkeys(_HUB if server in _HUB else (server,), _HELPER)
    return {**config, "credHelpers": helpers}
