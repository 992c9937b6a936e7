"""The proxy's container gives name and ports to another one, and takes them back if that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from lockship.deploy.proxy import confirm
from lockship.deploy.proxy.container import NAME, STOP_TIMEOUT
from lockship.errors import AttentionError, LockshipError
from lockship.host.server import Server
from lockship.host.types import Container

FORMER: Final = f"{NAME}-former"


@contextmanager
def set_aside(server: Server, old: Container | None, serving: Callable[[], None]) -> Iterator[None]:
    """Stop the old proxy while the block puts another one in its place; then remove it.

    Where the block fails the old one serves again, for which `serving` waits. Raises LockshipError
    then; AttentionError where that failed too, so that nothing may listen on this host.
    """
    server.remove(FORMER)  # of a reboot that was killed
    try:
        if old is not None:
            server.stop(NAME, STOP_TIMEOUT)
            server.rename_container(NAME, FORMER)
        yield
    except LockshipError as error:
        _bring_back(server, old, serving, error)
        what = f"{server.name}: the proxy can't be replaced: the old one serves again"
        said = error.message.removeprefix(f"{server.name}: ")
        raise LockshipError(what, details=[said, *error.details], hint=error.hint) from error
    server.remove(FORMER)


def _bring_back(
    server: Server, old: Container | None, serving: Callable[[], None], error: LockshipError
) -> None:
    try:
        if old is None or server.container(FORMER) is not None:
            server.remove(NAME)
        if old is not None:
            if server.container(FORMER) is not None:
                server.rename_container(FORMER, NAME)
            if old.state == "running":
                server.start(NAME)
                confirm.wait_ready(server)
                serving()
    except LockshipError as second:
        raise AttentionError(
            f"{server.name}: the proxy couldn't be replaced, nor brought back: nothing may listen",
            details=[error.message, *error.details, second.message],
            hint="\n".join(
                filter(None, [second.hint, "`lockship proxy boot` starts it; all routes are kept."])
            ),
        ) from error
