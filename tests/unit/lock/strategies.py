"""Any lock that the model allows, as hypothesis strategies."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from lockship.lock.fingerprint import sealed
from lockship.lock.model import LOCK_VERSION, Artifact, Host, Lock

# TOML holds any Unicode text; a lone surrogate is none.
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Return values of a type of the model."""
    if isinstance(kind, inspect.Metadata):
        return values(kind.type)
    if isinstance(kind, inspect.UnionType):
        return st.one_of(
            [st.none() if isinstance(t, inspect.NoneType) else values(t) for t in kind.types]
        )
    if isinstance(kind, inspect.StrType):
        if kind.pattern is None:
            return TEXT
        return st.from_regex(re.compile(kind.pattern, re.ASCII), fullmatch=False).filter(_is_text)
    if isinstance(kind, inspect.BoolType):
        return st.booleans()
    if isinstance(kind, inspect.IntType):
        return st.integers(kind.ge, kind.le)
    if isinstance(kind, inspect.FloatType):
        low = kind.ge if kind.ge is not None else kind.gt
        return st.floats(low, kind.le, exclude_min=kind.gt is not None, allow_nan=False)
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    if isinstance(kind, inspect.VarTupleType):
        least = kind.min_length or 0
        return st.lists(values(kind.item_type), min_size=least, max_size=3).map(tuple)
    if isinstance(kind, inspect.DictType):
        least = kind.min_length or 0
        return st.dictionaries(
            values(kind.key_type), values(kind.value_type), min_size=least, max_size=3
        )
    assert isinstance(kind, inspect.StructType)
    return structs(kind.cls)


def structs(cls: type[Any], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return values of a struct; the fields in `given` are drawn from there."""
    kind = inspect.type_info(cls)
    assert isinstance(kind, inspect.StructType)
    fields = {field.name: values(field.type) for field in kind.fields}
    return st.builds(cls, **{**fields, **given})


def _is_text(value: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in value)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    """Any sealed lock: its roles' hosts are in its table of hosts."""
    lock = draw(
        structs(
            Lock,
            lock_version=st.just(LOCK_VERSION),
            hosts=st.just({}),
            artifact=st.none() | structs(Artifact),
        )
    )
    names = sorted({name for role in lock.roles.values() for name in role.hosts})
    hosts = {name: draw(structs(Host)) for name in names}
    fields = {name: getattr(lock, name) for name in lock.__struct_fields__}
    return sealed(Lock(**{**fields, "hosts": hosts}))
