"""The verdict in the formats that GitHub and GitLab show on a merge request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from lockship.git import Objects
from lockship.hook.objection import Note, Place, Verdict
from lockship.hook.told import note_line, objection_line
from lockship.lock.reader import MAX_BYTES

# docs.github.com, "Workflow commands"; the escapes are those of actions/toolkit, command.ts.
_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}
_SEVERITY: Final = {"error": "critical", "warning": "minor", "notice": "info"}


def github(verdict: Verdict, objects: Objects) -> list[str]:
    """Return a workflow command for each objection and note."""
    return [
        f"::{level} file={_escaped(_path(place), _PROPERTY)},line={_line(objects, place, field)},"
        f"title={_escaped(f'lockship: {kind}', _PROPERTY)}::{_escaped(text, _DATA)}"
        for level, kind, place, field, text in _all(verdict)
    ]


def gitlab(verdict: Verdict, objects: Objects) -> list[dict[str, Any]]:
    """Return a Code Quality report (docs.gitlab.com, "Code Quality report format")."""
    return [
        {
            "description": text,
            "check_name": f"lockship-{kind}",
            "fingerprint": hashlib.sha256(
                "\0".join((place.commit, _path(place), kind, field, text)).encode(
                    errors="surrogateescape"
                )
            ).hexdigest(),
            "severity": _SEVERITY[level],
            "location": {
                "path": place.path.decode(errors="replace"),
                "lines": {"begin": _line(objects, place, field)},
            },
        }
        for level, kind, place, field, text in _all(verdict)
    ]


def _all(verdict: Verdict) -> Iterator[tuple[str, str, Place, str, str]]:
    for each in verdict.objections:
        text = f"{objection_line(each)}\n{each.mend}"
        yield "error", each.kind, each.place, each.field.partition(",")[0], text
    for note in verdict.notes:
        yield _level(note), note.kind, note.place, "", note_line(note)


def _level(note: Note) -> str:
    return "notice" if note.kind == "rollback" else "warning"


def _path(place: Place) -> str:
    return place.path.decode(errors="replace")


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(c, c) for c in text)


def _line(objects: Objects, place: Place, field: str) -> int:
    """Return the line of a lock's key in its file; 1 where it has none."""
    name = place.path.decode(errors="surrogateescape")
    if not field or "\n" in name:
        return 1
    found = objects.find(f"{place.commit}:{name}", MAX_BYTES)
    table, _, key = field.rpartition(".")
    inside = not table
    for number, line in enumerate(found[2].splitlines() if found else (), 1):
        text = line.decode(errors="replace")
        if text.startswith("["):
            inside = text.startswith(f"[{table}]") if table else text.startswith(f"[{key}]")
            if inside and not table:
                return number
        elif inside and text.partition("=")[0].strip() == key:
            return number
    return 1
