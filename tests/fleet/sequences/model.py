"""What must come of each command: a few lines, against lockship's thousands."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Command = Literal["deploy", "rollback"]
Outcome = Literal["deployed", "failed", "undone"]
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
    def image_id(self) -> str | None:
        """None where it isn't built yet."""
        artifact = self.lock.get("artifact")
        return str(artifact["image-id"]) if artifact else None

    @property
    def content(self) -> tuple[str, str]:
        """What the image under the version's tag is built from."""
        return (self.lock["source"]["commit"], self.lock["source"]["tree"])

    @property
    def port(self) -> int:
        (published,) = self.lock["roles"]["web"]["ports"]
        return int(published.partition(":")[0])

    @property
    def healthy(self) -> bool:
        return "up" in self.files


@dataclass(frozen=True)
class Release:
    """A version that served, in its container."""

    version: Version
    container: str


@dataclass
class Model:
    """What the hosts and the builder must be like.

    `tried` are all versions that a deploy was begun of, the last one last; `tags` is what the
    builder has under each version's tag.
    """

    releases: list[Release] = field(default_factory=list)
    tried: list[Version] = field(default_factory=list)
    journal: list[Json] = field(default_factory=list)
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    failed: set[str | None] = field(default_factory=set)
    """Images that failed deploys brought to the hosts since the last one that didn't fail."""

    @property
    def current(self) -> Release | None:
        return self.releases[-1] if self.releases else None

    def earlier(self, back: int | None) -> Version | None:
        """What a rollback must go to."""
        if back is None:
            return self.releases[-2].version if len(self.releases) > 1 else None
        if back > len(self.tried):
            return None
        # By its name, so of several releases that had the same one it's the newest.
        wanted = self.tried[-back]
        named = [
            release.version for release in self.releases if release.version.name == wanted.name
        ]
        return named[-1] if named else wanted

    def is_ambiguous(self, version: Version) -> bool:
        """Whether no release has this version's name, and several versions that were tried have."""
        released = any(release.version.name == version.name for release in self.releases)
        return not released and [tried.name for tried in self.tried].count(version.name) > 1

    def may_build(self, version: Version) -> bool:
        """Whether the version's tag is free, or has the version's own content."""
        return self.tags.get(version.name, version.content) == version.content

    def runs(self, version: Version) -> bool:
        current = self.current.version if self.current else None
        return (
            current is not None
            and current.fingerprint == version.fingerprint
            and current.image_id == version.image_id
        )

    def changes(self, version: Version) -> bool:
        """Whether deploying this version changes a host: what runs, or what a failed one left."""
        kept = {release.version.image_id for release in self.releases}
        return not self.runs(version) or bool(self.failed - kept)

    def outcome(self, version: Version) -> Outcome:
        """What must come of deploying this version now."""
        if version.healthy or self.runs(version):
            return "deployed"
        current = self.current.version if self.current else None
        return "undone" if current is not None and current.port == version.port else "failed"

    def record(self, version: Version, command: Command, outcome: Outcome) -> None:
        self.tried = [t for t in self.tried if t.fingerprint != version.fingerprint] + [version]
        self.journal.append(
            {
                "version": version.name,
                "fingerprint": version.fingerprint,
                "image-id": version.image_id,
                "command": command,
                "outcome": outcome,
            }
        )
        self.failed.add(version.image_id)
        if outcome == "deployed":
            self.failed.clear()
            release = Release(version, self._container(version))
            prints = [each.version.fingerprint for each in self.releases]
            if command == "rollback" and version.fingerprint in prints:
                below = self.releases[: prints.index(version.fingerprint)]
            else:
                pairs = zip(self.releases, prints, strict=True)
                below = [each for each, other in pairs if other != version.fingerprint]
            self.releases = [*below, release][-(RETAIN + 1) :]

    def _container(self, version: Version) -> str:
        name = f"shop-web-{version.name}-{version.fingerprint.removeprefix('sha256:')[:8]}"
        for release in self.releases:
            same = release.version.fingerprint == version.fingerprint
            if same and release.version.image_id == version.image_id:
                return release.container
        if self.current is not None and self.current.container == name:
            # The same lock, built anew: the other image starts beside the one that serves.
            return f"{name}-{str(version.image_id).removeprefix('sha256:')[:8]}"
        return name
