"""Seeing a container healthy, and saying why it isn't."""

import re
import threading
import time

import pytest

from lockship.deploy.probe import Halted, confirm, probe
from lockship.deploy.unhealthy import ProbeFailed
from lockship.host.connect import connect, local
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.lock.container import ContainerOptions
from lockship.lock.role import Healthcheck
from tests.fleet.host.conftest import host_of, spec
from tests.harness import Fleet

SERVE = "mkdir -p /w && echo fine >/w/index.html && exec httpd -f -p 8080 -h /w"


def run(server: Server, command: str, **more: object) -> None:
    server.create(spec("web", "busybox:1.36", "sh", "-c", command, **more))
    server.start("web")


def check(server: Server, wanted: Healthcheck | None) -> float:
    begin = time.monotonic()
    probe(server, "web", wanted, stop=threading.Event())
    return time.monotonic() - begin


def fails(server: Server, wanted: Healthcheck | None) -> ProbeFailed:
    with pytest.raises(ProbeFailed) as caught:
        check(server, wanted)
    assert caught.value.message.startswith("web1: web isn't healthy: ")
    assert caught.value.hint
    return caught.value


def http(**more: object) -> Healthcheck:
    return Healthcheck(**({"path": "/", "port": 8080, "interval": 0.2, "limit": 3.0} | more))  # type: ignore[arg-type]


def test_http(web1: Server) -> None:
    run(web1, SERVE)
    check(web1, http(limit=30.0))


def test_http_by_name(web1: Server) -> None:
    """A service that answers whoever asks for its name, and sends all others away."""
    script = (
        'while read -r l; do case "$l" in "Host: shop.test"*) s="200 OK";; ?) break;; esac; done; '
        'printf "HTTP/1.0 ${s:-421 Misdirected Request}\\r\\n\\r\\n"'
    )
    run(web1, f"echo '{script}' >/s && exec nc -ll -p 8080 -e sh /s")
    check(web1, http(host="shop.test", limit=30.0))
    error = fails(web1, http(limit=1.0))
    assert "421" in error.message
    error = fails(web1, http(host="other.test", limit=1.0))
    assert error.details[0].endswith(":8080/ as other.test")


def test_http_on_the_only_exposed_port(web1: Server) -> None:
    run(web1, SERVE, ports=("8090:8080",))
    check(web1, http(port=None))


def test_http_that_comes_late_and_several_times(web1: Server) -> None:
    run(web1, f"sleep 1; {SERVE}")
    assert check(web1, http(successes=3, limit=30.0)) >= 1


def test_a_wrong_status(web1: Server) -> None:
    run(web1, f"echo starting; {SERVE}")
    error = fails(web1, http(path="/nothing", limit=1.0))
    assert "status 404 Not Found" in error.message
    assert "healthcheck.path" in error.hint
    assert error.details[0].endswith(":8080/nothing")
    assert error.details[-2:] == ("its last log line:", "  | starting")
    assert any(
        re.match(r"asked \d+ times in \d\.\d s \(limit 1 s\)", line) for line in error.details
    )
    check(web1, http(path="/nothing", status=(200, 404)))


def test_a_redirect_shows_its_target(web1: Server) -> None:
    run(web1, f"mkdir -p /w/sub; {SERVE}")
    error = fails(web1, http(path="/sub", limit=0.5))
    assert "status 302" in error.message
    assert "/sub/" in error.message
    assert "redirect" in error.hint
    script = "printf 'HTTP/1.0 301 Moved\\r\\nLocation: https://shop.test/\\r\\n\\r\\n'"
    assert web1.exec("web", ["sh", "-c", f'echo "{script}" >/s; nc -ll -p 8081 -e sh /s &']) == 0
    error = fails(web1, http(port=8081, limit=0.5))
    assert error.message.endswith("status 301 Moved to https://shop.test/")
    assert "HTTP to HTTPS" in error.hint
    assert "healthcheck.status = [301]" in error.hint


