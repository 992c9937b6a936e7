"""Which hosts switch together, and what happens between: with real programs as checks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import pytest

from lockship.deploy.batches import batches
from lockship.deploy.between import Between, CheckFailed
from lockship.deploy.mutex import MutexLost
from lockship.deploy.plan import plan
from lockship.deploy.steps import ConfirmContainer, HostPlan, Step
from lockship.deploy.undo import undo
from lockship.lock.model import Lock
from lockship.lock.role import Deploy
from lockship.lock.writer import sealed
from lockship.progress import Event
from tests.harness import until
from tests.unit.deploy.samples import make_artifact, make_lock
from tests.unit.deploy.simulation import SimulatedHost

HOSTS = tuple(f"web{n}" for n in range(1, 8))


def switching(*names: str) -> list[HostPlan]:
    """Plans of seven hosts, of which these switch."""
    switch = (ConfirmContainer("x", "web"),)
    return [HostPlan(h, switch=switch if h in names else ()) for h in HOSTS]


@pytest.mark.parametrize(
    ("batch", "sizes"),
    [
        (None, [7]),
        (1, [1] * 7),
        (3, [3, 3, 1]),
        (9, [7]),
        ("1%", [1] * 7),
        ("50%", [3, 3, 1]),
        ("99%", [6, 1]),
        ("100%", [7]),
    ],
)
def test_sizes(batch: int | str | None, sizes: list[int]) -> None:
    made = batches(batch, switching(*HOSTS))
    assert [len(each) for each in made] == sizes
    assert sum(made, ()) == HOSTS


def test_a_host_where_nothing_switches_is_in_no_batch() -> None:
    assert batches(1, switching("web2", "web5")) == (("web2",), ("web5",))
    assert batches("50%", switching()) == ()


# Between two batches.


def between(*argv: str, stop: threading.Event | None = None, **more: float) -> Between:
    lock = make_lock()
    deploy = Deploy(batch=1, batch_check=argv, **more)  # type: ignore[arg-type]
    lock = sealed(msgspec.structs.replace(lock, deploy=deploy))
    return Between(
        lock, 1, (("web1", "web2"), ("web3",)), stop or threading.Event(), lambda: None, said.append
    )


said: list[Event] = []


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    said.clear()


def lines() -> list[str]:
    return [event.step for event in said if event.kind == "line"]


def test_a_check_gets_the_locks_values_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSHIP_HOSTS", "another")
    monkeypatch.setenv("LOCKSHIP_OTHER", "x")
    check = between("sh", "-c", "env | grep ^LOCKSHIP_ | sort; echo done $0 >&2", "a b;c")
    check.wait()
    lock = check.lock
    assert lines() == [
        "LOCKSHIP_BATCH=1",
        "LOCKSHIP_BATCHES=2",
        f"LOCKSHIP_COMMIT={lock.source.commit}",
        "LOCKSHIP_DESTINATION=",
        f"LOCKSHIP_FINGERPRINT={lock.fingerprint}",
        "LOCKSHIP_HOSTS=web1 web2",
        "LOCKSHIP_SERVICE=shop",
        f"LOCKSHIP_VERSION={lock.service.version}",
        "done a b;c",
    ]
    assert [e.kind for e in said if e.kind != "line"] == ["start", "done"]


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("sh", "-c", "exit 3"), "exit status 3"),
        (("sh", "-c", "kill -9 $$"), "signal 9"),
        (("/nowhere/check",), "can't be run: No such file"),
        (("a\0b",), "can't be run: embedded null"),
        (("/",), "can't be run: Permission denied"),
    ],
)
def test_a_check_that_fails(argv: tuple[str, ...], why: str) -> None:
    with pytest.raises(CheckFailed, match=why):
        between(*argv).wait()
    assert said[-1].kind == "failed"


def test_a_check_that_hangs_is_ended_with_its_children() -> None:
    begin = time.monotonic()
    script = "(trap '' TERM; sleep 600) & echo $!; wait"
    with pytest.raises(CheckFailed, match=r"didn't end within 0\.3 s"):
        between("sh", "-c", script, batch_check_timeout=0.3).wait()
    assert time.monotonic() - begin < 5
    until(lambda: not _alive(int(lines()[0])), 5, "its child to end")


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


@pytest.mark.parametrize("argv", [("sleep", "60"), ()])
def test_an_interruption_ends_check_and_pause(argv: tuple[str, ...]) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    begin = time.monotonic()
    between(*argv, stop=stop, **({} if argv else {"batch_pause": 60.0})).wait()
    assert time.monotonic() - begin < 5
    assert said[-1].kind == "stopped"


def test_a_pause_lasts_as_long_as_it_says_and_comes_before_the_check() -> None:
    begin = time.monotonic()
    between("true", batch_pause=0.3).wait()
    assert time.monotonic() - begin >= 0.3
    assert [event.step for event in said if event.kind == "done"] == [
        "pause after batch 1",
        "check after batch 1",
    ]


def test_who_loses_the_mutex_meanwhile_waits_no_longer() -> None:
    def held() -> None:
        raise MutexLost("web1", "the connection to the host ended")

    waiting = between("sleep", "60")
    lost = Between(waiting.lock, 1, waiting.batches, waiting.stop, held, said.append)
    with pytest.raises(MutexLost):
        lost.wait()


# A fleet that is left between two batches.


@pytest.mark.parametrize("switched", [1, 2, 3])
@pytest.mark.parametrize("taken_back", [False, True], ids=["killed", "taken back"])
def test_a_fleet_left_between_batches_is_finished_or_taken_back(
    switched: int, taken_back: bool
) -> None:
    names = HOSTS[:3]
    old, new = batched("old"), batched("new")
    fleet = {name: SimulatedHost(name) for name in names}

    def planned(lock: Lock) -> dict[str, HostPlan]:
        artifact = make_artifact(lock)
        made = plan(lock, artifact, [fleet[name].observe(artifact) for name in names], "deploy")
        assert len(made.batches) in (0, 1, 2, 3)
        return {each.host: each for each in made.hosts}

    def carry_out(lock: Lock, host: str, steps: tuple[Step, ...]) -> None:
        for step in steps:
            fleet[host].apply(step, lock, make_artifact(lock))

    def everywhere(lock: Lock) -> None:
        for host, each in planned(lock).items():
            carry_out(lock, host, (*each.stage, *each.switch, *each.finish))

    everywhere(old)
    before = {name: [c.name for c in fleet[name].serving()] for name in names}
    todo = planned(new)
    for name in names:
        carry_out(new, name, todo[name].stage)
    for name in names[:switched]:
        carry_out(new, name, todo[name].switch)
    if taken_back:
        for name in names:
            done = todo[name].switch if name in names[:switched] else ()
            carry_out(new, name, undo((*todo[name].stage, *done)))
        assert {name: [c.name for c in fleet[name].serving()] for name in names} == before
    everywhere(new)
    assert all(each.empty for each in planned(new).values())
    for host in fleet.values():
        (one,) = host.serving()
        assert one.image_id == make_artifact(new).image_id


def batched(content: str) -> Lock:
    lock = make_lock(content, hosts=HOSTS[:3])
    return sealed(msgspec.structs.replace(lock, deploy=Deploy(batch=1)))
