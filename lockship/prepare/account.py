"""The account of `[registry]`, for what is looked up in that registry before there is a lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lockship.host.credentials import account_of, is_same
from lockship.host.types import RegistryAuth
from lockship.lock.image import Image
from lockship.lock.mirrors import mirrored
from lockship.lock.reference import parse_reference
from lockship.prepare.config import Config
from lockship.secrets.secret import Secret

Resolve = Callable[[Mapping[str, str], Path], Mapping[str, Secret]]
"""Looks secrets up: sources by name, and the folder at which their paths begin."""


@dataclass
class Account:
    """What the configuration says of it; `resolve` is called once at the most."""

    config: Config
    root: Path
    resolve: Resolve
    _values: Mapping[str, Secret] | None = None

    def at(self, images: Iterable[str]) -> RegistryAuth | None:
        """Return the account, where it is that of a registry which has one of these images.

        Raises LockshipError where its password can't be had.
        """
        own = self.config.registry
        registry = Image(repository=self.config.image.repository or "", tag="").registry
        server = own.server or registry if own else None
        named = (parse_reference(mirrored(name, self.config.mirrors)) for name in images)
        if own is None or not any(each and is_same(each.registry, server) for each in named):
            return None
        if self._values is None:
            source = {own.password: self.config.secrets[own.password]}
            self._values = self.resolve(source, self.root)
        return account_of(own, registry, self._values)
