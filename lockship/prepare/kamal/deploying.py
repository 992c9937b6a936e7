"""How a rollout goes: the keys at the top that are about deploying."""

from __future__ import annotations

import re
from typing import Final

from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.roles import ROLLOUT
from lockship.prepare.kamal.source import Reader, text

_FOLDER: Final = re.compile(r"/?[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_LEFT: Final = {
    "rollout": ROLLOUT,
    "error_pages_path": "[proxy] error-pages names a path that the container itself answers on",
    "require_destination": "keep to `-d NAME`; without it, lockship.toml alone is locked",
    "minimum_version": "it is Kamal's own",
    "readiness_delay": "without a port to ask, staying up for interval times successes counts",
    "hooks_output": "hooks' output is shown as it comes",
    "output": "what lockship says is on stderr; `lockship audit` tells of past deploys",
    "traefik": "it is of Kamal 1; [proxy] is Traefik here",
}


def put(draft: Draft, top: Reader) -> None:
    """Put `boot`, `sshkit` and the like into [deploy], and name what has no counterpart."""
    retained = top.take("retain_containers", 5)  # Kamal's default
    draft.put(("deploy", "retain"), retained, ("retain_containers",))
    if (folder := top.take("run_directory")) is not None:
        if _FOLDER.fullmatch(text(folder)):
            draft.put(("deploy", "run-folder"), text(folder), ("run_directory",))
        else:
            draft.leave(
                ("run_directory",), "it can't be a run-folder: letters, digits, '.', '_', '-'"
            )
    boot = top.below("boot")
    if (limit := boot.take("limit")) is not None:
        draft.put(("deploy", "batch"), limit, boot.at("limit"))
        if (pause := boot.take("wait")) is not None and pause:
            draft.put(("deploy", "batch-pause"), pause, boot.at("wait"))
    else:
        draft.leave_if(boot, "wait", "there are no batches to wait between")
    draft.leave_if(boot, "parallel_roles", "all roles of a host are staged together")
    draft.leave_rest(boot)
    sshkit = top.below("sshkit")
    if (most := sshkit.take("max_concurrent_starts")) is not None:
        draft.put(("deploy", "parallel"), most, sshkit.at("max_concurrent_starts"))
    draft.leave_if(
        sshkit, "pool_idle_timeout", "a command keeps one connection to each host, to its end"
    )
    draft.leave_if(sshkit, "dns_retries", "names are looked up by this machine's own resolver")
    draft.leave_rest(sshkit)
    aliases = top.below("aliases")
    for name in aliases.tables:
        draft.leave_if(aliases, name, "aliases aren't offered: your shell has some")
    for key, why in _LEFT.items():
        draft.leave_if(top, key, why)
