"""The maintenance page: a middleware in front of all that a route file does. Pure.

It is in the service's own file, so it comes and goes by one rename, and a deploy that writes the
file anew carries it over (`carried`).
"""

from __future__ import annotations

import html
from typing import Any, Final

from lockship.deploy.proxy import plugin
from lockship.deploy.proxy.edit import edited, middlewares_of

DEFAULT: Final = "This site is being worked on and will be back soon."
RETRY_AFTER: Final = 120  # seconds, what clients and search engines are told
_NAME: Final = "maintenance_{project}"
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Maintenance</title>
<style>
body {{ font: 1.25rem/1.5 system-ui, sans-serif; color-scheme: light dark;
  max-width: 40rem; margin: 20vh auto; padding: 0 1.5rem; }}
p {{ white-space: pre-line; overflow-wrap: anywhere; }}
</style>
</head>
<body><p>{message}</p></body>
</html>
"""


def put_on(text: str, project: str, message: str) -> str:
    """Return the route file with the page in front, instead of one that is there already."""
    name = _NAME.format(project=project)
    page = {"body": _page(message), "message": message, "retryAfter": RETRY_AFTER}

    def change(http: dict[str, Any]) -> None:
        http.setdefault("middlewares", {})[name] = {"plugin": {plugin.NAME: page}}
        for router in http["routers"].values():
            rest = [each for each in router.get("middlewares") or () if each != name]
            router["middlewares"] = [name, *rest]

    return edited(text, change)


def taken_off(text: str, project: str) -> str:
    """Return the route file without the page."""
    name = _NAME.format(project=project)

    def change(http: dict[str, Any]) -> None:
        http["middlewares"].pop(name)
        if not http["middlewares"]:
            del http["middlewares"]
        for router in http["routers"].values():
            router["middlewares"].remove(name)
            if not router["middlewares"]:
                del router["middlewares"]

    return text if message_of(text, project) is None else edited(text, change)


def message_of(text: str, project: str) -> str | None:
    """Return what the page says, as it was given; None where the file has none."""
    found = middlewares_of(text).get(_NAME.format(project=project))
    try:
        return str(found["plugin"][plugin.NAME]["message"])  # type: ignore[index]
    except (KeyError, TypeError):
        return None


def carried(content: str, former: str | None, project: str) -> str:
    """Return a deploy's new content with the page of the file that it replaces, if that has one."""
    message = message_of(former or "", project)
    return content if message is None else put_on(content, project, message)


def _page(message: str) -> str:
    return _PAGE.format(message=html.escape(message))
