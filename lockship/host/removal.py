"""Removing containers, volumes and images, where being gone already is as good."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import docker

_GONE: Final = 30.0  # seconds for a removal that someone else began
_LOOK: Final = 0.1


def remove_volume(api: docker.APIClient, name: str) -> None:
    """Remove a named volume with its data; one in use can't be."""
    from docker.errors import NotFound

    with suppress(NotFound):
        api.remove_volume(name)


def remove_container(api: docker.APIClient, name: str) -> None:
    """Remove a container and its anonymous volumes, running or not; it's gone afterwards."""
    from docker.errors import APIError, NotFound

    end = time.monotonic() + _GONE
    while True:
        try:
            api.remove_container(name, v=True, force=True)
        except NotFound:
            return
        except APIError as error:
            under_way = error.status_code == 409 and "already in progress" in str(error)
            if not under_way or time.monotonic() > end:
                raise
            time.sleep(_LOOK)
        else:
            return


def remove_image(api: docker.APIClient, reference: str) -> bool:
    """Remove an image or one of its names; False when it is in use or gone."""
    from docker.errors import APIError

    try:
        api.remove_image(reference)
    except APIError as error:
        if error.status_code in (404, 409):
            return False
        raise
    return True
