"""The entries, in SQLite. Several processes use the file at once, old and new versions too."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    approved INTEGER NOT NULL DEFAULT 0
)
"""


def database() -> Path:
    """Return where the entries are kept."""
    return Path(os.environ.get("GUESTBOOK_DATA", "/data")) / "guestbook.sqlite"


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Give a connection; what is done with it is kept, unless the block raises."""
    connection = sqlite3.connect(database(), timeout=10)
    try:
        with connection:
            connection.execute(SCHEMA)
            yield connection
    finally:
        connection.close()


def add(name: str, message: str) -> None:
    """Keep an entry. It isn't shown before the worker has approved it."""
    with transaction() as connection:
        connection.execute("INSERT INTO entries (name, message) VALUES (?, ?)", (name, message))


def approved(limit: int = 50) -> list[tuple[str, str]]:
    """Return the newest approved entries, as (name, message)."""
    query = "SELECT name, message FROM entries WHERE approved ORDER BY id DESC LIMIT ?"
    with transaction() as connection:
        return list(connection.execute(query, (limit,)))


def approve_waiting(forbidden: frozenset[str]) -> int:
    """Approve what waits and has no forbidden word, remove the rest; return how many waited."""
    with transaction() as connection:
        waiting = list(connection.execute("SELECT id, message FROM entries WHERE NOT approved"))
        for entry, message in waiting:
            if forbidden & set(message.lower().split()):
                connection.execute("DELETE FROM entries WHERE id = ?", (entry,))
            else:
                connection.execute("UPDATE entries SET approved = 1 WHERE id = ?", (entry,))
    return len(waiting)
