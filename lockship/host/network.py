"""Networks of containers on one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker


def ensure_network(api: docker.APIClient, name: str) -> None:
    """Make a bridge network, unless there is one of this name.

    Docker's own name server knows the containers in it; on the default network it knows none.
    """
    from docker.errors import APIError

    if _exists(api, name):
        return
    try:
        api.create_network(name, driver="bridge", check_duplicate=True)
    except APIError:
        if not _exists(api, name):  # made by someone else at the same moment: fine
            raise


def _exists(api: docker.APIClient, name: str) -> bool:
    # The filter finds every name that holds this one.
    return any(found["Name"] == name for found in api.networks(names=[name]))
