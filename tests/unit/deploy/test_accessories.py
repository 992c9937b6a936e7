"""Accessories: what each act does on a host, what a deploy says of them, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from lockship.deploy import journal
from lockship.deploy import plan as deploys
from lockship.deploy.accessory import judge, labels, plans, tasks
from lockship.deploy.operate import plans as operated
from lockship.deploy.operate.prune import prune
from lockship.deploy.spec import container_spec
from lockship.deploy.state import Accessories, Holder, HostState
from lockship.deploy.steps import HostPlan, Release
from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.host.journal import Act, Outcome
from lockship.host.local import LocalLink
from lockship.host.server import Server
from lockship.host.types import Container, Published
from lockship.lock.accessory import Accessory, settings_key
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock
from lockship.lock.role import Role
from lockship.lock.writer import sealed
from lockship.secrets.secret import Secret
from tests.unit.deploy.samples import make_artifact, make_lock, make_made, sha

DB = Accessory(
    image="postgres:16",
    hosts=("web1", "web2"),
    ports=("127.0.0.1:5432:5432",),
    volumes=("shop-db:/data", "/srv/db:/srv"),
    secrets=("TOKEN",),
)
CACHE = Accessory(image="redis:7", hosts=("web1",), volumes=("shop-cache:/data",))


def lock_with(**accessories: Accessory) -> Lock:
    return sealed(msgspec.structs.replace(make_lock(), accessories=accessories))


def changed(table: Accessory, **changes: Any) -> Accessory:
    return msgspec.structs.replace(table, **changes)


@dataclass
class Host:
    """What a host has of accessories; every image is there unless it is taken away.

    Each was booted, but for those that were killed on the way.
    """

    killed: tuple[str, ...] = ()
    containers: dict[str, Container] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    holders: tuple[Holder, ...] = ()

    def have(self, lock: Lock, name: str, **changes: Any) -> Container:
        """Put an accessory's container there, as a boot would."""
        image = lock.accessories[name].image
        self.images.setdefault(image, sha(image))
        spec = labels.spec(lock, name, self.images[image], {"TOKEN": Secret("x")})
        made = Container(spec.name, spec.name, spec.image, "running", spec.labels)
        self.containers[spec.name] = msgspec.structs.replace(made, **changes)
        return self.containers[spec.name]

    @property
    def state(self) -> HostState:
        booted = frozenset(each for each in LOCK.accessories if each not in self.killed)
        found = Accessories(tuple(self.containers.values()), self.images, booted)
        return HostState("web1", holders=self.holders, accessories=found)


def words(made: HostPlan) -> list[str]:
    assert not made.stage
    assert not made.finish
    return [step.text for step in made.switch]


LOCK = lock_with(db=DB, cache=CACHE)
ALL = list(LOCK.accessories)
STORE = f"store lock {LOCK.short}"


def test_boot_fetches_everything_before_it_creates_anything() -> None:
    assert words(plans.boot(LOCK, Host().state, ALL)) == [
        STORE,
        "fetch postgres:16",
        "fetch redis:7",
        "create shop-db",
        "start shop-db",
        "probe shop-db",
        "create shop-cache",
        "start shop-cache",
        "probe shop-cache",
    ]
    assert words(plans.boot(LOCK, Host().state, ["cache"])) == [
        STORE, "fetch redis:7", "create shop-cache", "start shop-cache", "probe shop-cache",
    ]  # fmt: skip


def test_boot_is_for_the_hosts_of_an_accessory() -> None:
    state = msgspec.structs.replace(Host().state, host="web2")
    assert "create shop-db" in words(plans.boot(LOCK, state, ALL))
    assert "create shop-cache" not in words(plans.boot(LOCK, state, ALL))


def test_boot_leaves_what_runs_and_starts_what_stopped() -> None:
    host = Host()
    host.have(LOCK, "db")
    host.have(LOCK, "cache", state="exited")
    assert words(plans.boot(LOCK, host.state, ALL)) == ["start shop-cache", "probe shop-cache"]
    host.have(LOCK, "cache")
    assert plans.boot(LOCK, host.state, ALL).empty
    for state in ("paused", "restarting"):
        host.have(LOCK, "cache", state=state)
        assert words(plans.boot(LOCK, host.state, ALL)) == [
            "stop shop-cache", "start shop-cache", "probe shop-cache",
        ]  # fmt: skip
    host.have(LOCK, "cache")
    other = lock_with(db=changed(DB, env={"A": "1"}), cache=CACHE)
    assert plans.boot(other, host.state, ALL).empty, "another configuration runs on"


def test_what_a_killed_boot_started_is_still_to_be_seen_healthy() -> None:
    host = Host(killed=("db",))
    host.have(LOCK, "db")
    host.have(LOCK, "cache")
    assert words(plans.boot(LOCK, host.state, ALL)) == ["probe shop-db"]
    assert plans.boot(LOCK, host.state, ["cache"]).empty


