"""A server over SSH: containers, images, files, programs, output."""

import os
import threading

import pytest

from lockship.host.connect import local
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Published
from tests.fleet.host.conftest import Connect, spec
from tests.harness import Fleet, until


def test_a_container_is_created_as_specified(web1: Server) -> None:
    wanted = spec(
        "shop-web",
        "busybox:1.36",
        "sh",
        "-c",
        'echo "$GREETING"; exec sleep 100',
        env={"GREETING": "hällo 'w\"orld' $HOME"},
        labels={"dev.lockship.project": "shop", "odd": "a=b c"},
        ports=("127.0.0.1:8081:80", "8082:81/udp"),
        volumes=("shop-data:/data", "/srv:/srv:ro"),
        restart="unless-stopped",
        memory="64m",
        cpus=0.5,
    )
    created = web1.create(wanted)
    web1.start("shop-web")
    web1.start("shop-web")
    found = web1.container("shop-web")
    assert found is not None
    assert found.id == created
    assert found.state == "running"
    assert found.labels == wanted.labels
    assert found.published == (
        Published(8081, 80, "tcp", "127.0.0.1"),
        Published(8082, 81, "udp", ""),
    )
    assert found.address.startswith("172.")
    assert list(web1.logs("shop-web")) == ["hällo 'w\"orld' $HOME".encode()]
    assert [c.name for c in web1.containers({"dev.lockship.project": "shop"})] == ["shop-web"]
    assert [c.name for c in web1.containers({"dev.lockship.project": ""})] == ["shop-web"]
    assert web1.containers({"dev.lockship.project": "other"}) == []
    assert [c.published for c in web1.containers({})] == [found.published]
    assert web1.remove_image("busybox:1.36") is False, "in use"
    web1.stop("shop-web", 1)
    stopped = web1.container("shop-web")
    assert stopped is not None
    assert stopped.state == "exited"
    assert stopped.published == found.published, "what it will publish again"
    assert stopped.address == ""
    web1.remove("shop-web")
    assert web1.container("shop-web") is None


def test_gone_things_are_fine(web1: Server) -> None:
    web1.stop("nobody", 1)
    web1.remove("nobody")
    assert web1.container("nobody") is None
    assert web1.image("nobody:1") is None
    assert web1.remove_image("nobody:1") is False
    with pytest.raises(HostError, match="web1: start nobody: No such container"):
        web1.start("nobody")


def test_the_list_knows_states_and_exit_codes(web1: Server) -> None:
    web1.create(spec("ended", "busybox:1.36", "sh", "-c", "exit 7"))
    web1.create(spec("waiting", "busybox:1.36", "true"))
    web1.start("ended")
    until(lambda: web1.container("ended").state == "exited", 5, "the end")  # type: ignore[union-attr]
    found = {c.name: (c.state, c.exit_code) for c in web1.containers({})}
    assert found == {"ended": ("exited", 7), "waiting": ("created", 0)}


def test_a_taken_port_says_so(web1: Server) -> None:
    for name in ("one", "two"):
        web1.create(spec(name, "busybox:1.36", "sleep", "100", ports=("8085:80",)))
    web1.start("one")
    with pytest.raises(HostError) as caught:
        web1.start("two")
    assert caught.value.kind == "port-taken"
    assert "docker ps" in caught.value.hint


def test_logs_are_lines_of_both_streams(web1: Server) -> None:
    script = "printf 'a\\nb'; echo err >&2; printf 'c\\n'; printf last"
    web1.create(spec("talker", "busybox:1.36", "sh", "-c", script))
    web1.start("talker")
    until(lambda: web1.container("talker").state == "exited", 5, "the end")  # type: ignore[union-attr]
    assert sorted(web1.logs("talker")) == [b"a", b"bc", b"err", b"last"]
    assert list(web1.logs("talker", tail=0)) == []
    with pytest.raises(HostError, match="No such container"):
        list(web1.logs("nobody"))


def test_followed_logs_come_at_once_and_end_with_the_container(web1: Server) -> None:
    web1.create(spec("ticker", "busybox:1.36", "sh", "-c", "while echo tick; do sleep 0.1; done"))
    web1.start("ticker")
    lines = web1.logs("ticker", follow=True)
    assert next(lines) == b"tick"
    web1.stop("ticker", 0)
    assert set(lines) <= {b"tick"}
    assert web1.containers({}), "the connection is fine after a followed log"


