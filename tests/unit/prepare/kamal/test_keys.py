"""Each key that Kamal 2 documents: carried over, or named with a reason of its own.

The keys are those of `lib/kamal/configuration/docs/*.yml` of basecamp/kamal (2.12 and its main in
2026), and those that its Ruby reads beside them. The example values are this test's own.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lockship.lock.shape import dotted
from lockship.prepare.kamal.convert import _draft

LEAST = """
service: shop
image: acme/shop
servers:
  web:
    hosts: [192.0.2.1, {192.0.2.2: writer}]
  jobs: [192.0.2.3]
env:
  tags:
    writer: {WRITES: "yes"}
accessories:
  db: {image: "mysql:8.0", host: 192.0.2.9, env: {secret: [TOKEN]}}
"""
KEYS = """
service: my-shop
image: acme/other
labels: {team: shop}
volumes: ["/srv:/srv"]
asset_path: /public:ro
hooks_path: ops/hooks
hooks_output: :verbose
hooks_output.pre-deploy: :quiet
secrets_path: ops/secrets
error_pages_path: public
require_destination: true
primary_role: jobs
allow_empty_roles: true
retain_containers: 3
minimum_version: 2.0.0
readiness_delay: 4
deploy_timeout: 10
drain_timeout: 10
stop_timeout: 10
run_directory: /etc/kamal

registry.server: registry.example.com
registry.username: ada
registry.password: [REGISTRY_TOKEN]

servers.web.hosts: [192.0.2.4]
servers.web.cmd: bin/web
servers.web.options: {memory: 2g}
servers.web.logging: {driver: local}
servers.web.proxy: false
servers.web.labels: {a: b}
servers.web.env: {A: b}
servers.web.asset_path: /public
servers.web.stop_timeout: 9
servers.web.rollout: true

env.clear: {A: b}
env.secret: [TOKEN]
env.tags: {writer: {clear: {A: b}}}

ssh.user: app
ssh.port: 2222
ssh.proxy: root@bastion
ssh.proxy_command: ssh -W %h:%p bastion
ssh.log_level: debug
ssh.keys_only: true
ssh.keys: [id.pem]
ssh.key_data: [KEY]
ssh.config: false
ssh.forward_agent: true

sshkit.max_concurrent_starts: 10
sshkit.pool_idle_timeout: 300
sshkit.dns_retries: 3

boot.limit: 25%
boot.wait: 2
boot.parallel_roles: true

logging.driver: local
logging.options: {max-size: 9m}

aliases.console: app exec sh
output.otel: {endpoint: "http://otel:4318"}
output.file: {path: /var/log/kamal}
rollout.max_percent: 25
rollout.on_deploy: keep
rollout.on_boot: reset

builder.arch: [arm64]
builder.remote: ssh://docker@builder
builder.local: false
builder.cache: {type: registry, options: mode=max, image: cache}
builder.context: app
builder.dockerfile: Dockerfile.production
builder.target: production
builder.args: {A: b}
builder.secrets: [TOKEN]
builder.ssh: default=$SSH_AUTH_SOCK
builder.driver: cloud acme/one
builder.provenance: false
builder.sbom: true
builder.pack: {builder: heroku/builder:24, buildpacks: [heroku/ruby]}

accessories.db.service: mysql
accessories.db.image: mysql:9
accessories.db.registry: {server: r.example.com}
accessories.db.host: 192.0.2.7
accessories.db.hosts: [192.0.2.7]
accessories.db.role: web
accessories.db.roles: [web]
accessories.db.tag: writer
accessories.db.tags: [writer]
accessories.db.cmd: mysqld
accessories.db.port: "127.0.0.1:3306:3306"
accessories.db.labels: {a: b}
accessories.db.options: {cpus: 2}
accessories.db.env: {A: b}
accessories.db.files: [{local: a, remote: /a, mode: "0600", owner: "1:1", options: Z}]
accessories.db.directories: [{local: a, remote: /a, mode: "0700", owner: "1:1", options: z}]
accessories.db.volumes: ["a:/a"]
accessories.db.network: custom
accessories.db.proxy: {host: db.example.com}

