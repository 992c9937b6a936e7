"""Play a sequence: each step, what must come of it, and what hosts are like afterwards."""

import json
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fleet.sequences import content, steps
from tests.fleet.sequences.model import Command, Json, Model, Release, Version
from tests.fleet.sequences.oracle import Oracle
from tests.fleet.sequences.repository import HOSTS, LOCK, Repository
from tests.harness import Result, run_lockship

_FAILED, _USAGE, _REFUSED, _UNDONE = 1, 2, 3, 4
_EXIT_STATUS = {"deployed": 0, "failed": _FAILED, "undone": _UNDONE}


class SequenceError(AssertionError):
    """What failed, and a script that does the same by hand. `begun`: the steps until then."""

    def __init__(self, begun: steps.Steps, what: str, script: list[str]) -> None:
        lines = "\n".join(script)
        step = f"step {len(begun)}, {begun[-1]}"
        super().__init__(f"{step}: {what}\n\n--- by hand, in an empty folder\n{lines}\n")
        self.begun = begun


def play(sequence: steps.Steps, oracle: Oracle, folder: Path) -> Counter[str]:
    """Play `sequence` in a new repository at `folder`; return how often each command ended how.

    Raises `SequenceError` where anything isn't as it must be.
    """
    oracle.reset()
    play = _Play(Repository.create(folder, oracle.fleet.env()), oracle)
    for number, step in enumerate(sequence):
        try:
            play.step(step)
        except Exception as error:
            begun, script = sequence[: number + 1], play.repository.script
            what = str(error) if isinstance(error, AssertionError) else repr(error)
            raise SequenceError(begun, what, script) from error
    return play.tally


