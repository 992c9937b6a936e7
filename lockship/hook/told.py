"""The verdict in words: at most ten lines, the command that mends it last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lockship.errors import RefusedError
from lockship.gitobjects import quoted
from lockship.hook.objection import Note, Objection, Place, Verdict

_OBJECTIONS: Final = 4
_NOTES: Final = 2
_SHORT: Final = 12
_SUBJECT: Final = 40
_PATH: Final = 60
_LINE: Final = 240


def refusal(verdict: Verdict, what: str) -> RefusedError:
    """Return the error that says why `what` ('this push') is refused.

    The command is the one for the first thing that is shown: the newest commit's.
    """
    found = verdict.objections
    wrong = "1 thing is" if len(found) == 1 else f"{len(found)} things are"
    shown = [*_some([objection_line(each) for each in found], _OBJECTIONS), *note_lines(verdict)]
    return RefusedError(
        f"Refused: {wrong} wrong with the locks in {what}.", details=shown, hint=found[0].mend
    )


def approval(verdict: Verdict, what: str) -> Iterator[str]:
    """Yield what is said of a verdict without objections; nothing where there were no locks."""
    if verdict.locks:
        locks = "1 lock" if verdict.locks == 1 else f"{verdict.locks} locks"
        yield f"lockship: {locks} in {what} judged, nothing wrong"
    yield from note_lines(verdict)


def as_data(verdict: Verdict) -> dict[str, Any]:
    """Return the whole verdict as plain data."""
    return {
        "locks": verdict.locks,
        "refused": bool(verdict.objections),
        "objections": [
            {**_place(each.place), "kind": each.kind, "field": each.field}
            | {"what": each.what, "mend": each.mend}
            for each in verdict.objections
        ],
        "notes": [
            {**_place(each.place), "kind": each.kind, "what": each.what} for each in verdict.notes
        ],
    }


def _place(place: Place) -> dict[str, str]:
    return {"commit": place.commit, "subject": place.subject, "path": quoted(place.path)}


def note_lines(verdict: Verdict) -> list[str]:
    """Return the notes, and how many more there are."""
    return _some([f"note: {note_line(each)}" for each in verdict.notes], _NOTES)


def objection_line(objection: Objection) -> str:
    """Return one objection: commit, subject, path, field, and what is wrong."""
    field = f" {objection.field}:" if objection.field else ""
    return _cut(f"{_where(objection.place)}:{field} {objection.what}", _LINE)


def note_line(note: Note) -> str:
    """Return one note."""
    words = {"rollback": "a rollback", "weakened": "a weaker policy", "signers": "other signers"}
    word = words[note.kind]
    return _cut(f"{_where(note.place)}: {word}, {note.what}", _LINE)


def _where(place: Place) -> str:
    subject, path = _cut(place.subject, _SUBJECT), _cut(quoted(place.path), _PATH)
    return f'{place.commit[:_SHORT]} "{subject}" {path}'


def _some(lines: list[str], most: int) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], f"... and {more} more"] if more > 0 else lines


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
