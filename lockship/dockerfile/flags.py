"""The words of an instruction: flags such as `--from=IMAGE`, and the pairs of an ARG.

As BuildKit reads them: frontend/dockerfile/parser (split_command.go, line_parsers.go) and
instructions (commands_runmount.go).
"""

from __future__ import annotations

from collections.abc import Iterator

from lockship.dockerfile.lines import SPACE, Text


def flags(rest: Text) -> tuple[list[Text], Text]:
    """Return the flags in front, without quotes and escapes, and what comes behind them.

    Each character of a flag keeps its place in the file.
    """
    found: list[Text] = []
    at = 0
    while True:
        while at < len(rest.text) and rest.text[at] in SPACE:
            at += 1
        if not rest.text.startswith("--", at):
            return found, rest.part(at, len(rest.text))
        kept, at = _flag(rest.text, at)
        flag = Text("".join(rest.text[i] for i in kept), tuple(rest.at[i] for i in kept), rest.line)
        if flag.text == "--":
            return found, rest.part(at, len(rest.text)).trimmed()
        found.append(flag)


def _flag(text: str, at: int) -> tuple[list[int], int]:
    """Return which characters make the flag that begins at `at`, and the place behind it."""
    kept: list[int] = []
    quote = ""
    while at < len(text):
        char = text[at]
        if not quote and char in SPACE:
            break
        if char == quote or (not quote and char in "'\""):
            quote = "" if quote else char
        elif char == "\\":
            at += 1
            kept += [at] if at < len(text) else []
        else:
            kept.append(at)
        at += 1
    return kept, at


def mount_from(value: Text) -> Iterator[Text]:
    """Yield what the `from` of a `--mount` names."""
    at = 0
    for field in value.text.split(","):
        key, equals, named = field.partition("=")
        # A field may be in quotes, as in any CSV.
        if key.lower().strip('"') == "from" and equals:
            begin = at + len(key) + 1
            yield value.part(begin, begin + len(named.rstrip('"')))
        at += len(field) + 1


def words(text: str, escape: str) -> list[str]:
    """Split at white space outside of quotes; quotes and escapes stay."""
    found: list[str] = []
    word, quote, at = "", "", 0
    while at < len(text):
        char = text[at]
        if not quote and char in SPACE:
            found += [word] if word else []
            word = ""
        elif char == escape and quote != "'":
            word += text[at : at + 2]
            at += 1
        else:
            if char in "'\"" and quote in ("", char):
                quote = "" if quote else char
            word += char
        at += 1
    return [*found, word] if word else found