@dataclass
class _Play:
    repository: Repository
    oracle: Oracle
    model: Model = field(default_factory=Model)
    environment: dict[str, str] = field(default_factory=dict)
    locked: dict[tuple[content.Source, str], bytes] = field(default_factory=dict)
    """What was locked so far, by source and name: the same content gives the same bytes."""
    tally: Counter[str] = field(default_factory=Counter)
    shown: tuple[Release | None, Json | None] = None, None
    """What runs and what is locked, when `status` was asked last."""

    def step(self, step: steps.Step) -> None:
        match step:
            case steps.Environment(name=name):
                self.environment = steps.ENVIRONMENTS[name]
                return
            case steps.Forget():
                self.oracle.forget()
                self.repository.script.append("docker rmi ...; docker builder prune --all --force")
                self.model.tags.clear()
                return
            case steps.Prepare(force=force, name=name):
                self._prepare(force=force, name=name)
            case steps.Check():
                self._check()
            case steps.Build():
                self._build()
            case steps.Plan():
                self._plan()
            case steps.Deploy():
                self._deploy()
            case steps.Rollback(back=back):
                self._rollback(back)
            case _:
                self.repository.do(step)
                self._check_status()
                return
        self.oracle.check(self.model)
        self._check_status()

    def _prepare(self, *, force: bool, name: str | None) -> None:
        git = self.repository.git
        source, dirty = content.source(git), content.is_dirty(git)
        refused = _REFUSED if dirty and not force else _USAGE if self._misspelt else 0
        version = name or self._sticky(source) or source.version
        before, footprint = self.repository.lock_bytes, self.repository.footprint()
        words = [*(["--force"] if force else []), *(["--version", name] if name else [])]
        done = self._lockship("prepare", *words, expect=refused)
        assert self.repository.footprint() == footprint, f"prepare touched something\n{done}"
        if refused:
            assert self.repository.lock_bytes == before, f"it wrote a lock\n{done}"
            return
        assert done.stdout == f"{version}\n", f"expected {version}\n{done}"
        self._check_lock(source, version)

    def _sticky(self, source: content.Source) -> str | None:
        """The release's name that is in the lock, while the content is still that release's."""
        lock = self._lock()
        if lock is None or not lock["source"].get("release"):
            return None
        said = lock["source"]
        same = (said["commit"], said["tree"]) == (source.commit, source.tree)
        return str(lock["service"]["version"]) if same else None

    def _check_lock(self, source: content.Source, version: str) -> None:
        lock, git = self._lock(), self.repository.git
        assert lock is not None
        said = lock["source"]
        assert lock["service"]["version"] == lock["image"]["tag"] == version
        assert said.get("release", False) == (version != source.version)
        assert (said["commit"], said["tree"]) == (source.commit, source.tree)
        assert said["dirty"] == source.forced == ("snapshot" in said)
        if source.forced:
            ref = git.run("rev-parse", f"refs/lockship/snapshots/{source.version}").strip()
            assert ref == said["snapshot"]
            assert git.run("rev-parse", f"{ref}^{{tree}}").strip() == source.tree
        config = tomllib.loads((self.repository.root / "lockship.toml").read_text())
        assert lock["env"] == config["env"]
        role, wanted = lock["roles"]["web"], config["roles"]["web"]
        assert all(role[key] == wanted[key] for key in ("hosts", "ports", "labels"))
        kept = (self.repository.lock_bytes or b"").partition(b"\n[artifact]")[0]
        assert self.locked.setdefault((source, version), kept) == kept, "the same, another lock"

    def _check(self) -> None:
        source, lock = content.source(self.repository.git), self._lock()
        fresh = False
        if lock is not None:
            said = (lock["source"]["commit"], lock["source"]["tree"], lock["service"]["version"])
            version = self._sticky(source) or source.version
            fresh = said == (source.commit, source.tree, version)
        before = self.repository.footprint(), self.repository.lock_bytes
        expected = _USAGE if self._misspelt else 0 if fresh else _REFUSED
        self._lockship("prepare", "--check", expect=expected)
        assert (self.repository.footprint(), self.repository.lock_bytes) == before

    def _build(self) -> None:
        lock = self._lock()
        if lock is None:
            self._lockship("build", expect=_USAGE)
            return
        if not self.model.may_build(self._version(lock)):
            before = self.repository.lock_bytes
            self._lockship("build", expect=_REFUSED)
            assert self.repository.lock_bytes == before, "a refused build changed the lock"
            return
        done = self._lockship("build")
        after = self._after(lock)
        assert done.stdout.strip() == after.image_id

    def _plan(self) -> None:
        lock = self._lock()
        expected = _USAGE if lock is None else 0 if "artifact" in lock else _REFUSED
        before = *self.oracle.world(), self.repository.lock_bytes
        done = self._lockship("deploy", "--plan", "--json", expect=expected)
        after = *self.oracle.world(), self.repository.lock_bytes
        changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
        assert not changed, f"--plan changed {changed}"
        if lock is not None and expected == 0:
            assert self.model.runs(self._version(lock)) == (_steps(done) == 0), f"the plan\n{done}"

    def _deploy(self) -> None:
        lock = self._lock()
        if lock is None:
            self._lockship("deploy", expect=_USAGE)
        else:
            self._roll_out(self._version(lock), "deploy")

    def _rollback(self, back: int | None) -> None:
        target, lock = self.model.earlier(back), self.repository.lock_bytes
        words = [] if back is None else [target.name if target else "no-such-version"]
        if lock is None or target is None:
            self._lockship("rollback", *words, expect=_USAGE if lock is None else _FAILED)
            assert self.repository.lock_bytes == lock, "a rollback to nothing wrote the lock"
        elif back is None or not self.model.is_ambiguous(target):
            self._roll_out(target, "rollback", *words)

    def _roll_out(self, version: Version, command: Command, *words: str) -> None:
        """Deploy or roll back to `version`: predict how it ends, and record it."""
        before = self.repository.lock_bytes
        if self._must_build(version) and not self.model.may_build(version):
            self._lockship(command, *words, expect=_REFUSED)
            assert self.repository.lock_bytes == before, "it was refused and changed the lock"
            return
        outcome = self.model.outcome(version)
        self._lockship(command, *words, expect=_EXIT_STATUS[outcome])
        if command == "rollback" and outcome != "deployed":
            assert self.repository.lock_bytes == before, "a failed rollback left another lock"
        else:
            version = self._after(version.lock)
        if self.model.changes(version):
            self.model.record(version, command, outcome)

    def _must_build(self, version: Version) -> bool:
        """Whether the image is neither built nor on all hosts nor here."""
        if version.image_id is None:
            return True
        return not self.oracle.has_image(version.image_id)

    def _after(self, before: Json) -> Version:
        """The lock, which must be `before` with an artifact, and its image under its tag."""
        after = self._lock()
        assert after is not None
        assert before | {"artifact": after["artifact"]} == after, "more than the artifact changed"
        version = self._version(after)
        if self.oracle.check_built(after):
            assert self.model.tags.setdefault(version.name, version.content) == version.content
        return version

    def _check_status(self) -> None:
        """`status` names what runs, whatever the lockfile says meanwhile."""
        release, lock = self.model.current, self._lock()
        if (release, lock) == self.shown:
            return  # a process costs more than all the rest of the oracle
        self.shown = release, lock
        if lock is None:
            self._lockship("status", "--json", expect=_USAGE)
            return
        current = release.version if release else None
        image_id = lock.get("artifact", {}).get("image-id")
        matches = (
            current is not None
            and current.fingerprint == lock["fingerprint"]
            and image_id in (None, current.image_id)
        )
        done = self._lockship("status", "--json", expect=0 if matches else _REFUSED)
        status = json.loads(done.stdout)
        assert status["version"] == lock["service"]["version"]
        running = {
            (row["host"], row["version"], row["fingerprint"])
            for row in status["rows"]
            if row["state"] == "running"
        }
        expected = [(current.name, current.fingerprint)] if current else []
        assert running == {(host, *each) for host in HOSTS for each in expected}, done

    @property
    def _misspelt(self) -> bool:
        return "\nport = [" in (self.repository.root / "lockship.toml").read_text()

    def _lock(self) -> Json | None:
        path = self.repository.root / LOCK
        return tomllib.loads(path.read_text()) if path.exists() else None

    def _version(self, lock: Json) -> Version:
        source = lock["source"]
        commit = source.get("snapshot", source["commit"])
        return Version(lock, content.site(self.repository.git, commit))

    def _lockship(self, *words: str, expect: int = 0) -> Result:
        variables = " ".join(f"{name}='{value}'" for name, value in self.environment.items())
        self.repository.script.append(f"{variables} lockship {' '.join(words)}".strip())
        env = {**self.repository.env, **self.environment}
        done = run_lockship(words, self.repository.root, env)
        self.tally[f"{words[0]} {done.returncode}"] += 1
        return done.expect(expect)


def _steps(plan: Result) -> int:
    hosts = json.loads(plan.stdout)["hosts"]
    return sum(len(host[phase]) for host in hosts for phase in ("stage", "switch", "finish"))
