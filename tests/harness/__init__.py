"""A real fleet on one machine: where the tests, the demo and the bench get their servers from.

Nothing here is a mock. A host is a network namespace with its own sshd and dockerd; the registry is
a real registry with TLS and a password; the builder is a Docker engine of its own, so that no test
sees or touches the engine of the machine it runs on. What happens here would happen on servers.

    with Fleet.start(hosts=3) as fleet:
        run_lockship(["deploy"], cwd=repository, env=fleet.env())
        fleet.hosts[0].freeze()

Read in this order: `fleet` (what a user of this package holds), `machine` (what each member of a
fleet is made of), `network` and `claims` (how fleets keep out of each other's way and are cleaned
up).
"""

from tests.harness.cli import Result, run_lockship
from tests.harness.engine import Engine
from tests.harness.fleet import Fleet
from tests.harness.hosts import TestHost
from tests.harness.registry import Registry
from tests.harness.shell import HarnessError, until

__all__ = [
    "Engine",
    "Fleet",
    "HarnessError",
    "Registry",
    "Result",
    "TestHost",
    "run_lockship",
    "until",
]
