"""Alive or not, for both roles: each touches a file as long as its main loop turns."""

import sys
import tempfile
import time
from pathlib import Path

ALIVE = Path(tempfile.gettempdir()) / "guestbook-alive"
OLDEST = 10.0  # seconds


def touch() -> None:
    """Say that the main loop turns."""
    ALIVE.touch()


def main() -> int:
    """Return 0 when the main loop turned lately: Docker's HEALTHCHECK."""
    try:
        age = time.time() - ALIVE.stat().st_mtime
    except FileNotFoundError:
        print("not started yet")
        return 1
    print(f"the main loop turned {age:.1f} s ago")
    return 0 if age < OLDEST else 1


if __name__ == "__main__":
    sys.exit(main())
