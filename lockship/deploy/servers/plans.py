"""What a server lacks to be deployed to, as commands for it: a pure function of its facts."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from lockship.deploy.servers.facts import Facts

# The distribution's own packages: they come with its security updates, and from nowhere else.
_APT: Final = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
_INSTALL: Final = {
    "debian": (
        (*_APT, "-qq", "update"),
        (*_APT, "-qq", "-y", "install", "docker.io"),
    ),
    "fedora": (("dnf", "-q", "-y", "install", "moby-engine"),),
    "alpine": (("apk", "add", "--quiet", "docker"),),
}
_BY_HAND: Final = "install Docker by hand: https://docs.docker.com/engine/install/"


class Command(Struct, frozen=True):
    """A command for a host, without a shell, and why. `argv` begins with sudo where it must."""

    argv: tuple[str, ...]
    why: str


class Lacks(Struct, frozen=True):
    """What is to be done on a host; or why lockship can't do it, and what a person can."""

    host: str
    commands: tuple[Command, ...] = ()
    refused: str = ""
    hint: str = ""


def lacks(host: str, facts: Facts, *, engine: bool) -> Lacks:
    """Return what a host lacks. `engine`: its engine answers the login user: nothing is lacking."""
    if engine:
        return Lacks(host)
    commands: list[Command] = []
    if "docker" not in facts.tools:
        family = next((each for each in facts.family if each in _INSTALL), None)
        # Red Hat's own and its rebuilds are like Fedora, but have no Docker among their packages.
        if family is None or (family == "fedora" and facts.family[0] != "fedora"):
            known = "Debian, Ubuntu, Fedora or Alpine"
            return Lacks(host, (), f"{facts.os or 'its system'} isn't of {known}", _BY_HAND)
        commands += [Command(argv, "there is no docker command") for argv in _INSTALL[family]]
    if facts.systemd:
        commands.append(Command(("systemctl", "enable", "--now", "docker"), "it starts at boot"))
    elif "rc-service" in facts.tools or "alpine" in facts.family:
        commands.append(Command(("rc-update", "add", "docker", "default"), "it starts at boot"))
        commands.append(Command(("rc-service", "docker", "start"), "it is to run now"))
    if not facts.root and "docker" not in facts.groups:
        why = f"{facts.user} is to use Docker without sudo"
        commands.append(Command(("usermod", "-aG", "docker", facts.user), why))
    if not commands:
        said = "Docker is installed, and its engine doesn't answer"
        return Lacks(host, (), said, "start it as this system does; `docker info` tells why not")
    if not facts.root and not facts.sudo:
        said = f"{facts.user} may not use sudo without a password"
        wanted = "; ".join(" ".join(each.argv) for each in commands)
        return Lacks(host, (), said, f"as root on the host: {wanted}")
    return Lacks(host, tuple(_privileged(each, root=facts.root) for each in commands))


def _privileged(command: Command, *, root: bool) -> Command:
    return command if root else Command(("sudo", "-n", *command.argv), command.why)
