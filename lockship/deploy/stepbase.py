"""What all steps of a plan are: frozen, and as JSON an object whose `do` says which it is."""

from __future__ import annotations

from msgspec import Struct


class StepBase(Struct, frozen=True, tag_field="do", rename="kebab"):
    """What all steps are."""
