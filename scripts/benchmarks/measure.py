"""Taking turns, and what comes of it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Sample = Mapping[str, float]
"""One turn's figures by unit: "s" (seconds), "CPU" (seconds of processors), "B" (bytes over the
network), "MiB" (peak memory)."""


@dataclass(frozen=True)
class Series:
    """The figures of one unit, one for each turn."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Comparison:
    """Two ways to the same end. `aim` is the largest ratio that is wanted, if any is."""

    unit: str
    ours: str
    theirs: str
    our_series: Series
    their_series: Series
    aim: float | None = None

    @property
    def ratio(self) -> float:
        return self.our_series.median / self.their_series.median


def take_turns(
    runs: int, ours: Callable[[], Sample], theirs: Callable[[], Sample]
) -> tuple[Mapping[str, Series], Mapping[str, Series]]:
    """Call both in turns, `runs` times and once before that, which doesn't count."""
    ours(), theirs()
    turns = [(ours(), theirs()) for _ in range(runs)]
    return _series([mine for mine, _ in turns]), _series([other for _, other in turns])


def _series(samples: Sequence[Sample]) -> dict[str, Series]:
    return {unit: Series(tuple(sample[unit] for sample in samples)) for unit in samples[0]}


def run(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Sample:
    """Run a program; its seconds, its and its children's processor seconds.

    Fails with what it said.
    """
    begin = time.perf_counter()
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        said = process.stdout.read() if process.stdout else b""
        # Not `process.wait`: this gives the resources of this child alone.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"{' '.join(argv)}: exit {process.returncode}\n{said.decode()}")
    processor = used.ru_utime + used.ru_stime
    return {"s": seconds, "CPU": processor}


def at_once(commands: Sequence[Sequence[str]], cwd: Path, env: Mapping[str, str]) -> Sample:
    """Run programs at the same time; the seconds until the last one ended."""
    begin = time.perf_counter()
    running = [
        subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for command in commands
    ]
    said = [process.communicate()[1] for process in running]
    seconds = time.perf_counter() - begin
    for process, words in zip(running, said, strict=True):
        if process.returncode:
            raise SystemExit(f"{process.args!r}: exit {process.returncode}\n{words.decode()}")
    return {"s": seconds}
