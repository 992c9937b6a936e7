r"""Files of `NAME=value` lines, as Docker Compose reads them, but without `$` expansion.

`export` before a name is passed over; `#` begins a comment at a line's start or after a space. In
'single quotes' all is as it stands; in "double quotes" `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are
escapes; both may hold several lines. (https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax)
"""

from __future__ import annotations

import re
from typing import Final

_ENTRY: Final = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>[^\n]*))""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"(?:^|[ \t])#.*$")
_ESCAPE: Final = re.compile(r"\\([nrt\"\\$])")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> dict[str, str]:
    """Return the file's values by name; of a name that is there twice the last one."""
    values: dict[str, str] = {}
    for entry in _ENTRY.finditer(text.replace("\r\n", "\n")):
        if entry["double"] is not None:
            value = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), entry["double"])
        elif entry["single"] is not None:
            value = entry["single"]
        else:
            value = _COMMENT.sub("", entry["plain"]).strip()
        values[entry["name"]] = value
    return values
