"""A service's route: the file that the proxy reads, and what it claims. Pure.

It is Traefik's dynamic configuration (https://doc.traefik.io/traefik/providers/file/), written as
JSON, which is YAML as well. A name in it is known in all files of the host, so each begins or
ends with the project's; no project's name has a '_' before its '.'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from lockship.deploy.proxy import tls
from lockship.deploy.proxy.middlewares import middlewares, sticky_cookie
from lockship.lock.proxy import Proxy

IDLE_TIMEOUT: Final = "200ms"
"""How long the proxy keeps an idle connection to a container: less than the 2 s or more after which
servers close theirs (a request that crosses that would be lost). A drain waits that long after the
last answer; a new connection, on the same host, costs a request a fraction of a millisecond."""

_ANY_HOST: Final = 0
_SOME_HOST: Final = 1_000_000  # above any path's length: a named host goes before all paths
_HOST: Final = re.compile(r"Host\(`([^`]*)`\)")
_PATH: Final = re.compile(r"Path\(`([^`]*)`\)")

Claim = tuple[str, str]  # host name and path prefix; '' for any


def upstream_url(upstream: str) -> str:
    """Return the URL of an `alias:port`, as the proxy is told and tells it."""
    return f"http://{upstream}"


def render(proxy: Proxy, project: str, upstream: str) -> str:
    """Return the content of the project's file, which sends its requests to `upstream`."""
    hosts = [f"Host(`{name}`)" for name in proxy.hosts]
    on_the_way = middlewares(proxy, project)
    redirect = {f"redirect_{project}": each for each in [tls.redirect(proxy)] if each}
    routers = {}
    for number, prefix in enumerate(proxy.path_prefixes or ("",)):
        paths = [f"Path(`{prefix}`)", f"PathPrefix(`{prefix}/`)"] if prefix else ["PathPrefix(`/`)"]
        parts = [" || ".join(hosts), " || ".join(paths)]
        router: dict[str, Any] = {
            "entryPoints": [tls.PLAIN],
            "rule": " && ".join(f"({part})" for part in parts if part),
            "priority": (_SOME_HOST if hosts else _ANY_HOST) + len(prefix) + 1,
            "service": project,
        }
        if proxy.tls is not None:
            plain = _through(router, redirect or on_the_way)
            routers[f"{number}-plain_{project}"] = plain
            router |= {"entryPoints": [tls.SECURE], "tls": tls.router_table(proxy.tls)}
        routers[f"{number}_{project}"] = _through(router, on_the_way)
    balancer: dict[str, Any] = {
        "servers": [{"url": upstream_url(upstream)}],
        "serversTransport": project,
    }
    if cookie := sticky_cookie(proxy, project):
        balancer["sticky"] = {"cookie": cookie}
    http: dict[str, Any] = {
        "routers": routers,
        "services": {project: {"loadBalancer": balancer}},
        "serversTransports": {
            project: {
                "forwardingTimeouts": {
                    "responseHeaderTimeout": f"{max(1, round(proxy.response_timeout * 1000))}ms",
                    "idleConnTimeout": IDLE_TIMEOUT,
                }
            }
        },
    }
    http["middlewares"] = on_the_way | redirect
    document = {"http": http}
    if own := tls.certificates(proxy, project, upstream):
        document["tls"] = own
    return text_of(document)


def text_of(document: Mapping[str, Any]) -> str:
    """Return a file's text, in which no value is anything but itself.

    Before it is read as YAML, the proxy runs each file as a Go template, and one that is none
    would cost all services of the host their routes. So no text has `{{`, which is a template's
    beginning; JSON and YAML read it from its escape.
    """
    text = msgspec.json.format(msgspec.json.encode(document), indent=1).decode()
    return text.replace("{{", "{\\u007b") + "\n"


def _through(router: Mapping[str, Any], middlewares: Iterable[str]) -> dict[str, Any]:
    """Return the router with these middlewares, if any."""
    names = list(middlewares)
    return {**router, "middlewares": names} if names else dict(router)


def routers_of(text: str) -> dict[str, Mapping[str, Any]]:
    """Return a file's routers by name; none where it can't be read."""
    found = _http(text).get("routers")
    return dict(found) if isinstance(found, dict) else {}


def upstream_of(text: str) -> str:
    """Return the `alias:port` to which a file sends requests; '' where it can't be read."""
    for service in _tables(_http(text).get("services")):
        for balancer in _tables({"": service.get("loadBalancer")}):
            for server in balancer.get("servers") or ():
                return str(server.get("url", "")).removeprefix(upstream_url(""))
    return ""


def claims(text: str) -> frozenset[Claim]:
    """Return what a file claims: each host name with each path prefix."""
    found: set[Claim] = set()
    for router in routers_of(text).values():
        rule = str(router.get("rule", ""))
        path = _PATH.search(rule)
        hosts = _HOST.findall(rule) or [""]
        found |= {(host, path[1] if path else "") for host in hosts}
    return frozenset(found)


def conflict(project: str, content: str, others: Iterable[tuple[str, str]]) -> str | None:
    """Return, in words, what another project's file (project, text) claims too."""
    ours = claims(content)
    for other, text in others:
        shared = sorted(ours & claims(text)) if other != project else []
        if shared:
            host, path = shared[0]
            return f"{other} already claims {host or '(any host name)'}{path or '/'}"
    return None


def _http(text: str) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return {}
    http = found.get("http") if isinstance(found, dict) else None
    return http if isinstance(http, dict) else {}


def _tables(value: object) -> list[Mapping[str, Any]]:
    values = value.values() if isinstance(value, dict) else ()
    return [each for each in values if isinstance(each, dict)]
