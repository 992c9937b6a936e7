"""From Kamal's configuration to lockship's: one file, and one for each destination."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from lockship.errors import RefusedError, UsageError
from lockship.lock.names import CONFIG_NAME
from lockship.lock.shape import dotted
from lockship.lock.writer import toml
from lockship.prepare.configfiles import config_name
from lockship.prepare.documents import merge
from lockship.prepare.initial import service_name
from lockship.prepare.kamal import (
    accessories,
    builder,
    deploying,
    hooks,
    options,
    proxy,
    roles,
    secrets,
)
from lockship.prepare.kamal.draft import Draft, Left
from lockship.prepare.kamal.source import Document, KeyPath, Reader, plain, read, text

_DESTINATION: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HEAD: Final = """\
# From Kamal's {name}, by `lockship init --from-kamal`.
# Look through it, above all what is at its end; commit it, then `lockship prepare`.

"""
_LEFT_HEAD: Final = "\n# Not carried over, or not as it was:\n"


class Converted(Struct, frozen=True):
    """One file of lockship's: its name, its text, and what of Kamal's it doesn't have."""

    name: str
    text: str
    left: tuple[Left, ...]


def convert(path: Path, root: Path) -> tuple[Converted, ...]:
    """Return lockship.toml, and a file for each of Kamal's destinations beside `path`.

    `root` is the repository's. Raises UsageError where a file isn't Kamal's.
    """
    base = read(path)
    if "service" not in base.tables:
        raise UsageError(f"{path} names no service: it's no configuration of Kamal's.")
    first = _draft(base.tables, root, None)
    made = [_converted(CONFIG_NAME, base, first.tables, first)]
    stem = path.name.removesuffix(path.suffix)
    for other in sorted(path.parent.glob(f"{stem}.*{path.suffix}")):
        destination = other.name.removeprefix(f"{stem}.").removesuffix(path.suffix).lower()
        if not _DESTINATION.fullmatch(destination):
            continue
        document = read(other)
        whole = _draft(merge(base.tables, document.tables), root, destination)
        known = {(each.key, each.why) for each in first.left}
        whole.left = [each for each in whole.left if (each.key, each.why) not in known]
        made.append(
            _converted(config_name(destination), document, _over(first.tables, whole.tables), whole)
        )
    return tuple(made)


def write(made: tuple[Converted, ...], folder: Path) -> list[Path]:
    """Write the files, or none of them. Raises RefusedError where one is there already."""
    paths = [folder / each.name for each in made]
    there = [path.name for path in paths if path.exists() or path.is_symlink()]
    if there:
        raise RefusedError(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already.",
            hint="Move it away first: nothing is overwritten.",
        )
    for path, each in zip(paths, made, strict=True):
        with path.open("x", encoding="utf-8") as file:
            file.write(each.text)
    return paths


def _draft(tables: dict[str, Any], root: Path, destination: str | None) -> Draft:
    top = Reader(plain(tables))
    draft = Draft()
    service = text(top.take("service"))
    name = service_name(service)
    draft.put(("service", "name"), name, ("service",))
    if name != service:
        draft.leave(("service",), f"a service's name has no such letters: it is {name}")
    known = secrets.sources(root, text(top.take("secrets_path", ".kamal/secrets")), destination)
    image = builder.put_image(draft, top, known)
    builder.put(draft, top.below("builder"), image, known)
    way = roles.login(draft, top.below("ssh"))
    found = roles.put(draft, top, known, way)
    roles.put_env(draft, top, known)
    proxy.put(draft, top, found, known)
    for role in found.values():
        draft.leave_rest(role)
    _for_all_roles(draft, top, found)
    deploying.put(draft, top)
    accessories.put(draft, top, name, known, way)
    hooks.explain(draft, root, text(top.take("hooks_path", ".kamal/hooks")))
    draft.leave_rest(top)
    _secrets_of_roles(draft, found)
    return draft


