"""Show the fields in which two locks differ, a line for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lockship.cli.text import visible
from lockship.lock.diff import Difference


def difference_lines(found: Iterable[Difference]) -> list[str]:
    """Write differences as `field: before → after`; of two lists only what came and went."""
    return [line for difference in found for line in _lines(difference)]


def _lines(difference: Difference) -> Iterator[str]:
    field, before, after = difference.field, difference.before, difference.after
    if before is None or after is None:
        sign, value = ("-", before) if after is None else ("+", after)
        yield f"{sign} {visible(field)} = {_value(value)}"
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        gone = [item for item in before if item not in after]
        come = [item for item in after if item not in before]
        yield from (f"- {visible(field)}: {_value(item)}" for item in gone)
        yield from (f"+ {visible(field)}: {_value(item)}" for item in come)
        if not gone and not come:
            yield f"~ {visible(field)}: the same items in another order"
    else:
        yield f"~ {visible(field)}: {_value(before)} → {_value(after)}"


def _value(value: Any) -> str:
    return visible(msgspec.json.encode(value).decode())
