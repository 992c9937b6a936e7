"""An image's name, read as Docker reads it (github.com/distribution/reference, normalize.go)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HUB: Final = "docker.io"
_DOMAIN: Final = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
)
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_FORM: Final = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>[a-z][a-z0-9]*:[0-9a-f]{32,}))?"
)
_LONGEST: Final = 512


@dataclass(frozen=True)
class Reference:
    """`domain/path:tag@digest` with what Docker fills in: `docker.io/library/busybox:latest`."""

    domain: str
    path: str
    tag: str
    digest: str | None = None

    @property
    def repository(self) -> str:
        """`domain/path`, in full."""
        return f"{self.domain}/{self.path}"

    @property
    def registry(self) -> str | None:
        """The registry as Docker's credentials know it; None is Docker Hub."""
        return None if self.domain == HUB else self.domain


def parse_reference(text: str) -> Reference | None:
    """Return what a name means; None for what can't be an image's name."""
    found = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    domain, path = found["domain"] or "", found["path"]
    # Docker's rule: a registry's name holds '.' or ':' or a capital letter, or is 'localhost'.
    told = {".", ":"} & set(domain) or domain == "localhost" or domain != domain.lower()
    if domain and not told:
        domain, path = "", f"{domain}/{path}"
    if domain in ("", "index.docker.io", HUB):
        domain, path = HUB, path if "/" in path else f"library/{path}"
    return Reference(domain, path, found["tag"] or "latest", found["digest"])


@dataclass(frozen=True)
class Pinned:
    """An image as a lock names it: `NAME:TAG`, with `@sha256:...` or `@id:sha256:...` behind.

    `asked` is what an engine knows it by; `local`: it is in no registry.
    """

    named: str
    asked: str
    digest: str
    local: bool


def parse_pinned(text: str) -> Pinned:
    """Read an image's name with its pin; the digest of a lock from before pins is ''."""
    named, _, pin = text.partition("@")
    digest = pin.removeprefix("id:")
    if pin != digest:
        return Pinned(named, digest, digest, local=True)
    asked = f"{named.rpartition(':')[0]}@{digest}" if digest else named
    return Pinned(named, asked, digest, local=False)
