"""`proxy`: what kamal-proxy does for the primary role is Traefik's here."""

from __future__ import annotations

from typing import Any, Final

from lockship.prepare.kamal import secrets
from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.roles import Known
from lockship.prepare.kamal.source import Reader, text

_PORT: Final = 80  # kamal-proxy's default app_port
_LIMIT: Final = 30  # Kamal's default deploy_timeout
_RUN: Final = "the proxy is booted by the first deploy, from an image that the lock names"


def put(draft: Draft, top: Reader, roles: dict[str, Reader], known: Known) -> None:
    """Put the proxy, and the healthcheck that Kamal has it make, into the draft."""
    primary = text(top.take("primary_role", "web")).replace("_", "-").lower()
    said = top.take("proxy")
    served = None
    for name, role in roles.items():
        own = role.take("proxy")
        wanted = own if own is not None else (said is not False and name == primary)
        if wanted is False or wanted is None:
            continue
        if served is not None:
            draft.leave(role.at("proxy"), f"the proxy serves one role, and that is {served}")
            continue
        served = name
        if isinstance(own, dict):
            said = (said if isinstance(said, dict) else {}) | own
    for name in roles:
        if name == served:
            draft.put(("roles", name, "proxy"), value=True)
        elif served is not None:
            draft.put(("roles", name, "healthcheck"), value=False)
    if served is not None:
        _proxy(draft, Reader(said if isinstance(said, dict) else {}, ("proxy",)), top, known)
    else:
        _unproxied(draft, top)


def _unproxied(draft: Draft, top: Reader) -> None:
    if (limit := top.take("deploy_timeout")) is not None:
        draft.put(("healthcheck", "limit"), limit, ("deploy_timeout",))
    draft.leave_if(
        top, "drain_timeout", "nothing is behind the proxy: stop-timeout of a role counts"
    )


def _proxy(draft: Draft, proxy: Reader, top: Reader, known: Known) -> None:
    port = proxy.take("app_port", _PORT)
    draft.put(("proxy", "port"), port, proxy.at("app_port"))
    hosts = [part.strip().lower() for part in text(proxy.take("host")).split(",") if part.strip()]
    hosts += [text(each).lower() for each in proxy.each("hosts")]
    if hosts:
        draft.add(
            ("proxy", "hosts"), hosts, proxy.at("host" if "host" in proxy.tables else "hosts")
        )
    prefixes = [text(each) for key in ("path_prefix", "path_prefixes") for each in proxy.each(key)]
    if prefixes:
        draft.put(
            ("proxy", "path-prefixes"),
            [each.rstrip("/") for each in prefixes],
            proxy.at("path_prefix"),
        )
    strip = proxy.take("strip_path_prefix", default=True)
    if prefixes and strip is not False:
        draft.put(("proxy", "strip-prefix"), value=True)
    for key, ours in (("response_timeout", "response-timeout"),):
        if (value := proxy.take(key)) is not None:
            draft.put(("proxy", ours), value, proxy.at(key))
    if (drain := top.take("drain_timeout")) is not None:
        draft.put(("proxy", "drain"), drain, ("drain_timeout",))
    _tls(draft, proxy, hosts, known)
    _buffering(draft, proxy.below("buffering"))
    _healthcheck(draft, proxy.below("healthcheck"), port, top)
    if proxy.take("forward_headers"):
        why = "[proxy.server] trusted names the addresses whose headers are believed"
        draft.leave(proxy.at("forward_headers"), why)
    draft.leave_if(
        proxy, "logging", "[proxy.server] access-log = true logs requests, without headers"
    )
    draft.leave_if(proxy, "loadbalancer", "each host's proxy serves its own containers")
    _run(draft, proxy.below("run"))
    draft.leave_rest(proxy)


def _tls(draft: Draft, proxy: Reader, hosts: list[str], known: Known) -> None:
    ssl = proxy.take("ssl")
    own = proxy.below("ssl") if isinstance(ssl, dict) else proxy
    names = [own.take(key) for key in ("certificate_pem", "private_key_pem")]
    redirect = proxy.take("ssl_redirect", default=True)
    if all(names):
        certificate, key = secrets.add(draft, map(text, names), known, proxy.at("ssl"))
        draft.put(("proxy", "tls"), {"certificate": certificate, "key": key}, proxy.at("ssl"))
    elif ssl is True:
        draft.put(("proxy", "tls", "acme"), value=True, origin=proxy.at("ssl"))
        domain = ".".join(hosts[0].split(".")[-2:]) if hosts else "example.com"
        draft.put(("proxy", "server", "acme-email"), f"hostmaster@{domain}")
        draft.leave(
            proxy.at("ssl"), "Let's Encrypt wants an address: see acme-email in [proxy.server]"
        )
        if not hosts:
            draft.leave(proxy.at("ssl"), "a certificate needs names: add [proxy] hosts")
    if isinstance(ssl, dict):
        draft.leave_rest(own)
    if redirect is False and draft.get(("proxy", "tls")):
        draft.put(("proxy", "tls", "redirect"), value=False, origin=proxy.at("ssl_redirect"))


def _buffering(draft: Draft, buffering: Reader) -> None:
    wanted = [buffering.take(key) for key in ("requests", "responses")]
    if any(wanted):
        draft.put(("proxy", "buffering"), value=True, origin=buffering.path)
    if (most := buffering.take("max_request_body")) is not None and most != 0:
        draft.put(
            ("proxy", "max-body"), text(most).replace("_", ""), buffering.at("max_request_body")
        )
    draft.leave_if(buffering, "max_response_body", "answers have no limit")
    draft.leave_if(buffering, "memory", "Traefik decides what it keeps in memory")
    draft.leave_rest(buffering)


def _healthcheck(draft: Draft, check: Reader, port: Any, top: Reader) -> None:
    draft.put(("healthcheck", "path"), text(check.take("path", "/up")), check.at("path"))
    draft.put(("healthcheck", "port"), check.take("port", port), check.at("port"))
    for key in ("interval", "timeout"):
        if (value := check.take(key)) is not None:
            draft.put(("healthcheck", key), value, check.at(key))
    limit = top.take("deploy_timeout", _LIMIT)
    draft.put(("healthcheck", "limit"), limit, ("deploy_timeout",))
    draft.leave_if(check, "host", "the probe asks the container itself, by its address")
    draft.leave_rest(check)


def _run(draft: Draft, run: Reader) -> None:
    """`proxy.run`: how kamal-proxy itself is started."""
    for key, ours in (("http_port", "http-port"), ("https_port", "https-port")):
        if (value := run.take(key)) is not None:
            draft.put(("proxy", "server", ours), value, run.at(key))
    binds = [text(each) for each in run.each("bind_ips")]
    if binds:
        draft.put(
            ("proxy", "server", "bind"),
            f"[{binds[0]}]" if ":" in binds[0] else binds[0],
            run.at("bind_ips"),
        )
    if len(binds) > 1:
        draft.leave(run.at("bind_ips"), f"the proxy listens on one address, or on all: {binds[0]}")
    if (port := run.take("metrics_port")) is not None:
        draft.put(("proxy", "server", "metrics"), f"127.0.0.1:{port}", run.at("metrics_port"))
    draft.leave_if(run, "http3", "the proxy speaks HTTP/1.1 and HTTP/2")
    for key in ("registry", "repository", "version", "publish", "debug", "log_max_size", "options"):
        draft.leave_if(run, key, _RUN)
    draft.leave_rest(run)
