"""Reading a page strictly, and what it may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import html5lib

ELEMENTS: Final = {
    "html", "head", "meta", "title", "style", "script", "body", "a", "header", "p", "h1",
    "h2", "h3", "dl", "dt", "dd", "div", "nav", "ul", "li", "main", "section", "article",
    "strong", "table", "caption", "thead", "tbody", "tr", "th", "td", "form", "label",
    "input", "select", "option", "button", "figure", "figcaption", "details", "summary",
    "pre", "code", "svg", "defs", "g", "circle", "path", "rect", "text", "use"
}  # fmt: skip
ATTRIBUTES: Final = {
    "lang", "charset", "http-equiv", "content", "name", "href", "class", "id", "hidden",
    "role", "tabindex", "scope", "type", "value", "autocomplete", "aria-label",
    "aria-labelledby", "aria-hidden", "data-o", "viewBox", "d", "r", "x", "y", "width", "height"
}  # fmt: skip
_TEXT: Final = re.compile(r"\s+")


def parsed(page: str) -> Any:
    """Return the document. Raises html5lib's ParseError at the first thing that isn't valid."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(page)


def nodes(document: Any) -> Iterator[tuple[str, dict[str, str], Any]]:
    """Yield each element's name without its namespace, its attributes, and itself."""
    for node in document.iter():
        if isinstance(node.tag, str):
            yield node.tag.rpartition("}")[2], dict(node.attrib), node


def text_of(node: Any) -> str:
    """Return all text in an element, with single spaces."""
    return _TEXT.sub(" ", " ".join(node.itertext())).strip()


def by_id(document: Any, wanted: str) -> Any:
    """Return the element of this id."""
    return next(node for _, said, node in nodes(document) if said.get("id") == wanted)
