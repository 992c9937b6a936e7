"""The pure parts of the proxy: route files, the proxy's answers, tables of sockets."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from lockship.deploy import names
from lockship.deploy.proxy import confirm, container, edit, route
from lockship.deploy.proxy.middlewares import middlewares
from lockship.deploy.spec import container_spec
from lockship.host.spec import to_engine
from lockship.host.types import Container, Published
from lockship.lock.proxy import Proxy, ProxyServer, ProxyTls
from tests.unit.deploy.samples import make_lock, make_made
from tests.unit.deploy.test_routing import behind
from tests.unit.lock.strategies import structs

PATHS = Proxy(
    port=8000, hosts=("a.test", "b.test"), path_prefixes=("/x", "/y/z"), strip_prefix=True
)


UNCHECKED = middlewares(PATHS, "shop")["forwarded_shop"]
HOSTILE = (
    "a.test`) || Host(`b.test",
    'a.test"',
    "a.test\n",
    "a.test\r\nX-Evil: 1",
    "{{ env `HOME` }}",
    "$(id)",
    "a\\u0060.test",
    "a.test,--api.insecure=true",
    "/a/../b",
    "/..",
    "/a`) || PathPrefix(`/",
    "\u202e/a",
    "",
)


@given(structs(Proxy))
def test_what_is_rendered_is_read_back(proxy: Proxy) -> None:
    text = route.render(proxy, "shop.staging", "abc.web.shop.staging:8000")
    assert route.upstream_of(text) == "abc.web.shop.staging:8000"
    assert route.claims(text) == {
        (host, path) for host in proxy.hosts or ("",) for path in proxy.path_prefixes or ("",)
    }
    assert "{{" not in text, "Traefik would take it for a template"


@pytest.mark.parametrize(
    "key",
    ["hosts", "path_prefixes", "error_pages", "sticky", "max_body"]
    + [f"server.{key}" for key in ("image", "bind", "trusted", "metrics", "acme_email")]
    + ["server.acme_server", "tls.certificate", "tls.key"],
)
def test_no_lock_can_say_what_a_route_or_the_proxy_would_take_for_more(
    key: str,
) -> None:
    """Whoever wrote the lock: the shapes are the reader's, not only prepare's."""
    table, _, name = key.rpartition(".")
    for value in HOSTILE:
        given = [value] if name in ("hosts", "path_prefixes", "trusted") else value
        said: dict[str, Any] = {name.replace("_", "-"): given}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"port": 1} | ({table: said} if table else said), Proxy)


def test_a_prefix_is_a_whole_part_of_a_path_and_a_longer_one_goes_first() -> None:
    routers = route.routers_of(route.render(PATHS, "shop", "x:1"))
    assert routers["0_shop"]["rule"] == (
        "(Host(`a.test`) || Host(`b.test`)) && (Path(`/x`) || PathPrefix(`/x/`))"
    )
    assert routers["1_shop"]["priority"] > routers["0_shop"]["priority"]
    any_host = route.routers_of(route.render(Proxy(port=1, path_prefixes=("/y/z/a",)), "s", "x:1"))
    assert routers["0_shop"]["priority"] > any_host["0_s"]["priority"]


def http_of(proxy: Proxy) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(route.render(proxy, "shop", "x:1"))["http"]
    return found


def test_what_happens_on_the_way_is_the_services_own_and_in_order() -> None:
    http = http_of(
        Proxy(
            port=1,
            path_prefixes=("/a",),
            strip_prefix=True,
            max_body="10m",
            sticky="seat",
            security_headers=True,
            error_pages="/errors/{status}.html",
        )
    )
    assert http["routers"]["0_shop"]["middlewares"] == [
        "forwarded_shop",
        "headers_shop",
        "errors_shop",
        "buffering_shop",
        "strip_shop",
    ]
    assert http["middlewares"] == {
        "forwarded_shop": UNCHECKED,
        "headers_shop": {
            "headers": {
                "contentTypeNosniff": True,
                "frameDeny": True,
                "referrerPolicy": "strict-origin-when-cross-origin",
                "stsSeconds": 31536000,
            }
        },
        "errors_shop": {
            "errors": {"status": ["500-599"], "service": "shop", "query": "/errors/{status}.html"}
        },
        "buffering_shop": {"buffering": {"maxRequestBodyBytes": 10 * 2**20}},
        "strip_shop": {"stripPrefix": {"prefixes": ["/a"]}},
    }
    cookie = http["services"]["shop"]["loadBalancer"]["sticky"]["cookie"]
    assert cookie == {"name": "seat", "httpOnly": True, "sameSite": "lax"}


def test_without_a_word_only_what_nobody_could_check_is_taken_on_the_way() -> None:
    http = http_of(Proxy(port=1))
    assert http["middlewares"] == {"forwarded_shop": UNCHECKED}
    dropped = UNCHECKED["headers"]["customRequestHeaders"]
    assert {"Forwarded", "X-Forwarded-Ssl", "X_Forwarded_For", "X.Real-Ip"} <= dropped.keys()
    assert "X-Forwarded-For" not in dropped, "the proxy sets it"
    assert set(dropped.values()) == {""}
    assert http["routers"]["0_shop"]["middlewares"] == ["forwarded_shop"]
    assert "sticky" not in http["services"]["shop"]["loadBalancer"]
    assert http_of(Proxy(port=1, buffering=True))["middlewares"] == {
        "forwarded_shop": UNCHECKED,
        "buffering_shop": {"buffering": {"maxRequestBodyBytes": 0}},
    }
    named = http_of(Proxy(port=1, sticky=True))["services"]["shop"]["loadBalancer"]["sticky"]
    assert named["cookie"]["name"] == "lockship-shop"


WHERE = {"role_name": "web", "host": "web1", "name": "name"}
OWN = Proxy(
    port=1,
    hosts=("a.test",),
    tls=ProxyTls(certificate="CERT", key="KEY"),
    server=ProxyServer(https_port=8443),
)


def test_tls_with_a_certificate_of_ones_own() -> None:
    text = route.render(OWN, "shop", "f00-ba4.web.shop.internal:1")
    document = json.loads(text)
    secure, plain = (document["http"]["routers"][name] for name in ("0_shop", "0-plain_shop"))
    assert (secure["entryPoints"], secure["tls"]) == (["websecure"], {})
    assert secure["middlewares"] == ["forwarded_shop"]
    assert (plain["entryPoints"], plain["middlewares"]) == (["web"], ["redirect_shop"])
    assert "tls" not in plain
    assert secure["rule"] == plain["rule"]
    assert document["http"]["middlewares"]["redirect_shop"] == {
        "redirectScheme": {"scheme": "https", "permanent": True, "port": "8443"}
    }
    base = "/etc/lockship/certificates/shop-f00-ba4"
    files = {"certFile": f"{base}.crt", "keyFile": f"{base}.key"}
    assert document["tls"] == {"certificates": [files]}
    assert edit.certificate_files(text) == (f"{base}.crt", f"{base}.key")
    assert route.claims(text) == {("a.test", "")}
    other = route.render(OWN, "shop", "f01-ba4.web.shop.internal:1")
    assert edit.certificate_files(other) != edit.certificate_files(text), "a way back"


def test_tls_by_acme_without_a_redirect() -> None:
    proxy = Proxy(
        port=1, hosts=("a.test",), tls=ProxyTls(acme=True, redirect=False), buffering=True
    )
    document = json.loads(route.render(proxy, "shop", "x:1"))
    assert "tls" not in document
    secure, plain = (document["http"]["routers"][name] for name in ("0_shop", "0-plain_shop"))
    assert secure["tls"] == {"certResolver": "lockship"}
    assert secure["middlewares"] == plain["middlewares"] == ["forwarded_shop", "buffering_shop"]
    assert "redirect_shop" not in document["http"]["middlewares"]


def test_a_proxy_that_can_not_serve_tls_is_told_from_one_that_differs() -> None:
    def made(server: ProxyServer) -> Container:
        spec = container.proxy_spec(server, "id", "/f")
        ports = tuple(Published(int(p.split(":")[0]), int(p.split(":")[1])) for p in spec.ports)
        return Container("p", "p", "id", "running", spec.labels, published=ports)

    acme = Proxy(port=1, hosts=("a.test",), tls=ProxyTls(acme=True))
    assert container.lacks(made(ProxyServer()), PATHS) is None
    assert container.lacks(made(ProxyServer()), OWN) == "has no port for HTTPS"
    assert container.lacks(made(ProxyServer(https_port=444)), OWN) is None
    assert "acme-email" in str(container.lacks(made(ProxyServer(https_port=443)), acme))
    able = ProxyServer(https_port=443, acme_email="ops@example.com")
    assert container.lacks(made(able), acme) is None


@pytest.mark.parametrize("text", ["", "http: [", "[]", '{"http": 1}', '{"http": {"services": []}}'])
def test_a_file_that_is_none_claims_nothing(text: str) -> None:
    assert route.claims(text) == frozenset()
    assert route.upstream_of(text) == ""
    assert route.routers_of(text) == {}


def told(text: str, **changes: Any) -> dict[str, Any]:
    """What `GET /api/rawdata` of Traefik 3.7 says of a route file."""
    http = json.loads(text)["http"]
    service = next(iter(http["services"]))
    routers = {
        f"{name}@file": router
        | {"status": "enabled", "using": ["web"]}
        | {"middlewares": [f"{each}@file" for each in router.get("middlewares", [])]}
        for name, router in http["routers"].items()
    }
    services = {f"{service}@file": http["services"][service] | {"status": "enabled"}}
    return {"routers": routers | {"ping@internal": {}}, "services": services} | changes


def test_the_proxy_serves_a_file_only_when_it_says_all_of_it() -> None:
    text = route.render(PATHS, "shop", "new:8000")
    assert confirm.is_served(told(text), "shop", text)
    assert not confirm.is_served(told(route.render(PATHS, "shop", "old:8000")), "shop", text)
    assert not confirm.is_served({}, "shop", text)
    assert not confirm.is_served(told(text, services={}), "shop", text)
    fewer = route.render(Proxy(port=8000, hosts=("a.test",)), "shop", "new:8000")
    assert not confirm.is_served(told(text), "shop", fewer)
    assert not confirm.is_served(told(fewer), "shop", text)
    disabled = told(text)
    disabled["routers"]["0_shop@file"]["status"] = "disabled"
    assert not confirm.is_served(disabled, "shop", text)


def test_the_name_for_the_proxy_fits_dns_and_tells_images_apart() -> None:
    lock = behind()
    name = names.alias(lock, "web", make_made(lock).image_id, "shop-web")
    assert all(len(part) <= 63 for part in name.split("."))
    assert name != names.alias(lock, "web", "sha256:" + "0" * 64, "shop-web")


def test_only_a_role_behind_the_proxy_is_in_its_network() -> None:
    lock = behind()
    body = to_engine(container_spec(lock, make_made(lock), {}, **WHERE))
    upstream = body["Labels"][names.UPSTREAM]
    alias, _, port = upstream.partition(":")
    assert port == "8000"
    assert body["NetworkingConfig"]["EndpointsConfig"] == {"lockship": {"Aliases": [alias]}}
    plain = make_lock()
    body = to_engine(container_spec(plain, make_made(plain), {}, **WHERE))
    assert "NetworkingConfig" not in body
    assert names.UPSTREAM not in body["Labels"]


def test_the_proxys_settings_are_told_apart() -> None:
    servers = [
        ProxyServer(),
        ProxyServer(image="traefik:v3.8"),
        ProxyServer(http_port=81),
        ProxyServer(bind="127.0.0.1"),
        ProxyServer(access_log=True),
        ProxyServer(trusted=("10.0.0.0/8",)),
        ProxyServer(metrics="127.0.0.1:9100"),
        ProxyServer(metrics="127.0.0.1:9101"),
    ]
    assert len({container.settings_key(server) for server in servers}) == len(servers)
    assert container.ports(ProxyServer(bind="[::1]")) == ("[::1]:80:80",)


def test_the_proxys_static_settings() -> None:
    plain = set(container.arguments(ProxyServer()))
    server = ProxyServer(access_log=True, trusted=("10.0.0.0/8", "::1"), metrics="127.0.0.1:9100")
    assert plain < set(container.arguments(server))
    assert set(container.arguments(server)) - plain == {
        "--accesslog=true",
        "--entrypoints.web.forwardedheaders.trustedips=10.0.0.0/8,::1",
        "--entrypoints.metrics.address=:8082",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=metrics",
    }
    assert container.ports(server) == ("80:80", "127.0.0.1:9100:8082")
    patient = ProxyServer(https_port=443, request_timeout=0.5)
    assert [each for each in container.arguments(patient) if "timeout" in each] == [
        "--entrypoints.web.transport.respondingtimeouts.readtimeout=500ms",
        "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=500ms",
    ]


def test_the_proxys_static_settings_for_tls() -> None:
    server = ProxyServer(https_port=8443, trusted=("::1",), acme_email="ops@example.com")
    told = set(container.arguments(server))
    assert {
        "--entrypoints.websecure.address=:443",
        "--entrypoints.websecure.forwardedheaders.trustedips=::1",
        "--certificatesresolvers.lockship.acme.email=ops@example.com",
        "--certificatesresolvers.lockship.acme.storage=/etc/lockship/acme/acme.json",
        "--certificatesresolvers.lockship.acme.httpchallenge.entrypoint=web",
        "--certificatesresolvers.lockship.acme.caserver="
        "https://acme-v02.api.letsencrypt.org/directory",
    } <= told
    spec = container.proxy_spec(server, "id", "/f")
    assert spec.ports == ("80:80", "8443:443")
    assert "lockship-acme:/etc/lockship/acme" in spec.volumes
    trial = container.proxy_spec(server, "id", "/f", "lockship-proxy-trial")
    assert not any("acme" in each for each in (*trial.command, *trial.volumes))


def test_one_on_trial_publishes_nothing_and_is_nobodys_proxy() -> None:
    trial = container.proxy_spec(ProxyServer(), "id", "/f", "lockship-proxy-trial")
    assert trial.ports == ()
    assert trial.restart == "no"
    assert dict(trial.labels) == {}
    assert container.proxy_spec(ProxyServer(), "id", "/f").restart == "always"
