"""`[roles.NAME.options]`: what is refused, and what is said then. What each does: tests/fleet."""

from __future__ import annotations

import pytest

from lockship.lock.container import ContainerOptions
from lockship.lock.fingerprint import to_document
from lockship.lock.role import Role
from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import Repo
from tests.unit.locks import make_lock
from tests.unit.prepare.test_config import MINIMAL, complaints, load

OPTIONS = MINIMAL + "[roles.web.options]\n"


def test_options_are_locked_as_they_are_written() -> None:
    config = load(
        OPTIONS + 'user = "app"\nnetworks = ["back"]\nlog-options = { max-size = "1m" }\n'
    )
    options = config.roles["web"].for_lock().options
    assert options == ContainerOptions(
        user="app", networks=("back",), log_options={"max-size": "1m"}
    )
    lock = make_lock(roles={"web": Role(hosts=("local",), options=options)})
    assert to_document(lock)["roles"]["web"]["options"] == {
        "user": "app",
        "networks": ("back",),
        "log-options": {"max-size": "1m"},
    }


def test_a_lock_without_options_says_nothing_of_them() -> None:
    assert "options" not in to_document(make_lock())["roles"]["web"]


@pytest.mark.parametrize(
    ("added", "key", "expected"),
    [
        ('usr = "app"', "usr", "'user'?"),
        ('user = "app:"', "user", "such as '1000:1000' or 'app'"),
        ('group-add = ["a b"]', "group-add[0]", "a group"),
        ('group-add = ["a", "a"]', "group-add[1]", "each one once"),
        ('working-dir = "app"', "working-dir", "an absolute path"),
        ('entrypoint = "sh"', "entrypoint", "a list, each"),
        ("init = 1", "init", "true or false"),
        ('stop-signal = "SIGTREM"', "stop-signal", "such as 'SIGTERM'"),
        ('networks = ["none"]', "networks[0]", "this one is the engine's"),
        ('networks = ["lockship"]', "networks[0]", "this one is the proxy's"),
        ('networks = ["-x"]', "networks[0]", "a network's name"),
        ('hostname = "a_b"', "hostname", "a host name"),
        ('extra-hosts = { db = "10.0.0.256" }', "extra-hosts.db", "such as '10.0.0.5'"),
        ('extra-hosts = { db = "db.internal" }', "extra-hosts.db", "or 'host-gateway'"),
        ('dns = ["1.1.1"]', "dns[0]", "such as '10.0.0.5'"),
        ('dns = ["host-gateway"]', "dns[0]", "such as '10.0.0.5'"),
        ('dns-search = ["."]', "dns-search[0]", "a host name"),
        ('read-only = "yes"', "read-only", "true or false"),
        ('tmpfs = ["run"]', "tmpfs[0]", "such as '/run:size=64m,mode=755'"),
        ('tmpfs = ["/run", "/run:size=1m"]', "tmpfs[1]", "nor another tmpfs has"),
        ('shm-size = "1GB"', "shm-size", "a size such as"),
        ('devices = ["ttyUSB0"]', "devices[0]", "a device such as"),
        ('devices = ["/dev/null:rwx"]', "devices[0]", "a device such as"),
        ("gpus = 0", "gpus", "a whole number from 1 to 64 or one of 'all'"),
        ('runtime = "a b"', "runtime", "a runtime of the engine"),
        ('privileged = "true"', "privileged", "true or false"),
        ('cap-add = ["NET_ADMON"]', "cap-add[0]", "'NET_ADMIN'?"),
        ('cap-add = ["CAP_NET_ADMIN"]', "cap-add[0]", "'NET_ADMIN'?"),
        ('cap-add = ["CHOWN"]\ncap-drop = ["CHOWN"]', "cap-add[0]", "that cap-drop doesn't take"),
        ('security-opt = ["seccomp=profile.json"]', "security-opt[0]", "'seccomp=unconfined'"),
        ('pid = "container:x"', "pid", "one of 'host'"),
        ('ipc = "none"', "ipc", "one of 'host', 'private', 'shareable'"),
        ('sysctls = { somaxconn = "1" }', "sysctls.somaxconn", "'net.core.somaxconn'"),
        ('sysctls = { "net.core.somaxconn" = 1 }', 'sysctls."net.core.somaxconn"', "text"),
        ('memory-swap = "1g"', "memory-swap", "which must be there"),
        ("cpu-shares = 1", "cpu-shares", "from 2 to 262144"),
        ('cpuset-cpus = "0-"', "cpuset-cpus", "such as '0-3' or '0,2'"),
        ("pids-limit = 0", "pids-limit", "from 1 to"),
        ("oom-score-adj = -1001", "oom-score-adj", "from -1000 to 1000"),
        ("ulimits = { nofile = 65536 }", "ulimits.nofile", "a limit in quotes"),
        ('ulimits = { nofile = "2:1" }', "ulimits.nofile", "a soft limit up to the hard one"),
        ('ulimits = { core = "-1:0" }', "ulimits.core", "a soft limit up to the hard one"),
        ('ulimits = { files = "1" }', "ulimits.files", "such as 'nofile'"),
        ('log-driver = "JSON"', "log-driver", "such as 'json-file'"),
        ("log-options = { max-file = 3 }", "log-options.max-file", "text"),
        ('health-command = "true"', "health-command", "a list, each"),
        ("health-interval = 0", "health-interval", "more than 0"),
        ("health-retries = 0", "health-retries", "from 1 to 1000"),
        ("no-healthcheck = true\nhealth-retries = 1", "health-retries", "one of the two"),
    ],
)
def test_options_that_make_no_sense(added: str, key: str, expected: str) -> None:
    (line,) = complaints(f"{OPTIONS}{added}\n")
    assert f": roles.web.options.{key}: found " in line
    assert expected in line


