"""What a build is given beside its content: secrets, an SSH agent, the registry's account.

A secret's value goes to the docker client in its environment, never on its command line. What an
old client can only read from a file, or what no environment can hold, is a file in this process's
memory, which is gone when the build is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from lockship.build.client import Client
from lockship.build.login import logged_in
from lockship.build.options import cache_env_prefixes
from lockship.errors import LockshipError
from lockship.host.types import RegistryAuth
from lockship.lock.image import Build
from lockship.scratch import scratch_folder, sweep
from lockship.secrets.secret import Secret

_LONGEST: Final = 100_000  # bytes in one variable: Linux takes 128 KiB, its name included


class Given(Struct, frozen=True):
    """Further words for the docker client, and variables for its environment."""

    words: tuple[str, ...] = ()
    env: Mapping[str, str] = {}


@contextmanager
def given(
    client: Client,
    build: Build,
    secrets: Mapping[str, Secret],
    outer: Mapping[str, str],
    account: RegistryAuth | None = None,
) -> Iterator[Given]:
    """Have what the lock gives to its build ready, for as long as the block runs.

    `outer` is the environment of who builds, `account` that of `[registry]`. Raises LockshipError
    where there is no SSH agent to forward, or where a secret wasn't looked up.
    """
    sweep()
    with ExitStack() as undo:
        words: list[str] = []
        env: dict[str, str] = {}
        for number, name in enumerate(build.secrets):
            if name not in secrets:
                raise LockshipError(f"The build's secret {name} wasn't looked up.")
            value = secrets[name].reveal().encode(errors="surrogateescape")
            if client.secrets_from_env and len(value) <= _LONGEST:
                variable = f"LOCKSHIP_BUILD_SECRET_{number}"
                env[variable] = os.fsdecode(value)
                words.append(f"--secret=id={name},env={variable}")
            else:
                words.append(f"--secret=id={name},src={_file(undo, value)}")
        words += [f"--ssh={each}" for each in _agents(build, outer)]
        beginnings = cache_env_prefixes(build)
        if beginnings:
            env |= {k: v for k, v in outer.items() if k.startswith(beginnings)}
        env |= undo.enter_context(logged_in(account, outer))
        yield Given(tuple(words), env)


def _file(undo: ExitStack, value: bytes) -> Path:
    """Return a path under which the docker client reads a secret until `undo` ends it.

    On Linux it leads into this process's memory, and so ends with it, even by kill -9. Elsewhere it
    is a file (0600) in a folder (0700).
    """
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("lockship")
        undo.callback(os.close, memory)
        with os.fdopen(memory, "wb", closefd=False) as file:
            file.write(value)
        return Path(f"/proc/{os.getpid()}/fd/{memory}")
    path = undo.enter_context(scratch_folder()) / "secret"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
    return path


def _agents(build: Build, outer: Mapping[str, str]) -> tuple[str, ...]:
    if not build.ssh:
        return ()
    if not outer.get("SSH_AUTH_SOCK"):
        raise LockshipError(
            "[build] ssh forwards your SSH agent to the build, and no agent runs here.",
            hint='Start one and give it the key: `eval "$(ssh-agent)" && ssh-add`.',
        )
    return build.ssh if isinstance(build.ssh, tuple) else ("default",)
