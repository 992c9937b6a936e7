"""Check a document against a model and find every problem at once.

`msgspec.convert` stops at the first problem; a person who mends a file wants all of them. This
walks the model's type information beside the document, so it knows no key by name: a new key in
a model is checked without a change here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

_UNKNOWN = "an unknown key"
_LONG_INTEGER = 10_000  # bits; Python prints up to 4,300 digits

Path = tuple[str | int, ...]
_T = TypeVar("_T")


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong in a document: where, what was found, what was expected."""

    path: Path
    found: str
    expected: str

    @property
    def key(self) -> str:
        """The path as it is written in messages: `roles.web.hosts[1]`."""
        return dotted(self.path)


def dotted(path: Path) -> str:
    """Write a path as TOML writes a dotted key, with list positions in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part) is not None
            shown = part if bare else msgspec.json.encode(part).decode()
            text += f".{shown}" if text else shown
    return text


def problems(document: object, model: Any) -> list[Problem]:
    """Return everything in `document` (plain dicts, lists and scalars) that `model` refuses."""
    return list(_walk(document, _type_info(model), ()))


def convert(document: object, model: type[_T]) -> tuple[_T | None, list[Problem]]:
    """Return `document` as the model, or None and everything that the model refuses.

    A sound document, the usual one, costs only msgspec's own check: the walk is slower.
    """
    try:
        return msgspec.convert(document, model), []
    except msgspec.ValidationError as error:
        return None, problems(document, model) or [Problem((), "this", str(error))]


@functools.cache
def _type_info(model: Any) -> inspect.Type:
    """Look a model's types up once: it takes some milliseconds."""
    return inspect.type_info(model)


def _walk(value: object, kind: inspect.Type, path: Path) -> Iterator[Problem]:
    meta = kind
    while isinstance(meta, inspect.Metadata):
        meta = meta.type
    if isinstance(meta, inspect.UnionType):
        yield from _walk_union(value, _members(meta), path)
    elif isinstance(meta, inspect.StructType):
        yield from _walk_table(value, meta, path)
    elif isinstance(meta, inspect.DictType) and isinstance(value, Mapping):
        yield from _walk_dict(value, meta, path)
    elif isinstance(meta, inspect.VarTupleType) and isinstance(value, list | tuple):
        yield from _length(value, meta, path)
        for index, item in enumerate(value):
            yield from _walk(item, meta.item_type, (*path, index))
    elif not _accepts(value, meta):
        yield Problem(path, _found(value), _expected(kind))


def _members(union: inspect.UnionType) -> list[inspect.Type]:
    """Return what a union allows, without None: TOML has no null."""
    return [each for each in union.types if not isinstance(each, inspect.NoneType)]


def _walk_union(value: object, members: list[inspect.Type], path: Path) -> Iterator[Problem]:
    """The member of the value's own kind says what is wrong; without one, none of them fits."""
    per_member = [list(_walk(value, member, path)) for member in members]
    best = min(per_member, key=lambda each: (any(p.path == path for p in each), len(each)))
    if len(members) > 1 and any(problem.path == path for problem in best):
        yield Problem(path, _found(value), " or ".join(_expected(each) for each in members))
    else:
        yield from best


def _walk_table(value: object, kind: inspect.StructType, path: Path) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, _found(value), "a table")
        return
    fields = {field.encode_name: field for field in kind.fields}
    for key in value:
        if key not in fields:
            yield Problem((*path, key), _UNKNOWN, _known(key, fields))
    for name, field in fields.items():
        if name in value:
            for problem in _walk(value[name], field.type, (*path, name)):
                yield _above(problem, (*path, name), fields)
        elif field.required:
            yield Problem((*path, name), "nothing", _expected(field.type))


def _known(key: str, fields: Mapping[str, inspect.Field]) -> str:
    """Return the known key that was meant: a very near one, one of a table below, or a near one."""
    import difflib  # rarely needed, and slow to load

    near = difflib.get_close_matches(key, fields, n=1)
    nearer = difflib.get_close_matches(key, fields, n=1, cutoff=0.8)
    meant = [*nearer, *(f"{name}.{key}" for name in _tables_with(key, fields)), *near]
    return f"'{meant[0]}'?" if meant else "one of " + ", ".join(sorted(fields))


def _tables_with(key: str, fields: Mapping[str, inspect.Field]) -> Iterator[str]:
    for name, field in fields.items():
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for kind in kinds:
            if isinstance(kind, inspect.StructType) and key in (f.encode_name for f in kind.fields):
                yield name


def _above(problem: Problem, path: Path, fields: Mapping[str, inspect.Field]) -> Problem:
    """Return a problem in the table at `path`: an unknown key may be one of the table around it."""
    key = problem.path[-1] if problem.path else ""
    if problem.found == _UNKNOWN and problem.path[:-1] == path and key in fields:
        return Problem(problem.path, _UNKNOWN, f"'{dotted((*path[:-1], key))}'?")
    return problem


def _walk_dict(
    value: Mapping[str, object], meta: inspect.DictType, path: Path
) -> Iterator[Problem]:
    yield from _length(value, meta, path)
    for key, item in value.items():
        if not _accepts(key, meta.key_type):
            yield Problem((*path, key), "this name", _expected(meta.key_type))
        yield from _walk(item, meta.value_type, (*path, key))


def _length(
    value: Any, meta: inspect.DictType | inspect.VarTupleType, path: Path
) -> Iterator[Problem]:
    if meta.min_length and len(value) < meta.min_length:
        yield Problem(path, "nothing in it", f"at least {meta.min_length}")


def _accepts(value: object, kind: inspect.Type) -> bool:
    inner = kind.type if isinstance(kind, inspect.Metadata) else kind
    if isinstance(inner, inspect.StrType):
        return isinstance(value, str) and (
            inner.pattern is None or re.search(inner.pattern, value) is not None
        )
    if isinstance(inner, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(inner, inspect.IntType | inspect.FloatType):
        return _accepts_number(value, inner)
    if isinstance(inner, inspect.LiteralType):
        return value in inner.values
    return False


def _accepts_number(value: object, kind: inspect.IntType | inspect.FloatType) -> bool:
    types = int if isinstance(kind, inspect.IntType) else (int, float)
    if isinstance(value, bool) or not isinstance(value, types):
        return False
    low = kind.ge is None or value >= kind.ge
    above = kind.gt is None or value > kind.gt
    return low and above and (kind.le is None or value <= kind.le)


def _found(value: object) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > _LONG_INTEGER:
        return "a number of very many digits"  # which Python refuses to print
    text = msgspec.json.encode(value if isinstance(value, str) else str(value)).decode()
    text = text if isinstance(value, str) else text[1:-1]
    return text if len(text) <= 80 else text[:77] + "..."


def _expected(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        described = (kind.extra or {}).get("expected")
        return described if isinstance(described, str) else _expected(kind.type)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_expected(each) for each in _members(kind))
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(repr(value) for value in kind.values)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return _expected_number(kind)
    if isinstance(kind, inspect.VarTupleType):
        return f"a list, each {_expected(kind.item_type)}"
    names = {
        inspect.StrType: "a string",
        inspect.BoolType: "true or false",
        inspect.DictType: "a table",
        inspect.StructType: "a table",
    }
    return names.get(type(kind), "another value")


def _expected_number(kind: inspect.IntType | inspect.FloatType) -> str:
    word = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    low = f"from {kind.ge}" if kind.ge is not None else f"above {kind.gt}"
    bounds = (kind.ge if kind.ge is not None else kind.gt) is not None and kind.le is not None
    return f"{word} {low} to {kind.le}" if bounds else word