def _for_all_roles(draft: Draft, top: Reader, found: dict[str, Reader]) -> None:
    """`labels`, `volumes`, `logging` and `stop_timeout` at the top are every role's."""
    labels, logging = top.below("labels"), top.below("logging")
    volumes = [text(each) for each in top.each("volumes")]
    stop = top.take("stop_timeout")
    for name in found:
        for key in labels.tables:
            if draft.get(("roles", name, "labels", key)) is None:
                draft.put(("roles", name, "labels", key), text(labels.take(key)), labels.at(key))
        roles.assets(draft, ("roles", name), top, "asset_path")
        if stop is not None and draft.get(("roles", name, "stop-timeout")) is None:
            draft.put(("roles", name, "stop-timeout"), stop, ("stop_timeout",))
        if volumes:
            draft.add(("roles", name, "volumes"), volumes, ("volumes",))
        if draft.get(("roles", name, "options", "log-driver")) is None:
            options.logging(draft, ("roles", name), Reader(dict(logging.tables), logging.path))


def _secrets_of_roles(draft: Draft, found: dict[str, Reader]) -> None:
    """A role gets what the service's env names, and its own; not what others alone are to have.

    Where others name any, it is said: else what they share would be theirs alone.
    """
    every = [n for n, origin in _named(draft) if origin[:2] == ("env", "secret")]
    every += [n for n, origin in _named(draft) if origin[:2] == ("env", "tags")]
    keys = ("secrets", "password", "certificate", "key")
    others = any(path[-1] in keys and path[0] not in ("roles", "secrets") for path in draft.origins)
    others = others or any(name not in every for name, _ in _named(draft))
    for name in found:
        own = draft.get(("roles", name, "secrets"))
        if own is not None or others:
            draft.put(("roles", name, "secrets"), list(dict.fromkeys([*every, *(own or [])])))


def _named(draft: Draft) -> list[tuple[str, KeyPath]]:
    return [(path[1], origin) for path, origin in draft.origins.items() if path[0] == "secrets"]


def _over(below: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return what laid over `below` gives `whole`: what differs, and what is to be unset."""
    unset: list[str] = []
    tables = _differing(below, whole, (), unset)
    return {"unset": unset, **tables} if unset else tables


def _differing(
    below: dict[str, Any], whole: dict[str, Any], path: KeyPath, unset: list[str]
) -> dict[str, Any]:
    unset += [dotted((*path, key)) for key in below if key not in whole]
    found: dict[str, Any] = {}
    for key, value in whole.items():
        old = below.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := _differing(old, value, (*path, key), unset):
                found[key] = inner
        elif value != old:
            found[key] = value
    return found


def _converted(name: str, document: Document, tables: dict[str, Any], draft: Draft) -> Converted:
    comments: dict[KeyPath, list[str]] = {}
    used: set[KeyPath] = set()
    for path, origin in (*draft.origins.items(), *_of_tables(draft)):
        if origin in document.comments and origin not in used:
            comments[path] = [f"{line}\n" for line in document.comments[origin]]
            used.add(origin)
    lines = [_HEAD.format(name=document.name), toml(_ordered(tables), comments)]
    rest = {dotted(path): said for path, said in document.comments.items() if path not in used}
    if draft.left or rest:
        lines.append(_LEFT_HEAD)
    for each in draft.left:
        lines.append(f"# {_line(each.key)}: {_line(each.why)}\n")
        lines += [f"#   {_line(said)}\n" for said in rest.pop(each.key, ())]
    if rest:
        lines.append("\n# Comments of keys that have no place here:\n")
        lines += [f"# {_line(key)}: {_line(' '.join(said))}\n" for key, said in rest.items()]
    written = "".join(lines).encode(errors="replace").decode()  # YAML can say halves of characters
    return Converted(name, written, tuple(draft.left))


def _of_tables(draft: Draft) -> Iterator[tuple[KeyPath, KeyPath]]:
    """Yield lockship's tables, each with the key of Kamal's whose comment it gets."""
    yield from ((("proxy",), ("proxy",)), (("build",), ("builder",)), (("env",), ("env",)))
    yield from ((("roles", name), ("servers", name)) for name in draft.get(("roles",)) or ())
    both = "accessories"
    yield from (((both, name), (both, name)) for name in draft.get((both,)) or ())


def _line(said: str) -> str:
    return "".join(each if each.isprintable() else " " for each in said)


_ORDER: Final = (
    *("unset", "service", "image", "registry", "build", "roles", "tags", "env", "secrets"),
    *("healthcheck", "proxy", "deploy", "accessories"),
)


def _ordered(tables: dict[str, Any]) -> dict[str, Any]:
    return {key: tables[key] for key in _ORDER if key in tables}
