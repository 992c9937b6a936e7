"""The step that bridges assets, and when a plan has it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockship.deploy import names
from lockship.deploy.stepbase import StepBase
from lockship.host.types import Container
from lockship.lock.role import Role


class BridgeAssets(StepBase, frozen=True, tag="bridge-assets"):
    """Give each of two containers the files at `path` that it lacks and the other one has."""

    name: str
    old: str
    path: str
    why: str = "a page of one version may ask the other for its files"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"bridge {self.path} of {self.old} and {self.name}"


def bridges(
    name: str, role_name: str, role: Role, old: Iterable[Container]
) -> Iterator[BridgeAssets]:
    """Yield what a container that is about to start has to do with those that serve its role."""
    if role.assets is None:
        return
    for each in old:
        if each.labels.get(names.ROLE) == role_name and each.state == "running":
            yield BridgeAssets(name, each.name, role.assets)
