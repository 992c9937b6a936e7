"""TLS by ACME: the real proxy, and a real ACME server that asks it for its challenge."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.proxy.test_on_the_way import ask, this_machine
from tests.fleet.proxy.test_tls import answers, ask_tls
from tests.harness import Fleet, until
from tests.harness.acme import acme_server
from tests.harness.images import TRAEFIK

TRUSTING = "traefik:v3.7-trusting"
SETTINGS = f"""\
[proxy.tls]
acme = true

[proxy.server]
image = "{TRUSTING}"
acme-email = "ops@example.com"
acme-server = "%s"
"""


def test_tls_by_acme(proxied: Fleet, tmp_path: Path) -> None:
    host = proxied["web1"]
    address = host.address
    with acme_server(tmp_path / "acme", this_machine(address), host=address) as server:
        # The proxy's image with one more authority: that of the test's server itself.
        (tmp_path / "acme/Dockerfile").write_text(
            f"FROM {TRAEFIK[0]}\nCOPY ca.crt /etc/ssl/certs/ca-certificates.crt\n"
        )
        proxied.engine.docker("build", "--quiet", "--tag", TRUSTING, str(tmp_path / "acme"))
        text = config(
            hosts=("web1",), proxy='hosts = ["shop.test"]\n', more=SETTINGS % server.directory
        )
        shop = service(proxied, tmp_path / "shop", text)
        release(shop, "one")
        issued = tmp_path / "issued.pem"
        issued.write_text(server.root())
        until(lambda: answers(address, issued), 30, "the certificate that the proxy asks for")
        assert ask_tls(address, issued).body == b"one"
        assert ask(address, "/", port=80, Host="shop.test").status == 301
    # Nobody is there any more to ask for another one: it was kept.
    shop.run("proxy", "reboot")
    until(lambda: answers(address, issued), 10, "the same certificate after a reboot")
