"""The names of platforms, as `docker build --platform` takes them: one way to write each."""

from __future__ import annotations

from typing import Annotated, Final

from lockship.lock.pattern import text as _text

Platform = Annotated[
    str, _text(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?", "a platform such as 'linux/amd64'")
]

# What a kernel or a person calls a machine, and its name in images
# (github.com/containerd/platforms, database.go, normalizeArch).
_MACHINES: Final = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "armel": ("arm", "v6"),
    "armv8l": ("arm", "v7"),
    "i386": ("386", ""),
    "i486": ("386", ""),
    "i586": ("386", ""),
    "i686": ("386", ""),
}
# The variant that is meant where none is said, so that saying it makes no other platform.
_USUAL: Final = {"arm": "v7", "arm64": "v8", "amd64": "v1"}


def plain(platform: str) -> str:
    """Return a platform in the one way that this and other ways of writing it have in common.

    `linux/x86_64` and `linux/amd64/v1` are `linux/amd64`; `linux/arm` is `linux/arm/v7`.
    """
    system, _, rest = platform.lower().partition("/")
    machine, _, variant = rest.partition("/")
    machine, usual = _MACHINES.get(machine, (machine, ""))
    variant = variant or usual
    if machine == "arm":
        variant = variant or _USUAL[machine]
    elif variant == _USUAL.get(machine):
        variant = ""
    return "/".join(part for part in (system, machine, variant) if part)
