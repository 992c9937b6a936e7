"""Every kind of route file as the real Traefik reads it: one that it can't costs all others."""

from __future__ import annotations

import html
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lockship.deploy.proxy import confirm, container, edit, maintenance, plugin, route
from lockship.lock.proxy import Proxy, ProxyServer, ProxyTls
from tests.harness import until

KINDS = {
    "plain": Proxy(port=80),
    "named": Proxy(port=80, hosts=("a.test", "b.test"), path_prefixes=("/x", "/y"), sticky=True),
    "buffering": Proxy(port=80, hosts=("c.test",), buffering=True),
    "limited": Proxy(port=80, hosts=("d.test",), max_body="10m", response_timeout=0.5),
    "headers": Proxy(port=80, hosts=("e.test",), security_headers=True, sticky="seat"),
    "pages": Proxy(port=80, hosts=("f.test",), error_pages="/errors/{status}.html"),
    "stripped": Proxy(port=80, path_prefixes=("/z",), strip_prefix=True),
    "tls": Proxy(port=80, hosts=("g.test",), tls=ProxyTls(certificate="CERT", key="KEY")),
    "acme": Proxy(port=80, hosts=("h.test",), tls=ProxyTls(acme=True, redirect=False)),
}
MESSAGES = ("{{ env `PATH` }} {{", '"}}\\ {{{', "\u202e{{<b>&\t{{")
SERVER = ProxyServer(https_port=443, request_timeout=90, access_log=True, trusted=("10.0.0.0/8",))


@contextmanager
def traefik(folder: Path) -> Iterator[tuple[int, int]]:
    """Run the proxy as its container does, on files below `folder`; tell its ports, API first."""
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        api, plain, secure = (each.getsockname()[1] for each in free)
    ports = {"address=:8080": api, "address=:80": plain, "address=:443": secure}
    argv = [f"{each}." for each in container.arguments(SERVER)]  # a dot ends what is replaced
    for old, port in ports.items():
        argv = [each.replace(f"{old}.", f"address=127.0.0.1:{port}.") for each in argv]
    argv = [each[:-1].replace("/etc/lockship/dynamic", f"{folder}/dynamic") for each in argv]
    for path, data in plugin.files("/x/dynamic").items():
        file = folder / path.replace("/x/plugins", "plugins-local")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    program = Path(sys.executable).parent / "traefik"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *argv], cwd=folder, stdout=log, stderr=log)
    try:
        yield api, plain
    finally:
        process.kill()
        process.wait()


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_every_kind_of_route_is_read_and_served(tmp_path: Path) -> None:
    files = {}
    for kind, proxy in KINDS.items():
        files[kind] = route.render(proxy, kind, f"f00-ba4.web.{kind}.internal:80")
        files[f"{kind}-held"] = edit.held(route.render(proxy, f"{kind}-held", "a.internal:80"))
    for number, message in enumerate(MESSAGES):
        proxy = Proxy(port=80, path_prefixes=(f"/m{number}",))
        file = route.render(proxy, f"page{number}", "a.internal:80")
        files[f"page{number}"] = maintenance.put_on(file, f"page{number}", message)
    (tmp_path / "dynamic").mkdir()
    for name, text in files.items():
        (tmp_path / f"dynamic/{name}.yml").write_text(text)

    with traefik(tmp_path) as (api, plain):

        def unserved() -> list[str]:
            try:
                found = json.loads(get(api, "/api/rawdata")[1])
            except (OSError, ValueError):
                return list(files)
            return [name for name in files if not confirm.is_served(found, name, files[name])]

        log = tmp_path / "log"
        until(lambda: unserved() == [], 30, lambda: f"{unserved()}: {log.read_text()[-2000:]}")
        for number, message in enumerate(MESSAGES):
            status, body = get(plain, f"/m{number}")
            assert status == 503
            assert html.escape(message) in body.decode()
