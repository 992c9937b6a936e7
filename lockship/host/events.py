"""What the engine remembers of a container's past: `GET /events`."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING

from lockship.host.inside import Inside
from lockship.host.types import Container

if TYPE_CHECKING:
    import docker


def last_exit(inside: Inside, container: Container) -> int | None:
    """Return the exit status of the run before a container's present one; None: it isn't known.

    The engine forgets a container's exit status when it starts it again, and keeps some hundred
    events. The times are the engine's own, so that no clock of this machine makes it wait.
    Raises HostError.
    """
    asked = {
        "since": str(math.floor(_seconds(container.created))),
        "until": str(math.ceil(_seconds(container.started))),
        "filters": json.dumps({"container": [container.id], "event": ["die"]}),
    }

    def ask(api: docker.APIClient) -> str:
        response = api.get(f"{api.base_url}/v{api.api_version}/events", params=asked)
        return str(response.text) if response.ok else ""

    lines: str = inside.call(f"events of {container.name}", ask)
    found = [json.loads(line) for line in lines.splitlines() if line.strip()]
    status = found[-1]["Actor"]["Attributes"].get("exitCode", "") if found else ""
    return int(status) if status.isdecimal() else None


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
