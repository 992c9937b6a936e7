"""The tables of a lock on the proxy: what it sends to a service, how, and the proxy itself."""

from __future__ import annotations

from lockship.lock.names import (
    ByteSize,
    CookieName,
    Email,
    EnvName,
    ErrorPages,
    HttpsUrl,
    ImageReference,
    IpAddress,
    ListenAddress,
    Network,
    PathPrefix,
    Port,
    Seconds,
    SiteName,
)
from lockship.lock.table import Table


class ProxyServer(Table, frozen=True):
    """The proxy of a host, which all services there share. `bind` None: all addresses.

    `trusted` are those whose `X-Forwarded-*` headers are believed; `metrics` is where Prometheus
    finds the proxy's figures, and nobody else. `https_port` None: nothing is served over TLS.
    `request_timeout` is how many seconds a request may take to come, its body too; None: 60.
    `acme_email` lets the proxy get certificates, from Let's Encrypt unless `acme_server` is given.
    """

    image: ImageReference = "traefik:v3.7"
    http_port: Port = 80
    https_port: Port | None = None
    bind: IpAddress | None = None
    access_log: bool = False
    trusted: tuple[Network, ...] = ()
    metrics: ListenAddress | None = None
    acme_email: Email | None = None
    acme_server: HttpsUrl | None = None
    request_timeout: Seconds | None = None


class ProxyTls(Table, frozen=True):
    """TLS for the service's host names: a certificate that the proxy gets, or one from secrets.

    `certificate` and `key` are names of secrets in PEM format. `redirect` sends clients from HTTP
    to HTTPS.
    """

    acme: bool = False
    certificate: EnvName | None = None
    key: EnvName | None = None
    redirect: bool = True


class Proxy(Table, frozen=True):
    """What the proxy sends to the role with `proxy = true`, and how.

    No `hosts`: whatever host a client names. No `path_prefixes`: every path. `drain` is how many
    seconds requests in flight get to end before an old container is stopped. `max_body` is the
    size from which a request is refused, and makes `buffering`; `sticky` a cookie's name, or True
    for one of the project's; `error_pages` a path in the container that answers instead of a 5xx.
    """

    port: Port
    hosts: tuple[SiteName, ...] = ()
    path_prefixes: tuple[PathPrefix, ...] = ()
    strip_prefix: bool = False
    response_timeout: Seconds = 30.0
    drain: Seconds = 30.0
    max_body: ByteSize | None = None
    buffering: bool = False
    sticky: bool | CookieName = False
    security_headers: bool = False
    error_pages: ErrorPages | None = None
    tls: ProxyTls | None = None
    server: ProxyServer = ProxyServer()
