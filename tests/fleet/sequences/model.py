"""What must come of each command: a few lines, against lockship's thousands."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Command = Literal["deploy", "rollback"]
RETAIN = 2


@dataclass(frozen=True)
class Version:
    """A lock that was deployed, or should have been, and the files that it serves."""

    lock: Json
    files: dict[str, bytes]

    @property
    def name(self) -> str:
        return str(self.lock["service"]["version"])

    @property
    def fingerprint(self) -> str:
        return str(self.lock["fingerprint"])

    @property
    def image_id(self) -> str:
        return str(self.lock["artifact"]["image-id"])

    @property
    def container(self) -> str:
        return f"shop-web-{self.name}-{self.fingerprint.removeprefix('sha256:')[:8]}"

    @property
    def port(self) -> int:
        (published,) = self.lock["roles"]["web"]["ports"]
        return int(published.partition(":")[0])

    @property
    def healthy(self) -> bool:
        return "up" in self.files


@dataclass(frozen=True)
class Verdict:
    """`outcome`: the journal's; None where nothing is to be done, and so nothing is written."""

    exit_status: int
    outcome: str | None = None


@dataclass
class Model:
    """What the hosts must be like. `tried` are all versions that a deploy was begun of."""

    releases: list[Version] = field(default_factory=list)
    tried: list[Version] = field(default_factory=list)
    journal: list[Json] = field(default_factory=list)

    @property
    def current(self) -> Version | None:
        return self.releases[-1] if self.releases else None

    def earlier(self, back: int | None) -> Version | None:
        """What a rollback must go to."""
        if back is None:
            return self.releases[-2] if len(self.releases) > 1 else None
        return self.tried[-back] if back <= len(self.tried) else None

    def verdict(self, version: Version) -> Verdict:
        """What must come of deploying this version now."""
        current = self.current
        if current is not None and current.fingerprint == version.fingerprint:
            return Verdict(0)
        if version.healthy:
            return Verdict(0, "deployed")
        in_the_way = current is not None and current.port == version.port
        return Verdict(4, "undone") if in_the_way else Verdict(1, "failed")

    def record(self, version: Version, command: Command, verdict: Verdict) -> None:
        if verdict.outcome is None:
            return
        self.tried = [tried for tried in self.tried if tried.name != version.name] + [version]
        self.journal.append(
            {
                "version": version.name,
                "fingerprint": version.fingerprint,
                "image-id": version.image_id,
                "command": command,
                "outcome": verdict.outcome,
            }
        )
        if verdict.outcome == "deployed":
            names = [release.name for release in self.releases]
            if command == "rollback" and version.name in names:
                below = self.releases[: names.index(version.name)]
            else:
                below = [release for release in self.releases if release.name != version.name]
            self.releases = [*below, version][-(RETAIN + 1) :]
