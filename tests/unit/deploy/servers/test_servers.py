"""What a host tells is read, judged against a lock, and turned into what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lockship.deploy.servers.facts import Disk, Facts, Seen, parse
from lockship.deploy.servers.judge import judge
from lockship.deploy.servers.plans import lacks
from lockship.host.types import EngineInfo
from lockship.lock.accessory import Accessory
from lockship.lock.role import Role
from tests.unit.locks import make_lock

SAID = r"""ready
now 1772366400
os ID ubuntu
os ID_LIKE "debian"
os PRETTY_NAME "Ubuntu 24.04 LTS"
machine x86_64
user deploy 1000
groups deploy docker
sudo yes
tool docker
tool flock
tool systemctl
init systemd
disk /dev/vda1 41152812 8675980 30354192 23% /
disk /dev/vdb 41152812 8675980 512000 98% /var/lib/my docker
disk /dev/vda1 41152812 8675980 30354192 23% /
socket 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000
socket 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000
socket 0100007F:A1B2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000
""".splitlines()
FACTS = parse(SAID, here=1772366400.4, trip=0.02)
ENGINE = EngineInfo("20.10.24", "linux/amd64", containerd_store=False)
SEEN = Seen("local", FACTS, ENGINE)


def found(
    seen: Seen, platforms: Sequence[str] = ("linux/amd64",), **role: Any
) -> dict[str, list[str]]:
    """What was said, by what was looked at, with the verdict in front."""
    lock = make_lock(roles={"web": replace(Role(hosts=("local",)), **role)})
    said: dict[str, list[str]] = {}
    for each in judge(lock, seen, platforms):
        said.setdefault(each.what, []).append(f"{each.verdict}: {each.said}")
        assert each.hint or each.verdict == "ok", "what isn't well says what to type"
    return said


def test_what_a_host_says_is_read() -> None:
    assert FACTS.clock == pytest.approx(0.1, abs=0.01)
    assert FACTS.os == "Ubuntu 24.04 LTS"
    assert FACTS.family == ("ubuntu", "debian")
    assert (FACTS.machine, FACTS.user, FACTS.root, FACTS.sudo) == ("x86_64", "deploy", False, True)
    assert FACTS.groups == ("deploy", "docker")
    assert FACTS.tools == ("docker", "flock", "systemctl")
    assert FACTS.systemd
    assert FACTS.disks == (Disk("/", 30354192 << 10), Disk("/var/lib/my docker", 512000 << 10))
    assert FACTS.listening == {53, 8080}


ENDLESS = ["now " + "9" * 400, "now " + "9" * 5000, f"disk a 1 1 {'9' * 5000} 1% /"]


@given(st.lists(st.text(max_size=40) | st.sampled_from([*SAID, *ENDLESS])))
def test_whatever_a_host_says_does_no_harm(lines: list[str]) -> None:
    assert isinstance(parse(lines, here=1.0), Facts)


def test_a_host_that_is_ready() -> None:
    assert found(SEEN, ports=("80:80", "127.0.0.1:9000:9000")) == {
        "engine": ["ok: Docker 20.10.24"],
        "platform": ["ok: Ubuntu 24.04 LTS on amd64, as the image"],
        "disk": [
            "ok: 28.9 GiB free on /",
            "warning: 0.5 GiB free on /var/lib/my docker",
        ],
        "ports": ["ok: 80, 9000: free, or its own"],
        "clock": ["ok: as this machine's; an answer takes 20 ms"],
        "tools": ["ok: flock is there, for the mutex"],
    }


@pytest.mark.parametrize(
    ("what", "said", "seen", "role"),
    [
        ("engine", "20.10 or newer is needed", {"engine": replace(ENGINE, version="19.03.8")}, {}),
        ("engine", "no command", {"engine": None, "engine_error": "no command"}, {}),
        ("ports", "8080 is taken by a program outside of Docker", {}, {"ports": ("8080:80",)}),
        ("ports", "the container db's", {"holders": ((80, "db", "x"),)}, {"ports": ("80:80",)}),
        ("tools", "flock is missing", {"facts": replace(FACTS, tools=())}, {}),
    ],
)
def test_a_host_that_is_not(
    what: str, said: str, seen: dict[str, Any], role: dict[str, Any]
) -> None:
    (verdict,) = found(replace(SEEN, **seen), **role)[what]
    assert verdict.startswith("failed: ")
    assert said in verdict


def test_its_own_containers_may_have_its_ports() -> None:
    held = replace(SEEN, holders=((8080, "shop-web-1", "shop"),))
    assert found(held, ports=("8080:80",))["ports"] == ["ok: 8080: free, or its own"]


def test_a_host_of_accessories_alone() -> None:
    """The service's image is never there, and its platform doesn't matter."""
    db = Accessory(image="db:1", hosts=("db1",), ports=("10.0.0.1:8080:80",))
    lock = make_lock(accessories={"db": db})
    seen = replace(SEEN, host="db1", holders=((8080, "blog-db", "blog"),))
    said = {
        each.what: f"{each.verdict}: {each.said}" for each in judge(lock, seen, ["linux/arm64"])
    }
    assert said["platform"] == "ok: Ubuntu 24.04 LTS on amd64"
    assert said["ports"] == "failed: 8080 is the container blog-db's"
    own = replace(seen, holders=((8080, "shop-db", "shop"),))
    assert {each.verdict for each in judge(lock, own, ["linux/arm64"]) if each.what == "ports"} == {
        "ok"
    }


def test_an_image_of_another_platform() -> None:
    (verdict,) = found(SEEN, platforms=["linux/arm64"])["platform"]
    assert verdict == "failed: Ubuntu 24.04 LTS on amd64; the image is for linux/arm64"


@pytest.mark.parametrize(("apart", "way"), [(90.0, "ahead of"), (-90.0, "behind")])
def test_a_clock_that_is_wrong(apart: float, way: str) -> None:
    (verdict,) = found(replace(SEEN, facts=replace(FACTS, clock=apart)))["clock"]
    assert verdict.startswith(f"warning: 90 s {way} this machine's")


BARE = replace(FACTS, tools=("flock", "apt-get"), groups=("deploy",))


def commands(facts: Facts) -> list[str]:
    lacking = lacks("web1", facts, engine=False)
    assert not lacking.refused, lacking.refused
    return [" ".join(each.argv) for each in lacking.commands]


def test_a_host_with_an_engine_lacks_nothing() -> None:
    assert lacks("web1", BARE, engine=True).commands == ()


def test_each_family_gets_its_own_packages() -> None:
    assert commands(BARE) == [
        "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -qq update",
        "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install docker.io",
        "sudo -n systemctl enable --now docker",
        "sudo -n usermod -aG docker deploy",
    ]
    assert commands(replace(BARE, family=("fedora",), root=True)) == [
        "dnf -q -y install moby-engine",
        "systemctl enable --now docker",
    ]
    alpine = replace(BARE, family=("alpine",), root=True, systemd=False, tools=("rc-service",))
    assert commands(alpine) == [
        "apk add --quiet docker",
        "rc-update add docker default",
        "rc-service docker start",
    ]


def test_what_is_there_is_left_as_it_is() -> None:
    stopped = replace(BARE, tools=("docker",), root=True)
    assert commands(stopped) == ["systemctl enable --now docker"]
    assert (
        commands(replace(stopped, root=False, user="ada"))[-1] == "sudo -n usermod -aG docker ada"
    )


@pytest.mark.parametrize(
    ("facts", "refused", "hint"),
    [
        (replace(BARE, family=("arch",)), "isn't of Debian, Ubuntu, Fedora or Alpine", "by hand"),
        (replace(BARE, family=("rhel", "fedora")), "isn't of Debian", "by hand"),
        (replace(BARE, sudo=False), "may not use sudo without a password", "apt-get"),
        (replace(FACTS, systemd=False, tools=("docker",)), "doesn't answer", "docker info"),
    ],
)
def test_what_it_can_not_do_it_says(facts: Facts, refused: str, hint: str) -> None:
    lacking = lacks("web1", facts, engine=False)
    assert lacking.commands == ()
    assert refused in lacking.refused
    assert hint in lacking.hint