def test_exec_passes_input_output_and_status(
    web1: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    web1.create(spec("box", "busybox:1.36", "sleep", "100"))
    web1.start("box")
    folder = tmp_path_factory.mktemp("exec")
    (folder / "in").write_bytes(b"x" * 300_000)
    with (
        (folder / "in").open("rb") as given,
        (folder / "out").open("wb") as out,
        (folder / "err").open("wb") as err,
    ):
        files = (given.fileno(), out.fileno(), err.fileno())
        argv = ["sh", "-c", 'cat; echo "$1" >&2; exit 42', "sh", "it's $HOME"]
        assert web1.exec("box", argv, files=files) == 42
    assert (folder / "out").read_bytes() == b"x" * 300_000
    assert (folder / "err").read_bytes() == b"it's $HOME\n"
    with pytest.raises(HostError, match="is not running"):
        web1.stop("box", 0)
        web1.exec("box", ["true"])


def test_exec_with_a_terminal(web1: Server) -> None:
    web1.create(spec("box", "busybox:1.36", "sleep", "100"))
    web1.start("box")
    controller, terminal = os.openpty()
    try:
        status = web1.exec(
            "box", ["sh", "-c", "tty; stty size; exit 3"], tty=True, files=(terminal,) * 3
        )
        shown = os.read(controller, 1000)
    finally:
        os.close(controller)
        os.close(terminal)
    assert status == 3
    assert b"/dev/pts/" in shown


def test_files(as_user: Fleet, web1: Server) -> None:
    home = as_user.hosts[0].home
    assert web1.read_file(".lockship/shop/state") is None
    assert web1.list_folder(".lockship/shop") == []
    assert web1.read_tail(".lockship/journal", 10) == b""
    web1.write_file(".lockship/shop/state", b"one")
    web1.write_file(".lockship/shop/state", b"two" * 100_000)
    assert web1.read_file(".lockship/shop/state") == b"two" * 100_000
    assert web1.list_folder(".lockship/shop") == ["state"], "nothing unfinished is left"
    assert (home / ".lockship/shop").stat().st_mode & 0o777 == 0o700
    assert (home / ".lockship/shop/state").stat().st_mode & 0o777 == 0o600
    web1.append_line(".lockship/shop/deep/journal", b"first")
    web1.append_line(".lockship/shop/deep/journal", b"second\n")
    assert web1.read_tail(".lockship/shop/deep/journal", 7) == b"second\n"
    assert (home / ".lockship/shop/deep/journal").read_bytes() == b"first\nsecond\n"
    assert (home / ".lockship/shop/deep/journal").stat().st_mode & 0o777 == 0o600
    web1.write_file("/srv/absolute", b"x", 0o644)
    assert (as_user.hosts[0].root / "srv/absolute").stat().st_mode & 0o777 == 0o644
    web1.remove_file("/srv/absolute")
    web1.remove_file("/srv/absolute")
    with pytest.raises(HostError, match="web1: write /proc/x"):
        web1.write_file("/proc/x", b"")


def test_lines_of_two_writers_stay_apart(as_user: Fleet, web1: Server, to: Connect) -> None:
    second = to(as_user.hosts[0])

    def write(server: Server, letter: bytes) -> None:
        for _ in range(50):
            server.append_line("journal", letter * 1000)

    threads = [threading.Thread(target=write, args=args) for args in ((web1, b"a"), (second, b"b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (as_user.hosts[0].home / "journal").read_bytes().splitlines()
    assert sorted(lines) == [b"a" * 1000] * 50 + [b"b" * 1000] * 50


def test_programs(web1: Server) -> None:
    process = web1.spawn(
        ["sh", "-c", 'read x; echo "$x $1"; echo bad >&2; exit 3', "sh", "a 'b\"c"]
    )
    assert process.poll() is None
    with pytest.raises(TimeoutError):
        process.readline(0.1)
    process.write(b"hello\n")
    assert process.readline(5) == b"hello a 'b\"c\n"
    assert process.wait(5) == 3
    assert process.readline(5) == b""
    assert process.errors() == "bad\n"
    process.close()


def test_this_machine_is_a_server_too(as_user: Fleet) -> None:
    with local() as here:
        info = here.engine_info()
        assert (info.platform, info.containerd_store) == ("linux/amd64", False)
        assert here.image("busybox:1.36") is not None
        here.write_file("a/b", b"1")
        assert here.read_file("a/b") == b"1"
        assert here.list_folder("a") == ["b"]
        assert (as_user.home.path / "a").stat().st_mode & 0o777 == 0o700
        here.append_line("a/j", b"1")
        here.append_line("a/j", b"2")
        assert here.read_tail("a/j", 2) == b"2\n"
        process = here.spawn(["sh", "-c", "read x; echo got $x; pwd; exit 4"])
        process.write(b"y\n")
        assert process.readline(5) == b"got y\n"
        assert process.readline(5) == f"{as_user.home.path}\n".encode()
        assert process.wait(5) == 4
        process.close()
        here.create(spec("box", "busybox:1.36", "sleep", "100"))
        here.start("box")
        assert here.exec("box", ["sh", "-c", "exit 9"], files=(0, 1, 2)) == 9
        here.remove("box")
