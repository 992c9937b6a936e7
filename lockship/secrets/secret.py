"""One secret value."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that shows itself in no message, traceback or log: `reveal` has to be asked."""

    _value: str = field(repr=False)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def reveal(self) -> str:
        """Return the value."""
        return self._value
