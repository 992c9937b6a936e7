"""A real ACME server for tests (Debian's pebble), which looks for challenges on one test host."""

import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.certs import issue
from tests.harness.shell import BASE_ENV, HarnessError, until

_NAMES = 8053  # where it asks for the addresses of names
# Neither waits nor refusals at random, which pebble has to harden clients.
_CALM = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


@dataclass(frozen=True)
class AcmeServer:
    """`ca_file` is the authority of the server's own TLS, not of what it issues."""

    address: str
    ca_file: Path

    @property
    def directory(self) -> str:
        """The URL that a client begins at."""
        return f"https://{self.address}:14000/dir"

    def root(self) -> str:
        """The root, as PEM, of the certificates that it issues: another one at each start."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        url = f"https://{self.address}:15000/roots/0"
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return str(answer.read().decode())

    def answers(self) -> bool:
        try:
            return bool(self.root())
        except OSError:
            return False


@contextmanager
def acme_server(folder: Path, address: str, *, host: str) -> Iterator[AcmeServer]:
    """Run it at an address of this machine; it finds every name at the address `host`."""
    server = AcmeServer(address, issue(folder, address))
    config = {
        "listenAddress": f"{address}:14000",
        "managementListenAddress": f"{address}:15000",
        "certificate": str(folder / "server.crt"),
        "privateKey": str(folder / "server.key"),
        "httpPort": 80,
        "tlsPort": 443,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    names = ["-dns01", f"{address}:{_NAMES}", "-management", f"{address}:8055"]
    names += ["-defaultIPv4", host, "-defaultIPv6", "", "-http01", "", "-https01", ""]
    with ExitStack() as stack, (folder / "pebble.log").open("wb") as log:
        for argv in (
            ["pebble-challtestsrv", *names, "-tlsalpn01", ""],
            ["pebble", "-config", str(folder / "pebble.json"), "-dnsserver", f"{address}:{_NAMES}"],
        ):
            try:
                process = subprocess.Popen(
                    argv, env={**BASE_ENV, **_CALM}, stdout=log, stderr=subprocess.STDOUT
                )
            except FileNotFoundError as error:
                raise HarnessError("an ACME server needs the package pebble") from error
            stack.callback(process.wait)
            stack.callback(process.kill)
        until(server.answers, 20, lambda: f"pebble: {(folder / 'pebble.log').read_text()[-2000:]}")
        yield server
