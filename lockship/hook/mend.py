"""The command that mends what is refused: for each kind of objection, and where it is."""

from __future__ import annotations

import os
import shlex

from lockship.gitobjects import quoted
from lockship.history.truth import Finding
from lockship.hook.objection import Place
from lockship.lock.names import LOCKFILE_NAME

_SHOWN = 12


def prepare_words(path: bytes) -> str:
    """Return the command that writes this lockfile."""
    folder, _, name = path.rpartition(b"/")
    destination = name.decode(errors="replace").removeprefix(LOCKFILE_NAME).removeprefix(".")
    words = f"lockship prepare -d {destination}" if destination else "lockship prepare"
    return f"(cd {_word(folder)} && {words})" if folder else words


def lock_again(place: Place) -> str:
    """Return how the lock of that commit is taken back and written anew."""
    path = _word(place.path)
    amend = "git commit --amend --no-edit --allow-empty"
    if not place.here or len(place.parents) != 1:
        return f"Take the lock out of that commit, then lock again: `{_rebase('-i', place)}`"
    again = prepare_words(place.path)
    if place.alone:
        return f"Take that commit back and lock again: `git reset --keep HEAD~1 && {again}`"
    out = f"git checkout HEAD~1 -- {path}" if place.replaced else f"git rm -q --cached {path}"
    return f"Take the lock out of that commit: `{out} && {amend} && {again}`"


def _rebase(words: str, place: Place) -> str:
    base = f"{place.commit[:_SHOWN]}~1" if place.parents else "--root"
    branch = "" if place.here or not place.branch else f" {shlex.quote(place.branch)}"
    return f"git rebase {words} {base}{branch}"


def lock_anew(place: Place) -> str:
    """Return how a lock that is true, but old, is followed by one of the content that is there."""
    path, again = _word(place.path), prepare_words(place.path)
    switch = "" if place.here or not place.branch else f"git switch {shlex.quote(place.branch)} && "
    return f"Lock what is pushed: `{switch}{again} && git commit -m 'Lock it' {path}`"


def of_finding(finding: Finding, place: Place) -> str:
    """Return what mends something that isn't true."""
    if finding.kind == "newer":
        return "Upgrade lockship on this machine: `pip install --upgrade lockship`"
    if finding.kind == "artifact":
        return build(place)
    if finding.kind == "missing" and finding.hint.startswith("`git fetch"):
        return finding.hint
    return lock_again(place)


def build(place: Place) -> str:
    """Return how a lock gets its artifact."""
    if not place.here:
        return f"Build it where it is locked, and amend that commit: `{_rebase('-i', place)}`"
    words = prepare_words(place.path).replace("prepare", "build")
    return f"Build it: `{words} && git commit --amend --no-edit {_word(place.path)}`"


def push_snapshot(remote: str, ref: str) -> str:
    """Return how the snapshot gets to the remote."""
    return f"Push the snapshot too: `git push {shlex.quote(remote)} {ref}`"


def commit_changes(place: Place) -> str:
    """Return how a forced lock becomes one of a commit."""
    if place.here and place.alone:
        again = prepare_words(place.path)
        then = f"git reset --keep HEAD~1 && git add --all && git commit && {again}"
        return f"Commit what the snapshot holds: `{then}`"
    return lock_again(place)


def sign(place: Place) -> str:
    """Return how a commit gets its signature."""
    amend = "git commit --amend --no-edit -S"
    if place.here:
        return f"Sign it: `{amend}`"
    words = f"--exec '{amend}'"
    return f"Sign it and what follows: `{_rebase(words, place)}`"


def _word(path: bytes) -> str:
    """Return a path as a word for a shell, as far as it can be shown at all."""
    shown = quoted(path)
    return shlex.quote(os.fsdecode(path)) if shown == path.decode(errors="replace") else shown