def test_the_journal_tells_which_boots_ended() -> None:
    """In a real file: that of this machine, without its engine."""
    here = Server("web1", LocalLink("web1", "unix:///nowhere.sock"))
    assert journal.booted(here, LOCK) == frozenset()
    release = Release("1", LOCK.fingerprint, sha("i"))
    acts: list[tuple[Act, Outcome, list[str], set[str]]] = [
        ("deploy", "deployed", [], set()),
        ("accessory boot", "done", ["db", "cache"], {"db", "cache"}),
        ("accessory remove", "done", ["cache"], {"db"}),
        ("accessory reboot", "attention", ["db"], set()),
        ("accessory boot", "done", ["db"], {"db"}),
    ]
    for command, outcome, names, booted in acts:
        line = journal.entry(
            LOCK, release, command=command, outcome=outcome, roles=(), performer="ada",
            accessories=names,
        )  # fmt: skip
        journal.append(here, LOCK, line)
        assert journal.booted(here, LOCK) == booted


def test_boot_makes_anew_what_a_killed_boot_created_and_never_started() -> None:
    """Its files may not be in it: they come after it was created."""
    host = Host()
    host.have(LOCK, "cache", state="created")
    assert words(plans.boot(LOCK, host.state, ["cache"])) == [
        STORE, "remove shop-cache", "create shop-cache", "start shop-cache", "probe shop-cache",
    ]  # fmt: skip


def test_reboot_fetches_before_it_stops_and_leaves_volumes() -> None:
    host = Host()
    host.have(LOCK, "db")
    newer = lock_with(db=changed(DB, image="postgres:17"), cache=CACHE)
    made = plans.reboot(newer, host.state, ["db"])
    assert words(made) == [
        f"store lock {newer.short}",
        "fetch postgres:17",
        "stop shop-db",
        "remove shop-db",
        "create shop-db",
        "start shop-db",
        "probe shop-db",
    ]
    assert made.switch[2].why == "it differs from the lock"
    host.have(LOCK, "db", state="exited")
    again = plans.reboot(LOCK, host.state, ["db"])
    assert "stop shop-db" not in words(again)
    assert again.switch[1].why == "it is to reboot"


def test_remove_takes_volumes_only_when_asked_and_never_what_others_use() -> None:
    host = Host()
    host.have(LOCK, "db")
    host.have(LOCK, "cache", state="exited")
    gone = ["stop shop-db", "remove shop-db"]
    assert words(plans.remove(LOCK, host.state, ["db"], volumes=False)) == gone
    volume = "remove volume shop-db and its data"
    assert words(plans.remove(LOCK, host.state, ["db"], volumes=True)) == [*gone, volume]
    everything = words(plans.remove(LOCK, host.state, None, volumes=True))
    assert everything == [
        *gone, "remove shop-cache", volume, "remove volume shop-cache and its data",
    ]  # fmt: skip
    shared = lock_with(db=DB, cache=changed(CACHE, volumes=("shop-db:/data",)))
    assert volume not in words(plans.remove(shared, host.state, ["db"], volumes=True))
    web = {"web": Role(hosts=("web1",), volumes=("shop-db:/data",))}
    used = sealed(msgspec.structs.replace(LOCK, roles=web))
    assert volume not in words(plans.remove(used, host.state, ["db"], volumes=True))


def test_what_left_the_lock_can_be_removed_and_is_named() -> None:
    host, without = Host(), lock_with(cache=CACHE)
    host.have(LOCK, "db")
    host.have(LOCK, "cache")
    assert [row.verdict for row in judge.rows(without, host.state)] == ["as locked", "not locked"]
    assert list(judge.notes(without, host.state)) == [
        "accessory db isn't in the lock: `lockship accessory remove db`"
    ]
    removed = words(plans.remove(without, host.state, ["db"], volumes=False))
    assert removed == ["stop shop-db", "remove shop-db"]
    with pytest.raises(UsageError, match="no accessory db"):
        tasks.remove(without, "db", None, volumes=True)


@pytest.mark.parametrize("act", [plans.boot, plans.reboot])
def test_a_strangers_container_is_never_touched(act: Any) -> None:
    host = Host()
    host.have(LOCK, "db", labels={})
    assert judge.rows(LOCK, host.state)[0].verdict == "not lockship's"
    with pytest.raises(RefusedError, match="web1: the container shop-db isn't the accessory"):
        act(LOCK, host.state, ["db"])
    other = {**host.have(LOCK, "db").labels, labels.OWNER: "blog"}
    host.have(LOCK, "db", labels=other)
    with pytest.raises(RefusedError):
        act(LOCK, host.state, ["db"])
    assert plans.remove(LOCK, host.state, None, volumes=False).empty


