"""The proxy's own container. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from lockship.deploy.proxy import plugin
from lockship.deploy.proxy.tls import ACME_FOLDER, PLAIN, RESOLVER, SECURE
from lockship.host.types import Container, ContainerSpec
from lockship.lock.proxy import Proxy, ProxyServer

NAME: Final = "lockship-proxy"
NETWORK: Final = "lockship"
API_PORT: Final = 8080

SETTINGS: Final = "dev.lockship.proxy"  # the label with what the container was made from
IMAGE: Final = "dev.lockship.proxy-image"
FOLDER: Final = "dev.lockship.proxy-folder"
ACME: Final = "dev.lockship.proxy-acme"  # the account's address; '' where it gets no certificates

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
ACME_VOLUME: Final = "lockship-acme"  # account and certificates: they outlive a reboot of the proxy

_INSIDE: Final = "/etc/lockship/dynamic"
_HTTP: Final = 80
HTTPS: Final = 443
_METRICS: Final = 8082
STOP_TIMEOUT: Final = 15.0  # seconds; Traefik itself lets requests in flight end for 10


def arguments(server: ProxyServer) -> tuple[str, ...]:
    """Return the proxy's static configuration, as arguments.

    Ping and API are on a port that isn't published: only the host and containers in the proxy's
    network get there, and the API only tells. Forwarded headers are believed of `trusted` only.
    """
    given = [
        f"--entrypoints.{PLAIN}.address=:{_HTTP}",
        f"--entrypoints.traefik.address=:{API_PORT}",
        plugin.argument(),
        f"--providers.file.directory={_INSIDE}",
        "--providers.file.watch=true",
        # The default of 2 s would be waited for at each switch that follows another one.
        "--providers.providersthrottleduration=50ms",
        "--api=true",
        "--api.insecure=true",
        "--api.dashboard=false",
        "--ping=true",
        "--log.level=WARN",
        "--log.nocolor=true",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]
    if server.access_log:
        given.append("--accesslog=true")
    if server.https_port is not None:
        given.append(f"--entrypoints.{SECURE}.address=:{HTTPS}")
    entry_points = [PLAIN, SECURE] if server.https_port is not None else [PLAIN]
    if server.request_timeout is not None:
        limit = f"transport.respondingtimeouts.readtimeout={round(server.request_timeout * 1000)}ms"
        given += [f"--entrypoints.{e}.{limit}" for e in entry_points]
    if server.trusted:
        trusted = ",".join(server.trusted)
        given += [f"--entrypoints.{e}.forwardedheaders.trustedips={trusted}" for e in entry_points]
    if server.metrics is not None:
        given += [
            f"--entrypoints.metrics.address=:{_METRICS}",
            "--metrics.prometheus=true",
            "--metrics.prometheus.entrypoint=metrics",
        ]
    if server.acme_email is not None:
        acme = f"--certificatesresolvers.{RESOLVER}.acme"
        given += [
            f"{acme}.email={server.acme_email}",
            f"{acme}.storage={ACME_FOLDER}/acme.json",
            f"{acme}.caserver={server.acme_server or LETS_ENCRYPT}",
            f"{acme}.httpchallenge.entrypoint={PLAIN}",
        ]
    return tuple(given)


def ports(server: ProxyServer) -> tuple[str, ...]:
    """Return the ports that it publishes, as a role's."""
    address = f"{server.bind}:" if server.bind else ""
    published = [f"{address}{server.http_port}:{_HTTP}"]
    if server.https_port is not None:
        published.append(f"{address}{server.https_port}:{HTTPS}")
    if server.metrics is not None:
        published.append(f"{server.metrics}:{_METRICS}")
    return tuple(published)


def settings_key(server: ProxyServer) -> str:
    """Return a short digest of all that the container is made from, the host's folder aside."""
    made_from = msgspec.json.encode([server.image, arguments(server), ports(server), plugin.key()])
    return hashlib.sha256(made_from).hexdigest()[:16]


def proxy_spec(server: ProxyServer, image_id: str, folder: str, name: str = NAME) -> ContainerSpec:
    """Return the container; `folder` is the absolute path of the route files on the host.

    Under another name it is one on trial: it publishes nothing, never restarts and asks nobody
    for certificates.
    """
    real = name == NAME
    if not real:
        server = msgspec.structs.replace(server, acme_email=None)
    volumes = [f"{folder}:{_INSIDE}:ro", plugin.volume(folder)]
    if server.acme_email is not None:
        volumes.append(f"{ACME_VOLUME}:{ACME_FOLDER}")
    return ContainerSpec(
        name=name,
        image=image_id,
        command=arguments(server),
        env={},
        labels={
            SETTINGS: settings_key(server),
            IMAGE: server.image,
            FOLDER: folder,
            plugin.LABEL: plugin.key(),
            ACME: server.acme_email or "",
        }
        if real
        else {},
        ports=ports(server) if real else (),
        volumes=tuple(volumes),
        restart="always" if real else "no",
        memory=None,
        cpus=None,
        stop_timeout=STOP_TIMEOUT,
        network=NETWORK,
    )


def is_ours(container: Container) -> bool:
    """Whether lockship made this container as a proxy."""
    return FOLDER in container.labels


def as_locked(container: Container, server: ProxyServer) -> bool:
    """Whether the container was made from these settings."""
    return container.labels.get(SETTINGS) == settings_key(server)


def lacks(container: Container, proxy: Proxy) -> str | None:
    """Return what a service needs of the proxy that this container wasn't made for; None: nothing.

    Such a route would lead nowhere, so it isn't like a setting that merely differs.
    """
    if proxy.tls is None:
        return None
    if all(port.container_port != HTTPS for port in container.published):
        return "has no port for HTTPS"
    if proxy.tls.acme and not container.labels.get(ACME):
        return "doesn't get certificates (acme-email)"
    return None
