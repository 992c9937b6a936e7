"""The steps of a plan that only accessories have; the others are those of `deploy.steps`."""

from __future__ import annotations

from lockship.deploy.stepbase import StepBase


class FetchImage(StepBase, frozen=True, tag="fetch-image"):
    """Bring an accessory's image to the host, before anything stops for its sake."""

    accessory: str
    image: str
    why: str = "the image isn't there"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"fetch {self.image}"


class CreateAccessory(StepBase, frozen=True, tag="create-accessory"):
    """Create the accessory's container, with its files in it, not yet started."""

    name: str
    accessory: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"create {self.name}"


class ProbeAccessory(StepBase, frozen=True, tag="probe-accessory"):
    """Wait until the accessory's container is healthy."""

    name: str
    accessory: str
    why: str = "it is to be seen healthy"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"probe {self.name}"


class RemoveVolume(StepBase, frozen=True, tag="remove-volume"):
    """Remove a named volume with all that is in it."""

    volume: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"remove volume {self.volume} and its data"


AccessoryStep = FetchImage | CreateAccessory | ProbeAccessory | RemoveVolume
