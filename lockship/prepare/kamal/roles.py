"""`servers`: roles, their hosts and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lockship.prepare.kamal import env, options, secrets
from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.source import KeyPath, Reader, text

Known = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Login:
    """How Kamal logs in everywhere: as root on port 22 unless it says otherwise."""

    user: str
    port: int | None

    def host(self, name: str) -> str:
        """Return a host as lockship.toml writes it."""
        shown = f"[{name}]" if ":" in name and not name.startswith("[") else name
        return f"{self.user}@{shown}" + (f":{self.port}" if self.port else "")


def login(draft: Draft, reader: Reader) -> Login:
    """Read `ssh`: what of it isn't the login is a matter of ssh's own configuration."""
    port = text(reader.take("port", 22))
    if not re.fullmatch(r"[0-9]{1,5}", port):
        draft.leave(reader.at("port"), "it is no port's number")
        port = "22"
    found = Login(text(reader.take("user", "root")), None if port == "22" else int(port))
    ways = {
        "proxy": "ProxyJump",
        "proxy_command": "ProxyCommand",
        "keys": "IdentityFile",
        "keys_only": "IdentitiesOnly",
        "config": "",
        "forward_agent": "ForwardAgent",
    }
    for key, word in ways.items():
        where = f"say it in ~/.ssh/config as {word}" if word else "your ssh configuration is read"
        draft.leave_if(reader, key, where)
    draft.leave_if(reader, "key_data", "keep the key in a file or an agent: ~/.ssh/config")
    draft.leave_if(reader, "log_level", "`ssh -v HOST` tells what goes wrong")
    draft.leave_rest(reader)
    return found


def put(draft: Draft, top: Reader, known: Known, way: Login) -> dict[str, Reader]:
    """Put all roles into the draft; return them by name."""
    found = _roles(draft, top)
    tags: dict[str, list[str]] = {}
    empty = bool(top.take("allow_empty_roles", default=False))
    if empty:
        draft.leave(("allow_empty_roles",), "a role without hosts is left out here")
    for name, (hosts, role) in found.items():
        if not hosts:
            draft.leave(role.path, "it has no hosts, and a role needs some")
            continue
        names = []
        for host, of in hosts:
            names.append(way.host(host))
            for tag in of:
                tags.setdefault(tag, []).append(host)
        draft.put(("roles", name, "hosts"), list(dict.fromkeys(names)), role.path)
        _role(draft, name, role, known)
    _tags(draft, tags, top, known)
    return {name: role for name, (hosts, role) in found.items() if hosts}


Hosts = list[tuple[str, list[str]]]


def _roles(draft: Draft, top: Reader) -> dict[str, tuple[Hosts, Reader]]:
    servers = top.take("servers", [])
    if isinstance(servers, list):
        return {"web": (_hosts(servers), Reader({}, ("servers",)))}
    if not isinstance(servers, dict):
        draft.leave(("servers",), "it's neither a list of hosts nor a table of roles")
        return {}
    found: dict[str, tuple[Hosts, Reader]] = {}
    for kamals, value in servers.items():
        name = kamals.replace("_", "-").lower()
        if name != kamals:
            draft.leave(("servers", kamals), f"a role's name has no such letters: it is {name}")
        reader = Reader(value if isinstance(value, dict) else {}, ("servers", kamals))
        hosts = value if isinstance(value, list) else reader.each("hosts")
        found[name] = (_hosts(hosts), reader)
    return found


def _hosts(listed: list[Any]) -> Hosts:
    """Read hosts: `1.2.3.4`, `1.2.3.4: tag`, `1.2.3.4: [a, b]`."""
    hosts: Hosts = []
    for each in listed:
        if isinstance(each, dict):
            for host, tags in each.items():
                hosts.append(
                    (text(host), [text(t) for t in (tags if isinstance(tags, list) else [tags])])
                )
        else:
            hosts.append((text(each), []))
    return hosts


def _role(draft: Draft, name: str, role: Reader, known: Known) -> None:
    into: KeyPath = ("roles", name)
    if (command := role.take("cmd")) is not None:
        draft.put((*into, "command"), text(command), role.at("cmd"))
    labels = role.below("labels")
    for key in labels.tables:
        draft.put((*into, "labels", key), text(labels.take(key)), labels.at(key))
    for key in ("stop_timeout", "stop_wait_time"):  # the second is Kamal 1's
        if (wait := role.take(key)) is not None:
            draft.put((*into, "stop-timeout"), wait, role.at(key))
    options.put(draft, into, role.below("options"))
    options.logging(draft, into, role.below("logging"))
    own = env.read(role.below("env"))
    for key, value in own.clear.items():
        draft.put((*into, "env", key), value, role.at("env"))
    if own.secret:
        draft.put((*into, "secrets"), secrets.add(draft, own.secret, known, role.at("env")))
    if own.tags:
        draft.leave((*role.at("env"), "tags"), "tags belong to the env of the whole service")
    assets(draft, into, role, "asset_path")
    draft.leave_if(role, "rollout", ROLLOUT)


def assets(draft: Draft, into: KeyPath, reader: Reader, key: str) -> None:
    """Put `asset_path` into a role; options of Kamal's mount, behind ':', aren't needed."""
    path, _, more = text(reader.take(key)).partition(":")
    if path and draft.get((*into, "assets")) is None:
        draft.put((*into, "assets"), path, reader.at(key))
    if more:
        draft.leave(reader.at(key), f"it is no mount here: {more} isn't needed")


ROLLOUT = "a share of the traffic to a second version isn't offered: [deploy] batch is the canary"


def _tags(draft: Draft, tags: dict[str, list[str]], top: Reader, known: Known) -> None:
    """Put what `env.tags` says of tagged hosts into [tags]."""
    variables = env.read(Reader(top.below("env").tables, ("env",))).tags
    for tag, hosts in tags.items():
        origin: KeyPath = ("env", "tags", tag)
        said = variables.get(tag)
        if said is None or not (said.clear or said.secret):
            draft.leave((*origin,), f"the tag {tag} sets no variable: it isn't carried over")
            continue
        name = tag.replace("_", "-").lower()
        if said.clear:
            draft.put(("tags", name, "hosts"), list(dict.fromkeys(hosts)), origin)
            draft.put(("tags", name, "env"), dict(said.clear), origin)
        if said.secret:
            listed = secrets.add(draft, said.secret, known, (*origin, "secret"))
            draft.leave(
                (*origin, "secret"), f"every role gets {', '.join(listed)}: tags have clear ones"
            )
    for tag in variables.keys() - tags.keys():
        draft.leave(("env", "tags", tag), "no host has this tag")


def put_env(draft: Draft, top: Reader, known: Known) -> None:
    """Put the service's own variables and secrets into [env] and [secrets]."""
    reader = top.below("env")
    own = env.read(reader)
    origin: KeyPath = ("env", "clear") if "clear" in reader.tables else ("env",)
    for key, value in own.clear.items():
        draft.put(("env", key), value, (*origin, key))
    secrets.add(draft, own.secret, known, ("env", "secret"))
