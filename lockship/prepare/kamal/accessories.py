"""`accessories`: databases, caches and the like."""

from __future__ import annotations

from typing import Any

from lockship.prepare.kamal import env, options, secrets
from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.roles import Known, Login
from lockship.prepare.kamal.source import KeyPath, Reader, text


def put(draft: Draft, top: Reader, service: str, known: Known, way: Login) -> None:
    """Put all accessories into the draft."""
    listed = top.below("accessories")
    for kamals in listed.tables:
        accessory = listed.below(kamals)
        name = kamals.replace("_", "-").lower()
        if name != kamals:
            draft.leave(accessory.path, f"a name has no such letters: it is {name}")
        hosts = _hosts(draft, accessory, way)
        if not hosts:
            draft.leave(accessory.path, "it has no hosts")
            continue
        _accessory(draft, ("accessories", name), accessory, f"{service}-{kamals}", known)
        draft.put(("accessories", name, "hosts"), hosts, accessory.path)


def _hosts(draft: Draft, accessory: Reader, way: Login) -> list[str]:
    found = [way.host(text(each)) for key in ("host", "hosts") for each in accessory.each(key)]
    for key in ("role", "roles"):
        for role in accessory.each(key):
            found += draft.get(("roles", text(role).replace("_", "-").lower(), "hosts")) or []
    for key in ("tag", "tags"):
        for tag in accessory.each(key):
            tagged = draft.get(("tags", text(tag).replace("_", "-").lower(), "hosts")) or []
            found += [way.host(host) for host in tagged]
            if not tagged:
                draft.leave(
                    accessory.at(key), f"no host is known by the tag {text(tag)}: name them"
                )
    return list(dict.fromkeys(found))


def _accessory(draft: Draft, into: KeyPath, accessory: Reader, folder: str, known: Known) -> None:
    image = text(accessory.take("image"))
    tagged = image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
    draft.put((*into, "image"), tagged, accessory.at("image"))
    if tagged != image:
        draft.leave(accessory.at("image"), "it has no tag: latest is meant, better name one")
    if (command := accessory.take("cmd")) is not None:
        draft.put((*into, "command"), text(command), accessory.at("cmd"))
    if (port := accessory.take("port")) is not None:
        shown = text(port)
        draft.put(
            (*into, "ports"), [shown if ":" in shown else f"{shown}:{shown}"], accessory.at("port")
        )
    labels = accessory.below("labels")
    for key in labels.tables:
        draft.put((*into, "labels", key), text(labels.take(key)), labels.at(key))
    own = env.read(accessory.below("env"))
    for key, value in own.clear.items():
        draft.put((*into, "env", key), value, accessory.at("env"))
    if own.secret:
        listed = secrets.add(draft, own.secret, known, accessory.at("env"))
        draft.put((*into, "secrets"), listed, accessory.at("env"))
    options.put(draft, into, accessory.below("options"))
    for each in accessory.each("files"):
        _file(draft, into, accessory, each)
    for each in accessory.each("directories"):
        _directory(draft, into, accessory, each, folder)
    if found := accessory.each("volumes"):
        draft.add((*into, "volumes"), map(text, found), accessory.at("volumes"))
    draft.leave_if(
        accessory, "service", "containers are called PROJECT-ACCESSORY, and found by labels"
    )
    draft.leave_if(
        accessory, "network", "it is reached in the service's own network: docs/accessories.md"
    )
    draft.leave_if(accessory, "registry", "`docker login` on the machine that boots it is enough")
    draft.leave_if(accessory, "proxy", "an accessory isn't behind the proxy: make it a role")
    draft.leave_rest(accessory)


def _parts(each: Any) -> tuple[str, str, Reader]:
    """Read `local:remote[:options]`, or the same as a table; what else it says is in the reader."""
    if isinstance(each, dict):
        reader = Reader(each)
        return text(reader.take("local")), text(reader.take("remote")), reader
    local, _, rest = text(each).partition(":")
    remote, _, more = rest.partition(":")
    return local, remote, Reader({"options": more} if more else {})


def _file(draft: Draft, into: KeyPath, accessory: Reader, each: Any) -> None:
    local, remote, more = _parts(each)
    draft.add((*into, "files"), [f"{local}:{remote}"], accessory.at("files"))
    if local.endswith(".erb"):
        draft.leave(
            accessory.at("files"),
            f"{local} is Ruby's template, which isn't run: commit its outcome",
        )
    if more.tables.keys() - more.taken:
        why = f"{remote} has its mode from git and is root's; a mount's options aren't needed"
        draft.leave(accessory.at("files"), why)


def _directory(draft: Draft, into: KeyPath, accessory: Reader, each: Any, folder: str) -> None:
    local, remote, _ = _parts(each)
    volume = f"{folder}-{local.strip('/').replace('/', '-')}"
    draft.add((*into, "volumes"), [f"{volume}:{remote}"], accessory.at("directories"))
    why = f"{remote} is Docker's volume {volume} here; copy the host's folder {folder}/{local}"
    draft.leave(accessory.at("directories"), why)
