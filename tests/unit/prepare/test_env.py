"""Clear variables of roles and of tagged hosts, and a role's own healthcheck."""

from __future__ import annotations

import pytest

from lockship.lock.fingerprint import to_document
from lockship.lock.model import Lock
from lockship.lock.role import Healthcheck
from lockship.prepare.compose import compose
from tests.unit.locks import make_lock
from tests.unit.prepare.test_config import MINIMAL, complaints, load

TWO = '[service]\nname = "shop"\n[roles.web]\nhosts = ["ada@web1:22", "web2", "[::1]"]\n'
TAGS = TWO + '[tags.eu]\nhosts = ["web1", "::1"]\nenv = { REGION = "eu" }\n'


def composed(text: str) -> Lock:
    source = make_lock().source
    config = load(text)
    return compose(
        config=config,
        source=source,
        version="1",
        destination=None,
        hosts=config.every_host(),
        before=None,
    )


def test_a_tag_goes_over_a_role_and_a_role_over_all() -> None:
    lock = composed(
        '[env]\nA = "all"\nB = "all"\nC = "all"\n'
        + TAGS.replace('"eu" }', '"eu", C = "tag", D = "tag" }')
        + '[tags.big]\nhosts = ["web1", "web2"]\nenv = { SIZE = "big" }\n'
        + '[roles.web.env]\nB = "role"\nC = "role"\n[roles.job]\nhosts = ["ada@web1:22"]\n'
    )
    common = {"A": "all", "B": "role", "C": "role"}
    assert lock.environment("web", "web2") == common | {"SIZE": "big"}
    tagged = {"C": "tag", "D": "tag", "REGION": "eu"}
    assert lock.environment("web", "::1") == common | tagged
    assert lock.environment("web", "web1") == common | tagged | {"SIZE": "big"}
    assert lock.environment("job", "web1")["B"] == "all"
    assert to_document(lock)["tags"]["big"] == {"hosts": ("web1", "web2"), "env": {"SIZE": "big"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + 'env = { LOCKSHIP_SERVICE = "x" }\n', "roles.web.env.LOCKSHIP_SERVICE"),
        (TAGS.replace("REGION", "LOCKSHIP_VERSION"), "tags.eu.env.LOCKSHIP_VERSION"),
        (MINIMAL + 'env = { "a b" = "x" }\n', 'roles.web.env."a b"'),
        (
            MINIMAL + 'env = { A = "x" }\n[secrets]\nA = "env:A"\n',
            "this name in [roles.web.env] too",
        ),
        (TAGS + '[secrets]\nREGION = "env:A"\n', "this name in [tags.eu.env] too"),
        (TAGS.replace('"::1"', '"web3"'), "a host of some role, by its name alone"),
        (TAGS.replace('"web1", "::1"', '"ada@web1"'), "a host name, an ssh alias or an address"),
        (TAGS.replace('"::1"', '"web1"'), "each host once in a tag"),
        (TAGS.replace('"web1", "::1"', ""), "tags.eu.hosts: found nothing in it"),
        (TAGS.replace("tags.eu", "tags.EU"), "lower-case letters, digits, dashes and underscores"),
        (
            TAGS + '[tags.de]\nhosts = ["::1"]\nenv = { REGION = "de" }\n',
            "tags.de.env.REGION: found this name, expected another variable: tag eu says it",
        ),
    ],
)
def test_variables_that_make_no_sense(text: str, said: str) -> None:
    (line,) = complaints(text)
    assert said in line


def test_two_tags_may_say_the_same_variable_to_different_hosts() -> None:
    lock = composed(TAGS + '[tags.us]\nhosts = ["web2"]\nenv = { REGION = "us" }\n')
    assert lock.environment("web", "web2") == {"REGION": "us"}


def test_a_healthcheck_of_a_roles_own() -> None:
    lock = composed(
        MINIMAL
        + '[healthcheck]\npath = "/up"\nport = 8000\nlimit = 60\n'
        + '[roles.job]\nhosts = ["local"]\n[roles.job.healthcheck]\nport = 9000\n'
        + '[roles.idle]\nhosts = ["local"]\nhealthcheck = false\n'
    )
    assert (
        lock.healthcheck_of("web")
        == lock.healthcheck
        == Healthcheck(path="/up", port=8000, limit=60)
    )
    assert lock.healthcheck_of("job") == Healthcheck(port=9000)
    assert lock.healthcheck_of("idle") is None
    said = to_document(lock)["roles"]
    assert said["web"]["healthcheck"] is True
    assert said["job"]["healthcheck"]["port"] == 9000


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('[roles.web.healthcheck]\npath = "/up"\n', "roles.web.healthcheck.port"),
        ("healthcheck = 8000\n", "roles.web.healthcheck: found 8000, expected true or false or a"),
        ("healthcheck = { prt = 1 }\n", "roles.web.healthcheck.prt"),
    ],
)
def test_a_healthcheck_of_a_roles_own_that_makes_no_sense(added: str, said: str) -> None:
    (line,) = complaints(MINIMAL + added)
    assert said in line
