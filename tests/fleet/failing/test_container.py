"""A new container that doesn't become healthy: the old one never notices."""

import re

import pytest

from tests.fleet.failing.service import Service

_CGI = """\
FROM busybox:1.36
COPY site /www
COPY --chmod=755 cgi /www/cgi-bin
EXPOSE 80
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""
_ANSWER = "#!/bin/sh\nprintf 'Status: {status}\\r\\nLocation: /elsewhere\\r\\n\\r\\n'\n"


@pytest.mark.parametrize(
    ("role", "said", "hint"),
    [
        pytest.param(
            'command = ["/no/such/program"]',
            "/no/such/program",
            "see the role's `command`",
            id="bad command",
        ),
        pytest.param(
            # What a terminal obeys, and what a CI that reads the output would.
            r"""command = ["printf", '\033]0;x\007\n::error::I give up\n']""",
            "  | ::error::I give up",
            "its log says why it ended",
            id="exits at once",
        ),
        pytest.param(
            'command = ["sleep", "1000"]',
            "connection refused",
            "nothing listens there yet",
            id="refuses",
        ),
        pytest.param(
            'command = ["nc", "-ll", "-p", "80", "-e", "sleep", "1000"]',
            "no answer within",
            "raise healthcheck.limit",
            id="never answers",
        ),
    ],
)
def test_command_that_serves_nothing(beside: Service, role: str, said: str, hint: str) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change(f"broken by {said}", role=role + "\nstop-timeout = 1", limit=2)
    failed = beside.deploy(expect=1)
    assert "The deploy failed before the switch" in failed
    # Whichever host fails first stops the other one.
    assert re.search("web[12]: ", failed.partition("error:")[2])
    assert said in failed
    assert hint in failed
    assert "\x1b" not in failed
    beside.nothing_left(before, old)
    assert set(beside.outcomes("web1", version)) <= {"failed"}
    beside.change(f"mended after {said}")
    beside.mended(f"mended after {said}")


@pytest.mark.parametrize(
    ("status", "answer", "hint"),
    [
        ("500 Oops", "status 500", "set healthcheck.path or healthcheck.status"),
        ("302 Found", "to /elsewhere", "set healthcheck.path to a page that doesn't redirect"),
    ],
)
def test_wrong_answer(beside: Service, status: str, answer: str, hint: str) -> None:
    old, before = beside.body("web1"), beside.world()
    beside.shop.write("cgi/up", _ANSWER.format(status=status))
    beside.change(f"answering {status}", dockerfile=_CGI, path="/cgi-bin/up", limit=2)
    failed = beside.deploy(expect=1)
    assert answer in failed
    assert "/cgi-bin/up" in failed
    assert hint in failed
    beside.nothing_left(before, old)
    beside.change(f"mended after {status}")
    beside.mended(f"mended after {status}")


def test_one_host_of_four_keeps_all_from_switching(beside: Service) -> None:
    hosts = ("web1", "web2", "web3", "web4")
    four = ", ".join(f'"{host}"' for host in hosts)
    old = beside.body("web1")
    with beside.fleet.extra_host("web4"):
        for host in hosts:
            beside.gate(host, healthy=True)
        beside.change("on four", hosts=four)
        beside.deploy()
        before = beside.world(*hosts)
        assert old not in (beside.body("web1"), beside.body("web4"))
        version = beside.change("not on four", hosts=four, limit=3)
        beside.gate("web3", healthy=False)
        failed = beside.deploy(expect=1)
        assert "web3: " in failed
        assert "404" in failed
        assert "web1: " not in failed.partition("error:")[2]
        beside.nothing_left(before, "on four")
        assert [beside.outcomes(host, version) for host in before] == [["failed"]] * 4
        beside.gate("web3", healthy=True)
        beside.deploy()
        assert {beside.body(host) for host in hosts} == {"not on four"}
    beside.settled("not on four")
