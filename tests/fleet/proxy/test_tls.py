"""TLS at the real proxy: a certificate from secrets."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from pathlib import Path

from tests.fleet.proxy.conftest import config, service
from tests.fleet.proxy.test_on_the_way import Answer, ask
from tests.harness import Fleet, until
from tests.harness.certs import issue

PROXY = 'hosts = ["shop.test"]\nsecurity-headers = true\n'
OWN = """\
[proxy.tls]
certificate = "CERTIFICATE"
key = "KEY"

[secrets]
CERTIFICATE = "file:../tls/server.crt"
KEY = "file:../tls/server.key"
"""


def ask_tls(address: str, authority: Path, path: str = "/", *, name: str = "shop.test") -> Answer:
    """Ask over TLS, as a client that trusts one authority and asks for a name."""
    context = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPConnection(address, 443, timeout=10)
    with socket.create_connection((address, 443), timeout=10) as made:
        connection.sock = context.wrap_socket(made, server_hostname=name)
        connection.request("GET", path, headers={"Host": name})
        answer = connection.getresponse()
        found = Answer(answer.status, answer.read(), answer.headers)
        connection.close()
        return found


def answers(address: str, authority: Path) -> bool:
    try:
        return ask_tls(address, authority).status == 200
    except OSError:  # of which ssl.SSLError is one
        return False


def test_tls_with_a_certificate_from_secrets(proxied: Fleet, tmp_path: Path) -> None:
    host = proxied["web1"]
    address = host.address
    authority = issue(tmp_path / "tls", "shop.test")
    key = (tmp_path / "tls/server.key").read_text().splitlines()[1]
    text = config(hosts=("web1",), proxy=PROXY, more=OWN)
    shop = service(proxied, tmp_path / "shop", text)
    shop.run("prepare")
    deployed = shop.run("deploy")
    answer = ask_tls(address, authority)
    assert (answer.status, answer.body) == (200, b"none")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    told = json.loads(ask_tls(address, authority, "/headers").body)
    assert told["X-Forwarded-Proto"] == "https"
    sent = ask(address, "/a?b=c", port=80, Host="shop.test")
    assert (sent.status, sent.headers["Location"]) == (301, "https://shop.test/a?b=c")
    sent = ask(address, "/a", port=80, body=b"x", Host="shop.test")
    assert sent.status == 308, "a POST stays one"

    # The key is in the proxy's container, and nowhere that lockship writes or tells.
    environment = shop.running("web1")["Config"]["Env"]
    assert not any(each.startswith(("KEY=", "CERTIFICATE=")) for each in environment)
    assert key in host.docker("cp", "lockship-proxy:/etc/lockship/certificates", "-")
    told_of = host.docker("inspect", "lockship-proxy") + deployed.stderr
    files = [path for path in (host.home / ".lockship").rglob("*") if path.is_file()]
    assert key not in told_of + "".join(path.read_text(errors="replace") for path in files)

    # It outlives a reboot of the proxy, and a restart of its container as after the host's.
    shop.run("proxy", "reboot")
    assert ask_tls(address, authority).status == 200
    host.docker("restart", "lockship-proxy")
    until(lambda: answers(address, authority), 20, "the restarted proxy to answer")

    # Another one's key: the proxy doesn't show the certificate, so all goes back.
    issue(tmp_path / "other", "shop.test")
    right = (tmp_path / "tls/server.key").read_bytes()
    (tmp_path / "tls/server.key").write_bytes((tmp_path / "other/server.key").read_bytes())
    shop.write("version", "with another key\n")
    shop.commit("Say that")
    shop.run("prepare")
    failed = shop.run("deploy", expect=4)
    assert "doesn't show the certificate of shop.test" in failed.stderr
    assert ask_tls(address, authority).body == b"none"
    (tmp_path / "tls/server.key").write_text("no key\n")
    assert "The secret KEY has no private key" in shop.run("deploy", expect=1).stderr
    (tmp_path / "tls/server.key").write_bytes(right)
    shop.run("deploy")
    assert ask_tls(address, authority).body == b"with another key"

    # A new certificate and no new lock.
    renewed = issue(tmp_path / "renewed", "shop.test")
    for name in ("server.crt", "server.key"):
        (tmp_path / "tls" / name).write_bytes((tmp_path / "renewed" / name).read_bytes())
    assert "nothing was to be done" in shop.run("deploy").stderr
    shop.run("deploy", "--refresh-secrets")
    assert ask_tls(address, renewed).body == b"with another key"
