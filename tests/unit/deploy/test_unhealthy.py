"""What is said of containers that aren't healthy: a sentence for a cause, a failure told once."""

from __future__ import annotations

import pytest

from lockship.deploy.advice import advice
from lockship.deploy.fleet import gathered
from lockship.deploy.sockets import Listening
from lockship.deploy.unhealthy import Answer, Asked, ProbeFailed
from lockship.errors import LockshipError
from lockship.host.types import Container, ContainerState

HTTP = Asked("http://a:80/up", "http", 80)
OWN = Asked("its HEALTHCHECK", "own")
REFUSED = Answer(False, "connection refused")


def container(state: ContainerState = "running", *, oom: bool = False) -> Container:
    image = "sha256:0123456789abcdef"
    return Container(id="id", name="web", image_id=image, state=state, labels={}, oom_killed=oom)


@pytest.mark.parametrize(
    ("found", "answer", "asked", "ports", "said"),
    [
        (container(oom=True), REFUSED, HTTP, (), "`memory`"),
        (container("exited"), REFUSED, HTTP, (), "docker run --rm 0123456789ab"),
        (container("restarting"), REFUSED, HTTP, (), "docker run --rm 0123456789ab"),
        (container(), REFUSED, HTTP, None, "does it listen on 0.0.0.0"),
        (container(), REFUSED, HTTP, (), "nothing listens there yet"),
        (container(), REFUSED, HTTP, (Listening(80, False),), "listens on 127.0.0.1 only"),
        (container(), REFUSED, HTTP, (Listening(3000, True),), "listens on 3000, not on 80"),
        (container(), Answer(False, "starting"), OWN, None, "after the HEALTHCHECK's interval"),
        (container(), Answer(False, "unhealthy: sh: curl: not found"), OWN, None, "in the image"),
        (container(), Answer(False, "unhealthy: 3 jobs late"), OWN, None, "HEALTHCHECK says so"),
        (container(), Answer(False, "no answer within 5 s"), HTTP, (), "healthcheck.limit"),
        (
            container(),
            Answer(False, "status 500 to /sorry", status=500, target="/sorry"),
            HTTP,
            (),
            "set healthcheck.path or healthcheck.status to what the service answers",
        ),
        (container(), Answer(False, "status 400", status=400), HTTP, (), "healthcheck.host"),
        (
            container(),
            Answer(False, "status 308", status=308, target="https://a/up"),
            HTTP,
            (),
            "healthcheck.status = [308]",
        ),
        (
            container(),
            Answer(False, "status 302", status=302, target="/login"),
            HTTP,
            (),
            "a page that doesn't redirect",
        ),
    ],
)
def test_each_usual_cause_has_its_advice(
    found: Container,
    answer: Answer,
    asked: Asked,
    ports: tuple[Listening, ...] | None,
    said: str,
) -> None:
    assert said in advice(found, answer, asked, ports)


def test_of_hosts_that_failed_alike_the_first_one_tells() -> None:
    failed: dict[str, LockshipError] = {
        host: ProbeFailed(f"{host}: web isn't healthy: refused", details=["asked: x", "  | log"])
        for host in ("web1", "web2", "web3")
    }
    failed["web1"].alike = failed["web3"].alike = "refused"
    failed["web2"].alike = "refused otherwise"
    assert gathered("Failed.", failed).details == (
        "web1: web isn't healthy: refused",
        "  asked: x",
        "    | log",
        "web2: web isn't healthy: refused",
        "  asked: x",
        "    | log",
        "web3: web isn't healthy: refused",
        "  as on web1",
    )
