"""One fleet's network: a switch in a namespace of its own, and ports on it.

Fleet N uses 198.18.N.0/24 for its machines and 198.19.N.0/24 for its builder's containers
(198.18.0.0/15 is set aside for such tests). The switch is a bridge inside a namespace, so this
machine's firewall, its Docker and other fleets neither see it nor can break it; this machine itself
is plugged in with one veth, `lsh-N`. No port has a route to anywhere else.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.harness.shell import sh

NETNS = Path("/run/netns")


def prefix(number: int) -> str:
    """What the names of all of a fleet's namespaces begin with."""
    return f"lsh-{number}-"


@dataclass(frozen=True)
class Port:
    """One machine's place on the switch: a network namespace whose eth0 is plugged in."""

    network: "Network"
    name: str
    host_number: int

    @property
    def netns(self) -> Path:
        return NETNS / f"{prefix(self.network.number)}{self.name}"

    @property
    def address(self) -> str:
        return self.network.address(self.host_number)

    @property
    def mac(self) -> str:
        return f"02:00:c6:12:{self.network.number:02x}:{self.host_number:02x}"

    def unplug(self) -> None:
        """Pull the cable: packets vanish.

        The hardware address stays known here, or the kernel would soon answer 'no route to host'.
        """
        neighbour = f"{self.address} lladdr {self.mac} dev {self.network.interface}"
        sh("ip", "neigh", "replace", *neighbour.split(), "nud", "permanent")
        sh("ip", "-n", self.network.switch, "link", "set", f"port{self.host_number}", "down")

    def plug_in(self) -> None:
        sh("ip", "-n", self.network.switch, "link", "set", f"port{self.host_number}", "up")
        sh(
            "ip",
            "neigh",
            "replace",
            self.address,
            "lladdr",
            self.mac,
            "dev",
            self.network.interface,
            "nud",
            "stale",
        )


@dataclass(frozen=True)
class Network:
    number: int

    @property
    def switch(self) -> str:
        return f"{prefix(self.number)}switch"

    @property
    def interface(self) -> str:
        """The machine's own interface on this network."""
        return f"lsh-{self.number}"

    @property
    def subnet(self) -> str:
        return f"198.18.{self.number}.0/24"

    @property
    def container_subnet(self) -> str:
        """Addresses of containers on the builder, which this machine reaches directly."""
        return f"198.19.{self.number}.0/24"

    def address(self, host_number: int) -> str:
        return f"198.18.{self.number}.{host_number}"

    @classmethod
    def create(cls, number: int) -> "Network":
        network = cls(number)
        sh("ip", "netns", "add", network.switch)
        _batch(f"link add {network.interface} type veth peer name uplink netns {network.switch}")
        _batch(
            f"addr add {network.address(1)}/24 dev {network.interface}",
            f"link set {network.interface} up",
        )
        _batch(
            "link add br0 type bridge forward_delay 0",
            "link set br0 up",
            "link set uplink master br0",
            "link set uplink up",
            netns=network.switch,
        )
        return network

    def plug(self, name: str, host_number: int) -> Port:
        port = Port(self, name, host_number)
        netns, wire = port.netns.name, f"port{host_number}"
        sh("ip", "netns", "add", netns)
        _batch(
            f"link add {wire} type veth peer name eth0 address {port.mac} netns {netns}",
            f"link set {wire} master br0",
            f"link set {wire} up",
            netns=self.switch,
        )
        _batch(
            "link set lo up",
            f"addr add {port.address}/24 dev eth0",
            "link set eth0 up",
            netns=netns,
        )
        return port

    def route_containers(self, gateway: Port) -> None:
        """Make containers behind `gateway` reachable from this machine by their own addresses."""
        sh(
            "ip",
            "route",
            "add",
            self.container_subnet,
            "via",
            gateway.address,
            "dev",
            self.interface,
        )


def free(number: int) -> bool:
    """Whether nobody, fleet or not, uses this number's addresses here."""
    network = Network(number)
    return not sh("ip", "route", "show", "root", network.subnet) + sh(
        "ip", "route", "show", "root", network.container_subnet
    )


def _batch(*commands: str, netns: str | None = None) -> None:
    where = ["-n", netns] if netns else []
    sh("ip", *where, "-batch", "-", stdin="\n".join(commands) + "\n")