def test_an_option_in_its_roles_table_and_the_other_way_round() -> None:
    (line,) = complaints(MINIMAL + 'user = "app"\n')
    assert line.endswith("roles.web.user: found an unknown key, expected 'options.user'?")
    (line,) = complaints(OPTIONS + 'memory = "1g"\n')
    assert "options.memory: found an unknown key, expected 'roles.web.memory'?" in line


@pytest.mark.parametrize(
    ("role", "options", "key"),
    [
        ('memory = "1g"', 'memory-swap = "512m"', "memory-swap"),
        ('memory = "512m"', 'memory-reservation = "1g"', "memory-reservation"),
        ('order = "stop-first"', 'networks = ["a", "host"]', "networks[1]"),
        ('volumes = ["data:/run"]', 'tmpfs = ["/run"]', "tmpfs[0]"),
    ],
)
def test_options_against_their_role(role: str, options: str, key: str) -> None:
    (line,) = complaints(f"{MINIMAL}{role}\n[roles.web.options]\n{options}\n")
    assert f": roles.web.options.{key}: found " in line


def test_a_role_that_is_privileged_is_told_of_when_it_becomes_so(repo: Repo) -> None:
    repo.write("lockship.toml", OPTIONS + "privileged = true\n")
    repo.commit()
    (note,) = prepare(repo.path).notes
    assert note.startswith("Role web is privileged: what runs in it can do whatever root can")
    repo.write("page.html", "new")
    repo.commit()
    assert prepare(repo.path).notes == ()


def test_with_the_hosts_network_the_old_one_stops_first_and_no_port_is_published() -> None:
    host = '[roles.web.options]\nnetworks = ["host"]\n'
    (line,) = complaints(MINIMAL + host)
    assert 'roles.web.order: found "start-first", expected "stop-first": two' in line
    (line,) = complaints(MINIMAL + 'order = "stop-first"\nports = ["80:80"]\n' + host)
    assert "roles.web.ports: found ports, expected none" in line
    (line,) = complaints(MINIMAL + "proxy = true\n[proxy]\nport = 80\n" + host)
    assert "the proxy doesn't reach the host's" in line
    load(MINIMAL + 'order = "stop-first"\n' + host)


def test_options_that_only_look_odd_are_fine() -> None:
    load(
        MINIMAL
        + 'memory = "64m"\n[roles.web.options]\n'
        + 'memory-swap = "64m"\nmemory-reservation = "64m"\n'
        + 'ulimits = { nofile = "1:1", core = "5:-1", nproc = "-1:-1" }\n'
        + 'cap-drop = ["ALL"]\ncap-add = ["CHOWN"]\nno-healthcheck = false\nhealth-retries = 1\n'
        + 'extra-hosts = { a = "host-gateway", b = "::1" }\nentrypoint = ["sh", "-c", ""]\n'
    )
