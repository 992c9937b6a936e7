"""HTML from values: one builder, and the one place where text becomes markup.

Whatever isn't `Html` already is text: it is escaped, and what a reader couldn't see in it
(controls, bidirectional overrides) is shown as its escape, as on a terminal.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from lockship.cli.text import visible

# HTML standard, "optional tags": where only their like or their parent's end follows, as here. A
# page of many deploys is a tenth smaller without them.
_UNCLOSED: Final = frozenset({"dd", "dt", "li", "td", "th", "tr"})
# HTML standard, "void elements": those that have no end tag. SVG's are written with one.
_VOID: Final = frozenset({"br", "input", "link", "meta"})


class Html(str):
    """Markup that is safe to put into a page."""

    __slots__ = ()


Child = Html | str | None


def escaped(text: str) -> Html:
    """Return text as markup that shows it."""
    return Html(html.escape(visible(text)))


def joined(children: Iterable[Child]) -> Html:
    """Return children one after the other; None is nothing."""
    return Html(
        "".join(
            each if isinstance(each, Html) else escaped(each)
            for each in children
            if each is not None
        )
    )


def element(name: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """Return an element. `class_` is `class`, `data_x` is `data-x`, `viewBox` stays.

    An attribute that is True has no value; one that is False or None isn't there.
    """
    said = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{said}>")
    end = "" if name in _UNCLOSED else f"</{name}>"
    return Html(f"<{name}{said}>{joined(children)}{end}")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
