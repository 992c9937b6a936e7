"""The engine that the docker client builds on: its images and their names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import docker
import docker.errors
import requests
from docker.context import ContextAPI
from docker.utils import kwargs_from_env
from msgspec import Struct

from lockship.errors import LockshipError
from lockship.host.parse import image_platform

SILENCE: Final = 120  # seconds without a word from the engine


class Found(Struct, frozen=True):
    """An image that the engine has. `digests` are `repository@sha256:...`."""

    id: str
    labels: Mapping[str, str]
    digests: tuple[str, ...]
    platform: str = ""


@dataclass(frozen=True)
class Engine:
    """A connection to the engine. Methods raise LockshipError where it doesn't answer.

    `env` are variables that lead a docker client to it, where it isn't the client's own.
    """

    api: docker.APIClient
    env: Mapping[str, str] = field(default_factory=dict)

    def image(self, reference: str) -> Found | None:
        """Return the image that is here under an id, tag or digest."""
        with engine_errors():
            try:
                seen: Mapping[str, Any] = self.api.inspect_image(  # type: ignore[no-untyped-call]
                    reference
                )
            except docker.errors.ImageNotFound:
                return None
        labels = (seen.get("Config") or {}).get("Labels") or {}
        digests = tuple(seen.get("RepoDigests") or ())
        return Found(seen["Id"], labels, digests, image_platform(seen))

    def labelled(self, name: str, value: str) -> list[Found]:
        """Return the images with this label, tagged or not, the newest first."""
        with engine_errors():
            found = self.api.images(filters={"label": f"{name}={value}"})
        newest = sorted(found, key=lambda each: -int(each["Created"]))
        return [image for each in newest if (image := self.image(each["Id"])) is not None]

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image a name."""
        with engine_errors():
            self.api.tag(image_id, repository, tag)


@contextmanager
def connect() -> Iterator[Engine]:
    """Connect to the engine that the docker client would use: DOCKER_HOST, else its context.

    Raises LockshipError where it doesn't answer.
    """
    with engine_errors():
        api = docker.APIClient(**_endpoint(), version="auto", timeout=SILENCE)
    try:
        yield Engine(api)
    finally:
        api.close()


def _endpoint() -> dict[str, Any]:
    if os.environ.get("DOCKER_HOST"):
        found = dict(kwargs_from_env())
        over_ssh = str(found.get("base_url", "")).startswith("ssh://")
        # The docker client uses ssh itself, with the user's configuration and known hosts.
        return found | ({"use_ssh_client": True} if over_ssh else {})
    name = os.environ.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    if context is None:
        raise LockshipError(
            f"There is no docker context {name!r}.", hint="See `docker context ls`."
        )
    return {"base_url": context.Host, "tls": context.TLSConfig or False}


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what the Docker SDK raises in the block into a LockshipError."""
    try:
        yield
    except docker.errors.APIError as error:
        raise LockshipError(
            "The Docker engine refused.",
            details=[str(error.explanation)],
            hint="Look at the engine's log, then run the same command again.",
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        denied = "permission denied" in str(error).lower()
        allow = "Add your user to the group `docker` and log in again"
        raise LockshipError(
            "The Docker engine of this machine doesn't answer.",
            details=[str(error)],
            hint=f"{allow if denied else 'Start Docker'}, or name another engine with DOCKER_HOST"
            " or `docker context use`.",
        ) from error
