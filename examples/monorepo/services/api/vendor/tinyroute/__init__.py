"""tinyroute 1.0: from a path to a function. Vendored; see LICENSE beside this file."""

import re
from collections.abc import Callable
from typing import Any

__version__ = "1.0"

Function = Callable[..., Any]


class Routes:
    """Functions by pattern: `@routes.at("/items/{name}")`."""

    def __init__(self) -> None:
        self._routes: list[tuple[re.Pattern[str], Function]] = []

    def at(self, pattern: str) -> Callable[[Function], Function]:
        """Register the function below for paths like `pattern`."""
        literal = re.split(r"\{(\w+)\}", pattern)
        parts = (f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in enumerate(literal))
        compiled = re.compile("".join(parts))

        def register(function: Function) -> Function:
            self._routes.append((compiled, function))
            return function

        return register

    def find(self, path: str) -> tuple[Function, dict[str, str]] | None:
        """Return the function for a path and its arguments; None when there is none."""
        for pattern, function in self._routes:
            match = pattern.fullmatch(path)
            if match is not None:
                return function, match.groupdict()
        return None
