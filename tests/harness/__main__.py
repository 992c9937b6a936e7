"""A fleet by hand.

python -m tests.harness up [HOSTS]   start a fleet, print its environment, keep it until Ctrl-C
python -m tests.harness sweep        remove what dead fleets left behind
"""

# ruff: noqa: T201 - this is a command line

import shlex
import signal
import sys

from tests.harness import claims
from tests.harness.fleet import Fleet
from tests.harness.shell import HarnessError, require_tools


def main(arguments: list[str]) -> int:
    match arguments:
        case ["sweep"]:
            require_tools()
            swept = claims.sweep()
            print(
                f"removed {len(swept)} dead fleets"
                + (f": {', '.join(map(str, swept))}" if swept else "")
            )
        case ["up"]:
            _up(3)
        case ["up", count] if count.isdigit():
            _up(int(count))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def _up(hosts: int) -> None:
    """A fleet to play with: prints the environment for a shell's `eval`."""
    with Fleet.start(hosts=hosts) as fleet:
        for name, value in fleet.env().items():
            print(f"export {name}={shlex.quote(value)}")
        print(
            f"# up after {fleet.seconds:.1f} s: {' '.join(host.name for host in fleet.hosts)}",
            flush=True,
        )
        # Blocked only now: what the fleet started must not inherit it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HarnessError as error:
        sys.exit(f"tests.harness: {error}")
