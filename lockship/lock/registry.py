"""The table of a lock on who lockship is to a registry."""

from __future__ import annotations

from lockship.lock.names import EnvName, RegistryName, RegistryUser
from lockship.lock.table import Table


class Registry(Table, frozen=True):
    """An account at a registry: that of `[image] repository`, unless `server` names another.

    `password` is the name of a secret. Without the table, credentials are those of `docker login`.
    """

    username: RegistryUser
    password: EnvName
    server: RegistryName | None = None
