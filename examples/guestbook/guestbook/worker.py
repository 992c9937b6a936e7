"""The worker role: approves what waits, once a second, until SIGTERM."""

import os
import signal
import threading

from guestbook import health, store

FORBIDDEN = frozenset(os.environ.get("GUESTBOOK_FORBIDDEN", "spam casino").split())


def main() -> None:
    """Work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("worker started")
    while not stop.is_set():
        count = store.approve_waiting(FORBIDDEN)
        if count:
            print(f"looked at {count} entries")
        health.touch()
        stop.wait(1)
    print("worker stopped")


if __name__ == "__main__":
    main()