def test_nothing_listens(web1: Server) -> None:
    run(web1, "echo up; exec sleep 100")
    error = fails(web1, http(limit=1.0))
    assert "connection refused" in error.message
    assert "container: running" in error.details
    error = fails(web1, Healthcheck(port=8080, interval=0.2, limit=1.0))
    assert error.details[0].startswith("asked: tcp://")
    assert "nothing listens on a TCP port in the container" in error.details
    assert "healthcheck.limit" in error.hint


@pytest.mark.parametrize(
    ("listen", "seen", "hint"),
    [
        ("8000", "8000", "it listens on 8000, not on 80: set healthcheck.port"),
        ("127.0.0.1:80", "80 (from inside only)", "it listens on 127.0.0.1 only"),
    ],
)
def test_something_listens_elsewhere(web1: Server, listen: str, seen: str, hint: str) -> None:
    run(web1, f"exec httpd -f -p {listen} -h /")
    error = fails(web1, http(port=80, limit=1.0))
    assert f"in the container something listens on: {seen}" in error.details
    assert error.hint.startswith(hint)


def test_it_accepts_and_never_answers(web1: Server) -> None:
    run(web1, "exec nc -ll -p 8080 -e sleep 100")
    begin = time.monotonic()
    error = fails(web1, http(timeout=0.5, limit=2.0))
    assert "no answer within 0.5 s" in error.message
    assert time.monotonic() - begin < 20, "and not the 100 s that it would take"
    check(web1, Healthcheck(port=8080))


def test_it_answers_byte_by_byte_and_never_ends(web1: Server) -> None:
    """Each byte comes within the time-out of one read: the limit is for the whole answer."""
    drip = "printf 'HTTP/1.1 200 OK\\r\\nX-A: '; while sleep 0.1; do printf a; done"
    run(web1, f'echo "{drip}" >/s && exec nc -ll -p 8080 -e sh /s')
    begin = time.monotonic()
    assert "no answer within 0.5 s" in fails(web1, http(timeout=0.5, limit=1.0)).message
    assert time.monotonic() - begin < 20


def test_what_an_answer_says_is_shown_if_it_is_a_text_and_short(web1: Server) -> None:
    said = '{"status": "down", "database": "no route to db.internal"}'
    head = "printf 'HTTP/1.0 503 Service Unavailable\\r\\nContent-Type: %s\\r\\n\\r\\n'"
    answers = {
        8081: f"{head} application/json; echo '{said}'",
        8082: f"{head} text/plain; exec cat /dev/zero",
        8083: f"{head} text/html; echo '<h1>Oops</h1>'",
    }
    run(
        web1,
        "".join(
            f"cat >/{port} <<'END'\n{text}\nEND\nnc -ll -p {port} -e sh /{port} &\n"
            for port, text in answers.items()
        )
        + "wait",
    )
    for port in answers:
        details = fails(web1, http(port=port, limit=1.0)).details
        assert details[1] == "answer: status 503 Service Unavailable"
        if port == 8081:
            assert details[2] == f"  | {said}"
        else:
            assert details[2].startswith("asked "), "no page, and nothing that has no end"


def test_it_answers_something_else(web1: Server) -> None:
    run(web1, "exec nc -ll -p 8080 -e echo hello")
    assert "not an HTTP answer" in fails(web1, http(limit=1.0)).message


def test_a_container_that_exits_fails_at_once(web1: Server) -> None:
    run(web1, "echo one; echo two >&2; sleep 0.5; exit 3")
    begin = time.monotonic()
    error = fails(web1, http(limit=60.0))
    assert time.monotonic() - begin < 30, "not at the limit"
    assert "container: exited, exit code 3" in error.details
    assert sorted(error.details[-2:]) == ["  | one", "  | two"]
    assert "docker run --rm " in error.hint


def test_a_container_that_restarts_fails_at_once(web1: Server) -> None:
    run(web1, "sleep 0.5; exit 7", restart="always")
    begin = time.monotonic()
    error = fails(web1, http(limit=60.0))
    assert time.monotonic() - begin < 30, "not at the limit"
    # The engine forgets it when it starts it again; its events know it.
    assert "exit code 7, started again once" in " ".join(error.details).replace("ended with ", "")