@pytest.mark.parametrize("act", [plans.boot, plans.reboot])
def test_a_port_that_is_taken_is_refused_before_anything_starts(act: Any) -> None:
    taken = Published(5432, 5432, "tcp", "")
    host = Host(holders=(Holder("their-postgres", "", (taken,)),))
    with pytest.raises(LockshipError, match="port 5432/tcp is in use by the container their-post"):
        act(LOCK, host.state, ["db"])
    host.holders = (Holder("blog-db", "", (taken,), "db", "blog"),)
    with pytest.raises(LockshipError, match="by the accessory db of blog"):
        act(LOCK, host.state, ["db"])
    host.holders = (Holder("shop-db", "", (taken,), "db", "shop"),)
    act(LOCK, host.state, ["db"])


@pytest.mark.parametrize(
    ("changes", "verdict", "note"),
    [
        ({}, "as locked", ""),
        ({"state": "exited"}, "stopped", "is exited: `lockship accessory boot db`"),
        ({"health": "unhealthy"}, "unhealthy", "is unhealthy: `lockship accessory logs db`"),
        ({"state": "restarting"}, "unhealthy", "is restarting: `lockship accessory logs db`"),
        ({"state": "paused"}, "stopped", "is paused: `lockship accessory boot db`"),
        ({"image_id": sha("x")}, "another image", "(another image): `lockship accessory reboot"),
    ],
)
def test_verdicts_and_what_a_deploy_says(changes: dict[str, Any], verdict: str, note: str) -> None:
    host = Host()
    host.have(LOCK, "cache")
    host.have(LOCK, "db", **changes)
    assert [row.verdict for row in judge.rows(LOCK, host.state)] == [verdict, "as locked"]
    notes = list(judge.notes(LOCK, host.state))
    assert (note in notes[0] and len(notes) == 1) if note else notes == []


@pytest.mark.parametrize(
    "changes",
    [
        {"env": {"A": "1"}},
        {"command": ("x",)},
        {"ports": ()},
        {"volumes": ()},
        {"files": (f"100644 {'0' * 40} a:/a",)},
        {"secrets": ()},
        {"labels": {"a": "b"}},
        {"restart": "no"},
        {"memory": "1g"},
        {"stop_timeout": 5.0},
    ],
)
def test_every_change_of_its_table_shows_but_that_of_its_hosts(changes: dict[str, Any]) -> None:
    host = Host()
    host.have(LOCK, "db")
    other = lock_with(db=changed(DB, **changes))
    assert judge.rows(other, host.state)[0].verdict == "another configuration"
    assert settings_key(changed(DB, hosts=("web1",))) == settings_key(DB)


def test_a_deploy_remove_and_prune_of_the_service_leave_accessories() -> None:
    host = Host()
    host.have(LOCK, "db")
    host.have(LOCK, "cache")
    lock, artifact = LOCK, make_artifact(LOCK)
    made = deploys.plan(lock, artifact, [host.state], "deploy").hosts[0]
    acts = [*made.stage, *made.switch, *made.finish]
    acts += operated.remove(lock, host.state, None).switch
    acts += prune(lock, host.state, locks=True).switch
    touched = {name for step in acts if (name := getattr(step, "name", None))}
    assert touched
    assert not touched & set(host.containers)


def test_a_role_whose_port_an_accessory_holds_is_told_so() -> None:
    roles = {"web": Role(hosts=("web1",), ports=("5432:80",))}
    lock = sealed(msgspec.structs.replace(LOCK, roles=roles))
    held = (Holder("shop-db", "", (Published(5432, 5432, "tcp", "127.0.0.1"),), "db", "shop"),)
    with pytest.raises(LockshipError) as caught:
        deploys.plan(lock, make_artifact(lock), [Host(holders=held).state], "deploy")
    assert caught.value.message == (
        "web1: port 5432/tcp is in use by the accessory db of shop (container shop-db)."
    )
    assert "lockship accessory reboot db" in caught.value.hint


def test_a_role_joins_the_network_where_accessories_have_their_names() -> None:
    def network(lock: Lock) -> str:
        of_web = {"role_name": "web", "host": "web1", "name": "a"}
        return container_spec(lock, make_made(lock), {}, **of_web).network

    made = labels.spec(LOCK, "db", "id", {"TOKEN": Secret("x")})
    assert (network(LOCK), network(make_lock())) == (made.network, "")
    assert made.alias == "db.shop.internal"


def test_accessories_are_no_part_of_what_is_built() -> None:
    assert build_key(LOCK) == build_key(make_lock())


def test_words_that_name_nothing() -> None:
    with pytest.raises(UsageError, match="has no accessories"):
        tasks.boot(make_lock(), None, None, tasks.Given())
    with pytest.raises(UsageError, match="no accessory dbb"):
        tasks.reboot(LOCK, "dbb", None, tasks.Given())
    with pytest.raises(UsageError, match="no host web2 with accessory cache"):
        tasks.boot(LOCK, "cache", "web2", tasks.Given())
    assert tasks.boot(LOCK, None, "web2", tasks.Given()).hosts == ["web2"]
