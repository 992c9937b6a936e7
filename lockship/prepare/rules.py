"""What must hold between the values of a configuration, beside the shape of each one.

The rules read plain tables, so that they speak at the same time as the model: a value of the
wrong kind, of which the model complains, is passed over here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from lockship.lock.shape import Path, Problem
from lockship.prepare import hosts
from lockship.prepare.accessories import bound
from lockship.prepare.accessoryrules import check as check_accessories
from lockship.prepare.assetrules import check as check_assets
from lockship.prepare.buildrules import check as check_build
from lockship.prepare.envrules import RESERVED_ENV
from lockship.prepare.envrules import check as check_env
from lockship.prepare.mirrorrules import check as check_mirrors
from lockship.prepare.optionrules import check as check_options
from lockship.prepare.platformrules import check as check_platforms
from lockship.prepare.proxyrules import check as check_proxy
from lockship.prepare.registryrules import check as check_registry
from lockship.prepare.tables import Tables, containers, hosts_of, quoted, strings, table
from lockship.secrets.sources import parse as parse_source

RESERVED_LABELS: Final = "dev.lockship."
_CREDENTIALS: Final = re.compile(r"(?:https?://[^/]*|[A-Za-z][A-Za-z0-9+.-]*://[^/@]*:[^/]*)@")
_REMOTE: Final = re.compile(r"[!-~]+")
_PORTS: Final = re.compile(
    r"(?:(?P<address>[0-9.]+|\[[^\]]+\]):)?(?P<host>[0-9]+):(?P<container>[0-9]+)(?:/(?P<kind>\w+))?"
)
_EVERY_ADDRESS: Final = frozenset({"", "0.0.0.0", "[::]"})  # noqa: S104 - compared, not bound


def check(tables: Tables, unsound: set[Path]) -> list[Problem]:
    """Return what breaks a rule, but nothing about the `unsound` paths: that was said."""
    rules = (
        _hosts,
        _ports,
        _commands,
        _labels,
        _healthcheck,
        _remote,
        check_env,
        _secrets,
        check_platforms,
        _batch,
        check_assets,
        check_options,
        check_build,
        check_proxy,
        check_accessories,
        check_registry,
        check_mirrors,
    )
    found = [problem for rule in rules for problem in rule(tables)]
    return [problem for problem in found if problem.path not in unsound]


def _hosts(tables: Tables) -> Iterator[Problem]:
    """Each host is well written, once in each place, everywhere with the same user and port."""
    seen: dict[str, hosts.Address] = {}
    builds = table(tables.get("build")).get("host")
    if isinstance(builds, str):
        with suppress(ValueError):  # of which `check_build` speaks
            address = hosts.parse(builds)
            seen[address.name] = address
    for path, role in containers(tables):
        here: set[str] = set()
        where = "a role" if path[0] == "roles" else "an accessory"
        for index, text in strings(role.get("hosts")):
            at = (*path, "hosts", index)
            try:
                address = hosts.parse(text)
            except ValueError:
                yield Problem(at, quoted(text), hosts.EXPECTED)
                continue
            if address.name in here:
                yield Problem(at, f"{quoted(address.name)} again", f"each host once in {where}")
            elif seen.setdefault(address.name, address) != address:
                expected = "the same user and port for a host everywhere"
                yield Problem(at, quoted(text), expected)
            here.add(address.name)


def _ports(tables: Tables) -> Iterator[Problem]:
    """Ports exist, and no two containers on one host want the same one."""
    taken: dict[tuple[str, int, str], list[tuple[str, str]]] = {}
    for path, role in containers(tables):
        names = [_host_name(text) for text in hosts_of(tables, role)]
        kind = "role" if path[0] == "roles" else "accessory"
        for index, text in strings(role.get("ports")):
            at = (*path, "ports", index)
            found = _PORTS.fullmatch(text if kind == "role" else bound(text))
            if found is None:
                continue
            if not all(1 <= int(found[side]) <= 65535 for side in ("host", "container")):
                yield Problem(at, quoted(text), "ports from 1 to 65535")
                continue
            address = found["address"] or ""
            for name in dict.fromkeys(names):
                key = (name, int(found["host"]), found["kind"] or "tcp")
                clash = next((w for a, w in taken.get(key, []) if _overlap(a, address)), None)
                if clash is not None:
                    expected = f"a port of {name} that {clash} doesn't publish"
                    yield Problem(at, quoted(text), expected)
                    break
                taken.setdefault(key, []).append((address, f"{kind} {path[1]}"))


def _commands(tables: Tables) -> Iterator[Problem]:
    for path, role in containers(tables):
        command = role.get("command")
        if isinstance(command, str):
            try:
                shlex.split(command)
            except ValueError as error:
                expected = f"a command that splits into words ({str(error).lower()})"
                yield Problem((*path, "command"), quoted(command), expected)


def _labels(tables: Tables) -> Iterator[Problem]:
    for path, role in containers(tables):
        for name in table(role.get("labels")):
            if name.startswith(RESERVED_LABELS):
                expected = f"a label outside {RESERVED_LABELS}*, which is lockship's"
                yield Problem((*path, "labels", name), "this label", expected)


def _healthcheck(tables: Tables) -> Iterator[Problem]:
    probes: list[tuple[Path, Tables]] = [(("healthcheck",), table(tables.get("healthcheck")))]
    probes += [
        ((*path, "healthcheck"), table(r.get("healthcheck"))) for path, r in containers(tables)
    ]
    for path, probe in probes:
        if "path" in probe and "port" not in probe:
            yield Problem((*path, "port"), "nothing", "a port, because there is a path")
        if "host" in probe and "path" not in probe:
            yield Problem((*path, "path"), "nothing", "a path, because there is a host")


def _remote(tables: Tables) -> Iterator[Problem]:
    remote = table(tables.get("source")).get("remote")
    if not isinstance(remote, str):
        return
    path = ("source", "remote")
    if _CREDENTIALS.match(remote):
        # What was found isn't shown: it is a secret.
        yield Problem(path, "a user name or password in it", "a URL without credentials")
    elif not _REMOTE.fullmatch(remote):
        yield Problem(path, quoted(remote), "a URL, such as 'https://example.com/acme/shop'")


def _secrets(tables: Tables) -> Iterator[Problem]:
    """Each secret has a source, and a role asks for none that isn't there."""
    known = table(tables.get("secrets"))
    for name, text in known.items():
        at = ("secrets", name)
        if name in RESERVED_ENV:
            yield Problem(at, "this name", "another one: lockship sets it itself")
        if isinstance(text, str):
            try:
                parse_source(text)
            except ValueError as expected:
                # What was found isn't shown: it may be the secret itself.
                yield Problem(at, "something else", str(expected))
    for path, role in containers(tables):
        for index, text in strings(role.get("secrets")):
            if text not in known:
                yield Problem((*path, "secrets", index), quoted(text), "a name in [secrets]")


def _batch(tables: Tables) -> Iterator[Problem]:
    """What happens between batches needs batches."""
    deploy = table(tables.get("deploy"))
    for key in ("batch-pause", "batch-check"):
        if key in deploy and "batch" not in deploy:
            yield Problem(("deploy", "batch"), "nothing", f"a number of hosts, because of {key}")
            return
    if "batch-check-timeout" in deploy and not deploy.get("batch-check"):
        yield Problem(("deploy", "batch-check"), "nothing", "a program that has the time-out")


def _host_name(text: str) -> str:
    try:
        return hosts.parse(text).name
    except ValueError:
        return text


def _overlap(one: str, other: str) -> bool:
    return one == other or one in _EVERY_ADDRESS or other in _EVERY_ADDRESS
