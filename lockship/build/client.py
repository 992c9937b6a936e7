"""Find a docker command that builds with BuildKit, by asking each one on PATH.

The first `docker` on PATH isn't always the one: a client from 23 on needs the buildx plugin, and
one without it builds with the legacy builder, on which modern Dockerfiles fail.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from lockship.errors import LockshipError

_LIMIT: Final = 20.0  # seconds for a client to say its version
_WITH_BUILDKIT_INSIDE: Final = ((18, 9), (23, 0))  # from, and below
_ENV_SECRETS: Final = (20, 10)  # docker/cli, parseSecret: from there on it knows env=
# What the client is given of the environment. No more, so that an image doesn't depend on it. It
# asks for a registry's tokens itself, through the proxies of who builds; no step sees those.
_KEPT: Final = re.compile(
    r"PATH|HOME|DOCKER_(?!DEFAULT_PLATFORM|BUILDKIT|CONTENT_TRUST$).*|BUILDX_(BUILDER|CONFIG)"
    r"|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|NO)_PROXY|(?:https?|no)_proxy"
    r"|SSH_AUTH_SOCK|XDG_RUNTIME_DIR|XDG_CONFIG_HOME|TMPDIR|TERM|NO_COLOR|LANG|LC_.*"
)
# What else leads a client to an engine.
_LEADS: Final = re.compile(r"DOCKER_(HOST|CONTEXT|TLS.*|CERT_PATH|API_VERSION)|BUILDX_BUILDER")
EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


class Client(Struct, frozen=True):
    """A docker command with BuildKit: through buildx, or a client from 18.09 to 22 that has it.

    `secrets_from_env`: it reads a build's secrets from its environment too, not only from files.
    """

    path: str
    buildx: bool
    secrets_from_env: bool = True


def client_env(outer: Mapping[str, str], engine: Mapping[str, str] = EMPTY) -> dict[str, str]:
    """Return the environment in which a docker client runs; `engine` leads it to another one."""
    kept = {name: value for name, value in outer.items() if _KEPT.fullmatch(name)}
    if engine:
        kept = {name: value for name, value in kept.items() if not _LEADS.fullmatch(name)}
        kept |= engine
    # Attestations hold times and make an index of what is one image.
    switches = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "DOCKER_CLI_HINTS": "false"}
    return kept | switches | {"DOCKER_BUILDKIT": "1"}


def find_client(outer: Mapping[str, str]) -> Client:
    """Return the first docker command on PATH that has BuildKit.

    Raises LockshipError, with what was found and what to install, where none has.
    """
    env = client_env(outer)
    found = []
    for path in _candidates(outer.get("PATH", os.defpath)):
        if answer(path, env, "buildx", "version") is not None:
            return Client(path, buildx=True)
        version = answer(path, env, "--version") or ""
        if has_buildkit_inside(version):
            return Client(path, buildx=False, secrets_from_env=_version(version) >= _ENV_SECRETS)
        found.append(f"{path}: {version or 'does not answer'}")
    raise LockshipError(
        "No docker command on PATH has BuildKit." if found else "There is no docker on PATH.",
        details=found,
        hint="Install docker-buildx (or docker-buildx-plugin), or Debian's docker.io 20.10.",
    )


def has_buildkit_inside(version: str) -> bool:
    """Tell from `docker --version` whether the client itself speaks to BuildKit."""
    oldest, below = _WITH_BUILDKIT_INSIDE
    return oldest <= _version(version) < below


def _version(text: str) -> tuple[int, int]:
    """Return major and minor of what `docker --version` says; zeros where it says no version."""
    numbers = re.search(r"version (\d+)\.(\d+)", text)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def _candidates(path: str) -> Iterator[str]:
    seen = set()
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, "docker")  # noqa: PTH118 - as execvp does
        real = os.path.realpath(candidate)
        if os.path.isabs(folder) and real not in seen and os.access(real, os.X_OK):  # noqa: PTH117
            seen.add(real)
            yield candidate


def answer(path: str, env: Mapping[str, str], *words: str) -> str | None:
    """Return what the client says; None where it fails."""
    try:
        done = subprocess.run(
            [path, *words], env=env, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
