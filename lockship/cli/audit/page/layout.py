"""What the parts of the page are made of: sections, tables, and what may be wider than a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lockship.cli.audit.page.element import Child, Html, element


def section(id_: str, heading: str, *body: Child) -> Html:
    """Return a section that can be linked to, named by its heading."""
    named = f"{id_}-h"
    return element(
        "section", element("h2", heading, id=named), *body, id=id_, aria_labelledby=named
    )


def scrolling(child: Html, label: str, *, long: bool = False) -> Html:
    """Return what is scrolled sideways where it has no room, by keyboard too.

    What is `long` is laid out once it is scrolled to: that is a third of the time to open a page.
    """
    class_ = "wide long" if long else "wide"
    return element("div", child, class_=class_, tabindex=0, role="region", aria_label=label)


def grid(caption: str, names: Sequence[str], rows: Iterable[Html], id_: str | None = None) -> Html:
    """Return a table; `names` are its columns'."""
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *(element("th", name, scope="col") for name in names))),
        element("tbody", *rows),
        id=id_,
    )


def line(head: str, *cells: Html) -> Html:
    """Return a table's row whose first cell says what the row is of."""
    return element("tr", element("th", head, scope="row"), *cells)


def legend(items: Iterable[tuple[Html, str]], box: str) -> Html:
    """Return what each drawn form means; `box` is the view box of the forms."""
    drawn = (
        element("li", element("svg", form, viewBox=box, aria_hidden="true"), meaning)
        for form, meaning in items
    )
    return element("ul", *drawn, class_="legend")
