"""A secret in every place that takes one: nowhere else is a byte of it, however a deploy ends."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.fleet.shop import Shop, config, environment
from tests.harness import Fleet, Result

PLANTED = {
    "TOKEN": "t0ken-of-the-container-8814",
    "BUILD": "build-s3cret-5527-qwertz",
    "DB": "p4ssword-of-the-database-31",
}
TABLES = """\
[roles.job]
hosts = ["web1"]
command = ["sleep", "1000"]
secrets = ["TOKEN"]
healthcheck = false
stop-timeout = 1

[build]
secrets = ["BUILD"]

[image]
repository = "{address}/acme/shop"

[registry]
username = "{user}"
password = "REGISTRY"

[accessories.db]
image = "cache:1"
hosts = ["web1"]
command = ["sleep", "1000"]
secrets = ["DB"]
stop-timeout = 0.1

[secrets]
TOKEN = "env:SHOP_TOKEN"
BUILD = "cmd:printenv SHOP_BUILD"
REGISTRY = "env:SHOP_REGISTRY"
DB = "dotenv:../env#DB"
"""
DOCKERFILE = """\
FROM busybox:1.36
RUN --mount=type=secret,id=BUILD cat /run/secrets/BUILD | wc -c >/length
COPY site /www
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""
# What a careless person would write; it has lockship's own environment.
TELLTALE = "#!/bin/sh\nenv\nenv | base64\n"


def forms(value: str) -> list[bytes]:
    """A value, and its usual encodings without what their neighbours have a part in."""
    raw = value.encode()
    return [raw, raw.hex().encode(), *_base64(raw)]


def pieces(value: str) -> list[bytes]:
    """What of a value's base64 may be in one line of it, wherever it is wrapped."""
    return [
        encoded[at : at + 12]
        for encoded in _base64(value.encode())
        for at in range(len(encoded) - 11)
    ]


def _base64(raw: bytes) -> list[bytes]:
    return [base64.b64encode(bytes(n) + raw)[4:-4] for n in range(3)]


class Watch:
    """Everything that is to be searched, and the search."""

    def __init__(self, values: list[str]) -> None:
        self.forms = [form for value in values for form in forms(value)]
        self.pieces = [piece for value in values for piece in pieces(value)]
        self.printed: list[str] = []

    def saw(self, done: Result) -> Result:
        self.printed += [done.stdout, done.stderr]
        return done

    def assert_clean(self, data: bytes, where: str) -> None:
        found = [form for form in self.forms if form in data]
        assert not found, f"{found} in {where}"

    def assert_clean_below(self, folder: Path, *, but: tuple[str, ...] = ()) -> None:
        for path in folder.rglob("*"):
            if not any(part in path.parts for part in but) and path.is_file():
                with suppress(OSError):  # a socket, or gone meanwhile
                    self.assert_clean(path.read_bytes(), str(path))

    @contextmanager
    def process_list(self) -> Iterator[None]:
        """Look at every process's words, again and again, while the block runs."""
        ended = threading.Event()
        seen: set[bytes] = set()

        def look() -> None:
            while not ended.wait(0.01):
                for path in Path("/proc").glob("[0-9]*/cmdline"):
                    with suppress(OSError):
                        seen.add(path.read_bytes())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
        self.assert_clean(b"\n".join(seen), "the process list")


def test_no_byte_of_a_planted_secret_is_elsewhere(clean_fleet: Fleet, tmp_path: Path) -> None:
    registry = clean_fleet.registry
    assert registry
    home = clean_fleet.engine
    home.docker("tag", "busybox:1.36", "cache:1")
    tables = TABLES.format(address=registry.address, user=registry.user)
    shop = Shop.create(
        clean_fleet, tmp_path / "shop", config(hosts=("web1",), ports="", more=tables)
    )
    (tmp_path / "env").write_text(f"DB={PLANTED['DB']}\n")
    shop.write("Dockerfile", DOCKERFILE)
    for name in ("pre-deploy", "post-deploy", "deploy-failed"):
        shop.write(f".lockship/hooks/{name}", TELLTALE)
        (shop.folder / f".lockship/hooks/{name}").chmod(0o755)
    shop.commit("Take secrets everywhere")
    env = {
        "SHOP_TOKEN": PLANTED["TOKEN"],
        "SHOP_BUILD": PLANTED["BUILD"],
        "SHOP_REGISTRY": registry.password,
    }
    watch = Watch([*PLANTED.values(), registry.password])

    def run(*words: str, expect: int = 0) -> str:
        return watch.saw(shop.run(*words, expect=expect, env=env)).stderr

    with watch.process_list():
        run("prepare")
        run("secrets", "check")
        run("build")
        run("accessory", "boot")
        assert "SHOP_TOKEN=[hidden]" in run("deploy"), "hooks are masked too"
        assert environment(shop.running("web1"))["TOKEN"] == PLANTED["TOKEN"]
        length = home.docker("run", "--rm", shop.running("web1")["Image"], "cat", "/length")
        assert int(length) == len(PLANTED["BUILD"]), "the build had it"
        run("deploy", "--refresh-secrets")

        # A version that tells all it has when it dies, and a build that does.
        tell = 'CMD ["sh", "-c", "env; env | base64; exit 1"]\n'
        shop.write("Dockerfile", DOCKERFILE.rpartition("CMD")[0] + tell)
        shop.write("lockship.toml", (shop.folder / "lockship.toml").read_text().replace("60", "3"))
        shop.commit("Tell everything")
        run("prepare")
        assert "TOKEN=[hidden]" in run("deploy", expect=1)
        telling = "RUN --mount=type=secret,id=BUILD cat /run/secrets/BUILD; false\n"
        shop.write("Dockerfile", f"FROM busybox:1.36\n{telling}")
        shop.commit("Tell in the build")
        run("prepare")
        assert "[hidden]" in run("build", expect=1)
        run("rollback", expect=1)  # nothing to go back to: the first one serves
        run("status", "--json", expect=3)
        run("audit", "verify", "--hosts")
        run("accessory", "logs", "db")

    printed = "".join(watch.printed).encode()
    watch.assert_clean(printed, "what was printed")
    assert not [piece for piece in watch.pieces if piece in printed], "wrapped base64"
    watch.assert_clean_below(shop.folder)
    watch.assert_clean_below(clean_fleet.home.path, but=("config.json",))  # docker's own login
    # The engine keeps a container's variables for itself (docs/secrets.md says so).
    watch.assert_clean_below(clean_fleet["web1"].root, but=("docker",))
    for folder in ("/tmp", "/dev/shm"):
        for left in Path(folder).glob("lockship-*"):
            watch.assert_clean_below(left)
    for found in shop.containers("web1"):
        labels = json.dumps({**found, "Config": {**found["Config"], "Env": None}})
        watch.assert_clean(labels.encode(), "the container's labels")
        image = home.docker("history", "--no-trunc", found["Image"])
        watch.assert_clean(image.encode(), "the image's history")
        saved = subprocess.run(
            ["docker", "-H", home.url, "save", found["Image"]], capture_output=True, check=True
        )
        watch.assert_clean(saved.stdout, "the image's layers")
