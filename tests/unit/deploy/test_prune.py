"""Prune: what a rollback needs stays, whatever happened before."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from lockship.deploy import names
from lockship.deploy.operate.prune import kept, prune
from lockship.deploy.state import HostState
from lockship.deploy.steps import CreateContainer, HostPlan, ShipImage
from lockship.lock.model import Lock
from lockship.lock.role import Deploy
from lockship.lock.writer import sealed
from tests.unit.deploy.samples import make_artifact, make_lock, make_made, sha
from tests.unit.deploy.simulation import SimulatedHost
from tests.unit.deploy.test_operate import deployed, do, stop
from tests.unit.deploy.test_plan import carry_out, plan_on, steps_of

CONTENTS = st.sampled_from(["a", "b", "c", "d", "e"])


def looked(host: SimulatedHost, lock: Lock) -> HostState:
    files = tuple(sorted(names.stored_lock_path(lock, each) for each in host.stored))
    return msgspec.structs.replace(host.observe(make_artifact(lock)), files=files)


def made(host: SimulatedHost, lock: Lock, *, locks: bool = False) -> HostPlan:
    return prune(lock, looked(host, lock), locks=locks)


def retaining(lock: Lock, count: int) -> Lock:
    return sealed(msgspec.structs.replace(lock, deploy=Deploy(retain=count)))


@settings(deadline=None)  # a busy machine is no bug
@given(
    st.lists(st.tuples(CONTENTS, st.integers(0, 9)), max_size=8),
    CONTENTS,
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)
def test_a_rollback_to_a_kept_release_finds_all_it_needs(
    history: list[tuple[str, int]], last: str, retain: int, locks: bool, stopped: bool
) -> None:
    """Deploys end or are killed after any step; then `retain` is another, and prune runs."""
    host = SimulatedHost("web1")
    contents = {make_lock(content, retain=4).fingerprint: content for content, _ in history}
    for content, killed_after in history:
        lock = make_lock(content, retain=4)
        carry_out(host, lock, steps_of(plan_on(host, lock))[:killed_after])
    lock = make_lock(last, retain=4)
    do(host, lock, plan_on(host, lock))
    if stopped:
        do(host, lock, stop(host, lock))
    at_hand = retaining(lock, retain)
    serving = [each.name for each in host.serving()]
    releases = kept(at_hand, looked(host, at_hand))
    do(host, at_hand, made(host, at_hand, locks=locks))
    assert [each.name for each in host.serving()] == serving
    assert host.releases == releases
    assert len(releases) <= retain + 1
    assert made(host, at_hand, locks=locks).empty
    for release in releases:
        back = make_lock(contents.get(release.fingerprint, last), retain=4)
        assert back.fingerprint in host.stored
        steps = steps_of(plan_on(host, back, "rollback"))
        assert not any(isinstance(step, ShipImage | CreateContainer) for step in steps)


def test_what_is_beyond_retain_goes() -> None:
    locks = [make_lock(f"content {n}", retain=4) for n in range(5)]
    host = deployed(*locks)
    at_hand = retaining(locks[-1], 1)
    do(host, at_hand, made(host, at_hand))
    assert set(host.containers) == {names.container_name(each, "web") for each in locks[-2:]}
    assert host.images == {make_artifact(each).image_id for each in locks[-2:]}
    assert len(host.stored) == 5
    do(host, at_hand, made(host, at_hand, locks=True))
    assert host.stored == {each.fingerprint for each in locks[-2:]}


def test_what_a_failed_deploy_left_goes_and_the_locked_image_stays() -> None:
    old, new = make_lock("old"), make_lock("new")
    host = deployed(old)
    host.images |= {sha("leftover"), make_made(new).image_id}
    built = msgspec.structs.replace(new, artifact=make_artifact(new))
    unfinished = f"{names.project_folder(new)}/releases.json.new"
    state = msgspec.structs.replace(looked(host, built), files=(unfinished,))
    steps = prune(built, state, locks=False).switch
    assert [step.text for step in steps] == [
        f"remove image {sha('leftover').removeprefix('sha256:')[:12]}",
        f"remove {unfinished}",
    ]
