"""The repository of a person at work: steps that need no lockship, and what must not be touched."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fleet.sequences import steps
from tests.fleet.sequences.content import Git

LOCK = ".shiplock"
HOSTS = ("web1", "web2")
# STOPSIGNAL: httpd as a container's first process ignores SIGTERM, and a stop would take seconds.
DOCKERFILE = """\
FROM busybox:1.36
COPY site /www
STOPSIGNAL SIGKILL
CMD ["sh", "-c", "test -e /www/up && exec httpd -f -p 80 -h /www"]
"""
_BEGIN = 1_700_000_000
"""The time of the first commit, in seconds; each later one comes a minute after it."""

_ONLY_CONTENT = (".", ":(exclude,glob)**/.shiplock")


def config(step: steps.Configure) -> str:
    hosts = ", ".join(f'"{host}"' for host in HOSTS)
    return (
        '[service]\nname = "shop"\n\n'
        f"[roles.web]\nhosts = [{hosts}]\nport{'' if step.misspelt else 's'} = "
        f'["{step.port}:80"]\nlabels = {{ "com.example.label" = "{step.label}" }}\n\n'
        f'[env]\nMOTTO = "{step.motto}"\n\n'
        '[healthcheck]\npath = "/up"\nport = 80\ninterval = 0.1\nlimit = 20\n\n'
        "[deploy]\nretain = 2\n"
    )


@dataclass(frozen=True)
class Repository:
    """`script` collects the shell lines that do the same by hand."""

    root: Path
    env: Mapping[str, str]
    script: list[str] = field(default_factory=list)
    clock: Iterator[int] = field(default_factory=lambda: itertools.count(_BEGIN, 60))

    @classmethod
    def create(cls, root: Path, env: Mapping[str, str]) -> "Repository":
        root.mkdir()
        repository = cls(root, env)
        repository._git("init", "--quiet", "--initial-branch=main")
        for path, text in {
            "Dockerfile": DOCKERFILE,
            ".gitignore": "*.log\n",
            "site/index.html": "begin\n",
            "site/a.txt": "a\n",
            steps.UP: "up\n",
        }.items():
            repository.do(steps.Write(path, text))
        repository.do(steps.Configure())
        repository._git("add", ".")
        repository._commit("--message", "Begin")
        return repository

    @property
    def git(self) -> Git:
        return Git(self.root, self.env)

    @property
    def lock_bytes(self) -> bytes | None:
        path = self.root / LOCK
        return path.read_bytes() if path.exists() else None

    def do(self, step: steps.Step) -> None:
        """Do a step that isn't lockship's."""
        match step:
            case steps.Write(path=path, text=text):
                self._write(path, text)
            case steps.Configure():
                self._write("lockship.toml", config(step))
            case steps.Remove(path=path):
                (self.root / path).unlink(missing_ok=True)
                self.script.append(f"rm -f '{path}'")
            case steps.Stage():
                self._git("add", "--all", "--", *_ONLY_CONTENT)
            case steps.Commit():
                self._git("add", "--all", "--", *_ONLY_CONTENT)
                self._commit("--message", "Work")
            case steps.CommitLock() if self.lock_bytes is not None:
                self._git("add", "--", LOCK)
                self._commit("--message", "Lock", "--only", "--", LOCK)
            case steps.Amend(message=message):
                self._commit("--amend", "--message", message)
            case steps.Switch(branch=branch):
                there = self._git("switch", "--quiet", branch, ok=(0, 1, 128))
                if there == 128:
                    self._git("switch", "--quiet", "--create", branch, ok=(0, 1, 128))

    def footprint(self) -> dict[str, object]:
        """All that `prepare` must leave alone: index, refs, HEAD, stash, the working tree."""
        git_dir = self.root / ".git"
        refs = self.git.run("for-each-ref", "--format=%(refname) %(objectname)")
        seen: dict[str, object] = {
            "HEAD": (git_dir / "HEAD").read_bytes(),
            "index": (git_dir / "index").read_bytes(),
            "refs": [line for line in refs.splitlines() if "refs/lockship/" not in line],
        }
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root)
            if name.parts[0] != ".git" and str(name) != LOCK:
                found = path.lstat()
                digest = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
                mtime = found.st_mtime_ns if path.is_file() else 0
                seen[str(name)] = (found.st_mode, mtime, digest)
        return seen

    def _write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.script.append(f"mkdir -p '{Path(path).parent}'; printf %b {_quoted(text)} >'{path}'")

    def _commit(self, *argv: str) -> None:
        """Commit; nothing happens where there is nothing to commit."""
        date = f"{next(self.clock)} +0100"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        self._git("commit", "--quiet", *argv, ok=(0, 1), **dates)

    def _git(self, *argv: str, ok: tuple[int, ...] = (0,), **env: str) -> int:
        words = [*(f"{name}='{value}'" for name, value in env.items()), "git"]
        self.script.append(" ".join([*words, *(_quoted(word) for word in argv)]))
        done = self.git.attempt(*argv, **{"GIT_OPTIONAL_LOCKS": "1", **env})
        assert done.returncode in ok, f"git {' '.join(argv)}: {done.stderr}"
        return done.returncode


def _quoted(text: str) -> str:
    """A word as a shell, or `printf %b`, takes it."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1].replace("'", "'\\''").replace('\\"', '"')
    return f"'{shown}'"
