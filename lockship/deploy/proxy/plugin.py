"""The proxy's plugin: the files in `page/`, and how the proxy is told of them.

Its container must have been made with it, so every one is: maintenance needs no reboot then.
"""

from __future__ import annotations

import hashlib
import posixpath
from importlib import resources
from typing import Final

NAME: Final = "page"  # in a middleware: {"plugin": {NAME: {...}}}
LABEL: Final = "dev.lockship.proxy-page"  # on a proxy's container that has it
_MODULE: Final = "lockship/page"
_INSIDE: Final = (
    "/plugins-local"  # below the image's working folder, /; Traefik knows no other place
)
_FILES: Final = {"page.go": "page.go", "traefik.yml": ".traefik.yml"}


def argument() -> str:
    """Return the proxy's argument that loads the plugin."""
    return f"--experimental.localplugins.{NAME}.modulename={_MODULE}"


def volume(dynamic: str) -> str:
    """Return the mount of the plugin's folder, which is beside that of the route files."""
    return f"{_folder(dynamic)}:{_INSIDE}:ro"


def files(dynamic: str) -> dict[str, bytes]:
    """Return the content of each file by its path on a host."""
    sources = resources.files("lockship.deploy.proxy") / "page"
    folder = posixpath.join(_folder(dynamic), "src", _MODULE)
    return {
        posixpath.join(folder, name): (sources / file).read_bytes() for file, name in _FILES.items()
    }


def key() -> str:
    """Return a short digest of the plugin's files."""
    return hashlib.sha256(b"\0".join(files("/").values())).hexdigest()[:16]


def _folder(dynamic: str) -> str:
    return posixpath.join(posixpath.dirname(dynamic), "plugins")
