"""The join of a deploy and git: its lockfile is committed with how it ended, or said not to be.

A commit that fails never hides what became of the deploy: that is said first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from lockship.cli import console
from lockship.cli.lockfile import Found
from lockship.cli.text import visible
from lockship.errors import AttentionError, LockshipError, RefusedError, UsageError

if TYPE_CHECKING:
    from lockship.history.commit import Place
    from lockship.host.journal import Outcome
    from lockship.lock.model import Lock

Command = Literal["deploy", "rollback"]
# What is left to do where no commit could be made.
_NOT_RECORDED = "Commit {name} yourself, or run `lockship deploy --commit` again."
_ELSEWHERE = "The hosts' journals tell of this deploy; git doesn't."


class Recording(Struct, frozen=True):
    """A commit that a deploy is to end with. `reason` is why, where a person said it.

    `skipped` are the deploy hooks that were told not to run.
    """

    place: Place
    command: Command
    reason: str | None = None
    skipped: tuple[str, ...] = ()


class Recorded(Struct, frozen=True):
    """What came of it. `committed`: HEAD has the lock; None where git can't tell.

    `commit` is the one that was made, if one was; `error` why none could be, or not wholly.
    """

    commit: str | None = None
    committed: bool | None = None
    error: LockshipError | None = None


def asked_for(commit: bool | None, reason: str | None) -> bool | None:
    """Return what the command line asks for; None leaves it to the lock. Raises UsageError."""
    if reason is None:
        return commit
    if commit is False:
        raise UsageError("-m says why in the commit: it doesn't go with --no-commit.")
    if not reason.strip():
        raise UsageError("-m is followed by the reason: -m 'The search was empty'.")
    return True


def wanted(
    found: Found,
    command: Command,
    *,
    commit: bool | None,
    reason: str | None = None,
    skipped: tuple[str, ...] = (),
) -> Recording | None:
    """Look whether a commit is wanted and can be made, before any host is touched.

    `commit` is what the command line says; else a reason asks for one, else the lock. Raises
    UsageError or RefusedError where it can't be made here.
    """
    asked = asked_for(commit, reason)
    if not (found.lock.deploy.commit if asked is None else asked):
        return None
    from lockship.history.commit import place_for

    if found.path.is_symlink():
        raise RefusedError(
            f"{found.path.name} is a symlink, which can't be committed as a lockfile.",
            hint="Put the file itself there, or deploy with --no-commit.",
        )
    return Recording(place_for(found.path), command, reason, skipped)


def ended(recording: Recording | None, found: Found, *, changed: bool) -> Recorded:
    """Record a deploy that ended well; `changed` is whether it had anything to do. Never raises."""
    from lockship.history import head

    if recording is None:
        return Recorded(committed=head.is_committed(found.path, found.lock))
    return _record(recording, found, "deployed", now=changed)


def failed(
    recording: Recording | None, found: Found, error: LockshipError, *, kept: bool = True
) -> None:
    """Record a deploy that failed after it had begun; say what came of that. Never raises.

    `kept`: its lock is the lockfile now. Else, after a rollback that was taken back, the commit
    has the message alone.
    """
    if recording is None or not error.outcome:
        return
    from typing import cast

    recorded = _record(recording, found, cast("Outcome", error.outcome), now=True, kept=kept)
    if recorded.commit:
        console.say(f"recorded as failed: {_named(recording, recorded.commit)}")
    if recorded.error:
        told(recorded.error)


def show(recording: Recording | None, recorded: Recorded, found: Found) -> None:
    """Say what was recorded, or that it wasn't."""
    name = found.path.name
    if recording is not None and recorded.commit:
        console.say(f"recorded: {_named(recording, recorded.commit)}")
        if recording.place.branch is None:
            console.say("HEAD is on no branch: `git push origin HEAD:BRANCH` keeps the commit")
    elif recording is not None and not recorded.error:
        console.say(f"{name} was committed already; there was nothing to record")
    elif recorded.committed is False:
        console.say(f"{name} isn't committed: commit it, or run `lockship deploy --commit`")


def told(error: LockshipError) -> None:
    """Show an error that isn't the one that a command ends with."""
    from lockship.cli import boundary

    boundary.show(error.message, details=error.details, hint=error.hint)


def failure(recorded: Recorded, what: str) -> AttentionError | None:
    """Return the error for a deploy that ended well and couldn't be recorded (exit 5, not 1).

    1 would say that hosts are unchanged, and they aren't.
    """
    error = recorded.error
    if error is None:
        return None
    return AttentionError(
        f"{what}, but that couldn't be recorded in git.",
        details=[error.message, *error.details],
        hint=error.hint,
    )


def _named(recording: Recording, commit: str) -> str:
    branch = recording.place.branch
    where = f" on {branch.removeprefix('refs/heads/')}" if branch else ""
    return visible(f"commit {commit[:12]}{where}")


def _record(
    recording: Recording, found: Found, outcome: Outcome, *, now: bool, kept: bool = True
) -> Recorded:
    from lockship.history import head
    from lockship.history.commit import IndexKept

    try:
        commit = _commit(recording, found, outcome, now=now, kept=kept)
    except IndexKept as error:
        return Recorded(commit=error.commit, committed=True, error=error)
    except LockshipError as error:
        committed = not kept or bool(head.is_committed(found.path, found.lock))
        left = _ELSEWHERE if committed else _NOT_RECORDED.format(name=found.path.name)
        error.hint = f"{error.hint} {left}".strip()
        return Recorded(committed=committed, error=error)
    return Recorded(commit=commit, committed=True)


def _commit(
    recording: Recording, found: Found, outcome: Outcome, *, now: bool, kept: bool
) -> str | None:
    """Commit the lockfile as it is, or the message alone where HEAD has the very file.

    None where nothing was done on hosts (`now`), and git doesn't say otherwise.
    """
    from lockship.deploy.journal import local_performer
    from lockship.history.commit import commit_alone, commit_message
    from lockship.history.record import message

    place = recording.place
    data, lock = _read(found) if kept else (b"", found.lock)
    # What was deployed before, and is only now recorded, was so by somebody and at some time that
    # the hosts' journals know.
    text = message(
        lock,
        recording.command,
        outcome,
        at=datetime.now(UTC).isoformat(timespec="seconds") if now else "",
        performer=local_performer() if now else "",
        reason=recording.reason,
        skipped=recording.skipped if now else (),
    )
    made = commit_alone(place, data, text) if kept else None
    if made is None and (now or _told_otherwise(place, lock)):
        made = commit_message(place, text)
    return made


def _told_otherwise(place: Place, lock: Lock) -> bool:
    """Tell whether git says last that a deploy of this lock, which serves, failed."""
    from lockship.history import head
    from lockship.history.later import last_record

    tip = head.commit(place.repository) or ""
    last = last_record(place.repository, tip, place.path, lock.fingerprint)
    return last is not None and last.outcome != "deployed"


def _read(found: Found) -> tuple[bytes, Lock]:
    """Return the lockfile's bytes, and its lock: the one that was deployed, with its artifact."""
    from lockship.lock.reader import parse

    try:
        data = found.path.read_bytes()
        lock = parse(data, found.path.name)
    except (OSError, LockshipError) as error:
        raise RefusedError(f"{found.path.name} can't be read any more: {error}") from error
    if lock.fingerprint != found.lock.fingerprint:
        raise RefusedError(
            f"{found.path.name} was changed while its lock was deployed.",
            hint=f"The hosts keep the lock of {found.lock.service.version}: `lockship rollback "
            f"{found.lock.service.version} --commit` takes it from there.",
        )
    return data, lock
