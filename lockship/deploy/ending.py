"""How a rollout that didn't end well is told: one sentence, each host's state, what to type.

The exit status follows from what is known of the hosts, not from what went wrong first: 5 as soon
as one of them isn't known to serve what it served before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lockship.deploy.fleet import gathered
from lockship.errors import AttentionError, InterruptedByUser, LockshipError, UndoneError
from lockship.host.journal import Outcome

_SEE = "`lockship status` shows what runs; `lockship deploy` finishes the job on every host."


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a phase that didn't end, by host.

    `failed` is why; `not_back` could not be taken back; `back` were; `unrecorded` have no line in
    their journal. `served` are the versions that hosts served before, `version` is the new one.
    """

    failed: Mapping[str, LockshipError]
    not_back: Mapping[str, LockshipError] = field(default_factory=dict)
    back: Iterable[str] = ()
    unrecorded: Mapping[str, LockshipError] = field(default_factory=dict)
    interrupted: bool = False
    served: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def before(self, host: str) -> str:
        """Return the version that a host served before, in brackets; '' where nobody knows."""
        version = self.served.get(host)
        return f" ({version})" if version else ""


def of_stage(end: Ending) -> LockshipError:
    """Return the error for a rollout that ended before any host switched."""
    if end.not_back:
        return _attention(
            "The deploy failed before the switch: no host was switched, but what it had started "
            f"couldn't be removed from {_hosts(end.not_back)}.",
            end,
            "not switched{before}; what the deploy had started may still be there",
        )
    if end.interrupted:
        return _told(
            InterruptedByUser,
            "Interrupted: nothing was switched, what was started is removed.",
            end,
            "failed",
            "Run `lockship deploy` to begin again.",
        )
    return _told(
        LockshipError,
        "The deploy failed before the switch: every host serves what it served, what was started "
        "is removed.",
        end,
        "failed",
    )


def of_switch(end: Ending) -> LockshipError:
    """Return the error for a rollout that ended in the switch."""
    if end.not_back:
        return _attention(
            f"The deploy failed in the switch, and {_hosts(end.not_back)} couldn't be brought "
            "back: hosts may serve different versions.",
            end,
            "not brought back; it may serve the old version{before}, the new one ({version}) or "
            "neither",
        )
    if end.interrupted:
        return _told(
            InterruptedByUser,
            "Interrupted: the switch was taken back, every host serves what it served.",
            end,
            "undone",
            "Run `lockship deploy` to begin again.",
        )
    return _told(
        UndoneError,
        "The deploy failed in the switch and was undone: every host serves what it served.",
        end,
        "undone",
    )


def of_finish(version: str, failed: Mapping[str, LockshipError]) -> LockshipError:
    """Return the error for a rollout that switched every host and couldn't end its work on some."""
    error = gathered(
        f"Every host was switched to {version}, but {_hosts(failed)} couldn't be tidied or "
        "recorded.",
        failed,
        AttentionError,
    )
    error.details = (
        *error.details,
        *(
            f"{host}: was switched to {version}; the old container may still run there"
            for host in sorted(failed)
        ),
    )
    error.hint = "\n".join(filter(None, [error.hint, _SEE]))
    error.outcome = "attention"
    return error


def _told(
    kind: type[LockshipError], what: str, end: Ending, outcome: Outcome, hint: str = ""
) -> LockshipError:
    error = gathered(what, end.failed, kind)
    error.outcome = outcome
    error.details = (*error.details, *_unrecorded(end))
    error.hint = error.hint or hint
    return error


def _attention(what: str, end: Ending, state: str) -> LockshipError:
    why = gathered(what, {h: e for h, e in end.failed.items() if h not in end.not_back})
    stuck = gathered(what, end.not_back)
    details = [
        *why.details,
        *(
            f"{host}: serves what it served{end.before(host)}; the deploy is taken back"
            for host in end.back
        ),
    ]
    for host, error in end.not_back.items():
        first = end.failed.get(host, error)
        details += gathered(what, {host: first}).details
        if first.message != error.message:
            details += gathered(what, {host: error}).details
        said = state.format(before=end.before(host), version=end.version)
        details.append(f"{host}: {said}")
    hints = dict.fromkeys(filter(None, [stuck.hint, _SEE]))
    error = AttentionError(what, details=[*details, *_unrecorded(end)], hint="\n".join(hints))
    error.outcome = "attention"
    return error


def _unrecorded(end: Ending) -> list[str]:
    return [
        f"{host}: not recorded in its journal: {error.message.removeprefix(host + ': ')}"
        for host, error in end.unrecorded.items()
        if host not in end.not_back
    ]


def _hosts(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))