def test_no_memory(web1: Server) -> None:
    run(web1, "x=a; while true; do x=$x$x; done", memory="8m")
    error = fails(web1, None)
    assert "exit" in " ".join(error.details)
    if "killed for lack of memory" in " ".join(error.details):
        assert "memory" in error.hint


def test_staying_up_is_enough_where_nothing_is_asked(web1: Server) -> None:
    run(web1, "exec sleep 100")
    assert 0.9 < check(web1, Healthcheck(interval=0.5, successes=2)) < 15
    assert 0.9 < check(web1, None) < 15
    web1.remove("web")
    run(web1, "sleep 0.3")
    fails(web1, None)


@pytest.mark.parametrize(
    ("test", "good"), [("test -e /tmp/ready", True), ("curl --fail http://localhost", False)]
)
def test_the_image_s_own_healthcheck(as_user: Fleet, web1: Server, test: str, good: bool) -> None:
    health = f"HEALTHCHECK --interval=300ms --retries=2 CMD {test}"
    dockerfile = (
        f'FROM busybox:1.36\n{health}\nCMD ["sh", "-c", "sleep 1; touch /tmp/ready; sleep 100"]\n'
    )
    built = as_user.engine.docker("build", "-q", "-", stdin=dockerfile).strip()
    with local() as here:
        web1.load(here.export(built))
    web1.create(spec("web", built))
    web1.start("web")
    wanted = Healthcheck(interval=0.2, limit=10 if good else 2)
    if good:
        check(web1, wanted)
    else:
        error = fails(web1, wanted)
        assert "unhealthy: /bin/sh: curl: not found" in error.message
        assert "the HEALTHCHECK's program must be in the image" in error.hint
        check(web1, None)
        # What the image asks of itself counts where it is asked, and there alone.
        confirm(web1, "web", Healthcheck(port=8080))
        with pytest.raises(ProbeFailed, match="now it is unhealthy: /bin/sh: curl"):
            confirm(web1, "web", Healthcheck())


def test_a_healthcheck_of_the_options_and_a_log_that_nobody_can_read(web1: Server) -> None:
    options = ContainerOptions(
        health_command=("test", "-e", "/tmp/ready"), health_interval=0.3, log_driver="none"
    )
    run(web1, "exec sleep 100", options=options)
    error = fails(web1, Healthcheck(interval=0.2, limit=1))
    assert error.details[0] == "asked: its HEALTHCHECK"
    assert any("its log can't be read: " in line for line in error.details)
    assert web1.exec("web", ["touch", "/tmp/ready"]) == 0
    check(web1, Healthcheck(interval=0.2, limit=10))


def test_it_stops_when_the_deploy_does(web1: Server) -> None:
    run(web1, "exec sleep 100")
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    begin = time.monotonic()
    with pytest.raises(Halted):
        probe(web1, "web", http(interval=20.0, limit=60.0), stop=stop)
    assert time.monotonic() - begin < 15, "not after the interval"


def test_a_container_that_is_removed_meanwhile(web1: Server) -> None:
    run(web1, "exec sleep 100")
    web1.remove("web")
    with pytest.raises(ProbeFailed, match="is gone"):
        check(web1, http())


def test_an_sshd_that_forwards_nothing(as_user: Fleet, web1: Server) -> None:
    host = as_user.hosts[0]
    config = host.root / "sshd/config"
    before = config.read_text()
    host.stop_sshd()
    config.write_text(before.replace("AllowTcpForwarding yes", "AllowTcpForwarding no"))
    host.start_sshd()
    try:
        with connect(host.name, host_of(host), timeout=5) as server:
            run(server, SERVE)
            with pytest.raises(HostError, match="sshd doesn't open") as caught:
                check(server, http())
            assert "AllowTcpForwarding" in caught.value.hint
    finally:
        host.stop_sshd()
        config.write_text(before)
