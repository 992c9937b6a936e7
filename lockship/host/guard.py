"""A time limit for waits that have none of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lockship.host.errors import frozen


@contextmanager
def within(seconds: float, host: str, what: str, end: Callable[[], object]) -> Iterator[None]:
    """Call `end` from another thread when the block takes longer than `seconds`.

    `end` must make whatever the block waits for fail, by closing its connection; the block's error
    is then replaced by "no answer to `what`". paramiko needs this: it waits for the answer to a
    request (exec, subsystem), and to write on a full socket, without any limit.
    """
    expired = threading.Event()

    def fire() -> None:
        expired.set()
        end()

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if expired.is_set():
            raise frozen(host, seconds, what) from error
        raise
    finally:
        timer.cancel()
    if expired.is_set():
        raise frozen(host, seconds, what)