proxy.host: a.example.com
proxy.hosts: [a.example.com, b.example.com]
proxy.app_port: 3000
proxy.ssl: true
proxy.ssl.certificate_pem: CERTIFICATE
proxy.ssl.private_key_pem: KEY
proxy.certificate_pem: CERTIFICATE
proxy.private_key_pem: KEY
proxy.ssl_redirect: false
proxy.forward_headers: true
proxy.response_timeout: 10
proxy.path_prefix: /api
proxy.strip_path_prefix: false
proxy.healthcheck: {interval: 3, path: /health, timeout: 3}
proxy.buffering.requests: true
proxy.buffering.responses: true
proxy.buffering.max_request_body: 40000000
proxy.buffering.max_response_body: 9
proxy.buffering.memory: 2000000
proxy.logging.request_headers: [Host]
proxy.logging.response_headers: [Age]
proxy.run.http_port: 8080
proxy.run.https_port: 8443
proxy.run.http3: true
proxy.run.metrics_port: 9090
proxy.run.debug: true
proxy.run.log_max_size: 9m
proxy.run.publish: false
proxy.run.bind_ips: [127.0.0.1]
proxy.run.registry: r.example.com
proxy.run.repository: acme/proxy
proxy.run.version: v0.9.2
proxy.run.options: {memory: 1g}
"""
# What makes no line of its own: it shows in others, which would be different without it.
SHOWS = {
    "hooks_path", "secrets_path", "primary_role", "registry.server", "ssh.user", "ssh.port",
    "accessories.db.host", "accessories.db.hosts", "accessories.db.role", "accessories.db.roles",
    "accessories.db.tag", "accessories.db.tags", "servers.web.hosts", "servers.web.proxy",
    "proxy.certificate_pem", "proxy.private_key_pem", "proxy.strip_path_prefix",
    "proxy.buffering.requests", "proxy.buffering.responses",
}  # fmt: skip
# What a key goes with in Kamal, so that it says anything.
WITH: dict[str, dict[str, Any]] = {
    "registry": {"server": "r.example.com", "username": "ada", "password": ["TOKEN"]},
    "proxy.certificate_pem": {"ssl": True, "private_key_pem": "KEY"},
    "proxy.private_key_pem": {"ssl": True, "certificate_pem": "CERTIFICATE"},
    "proxy.ssl.certificate_pem": {"private_key_pem": "KEY"},
    "proxy.ssl.private_key_pem": {"certificate_pem": "CERTIFICATE"},
    "proxy.ssl_redirect": {"ssl": True, "host": "a.example.com"},
    "proxy.strip_path_prefix": {"path_prefix": "/api"},
    "boot.wait": {"limit": 2},
}
HOSTS = ("host", "hosts", "role", "roles", "tag", "tags")
TABLES = {"proxy", "servers.web", "accessories.db", "accessories", "servers"}


def tables_with(key: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Kamal's configuration with what a key goes with, without and with the key itself."""
    found: list[dict[str, Any]] = []
    for there in (False, True):
        tables: dict[str, Any] = copy.deepcopy(yaml.safe_load(LEAST))
        *above, last = key.split(".")
        table = tables
        for part in above:
            table = table.setdefault(part, {})
        table |= WITH.get(key, {} if len(above) != 1 else WITH.get(above[0], {}))
        if there:
            if above[:1] == ["accessories"] and last in HOSTS:
                del table["host"]
            table[last] = value
        elif key in WITH or above == ["registry"]:
            table.pop(last, None)
        found.append(tables)
    return found[0], found[1]


CASES: list[tuple[str, Any]] = list(yaml.safe_load(KEYS).items())


@pytest.mark.parametrize(("key", "value"), CASES, ids=[key for key, _ in CASES])
def test_it_is_carried_over_or_named(key: str, value: Any, tmp_path: Path) -> None:
    for path, content in ((".kamal/secrets", "A=b\n"), ("ops/secrets", "TOKEN=$(pass token)\n")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    (tmp_path / "ops/hooks").mkdir()
    (tmp_path / "ops/hooks/pre-deploy").write_text("#!/bin/sh\n")
    before, after = (_draft(tables, tmp_path, None) for tables in tables_with(key, value))
    named = {each.key: each.why for each in after.left}
    assert [each for each, why in named.items() if "isn't known" in why] == []
    if key in SHOWS:
        assert (before.tables, before.left) != (after.tables, after.left)
        return
    said = {dotted(origin) for origin in after.origins.values()} | set(named)
    parts = key.split(".")
    above = {".".join(parts[:length]) for length in range(1, len(parts) + 1)} - TABLES
    assert above & said or any(each.startswith(f"{key}.") for each in said), "silently dropped"


def test_a_key_that_nobody_knows_is_named(tmp_path: Path) -> None:
    """So also one that a later Kamal has."""
    for key in ("new_key", "proxy.new_key", "servers.web.new_key", "accessories.db.new_key"):
        draft = _draft(tables_with(key, 1)[1], tmp_path, None)
        assert [each.key for each in draft.left if "isn't known" in each.why] == [key]
