"""A lockship at work, seen by the lines that it prints, stopped at a chosen one."""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fleet.failing.service import Service
from tests.harness import until
from tests.harness.cli import lockship_command


@dataclass(frozen=True)
class Running:
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def saw(self, *texts: str, limit: float = 90) -> None:
        """Wait until one line has all of these texts."""

        def there() -> bool:
            ended = self.process.poll() is not None
            found = any(all(t in line for t in texts) for line in self.said.splitlines())
            assert found or not ended, f"it ended without {texts}:\n{self.said}"
            return found

        until(there, limit, lambda: f"{texts} in:\n{self.said}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, status: int, *, limit: float = 90) -> str:
        """Wait for its end; return what it said."""
        try:
            found = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it didn't end within {limit:g} s:\n{self.said}") from None
        assert found == status, f"exit {found}, not {status}:\n{self.said}"
        return self.said


def started(service: Service, *argv: str) -> AbstractContextManager[Running]:
    """Start `lockship ARGV`; it doesn't outlive the block."""
    return started_in(service.shop.folder, service.env(), *argv)


@contextmanager
def started_in(folder: Path, env: Mapping[str, str], *argv: str) -> Iterator[Running]:
    """Start `lockship ARGV` in a repository; it doesn't outlive the block."""
    number = len(list(folder.parent.glob("*.log")))
    log = folder.parent / f"{number}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            # A shell's background job, as these tests may be, ignores Ctrl-C; so would lockship.
            ["env", "--default-signal", *lockship_command(argv)],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
