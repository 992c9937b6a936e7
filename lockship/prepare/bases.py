"""The Dockerfile in the tree that is locked, and the images from elsewhere that it names."""

from __future__ import annotations

import posixpath
from typing import Final

from lockship.dockerfile.images import images
from lockship.errors import UsageError
from lockship.gitobjects import SYMLINK, Read, find_entry, quoted
from lockship.lock.image import Build

_LINKS: Final = 10  # symlinks to symlinks, at most
_LFS: Final = b"version https://git-lfs.github.com/spec/"


def find_bases(read: Read, tree: str, build: Build) -> dict[str, tuple[str, ...]]:
    """Return the images that the build takes from elsewhere, in order of names.

    Behind each are the platforms for which it is taken, as far as that is known before the build.

    Raises UsageError where the Dockerfile leads nowhere, and with each place at which it names an
    image that can't be known before the build.
    """
    data = _dockerfile(read, tree, build)
    if data.startswith(_LFS):
        raise UsageError(
            f"{quoted(build.dockerfile.encode())} is kept in Git LFS.",
            hint="Keep it in git itself: its base images are looked up before it is built.",
        )
    text = data.decode("utf-8", "surrogateescape")
    uses, problems = images(text, build.args, build.platforms)
    if problems:
        name = quoted(build.dockerfile.encode())
        many = f"{len(problems)} images that can't" if len(problems) > 1 else "an image that can't"
        raise UsageError(
            f"{name} names {many} be pinned.",
            details=[f"{name}:{each.line}: {each.text}" for each in problems],
            hint="Mend, commit, then `lockship prepare` again.",
        )
    found: dict[str, tuple[str, ...]] = {}
    for use in uses:
        before = found.get(use.reference, ())
        found[use.reference] = tuple(dict.fromkeys([*before, *use.platforms]))
    return dict(sorted(found.items()))


def _dockerfile(read: Read, tree: str, build: Build) -> bytes:
    """Return the Dockerfile's content; that there is one at its path was seen before."""
    inside = b"" if build.context == "." else build.context.encode()
    at = posixpath.join(inside, build.dockerfile.encode())
    found = find_entry(read, tree, at)
    for _ in range(_LINKS):
        if found is None or found.mode != SYMLINK:
            break
        at = posixpath.normpath(posixpath.join(posixpath.dirname(at), read(found.id)))
        found = None if at.startswith((b"/", b"../")) else find_entry(read, tree, at)
    if found is None or not found.is_file:
        raise UsageError(
            f"{quoted(build.dockerfile.encode())} leads to no file in what is locked.",
            hint="Commit the real one there, or mend `dockerfile` in [build].",
        )
    return read(found.id)
