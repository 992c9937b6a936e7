"""What each member of a fleet is made of: its own network, processes, mounts and hostname.

The first process in a machine, its init, makes the machine's own folders and then reads from a pipe
whose other end only the owner holds. When the owner dies, by whatever signal, the pipe ends, init
ends, and the kernel ends everything else in the machine with it. What is left then is inert, and
`claims.sweep` removes it.
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.network import NETNS, Port
from tests.harness.shell import BASE_ENV, HarnessError, sh, until

PRIVATE_FOLDERS = ("/run", "/root", "/tmp", "/var/tmp", "/home", "/srv", "/mnt", "/etc/docker")
"""What a server has for itself: neither this machine nor another server sees what is there."""

_OWN = ["--mount", "--pid", "--uts", "--ipc", "--mount-proc", "--propagation=private"]
_OWN += ["--fork", "--kill-child"]

# Who ignores SIGCHLD has his children, orphans too, reaped by the kernel: an init's duty.
_INIT = "echo up; exec env --ignore-signal=CHLD cat"

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Machine:
    name: str
    root: Path = field(repr=False)
    """Its private folders and files, as seen from outside: `root / "run/docker.sock"`."""
    port: Port = field(repr=False)
    process: "subprocess.Popen[bytes]" = field(repr=False)
    init: int = field(repr=False)
    """The first process's id, as seen from outside."""

    @property
    def address(self) -> str:
        return self.port.address

    @classmethod
    def boot(
        cls,
        name: str,
        root: Path,
        port: Port,
        *,
        folders: Sequence[str] = PRIVATE_FOLDERS,
        mounts: Sequence[Sequence[str]] = (),
    ) -> "Machine":
        """Start it; `mounts` are further argument lists for mount(8)."""
        # Not to keep other machines' namespaces alive in our copy of the mounts:
        commands = [["umount", "--recursive", "--lazy", str(NETNS)], ["hostname", name]]
        for folder in folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
            inside = root / folder.lstrip("/")
            inside.mkdir(parents=True, exist_ok=True)
            inside.chmod(Path(folder).stat().st_mode & 0o7777)
            commands.append(["mount", "--bind", str(inside), folder])
        commands += [["mount", *arguments] for arguments in mounts]
        script = "\n".join(["set -e", *map(shlex.join, commands), _INIT])
        with (root / "init.log").open("wb") as log:
            process = subprocess.Popen(
                ["nsenter", f"--net={port.netns}", "unshare", *_OWN, "sh", "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=BASE_ENV,
                cwd="/",
                start_new_session=True,
            )
        assert process.stdout is not None
        if process.stdout.readline() != b"up\n":
            process.kill()
            process.communicate()
            raise HarnessError(f"{name} doesn't start: {(root / 'init.log').read_text().strip()}")
        init = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        return cls(name, root, port, process, int(init))

    def command(self, *argv: str) -> list[str]:
        """The argument list that runs `argv` inside, for a caller who starts the process."""
        spaces = ["--net", "--pid", "--mount", "--uts", "--ipc"]
        return ["nsenter", f"--target={self.init}", *spaces, "--wd=/root", "--", *argv]

    def run(
        self, *argv: str, stdin: str | None = None, check: bool = True, timeout: float = 60
    ) -> Completed:
        """Run a program inside to its end."""
        done = subprocess.run(
            self.command(*argv),
            input=stdin,
            env=BASE_ENV,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            output = (done.stderr or done.stdout).strip()
            raise HarnessError(f"{self.name}: {shlex.join(argv)}: exit {done.returncode}: {output}")
        return done

    def spawn(self, *argv: str, log: str) -> None:
        """Start a daemon inside; what it prints goes to the end of `root / log`."""
        script = 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null &'
        sh(*self.command("sh", "-c", script, "sh", str(self.root / log), *argv))

    def pids(self, *commands: str) -> list[int]:
        """Outside ids of the machine's processes, its containers' aside, with these names."""
        home = Path(f"/proc/{self.init}/ns/pid").readlink()
        found = []
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                try:
                    comm = (path / "comm").read_text().rstrip()
                    state = (path / "stat").read_text().rpartition(")")[2].split()[0]
                    if comm in commands and state != "Z" and (path / "ns/pid").readlink() == home:
                        found.append(int(path.name))
                except OSError:
                    continue
        return found

    def signal(self, number: signal.Signals, *commands: str) -> None:
        for pid in self.pids(*commands):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def end(self, *commands: str, limit: float = 20) -> None:
        """Ask these processes to end (SIGTERM) and wait until they did."""
        self.signal(signal.SIGTERM, *commands)
        self.signal(signal.SIGCONT, *commands)
        until(
            lambda: not self.pids(*commands),
            limit,
            f"{' and '.join(commands)} on {self.name} to end",
        )

    def kill(self, *commands: str) -> None:
        """End these processes without warning (SIGKILL), and wait until they are gone."""
        self.signal(signal.SIGKILL, *commands)
        until(
            lambda: not self.pids(*commands), 10, f"{' and '.join(commands)} on {self.name} to die"
        )

    def freeze(self) -> None:
        """Stop everything that runs inside, containers too.

        The kernel still answers for it: connections open, and nothing comes.
        """
        self.run("sh", "-c", "kill -STOP -1")

    def thaw(self) -> None:
        # With nothing else running inside there is nothing to go on, and kill says so.
        self.run("sh", "-c", "kill -CONT -1", check=False)

    def kill_everything(self) -> None:
        """End all that runs inside, containers too, but for init."""
        self.run("sh", "-c", "kill -KILL -1")

    def power_off(self) -> None:
        """Cut the power: everything inside dies at once."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
