"""Play a sequence: each step, what must come of it, and what hosts are like afterwards."""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests.fleet.sequences import content, steps
from tests.fleet.sequences.model import Command, Json, Model, Verdict, Version
from tests.fleet.sequences.oracle import Oracle
from tests.fleet.sequences.repository import HOSTS, LOCK, Repository
from tests.harness import Result, run_lockship

_REFUSED, _USAGE, _FAILED = 3, 2, 1


class SequenceError(AssertionError):
    """What failed, and a script that does the same by hand."""


def play(sequence: steps.Steps, oracle: Oracle, folder: Path) -> None:
    """Play `sequence` in a new repository at `folder`; raise `SequenceError` where it fails."""
    oracle.reset()
    play = _Play(Repository.create(folder, oracle.fleet.env()), oracle)
    for number, step in enumerate(sequence):
        try:
            play.step(step)
        except AssertionError as error:
            script = "\n".join(play.repository.script)
            raise SequenceError(
                f"step {number}, {step}: {error}\n\n--- by hand, in an empty folder\n{script}\n"
            ) from error


@dataclass
class _Play:
    repository: Repository
    oracle: Oracle
    model: Model = field(default_factory=Model)
    environment: dict[str, str] = field(default_factory=dict)
    locked: dict[content.Source, bytes] = field(default_factory=dict)
    """What was locked so far, by its source: the same content gives the same bytes."""

    def step(self, step: steps.Step) -> None:
        match step:
            case steps.Pause():
                return
            case steps.Environment(name=name):
                self.environment = steps.ENVIRONMENTS[name]
                return
            case steps.Prepare(force=force):
                self._prepare(force=force)
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
                before = self.repository.lock_bytes
                self.repository.do(step)
                if self.repository.lock_bytes != before:
                    self._check_status()
                return
        self.oracle.check(self.model)
        self._check_status()

    def _prepare(self, *, force: bool) -> None:
        git = self.repository.git
        source, dirty = content.source(git), content.is_dirty(git)
        refused = _REFUSED if dirty and not force else _USAGE if self._misspelt else 0
        before, footprint = self.repository.lock_bytes, self.repository.footprint()
        done = self._lockship("prepare", *(["--force"] if force else []), expect=refused)
        assert self.repository.footprint() == footprint, f"prepare touched something\n{done}"
        if refused:
            assert self.repository.lock_bytes == before, f"it wrote a lock\n{done}"
            return
        assert done.stdout == f"{source.version}\n", f"expected {source.version}\n{done}"
        self._check_lock(source)

    def _check_lock(self, source: content.Source) -> None:
        lock, git = self._lock(), self.repository.git
        said = lock["source"]
        assert lock["service"]["version"] == lock["image"]["tag"] == source.version
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
        assert self.locked.setdefault(source, kept) == kept, "the same content, another lock"

    def _check(self) -> None:
        source = content.source(self.repository.git)
        fresh = False
        if self.repository.lock_bytes is not None:
            lock = self._lock()
            said = (lock["source"]["commit"], lock["source"]["tree"], lock["service"]["version"])
            fresh = said == (source.commit, source.tree, source.version)
        before = self.repository.footprint(), self.repository.lock_bytes
        expected = _USAGE if self._misspelt else 0 if fresh else _REFUSED
        self._lockship("prepare", "--check", expect=expected)
        assert (self.repository.footprint(), self.repository.lock_bytes) == before

    def _build(self) -> None:
        if self.repository.lock_bytes is None:
            self._lockship("build", expect=_USAGE)
            return
        before = self._lock()
        done = self._lockship("build")
        after = self._lock()
        self.oracle.check_built(after)
        assert done.stdout.strip() == after["artifact"]["image-id"]
        assert before | {"artifact": after["artifact"]} == after, "build changed more than it may"

    def _plan(self) -> None:
        lock = self._lock() if self.repository.lock_bytes is not None else None
        expected = _USAGE if lock is None else 0 if "artifact" in lock else _REFUSED
        before = self.oracle.world(), self.repository.lock_bytes
        done = self._lockship("deploy", "--plan", "--json", expect=expected)
        assert (self.oracle.world(), self.repository.lock_bytes) == before, "--plan changed a host"
        if lock is not None and expected == 0:
            nothing = self.model.verdict(self._version(lock)).outcome is None
            assert nothing == (_steps(done) == 0), f"the plan\n{done}"

    def _deploy(self) -> None:
        if self.repository.lock_bytes is None:
            self._lockship("deploy", expect=_USAGE)
            return
        before = self._lock()
        verdict = self.model.verdict(self._version(before))
        self._lockship("deploy", expect=verdict.exit_status)
        self._record(before, "deploy", verdict)

    def _rollback(self, back: int | None) -> None:
        target = self.model.earlier(back)
        words = [] if back is None else [target.name if target else "no-such-version"]
        lock = self.repository.lock_bytes
        if lock is None or target is None:
            self._lockship("rollback", *words, expect=_USAGE if lock is None else _FAILED)
            assert self.repository.lock_bytes == lock, "a rollback to nothing wrote the lock"
            return
        verdict = self.model.verdict(target)
        self._lockship("rollback", *words, expect=verdict.exit_status)
        if verdict.exit_status:
            assert self.repository.lock_bytes == lock, "a failed rollback left another lock"
            self.model.record(target, "rollback", verdict)
        else:
            self._record(target.lock, "rollback", verdict)

    def _record(self, before: Json, command: Command, verdict: Verdict) -> None:
        """The lock is now `before` with its artifact, and the model knows of the deploy."""
        after = self._lock()
        assert before | {"artifact": after["artifact"]} == after, f"{command} changed the lock"
        self.oracle.check_built(after)
        self.model.record(self._version(after), command, verdict)

    def _check_status(self) -> None:
        """`status` names what runs, whatever the lockfile says meanwhile."""
        current = self.model.current
        if self.repository.lock_bytes is None:
            self._lockship("status", "--json", expect=_USAGE)
            return
        lock = self._lock()
        matches = current is not None and current.fingerprint == lock["fingerprint"]
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

    def _lock(self) -> Json:
        return tomllib.loads((self.repository.root / LOCK).read_text())

    def _version(self, lock: Json) -> Version:
        source = lock["source"]
        commit = source.get("snapshot", source["commit"])
        return Version(lock, content.site(self.repository.git, commit))

    def _lockship(self, *words: str, expect: int = 0) -> Result:
        variables = " ".join(f"{name}='{value}'" for name, value in self.environment.items())
        self.repository.script.append(f"{variables} lockship {' '.join(words)}".strip())
        env = {**self.repository.env, **self.environment}
        return run_lockship(words, self.repository.root, env).expect(expect)


def _steps(plan: Result) -> int:
    hosts = json.loads(plan.stdout)["hosts"]
    return sum(len(host[phase]) for host in hosts for phase in ("stage", "switch", "finish"))
