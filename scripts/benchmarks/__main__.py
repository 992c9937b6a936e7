"""`scripts/bench`: run comparisons by name, print tables, and write nothing unless told to."""

from __future__ import annotations

import argparse
import inspect
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import growth, hook, local, page, past, report, rollout, servers
from benchmarks.measure import Comparison

BENCHMARKS: Final[dict[str, Callable[[int, Path], list[Comparison]]]] = {
    "start": local.start,
    "prepare": local.prepare,
    "force": local.force,
    "build": local.build,
    "hook": hook.hook,
    "ship": servers.ship,
    "unchanged": servers.unchanged,
    "changed": servers.changed,
    "memory": servers.memory,
    "growth": growth.growth,
    "rollout": rollout.rollout,
    "audit": past.audit,
    "page": page.page,
}
_RUNS: Final = {
    "start": 21,
    "prepare": 15,
    "build": 3,
    "hook": 11,
    "ship": 5,
    "unchanged": 11,
    "memory": 3,
    "growth": 5,
    "rollout": 25,
    "audit": 5,
    "page": 11,
}
_FEWER: Final = 7


def main() -> None:
    """Run what is named, in order."""
    about = "\n".join(f"  {name:<10} {_first_line(run)}" for name, run in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure lockship against what one would do without it.",
        epilog=f"what there is:\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to run (all)")
    parser.add_argument("--rollout", action="store_true", help="the same as the name rollout")
    parser.add_argument("--runs", type=int, metavar="N", help="turns that count (3 to 21)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the figures into a page")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown or (chosen.runs is not None and chosen.runs < 1):
        parser.error(f"there is no {', '.join(unknown)}" if unknown else "--runs is at least 1")
    names = [*chosen.names, *(["rollout"] if chosen.rollout else [])]
    machine = report.machine()
    print(machine)
    for name in names or BENCHMARKS:
        runs = chosen.runs or _RUNS.get(name, _FEWER)
        with tempfile.TemporaryDirectory(prefix="lockship-bench-") as folder:
            table = report.table(BENCHMARKS[name](runs, Path(folder)))
        print(f"\n{_first_line(BENCHMARKS[name])} {runs} turns.\n\n{table}", flush=True)
        if chosen.write:
            told = f"`{shlex.join(['scripts/bench', name, '--runs', str(runs)])}` on {machine}."
            report.write(chosen.write, {name: f"{table}\n\n{told}"})


def _first_line(run: Callable[[int, Path], list[Comparison]]) -> str:
    return (inspect.getdoc(run) or "").partition("\n")[0]


if __name__ == "__main__":
    main()
