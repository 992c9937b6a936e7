"""Reading the reference tables of docs, and what the models themselves say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

DOCS = Path(__file__).parents[3] / "docs"
TOP = "Top of the file"
KINDS = {
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.StructType: "table",
}

Reference = dict[tuple[str, str], tuple[str, str]]  # (table, key) to (type, default)


def documented(page: str) -> tuple[Reference, dict[tuple[str, str], str]]:
    """Return what a page says of each key's type and default, and its meanings.

    A table may say that its keys are those of another one above it, of the same type.
    """
    keys: Reference = {}
    meanings: dict[tuple[str, str], str] = {}
    table = ""
    for line in (DOCS / page).read_text().splitlines():
        if line.startswith("## "):
            table = line[3:].strip("`[]")
        elif line.startswith("| `"):
            key, kind, default, meaning = (cell.strip() for cell in line.strip("|").split("|"))
            assert (table, key.strip("`")) not in keys, f"{table} {key} is documented twice"
            keys[table, key.strip("`")] = (kind, default)
            meanings[table, key.strip("`")] = meaning
        elif same := re.match(r"Its keys are those of \[?`\[([^\]]+)\]`", line):
            found = {key: said for key, said in keys.items() if key[0] == same[1]}
            assert found, f"{table} has the keys of {same[1]}, which is not above it"
            keys |= {(table, key): said for (_, key), said in found.items()}
            meanings |= {(table, key): meanings[same[1], key] for _, key in found}
    return keys, meanings


def headings(page: str) -> set[str]:
    found = re.findall(r"^## `\[([^\]]+)\]`$", (DOCS / page).read_text(), re.MULTILINE)
    return set(found)


def modelled(model: type[Any]) -> tuple[Reference, set[str]]:
    """Return the same of a model, and the names of its tables."""
    keys: Reference = {}
    tables: set[str] = set()
    for field in _struct(inspect.type_info(model)).fields:
        inner = _plain(field.type)
        if isinstance(inner, inspect.StructType):
            name, table = field.encode_name, inner
        elif isinstance(inner, inspect.DictType) and isinstance(
            _plain(inner.value_type), inspect.StructType
        ):
            name, table = f"{field.encode_name}.NAME", _struct(_plain(inner.value_type))
        elif isinstance(inner, inspect.DictType):
            tables.add(field.encode_name)  # free names: there is no key to document
            continue
        else:
            keys[TOP, field.encode_name] = (_type(field.type), _default(field))
            continue
        _add_table(name, table, keys, tables)
    return keys, tables


def _add_table(name: str, table: inspect.StructType, keys: Reference, tables: set[str]) -> None:
    tables.add(name)
    for key in table.fields:
        inner = _plain(key.type)
        if isinstance(inner, inspect.DictType) and isinstance(
            each_value := _plain(inner.value_type), inspect.StructType
        ):
            _add_table(f"{name}.{key.encode_name}.NAME", each_value, keys, tables)
            continue
        below = [each for each in _members(inner) if isinstance(each, inspect.StructType)]
        for each in below:
            _add_table(f"{name}.{key.encode_name}", each, keys, tables)
        if [inner] != below:
            keys[name, key.encode_name] = (_type(key.type), _default(key))


def _members(kind: inspect.Type) -> list[inspect.Type]:
    """What a union allows; of another type, itself."""
    return [_plain(each) for each in kind.types] if isinstance(kind, inspect.UnionType) else [kind]


def _struct(kind: inspect.Type) -> inspect.StructType:
    assert isinstance(kind, inspect.StructType)
    return kind


def _plain(kind: inspect.Type) -> inspect.Type:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        some = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return _plain(some[0]) if len(some) == 1 else kind
    return kind


def _type(kind: inspect.Type) -> str:
    inner = _plain(kind)
    if isinstance(inner, inspect.UnionType):
        some = [each for each in inner.types if not isinstance(each, inspect.NoneType)]
        return " or ".join(sorted(map(_type, some), key=lambda said: (len(said), said)))
    if isinstance(inner, inspect.LiteralType):
        return "one of " + ", ".join(f'`"{value}"`' for value in _in_order(inner))
    if isinstance(inner, inspect.VarTupleType):
        return f"list of {_type(inner.item_type)}s"
    if isinstance(inner, inspect.DictType):
        each = _type(inner.value_type)
        several = each.replace("table of", "tables of") if "table of" in each else f"{each}s"
        return f"table of {several}"
    return KINDS[type(inner)]


def _in_order(kind: inspect.LiteralType) -> Iterator[Any]:
    """Literal's values come sorted; the page has them in the order of people."""
    order = ["no", "always", "unless-stopped", "on-failure"]
    yield from sorted(kind.values, key=lambda value: order.index(value) if value in order else 99)


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None or value in ((), {}):
        return "none"
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    return f"`{msgspec.json.encode(number).decode()}`"
