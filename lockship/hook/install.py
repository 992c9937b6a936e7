"""Put the pre-push hook where git looks for it, and take it away again.

A hook that was there is kept beside it and goes first. Hooks that are files of the repository, or
that all repositories of a person share, aren't touched: what to add to them is said.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lockship.errors import LockshipError, RefusedError
from lockship.git import Repository
from lockship.hook import script

_NAME: Final = "pre-push"
_KEPT: Final = "pre-push.before-lockship"
_LINE: Final = 'lockship hook pre-push -- "$@"'


@dataclass(frozen=True, slots=True)
class State:
    """What is at `path`, where git looks for the hook.

    `installed`: this lockship's; `outdated`: another version's, or with another Python; `called`:
    somebody's own hook that calls lockship; `foreign`: one that doesn't; `absent`: none. `kept` is
    the hook that ours runs first.
    """

    state: Literal["installed", "outdated", "called", "foreign", "absent"]
    path: Path
    kept: Path | None = None


@dataclass(frozen=True, slots=True)
class _Folder:
    """Where git looks for hooks, and whose files these are."""

    path: Path
    owner: Literal["git", "repository", "person"]


def status(repository: Repository, python: str) -> State:
    """Return what is there; `python` is the one that an installed hook should know."""
    folder = _folder(repository).path
    path, kept = folder / _NAME, folder / _KEPT
    husky = folder.parent / _NAME  # what .husky/_/pre-push runs
    data = _read(path)
    if data is not None and script.is_ours(data):
        same = data == script.text(python) and os.access(path, os.X_OK)
        return State("installed" if same else "outdated", path, kept if _there(kept) else None)
    for each in (path, husky) if folder.name == "_" else (path,):
        if script.calls_us(_read(each) or b""):
            return State("called", each)
    return State("absent" if data is None and not _there(path) else "foreign", path)


def install(repository: Repository, python: str) -> State:
    """Put the hook in its place, and return what is there since. Does nothing where it is.

    Raises RefusedError where the place isn't only this repository's, or is taken.
    """
    folder = _folder(repository)
    seen = status(repository, python)
    if seen.state in ("installed", "called"):
        return seen
    if folder.owner != "git":
        raise _not_ours_to_write(folder)
    if seen.state == "foreign":
        _keep(seen.path, folder.path / _KEPT)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        _write(seen.path, script.text(python))
    except OSError as error:
        raise LockshipError(f"{seen.path} can't be written: {error.strerror}.") from error
    return status(repository, python)


def uninstall(repository: Repository, python: str) -> State:
    """Take the hook away, put back the one that was there, and return what is there since."""
    seen = status(repository, python)
    if seen.state in ("installed", "outdated"):
        try:
            if seen.kept is not None:
                seen.kept.replace(seen.path)
            else:
                seen.path.unlink()
        except OSError as error:
            raise LockshipError(f"{seen.path} can't be removed: {error.strerror}.") from error
        return status(repository, python)
    if seen.state == "called":
        raise RefusedError(
            f"{seen.path} calls lockship, and isn't its own.", hint="Take the line out of it."
        )
    return seen


def _folder(repository: Repository) -> _Folder:
    asked = ("config", "--show-scope", "--type=path", "--get-all", "-z", "core.hooksPath")
    words = repository.run(*asked, ok=(0, 1)).split(b"\0")
    said = list(zip(words[::2], words[1::2], strict=False))[:-1]  # the last is lockship's own -c
    if not said:
        return _Folder(repository.common_dir / "hooks", "git")
    scope, value = said[-1]
    path = repository.root / os.fsdecode(value)
    inside = path.resolve().is_relative_to(repository.root.resolve())
    if inside and not path.resolve().is_relative_to(repository.common_dir):
        return _Folder(path, "repository")
    return _Folder(path, "git" if scope in (b"local", b"worktree") or inside else "person")


def _not_ours_to_write(folder: _Folder) -> RefusedError:
    whose = {
        "repository": "this repository's own files",
        "person": "shared by all of your repositories",
    }[folder.owner]
    path = folder.path.parent / _NAME if folder.path.name == "_" else folder.path / _NAME
    return RefusedError(
        f"git's hooks are in {folder.path} (core.hooksPath), {whose}: lockship changes none there.",
        hint=f"Add this line to {path} yourself: `{_LINE}`",
    )


def _keep(path: Path, kept: Path) -> None:
    """Let a foreign hook have a second name, under which ours runs it."""
    if not path.is_file():
        raise RefusedError(f"{path} is not a file.", hint="Remove it, then repeat.")
    try:
        os.link(path, kept, follow_symlinks=False)
    except FileExistsError:
        raise RefusedError(
            f"A hook came to {path} after lockship's, and {kept.name} is there still.",
            hint=f"Put both into {path}, or remove one; then repeat.",
        ) from None
    except OSError as error:
        raise LockshipError(f"{kept} can't be written: {error.strerror}.") from error


def _write(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.name}.", suffix="~", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o755)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _there(path: Path) -> bool:
    return os.path.lexists(path)
