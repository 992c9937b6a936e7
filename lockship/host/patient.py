"""Do something at a registry until it is done, or fails in a way that waiting doesn't mend."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from lockship.host.again import Tries
from lockship.host.refusals import RegistryError
from lockship.host.retryafter import asked_wait

T = TypeVar("T")


def patiently(domain: str, attempt: Callable[[], T], note: Callable[[str], None]) -> T:
    """Return what `attempt` does; `note` is told of each further try at the registry `domain`.

    Raises its last RegistryError, with how long the registry wants to be left alone if it said so.
    """
    tries = Tries(ask=lambda: asked_wait(domain))
    while True:
        try:
            return attempt()
        except RegistryError as error:
            said = " ".join(error.details)
            wait = tries.wait_after(said)
            if wait is None:
                error.details = (*error.details, *tries.told())
                raise
            note(f"{said}: trying again in {wait:g} s")
            time.sleep(wait)
