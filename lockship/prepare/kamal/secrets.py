"""Secrets: Kamal's `.kamal/secrets` files say where values come from, in a shell's words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.source import KeyPath, words

_LINE: Final = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.MULTILINE)
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_COMMAND: Final = re.compile(r"\$\((.*)\)", re.DOTALL)
_SHELL: Final = re.compile(r"[|&;<>$`*?~]")  # what only a shell would make something of
_EXTRACT: Final = re.compile(r"kamal secrets extract (\S+) ")


def sources(root: Path, folder: str, destination: str | None) -> dict[str, tuple[str, str]]:
    """Return, by name, a secret's source and what a person should know of it ('' for nothing).

    `folder` is Kamal's secrets_path. Later files go over earlier ones; nothing of them is shown.
    """
    own = f"{folder}.{destination}" if destination else folder
    if not os.path.isfile(root / own):  # noqa: PTH113 - Path's raises for an impossible name
        own = folder  # Kamal would find none; what they are elsewhere is the better guess
    found: dict[str, tuple[str, str]] = {}
    for name in (f"{folder}-common", own):
        try:
            lines = (root / name).read_text(errors="replace")
        except (OSError, ValueError):  # ValueError: no path can hold a NUL
            continue
        for key, value in _LINE.findall(lines):
            found[key] = _source(key, value.strip(), name)
    return found


def _source(key: str, value: str, file: str) -> tuple[str, str]:
    bare = value.strip("\"'")
    if variable := _VARIABLE.fullmatch(bare):
        return f"env:{variable[1]}", ""
    command = _COMMAND.fullmatch(bare)
    if command is None:
        literal = "$" not in bare
        why = "" if literal else f"{file} puts it together from others: it is read as it stands"
        return f"dotenv:{file}#{key}", why
    said = command[1].strip()
    if said.startswith("kamal secrets"):
        wanted = _EXTRACT.match(said)
        which = f" ({wanted[1]})" if wanted else ""
        why = f"`kamal secrets` looked it up{which}: name its manager in [secrets]"
        return f"env:{key}", why
    parts = words(said)
    if parts is None or _SHELL.search(said):
        return f"env:{key}", "a shell would be needed for its command: make it a script, cmd:PATH"
    if parts[:1] == ["cat"] and len(parts) == 2:
        return f"file:{parts[1]}", ""
    return f"cmd:{said}", ""


def add(
    draft: Draft, names: Iterable[str], known: Mapping[str, tuple[str, str]], origin: KeyPath
) -> list[str]:
    """Put secrets into the draft, and return their names. `A:B` is the secret B, called A."""
    added = []
    for each in names:
        name, _, alias = each.partition(":")
        source, why = known.get(alias or name, (f"env:{alias or name}", ""))
        before = draft.get(("secrets", name))
        if before is not None and before != source:
            why = f"another one is called {name} already, from {before}: give one another name"
        else:
            draft.put(("secrets", name), source, origin)
        if why:
            draft.leave((*origin, name), why)
        added.append(name)
    return added
