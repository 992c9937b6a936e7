"""What takes a round trip, begun before anybody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

_T = TypeVar("_T")
_S = TypeVar("_S")


def ahead(do: Callable[[], _T]) -> Future[_T]:
    """Begin `do` in a thread of its own; its result, or its error, is told to who asks for it.

    Nobody needs to. The thread doesn't keep the process: a host may never answer.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(do())
        except BaseException as error:  # noqa: BLE001 - it's raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def both(one: Callable[[], _T], other: Callable[[], _S]) -> tuple[_T, _S]:
    """Do two things at the same time, and wait for both; return, or raise, what came of them."""
    begun = ahead(other)
    try:
        first = one()
    finally:
        wait([begun])
    return first, begun.result()
