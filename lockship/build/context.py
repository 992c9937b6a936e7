"""Where in the build folder the context and the Dockerfile are, and that they are inside it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from lockship.errors import LockshipError, RefusedError
from lockship.lock.image import Build


class Context(Struct, frozen=True):
    """Absolute paths, without symlinks on the way."""

    folder: Path
    dockerfile: Path


def resolve(files: Path, build: Build) -> Context:
    """Return the context folder and the Dockerfile (relative to it) inside `files`.

    The docker client would follow a symlink to anywhere on this machine. Raises RefusedError where
    one leads out, LockshipError where there is no such folder or file.
    """
    folder = _inside(files, files / build.context, f"The context folder {build.context!r}")
    if not folder.is_dir():
        raise _absent(f"There is no folder {build.context!r}", "context")
    dockerfile = _inside(files, folder / build.dockerfile, f"The Dockerfile {build.dockerfile!r}")
    if not dockerfile.is_file():
        raise _absent(f"There is no file {build.dockerfile!r} in {build.context!r}", "dockerfile")
    # The client reads one of these too (docs.docker.com, "dockerignore files").
    for ignore in (folder / ".dockerignore", Path(f"{dockerfile}.dockerignore")):
        if ignore.is_symlink():
            _inside(files, ignore, f"{ignore.name!r}")
    return Context(folder, dockerfile)


def _inside(files: Path, path: Path, what: str) -> Path:
    try:
        found = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of symlinks
        raise RefusedError(
            f"{what} can't be followed: {error}.", hint="Commit it as a real one."
        ) from error
    if not found.is_relative_to(files.resolve()):
        raise RefusedError(
            f"{what} leads out of the repository.",
            hint="Commit the real one instead of a symlink, then `lockship prepare`.",
        )
    return found


def _absent(what: str, key: str) -> LockshipError:
    return LockshipError(
        f"{what} in the locked content.",
        hint=f"Commit it, or mend [build] {key} in lockship.toml, then `lockship prepare`.",
    )
