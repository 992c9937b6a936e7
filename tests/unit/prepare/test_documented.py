"""Every documented key of the configuration is said by a test, and arrives in the lock."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from lockship.deploy.accessory import labels
from lockship.deploy.spec import container_spec
from lockship.errors import UsageError
from lockship.host.spec import networks, to_engine
from lockship.lock.fingerprint import to_document
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.shape import dotted
from lockship.prepare import documents
from lockship.prepare.compose import compose
from lockship.prepare.config import Config, judge
from lockship.secrets.secret import Secret
from tests import everything
from tests.unit.cli.reference import TOP, modelled
from tests.unit.locks import make_lock

Keys = tuple[str, ...]
CASES = [(name, "") for name in everything.NAMES] + [("served", "staging")]
SAME = {
    "accessories.NAME.options": "roles.NAME.options",
    "accessories.NAME.healthcheck": "healthcheck",
    "roles.NAME.healthcheck": "healthcheck",
}
"""Tables that are of one type: a key is said once, and each table at least with some key."""

NO_CONTAINERS = {"assets", "healthcheck", "order"}
"""What of a role says how a deploy goes, and nothing of its containers."""
ARTIFACT = Artifact(key="sha256:" + "4" * 64, image_id="sha256:" + "5" * 64)

# What is otherwise in the lock than in the configuration, and how.
ELSEWHERE: dict[str, Any] = {
    "roles.web.hosts": (["web1", "deploy@web2:2222"], ("web1", "web2")),
    "roles.web.command": ("httpd -f -p 8000 -h /www", ("httpd", "-f", "-p", "8000", "-h", "/www")),
    "build.host": ("deploy@build1:2222", "build1"),
    "accessories.db.role": ("web", None),  # its hosts are locked
    "accessories.db.command": ("postgres -c fsync=on", ("postgres", "-c", "fsync=on")),
    "accessories.db.ports": (["5432:5432"], ("127.0.0.1:5432:5432",)),
    "accessories.db.files": (
        ["config/postgres.conf:/etc/postgresql.conf"],
        ("100644 " + "3" * 40 + " config/postgres.conf:/etc/postgresql.conf",),
    ),
    "unset": (["accessories.cache", "env.DEBUG", "hosts", "policy"], None),
}


def locked(config: Config) -> Lock:
    said = {"remote": config.source.remote, "paths": config.source.paths}
    return compose(
        config=config,
        source=structs.replace(make_lock().source, **said),
        version="1",
        destination=None,
        hosts=config.every_host(),
        before=None,
        scripts={"pre-deploy": "6" * 40},
        files={"config/postgres.conf": "100644 " + "3" * 40},
    )


def leaves(table: dict[str, Any], path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def at(table: Any, path: Keys) -> Any:
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def said_keys() -> Iterator[tuple[tuple[str, str], Any]]:
    """Each key that a configuration says, as the reference names it, with its value."""
    for name, destination in CASES:
        read = documents.read(everything.files(name, destination))
        for document in read:
            for path, value in leaves(document.tables):
                yield from ((key, value) for key in referred(path))


def referred(path: Keys) -> Iterator[tuple[str, str]]:
    """How the reference names a key: `("roles.NAME.options", "user")`; tables in it are one."""
    named = ("roles", "tags", "accessories", "hosts")
    names = ("NAME" if n == 1 and path[0] in named else part for n, part in enumerate(path))
    parts = list(names)
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[: length - 1]) or TOP, parts[length - 1]


def test_tables_of_one_type_are_each_said_somewhere() -> None:
    said = {table for (table, _), _ in said_keys()}
    assert set(SAME) <= said


def test_every_key_is_said_with_another_value_than_its_default() -> None:
    in_model, _ = modelled(Config)
    said: dict[tuple[str, str], list[str]] = {}
    for key, value in said_keys():
        table = SAME.get(key[0], key[0])
        said.setdefault((table, key[1]), []).append(str(value).lower())
    missing = [
        key
        for key, (_, default) in in_model.items()
        if key[0] not in SAME and all(value == default.strip('`"') for value in said.get(key, []))
    ]
    assert missing == [], "say them in tests/everything"


@pytest.mark.parametrize(("name", "destination"), CASES)
def test_each_value_arrives_in_the_lock(name: str, destination: str) -> None:
    read = documents.read(everything.files(name, destination))
    merged, _ = documents.laid_over(read)
    document = to_document(locked(judge(read)))
    for path, value in leaves(merged):
        wanted = value
        if (key := dotted(path)) in ELSEWHERE and ELSEWHERE[key][0] == value:
            wanted = ELSEWHERE[key][1]
        found = at(document, path)
        assert found == (tuple(wanted) if isinstance(wanted, list) else wanted), key


@pytest.mark.parametrize(("name", "destination"), CASES)
def test_without_any_of_its_keys_it_is_another_lock_or_none(name: str, destination: str) -> None:
    """So no key is read and forgotten, whatever it is called in the lock."""
    read = documents.read(everything.files(name, destination))
    whole = locked(judge(read)).fingerprint
    *below, last = read
    for path, _ in leaves(last.tables):
        less = copy.deepcopy(last.tables)
        del at(less, path[:-1])[path[-1]]
        with suppress(UsageError):
            changed = locked(judge([*below, replace(last, tables=less)]))
            assert changed.fingerprint != whole, dotted(path)


def test_what_a_destination_unsets_is_not_in_its_lock() -> None:
    default, staging = (
        to_document(locked(judge(documents.read(everything.files("served", each)))))
        for each in everything.DESTINATIONS
    )
    assert list(default["accessories"]) == ["db", "cache"]
    assert list(staging["accessories"]) == ["db"]
    assert {"env", "policy"} <= set(default)
    assert {"env", "policy"} & set(staging) == set()


@pytest.mark.parametrize("name", ["deployed", "options"])
def test_each_key_of_a_container_reaches_the_engine(name: str) -> None:
    """That the engine makes of it what is meant is seen on the fleet."""
    (document,) = documents.read(everything.files(name))
    for path, _ in leaves(document.tables):
        less = copy.deepcopy(document.tables)
        del at(less, path[:-1])[path[-1]]
        with suppress(UsageError):
            whole, changed = (
                bodies(judge([each])) for each in (document, replace(document, tables=less))
            )
            elsewhere = NO_CONTAINERS & set(path)
            assert (whole != changed) is not bool(elsewhere), dotted(path)


@pytest.mark.parametrize("place", SAME)
def test_each_key_of_a_table_of_one_type_counts_at_each_place(place: str) -> None:
    """What is said once above is put to every other place at which it may be said."""
    in_model, _ = modelled(Config)
    whole = whole_table(SAME[place])
    assert set(whole) == {key for table, key in in_model if table == SAME[place]} - {
        "no-healthcheck"  # goes with no other one of its kind, and is said in `deployed`
    }
    (document,) = documents.read(everything.files("served"))
    path = tuple(place.replace("NAME", "db" if "accessories" in place else "web").split("."))

    def lock(table: dict[str, Any]) -> Lock:
        tables = copy.deepcopy(document.tables)
        tables["accessories"]["db"] |= {"memory": "64m", "files": []}  # which go with the options
        at(tables, path[:-1])[path[-1]] = table
        return locked(judge([replace(document, tables=tables)]))

    kept = at(to_document(lock(whole)), path)
    assert {key: list(v) if isinstance(v, tuple) else v for key, v in kept.items()} == whole
    for key in whole:
        less = {each: value for each, value in whole.items() if each != key}
        with suppress(UsageError):
            assert lock(less).fingerprint != lock(whole).fingerprint, key
            if place == "accessories.NAME.options":
                assert database(lock(whole)) != database(lock(less)), key


def database(lock: Lock) -> Any:
    """What an engine is asked for; the label aside that names the settings by their hash."""
    spec = labels.spec(lock, "db", "sha256:" + "5" * 64, {"PASSWORD": Secret("x")})
    return {**to_engine(spec), "Labels": None}, networks(spec)


def whole_table(name: str) -> dict[str, Any]:
    """All keys of a table, from the configurations that say some of them."""
    found: dict[str, Any] = {}
    for each in reversed(everything.NAMES):  # `options` last: it says most
        for document in documents.read(everything.files(each)):
            for place in [name, *(place for place, of in SAME.items() if of == name)]:
                path = tuple(place.replace("NAME", "web").split("."))
                found |= at(document.tables, path) or {}
    found.pop("no-healthcheck", None)
    return found


def bodies(config: Config) -> list[Any]:
    """What the engines of all hosts are asked for; the lock's fingerprint and names of it aside."""
    lock = structs.replace(locked(config), fingerprint=make_lock().fingerprint)
    secrets = {name: Secret(name) for name in lock.secrets}
    specs = [
        container_spec(lock, ARTIFACT.images[0], secrets, role_name=name, host=host, name=name)
        for name, role in lock.roles.items()
        for host in role.hosts
    ]
    return [(to_engine(spec), networks(spec)) for spec in specs]
