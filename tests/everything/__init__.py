"""Configurations that say, together, every key that there is, with another value than its default.

Tests hold them against the model (`tests/unit/prepare/test_documented.py`): a key that is added
without being said here fails. What a host makes of `deployed` and `options` is seen on the fleet.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = ("acme", "deployed", "options", "served")
DESTINATIONS = ("", "staging")
"""Those of `served`; the others have none."""


def files(name: str, destination: str = "") -> dict[str, bytes]:
    """Return a configuration's files as `prepare` would find them in a repository."""
    found = {"lockship.toml": (FOLDER / f"{name}.toml").read_bytes()}
    if destination:
        overlay = (FOLDER / f"{name}.{destination}.toml").read_bytes()
        found[f"lockship.{destination}.toml"] = overlay
    return found
