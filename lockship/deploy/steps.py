"""The vocabulary of a plan: small frozen steps, each with what it does and why, in words.

A step names everything that it needs; `apply` carries it out, `plan.undo` names its opposite.
As JSON a step is an object whose `do` says which it is.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from lockship.deploy.accessory.steps import AccessoryStep
from lockship.deploy.assets.steps import BridgeAssets
from lockship.deploy.stepbase import StepBase as _Step


class ShipImage(_Step, frozen=True, tag="ship-image"):
    """Bring the locked image to the host: pulled by digest, or sent over the connection."""

    image_id: str
    via: Literal["registry", "ssh"]
    why: str = "the image isn't there"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        how = "pull" if self.via == "registry" else "send"
        return f"{how} image {self.image_id.removeprefix('sha256:')[:12]}"


class StoreLock(_Step, frozen=True, tag="store-lock"):
    """Put a copy of the lock into the run folder."""

    fingerprint: str
    why: str = "a rollback and an audit read it"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"store lock {self.fingerprint.removeprefix('sha256:')[:8]}"


class CreateContainer(_Step, frozen=True, tag="create-container"):
    """Create the role's container, not yet started."""

    name: str
    role: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"create {self.name}"


class StartContainer(_Step, frozen=True, tag="start-container"):
    """Start a container that is there; `fresh`: one that this deploy has just created."""

    name: str
    why: str
    fresh: bool = False

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"start {self.name}"


class ProbeContainer(_Step, frozen=True, tag="probe-container"):
    """Wait until the container is healthy, within the lock's limit."""

    name: str
    role: str
    why: str = "nothing switches before it is healthy"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"probe {self.name}"


class ConfirmContainer(_Step, frozen=True, tag="confirm-container"):
    """See, just before its host switches, that a container that was healthy still runs."""

    name: str
    role: str
    why: str = "it was healthy, and then other hosts were waited for"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"see that {self.name} still runs"


class StopContainer(_Step, frozen=True, tag="stop-container"):
    """SIGTERM, and SIGKILL after `timeout` seconds."""

    name: str
    timeout: float
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"stop {self.name}"


class RemoveContainer(_Step, frozen=True, tag="remove-container"):
    """Remove a container, running or not."""

    name: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"remove {self.name}"


class RemoveImage(_Step, frozen=True, tag="remove-image"):
    """Remove an image that no release here needs; one that is in use stays."""

    image_id: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"remove image {self.image_id.removeprefix('sha256:')[:12]}"


class RemoveFile(_Step, frozen=True, tag="remove-file"):
    """Remove a file of the run folder."""

    path: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"remove {self.path}"


class Release(Struct, frozen=True, rename="kebab"):
    """A version that served here, and what a rollback to it needs."""

    version: str
    fingerprint: str
    image_id: str


class SetReleases(_Step, frozen=True, tag="set-releases"):
    """Write the list of releases, newest last: from now on the last one is the current one."""

    releases: tuple[Release, ...]
    why: str = "this version serves now"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        if not self.releases:
            return "forget all releases"
        return f"record {self.releases[-1].version} as the current release"


class BootProxy(_Step, frozen=True, tag="boot-proxy"):
    """Start the host's proxy, with its image, network and container where they aren't there."""

    image: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"boot the proxy, {self.image}"


class SwitchRoute(_Step, frozen=True, tag="switch-route"):
    """Let the proxy send the project's requests to `upstream`, and see that it does.

    `content` becomes the route file's, which was `former` (None: there was none). `container`,
    on `port`, is who gets the requests ('' where that is whoever got them before).
    """

    project: str
    upstream: str
    content: str
    former: str | None
    container: str
    port: int
    drain: float
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"route {self.project} to {self.upstream}"


class RemoveRoute(_Step, frozen=True, tag="remove-route"):
    """Let the proxy serve nothing of the project any more; its file was `former`."""

    project: str
    former: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"remove the route of {self.project}"


class ChangeRoute(_Step, frozen=True, tag="change-route"):
    """Replace the project's route file outside a deploy, and see that the proxy follows.

    `what` says, in words, what the new content does.
    """

    project: str
    content: str
    what: str
    why: str

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return self.what


class DrainContainer(_Step, frozen=True, tag="drain-container"):
    """Wait until the proxy has no request at a container any more, at most `limit` seconds."""

    name: str
    port: int
    limit: float
    why: str = "requests in flight end first"

    @property
    def text(self) -> str:
        """What the step does, in words."""
        return f"drain {self.name}"


Step = (
    ShipImage
    | StoreLock
    | CreateContainer
    | StartContainer
    | ProbeContainer
    | ConfirmContainer
    | StopContainer
    | RemoveContainer
    | RemoveImage
    | RemoveFile
    | SetReleases
    | BootProxy
    | SwitchRoute
    | RemoveRoute
    | ChangeRoute
    | DrainContainer
    | BridgeAssets
    | AccessoryStep
)


class HostPlan(Struct, frozen=True):
    """One host's steps: `stage` beside what serves, then `switch`, then `finish`.

    No host begins `switch` before every host has ended `stage` (law 6), nor `finish` before every
    host has ended `switch`.
    """

    host: str
    stage: tuple[Step, ...] = ()
    switch: tuple[Step, ...] = ()
    finish: tuple[Step, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.stage or self.switch or self.finish)


class Plan(Struct, frozen=True):
    """What a deploy does, host by host, in the lock's order.

    `batches` are the hosts that switch, those that do so at the same time together.
    """

    version: str
    fingerprint: str
    hosts: tuple[HostPlan, ...]
    batches: tuple[tuple[str, ...], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether every host is as the lock says."""
        return all(host.empty for host in self.hosts)
