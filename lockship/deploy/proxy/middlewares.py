"""What the proxy does to a service's requests and answers on their way. Pure.

Traefik's HTTP middlewares: https://doc.traefik.io/traefik/reference/routing-configuration/http/
"""

from __future__ import annotations

from itertools import product
from typing import Any

from lockship.host.options import parse_size
from lockship.lock.proxy import Proxy

# The proxy replaces X-Forwarded-* of whoever isn't trusted, and passes these on, which frameworks
# believe as well (Rack asks RFC 7239's first): nobody's reach a container.
_UNCHECKED = ("Forwarded", "X-Forwarded-Scheme", "X-Forwarded-Ssl")
_CHECKED = (
    *(f"X-Forwarded-{of}" for of in ("For", "Host", "Port", "Prefix", "Proto", "Server")),
    "X-Real-Ip",
)
# CGI, WSGI and PHP read X_Forwarded_Ssl and X.Forwarded.For as if they had hyphens;
# Traefik's own option against that (aliasHeadersStrategy) would keep an older one from starting.
_ALIASES = tuple(
    alias
    for name in (*_CHECKED, *_UNCHECKED)
    for alias in map("".join, product(*("-_." if letter == "-" else letter for letter in name)))
    if alias != name
)
_YEAR = 365 * 24 * 3600  # seconds


def middlewares(proxy: Proxy, project: str) -> dict[str, dict[str, Any]]:
    """Return the service's middlewares by name, in the order in which a request meets them.

    So the security headers are on error pages and refusals too, and the page for an error is
    asked of the container by the path that it knows, whatever prefix is stripped.
    """
    found: dict[str, dict[str, Any]] = {
        "forwarded": {
            "headers": {"customRequestHeaders": dict.fromkeys((*_UNCHECKED, *_ALIASES), "")}
        }
    }
    if proxy.security_headers:
        found["headers"] = {"headers": _security_headers()}
    if proxy.error_pages is not None:
        found["errors"] = {
            "errors": {"status": ["500-599"], "service": project, "query": proxy.error_pages}
        }
    if proxy.buffering or proxy.max_body is not None:
        # 0 is no limit, and must be said: for an empty table Traefik refuses all files of the host.
        limit = parse_size(proxy.max_body) if proxy.max_body is not None else 0
        found["buffering"] = {"buffering": {"maxRequestBodyBytes": limit}}
    if proxy.path_prefixes and proxy.strip_prefix:
        found["strip"] = {"stripPrefix": {"prefixes": list(proxy.path_prefixes)}}
    return {f"{kind}_{project}": middleware for kind, middleware in found.items()}


def _security_headers() -> dict[str, Any]:
    """What hardly any site is worse for; the proxy sends HSTS over TLS only (RFC 6797, 7.2)."""
    return {
        "contentTypeNosniff": True,
        "frameDeny": True,
        "referrerPolicy": "strict-origin-when-cross-origin",
        "stsSeconds": _YEAR,
    }


def sticky_cookie(proxy: Proxy, project: str) -> dict[str, Any] | None:
    """Return the cookie that binds a client to a container; None where there is to be none."""
    if proxy.sticky is False:
        return None
    own = f"lockship-{project.replace('.', '-')}"
    name = own if proxy.sticky is True else proxy.sticky
    cookie: dict[str, Any] = {"name": name, "httpOnly": True, "sameSite": "lax"}
    if proxy.tls is not None and proxy.tls.redirect:
        cookie["secure"] = True
    return cookie
