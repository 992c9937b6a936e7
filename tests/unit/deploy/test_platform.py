"""Which of a lock's images a host runs: that of its platform, and of no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from lockship.deploy import status
from lockship.deploy.operate import prune
from lockship.deploy.plan import plan
from lockship.deploy.platform import made_for
from lockship.deploy.rollout import is_built, require_artifact
from lockship.deploy.state import HostState
from lockship.deploy.steps import Release, SetReleases, ShipImage
from lockship.errors import RefusedError
from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.image import Artifact, LockedBuild, Made, what_runs
from lockship.lock.model import Lock
from lockship.lock.platform import plain
from tests.unit.deploy.samples import make_lock, sha
from tests.unit.deploy.simulation import SimulatedHost
from tests.unit.deploy.test_plan import steps_of

PLATFORMS = ("linux/amd64", "linux/arm/v7")


def image(content: str, platform: str) -> str:
    return sha(f"{content} for {plain(platform)}")


def several(content: str, *, pushed: bool = False) -> Lock:
    """A lock whose image was built for two platforms."""
    lock = sealed(replace(make_lock(content), build=LockedBuild(platforms=PLATFORMS)))
    made = {
        each: Made(image_id=image(content, each), digest=sha(each) if pushed else None)
        for each in PLATFORMS
    }
    return replace(lock, artifact=Artifact(key=build_key(lock), platforms=made))


def artifact(lock: Lock) -> Artifact:
    return require_artifact(lock)


def fleet() -> tuple[SimulatedHost, SimulatedHost]:
    """Two hosts; the second engine writes its platform in another way than the lock."""
    return SimulatedHost("web1", platform="linux/amd64"), SimulatedHost(
        "web2", platform="linux/armv7l"
    )


def images_of(hosts: tuple[SimulatedHost, ...]) -> list[list[str]]:
    return [[each.image_id for each in host.serving()] for host in hosts]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armv6l", "linux/arm/v6"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/i686", "linux/386"),
        ("linux/riscv64", "linux/riscv64"),
        ("Windows/AMD64", "windows/amd64"),
    ],
)
def test_a_platform_has_one_name(said: str, meant: str) -> None:
    assert plain(said) == plain(meant) == meant


@pytest.mark.parametrize(("pushed", "via"), [(False, "ssh"), (True, "registry")])
def test_each_host_is_to_run_the_image_of_its_platform(pushed: bool, via: str) -> None:
    lock = several("one", pushed=pushed)
    states = [host.observe(artifact(lock)) for host in fleet()]
    made = plan(lock, artifact(lock), states, "deploy")
    shipped = [s for host in made.hosts for s in host.stage if isinstance(s, ShipImage)]
    wanted = [ShipImage(image("one", each), via) for each in PLATFORMS]  # type: ignore[arg-type]
    assert shipped == wanted


def test_a_host_of_another_platform_is_refused_by_name() -> None:
    lock = several("one")
    hosts = (*fleet(), SimulatedHost("web3", platform="linux/s390x"))
    with pytest.raises(RefusedError) as refused:
        plan(lock, artifact(lock), [host.observe(artifact(lock)) for host in hosts], "deploy")
    assert refused.value.details == (
        "web3 is linux/s390x",
        "the lock has linux/amd64, linux/arm/v7",
    )
    assert '[hosts."web3"]' in refused.value.hint


def test_what_was_made_for_some_platforms_only_is_not_built() -> None:
    lock = several("one")
    made = artifact(lock).platforms
    part = Artifact(key=build_key(lock), platforms={PLATFORMS[0]: made[PLATFORMS[0]]})
    one = Artifact(key=build_key(lock), image_id=sha("one"))
    assert [is_built(lock, each) for each in (artifact(lock), part, one)] == [True, False, False]


def test_status_and_prune_go_by_the_hosts_own_image() -> None:
    lock, hosts = several("one"), fleet()
    for host in hosts:
        (planned,) = plan(lock, artifact(lock), [host.observe(artifact(lock))], "deploy").hosts
        for step in steps_of(planned):
            host.apply(step, lock, artifact(lock))
    web1, web2 = (host.observe(artifact(lock)) for host in hosts)
    for state in (web1, web2):
        assert [row.verdict for row in status.compare(lock, state)] == ["as locked"]
        assert prune.prune(lock, state, locks=False).empty
    # The other platform's image under the right name, and a platform that the lock hasn't.
    for platform in ("linux/arm/v7", "linux/s390x"):
        (row, *_) = status.compare(lock, replace(web1, platform=platform))
        assert row.verdict != "as locked"


def test_what_runs_is_said_of_each_platform_or_of_their_index() -> None:
    lock = several("one", pushed=True)
    each = " ".join(f"shop@{sha(platform)}" for platform in PLATFORMS)
    assert what_runs(lock.image, artifact(lock)) == each
    index = replace(artifact(lock), digest=sha("index"))
    assert what_runs(lock.image, index) == f"shop@{sha('index')}"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10), st.integers(0, 10)), max_size=6),
    st.sampled_from("abc"),
)
def test_hosts_of_two_platforms_converge_from_wherever_deploys_were_killed(
    history: list[tuple[str, int, int]], goal: str
) -> None:
    hosts = fleet()
    for content, *counts in [*history, (goal, 99, 99)]:
        lock = several(content)
        made = plan(lock, artifact(lock), [h.observe(artifact(lock)) for h in hosts], "deploy")
        for host, planned, count in zip(hosts, made.hosts, counts, strict=True):
            for step in steps_of(planned)[:count]:
                host.apply(step, lock, artifact(lock))
    lock = several(goal)
    assert images_of(hosts) == [[image(goal, each)] for each in PLATFORMS]
    for host, platform in zip(hosts, PLATFORMS, strict=True):
        current = Release(lock.service.version, lock.fingerprint, image(goal, platform))
        assert host.releases[-1] == current
    assert plan(lock, artifact(lock), [h.observe(artifact(lock)) for h in hosts], "deploy").empty


CONFIG, MANIFEST = sha("its configuration"), sha("its manifest")
CLASSIC = Made(image_id=CONFIG, digest=MANIFEST)
CONTAINERD = Made(image_id=MANIFEST, digest=MANIFEST, config=CONFIG)


@pytest.mark.parametrize(
    ("made", "classic", "containerd"),
    [
        (CLASSIC, CONFIG, MANIFEST),
        (CONTAINERD, CONFIG, MANIFEST),
        # Without a registry, or built before `config` was written down: only one id is known.
        (Made(image_id=CONFIG), CONFIG, CONFIG),
        (Made(image_id=MANIFEST, config=CONFIG), CONFIG, MANIFEST),
        (Made(image_id=MANIFEST, digest=MANIFEST), MANIFEST, MANIFEST),
    ],
)
def test_an_image_has_two_ids(made: Made, classic: str, containerd: str) -> None:
    assert made.known(by_manifest=False).image_id == classic
    assert made.known(by_manifest=True).image_id == containerd


@pytest.mark.parametrize("made", [CLASSIC, CONTAINERD])
def test_a_host_is_to_run_the_image_by_the_id_that_its_engine_has_for_it(made: Made) -> None:
    lock = make_lock()
    built = Artifact(key=build_key(lock), **structs.asdict(made))
    state = HostState("web1", has_image=True)
    wanted = {
        by_manifest: made_for(lock, built, [replace(state, by_manifest=by_manifest)])["web1"]
        for by_manifest in (False, True)
    }
    assert {kind: each.image_id for kind, each in wanted.items()} == {False: CONFIG, True: MANIFEST}
    assert built.image_ids == {CONFIG, MANIFEST}
    # Where it comes from over SSH it may have either.
    assert built.alike(CONFIG) == (CONFIG, MANIFEST)
    assert built.alike(sha("another")) == (sha("another"),)
    for by_manifest in (False, True):
        planned = plan(lock, built, [replace(state, by_manifest=by_manifest)], "deploy")
        (release,) = next(s for s in planned.hosts[0].finish if isinstance(s, SetReleases)).releases
        assert release.image_id == wanted[by_manifest].image_id
