"""What changed between two locks, in words."""

from __future__ import annotations

from typing import Any

import pytest

from lockship.audit.words import in_words
from lockship.lock.diff import Difference


@pytest.mark.parametrize(
    ("field", "before", "after", "said"),
    [
        ("service.version", "a1", "b2", ['version changed: "a1" → "b2"']),
        ("env.MODE", None, "x", ['variable MODE added: "x"']),
        ('env."a.b\\"c"', "x", None, ['variable a.b"c removed: it was "x"']),
        ("secrets.KEY", "env:A", "env:B", ['secret KEY changed: "env:A" → "env:B"']),
        (
            "roles.web.hosts",
            ["web1", "web2"],
            ["web2", "web3"],
            ["host web3 added to role web", "host web1 removed from role web"],
        ),
        (
            "roles.web.hosts",
            ["a", "b"],
            ["b", "a"],
            ["hosts of role web: the same in another order"],
        ),
        ("roles.jobs.hosts", None, ["web1"], ["host web1 added to role jobs"]),
        ("roles.web.command", ["run"], None, ['"run" removed from command of role web']),
        ("roles.web.cpus", 1, 2.5, ["cpus of role web changed: 1 → 2.5"]),
        ("roles.web.env.A", "1", "2", ['variable A of role web changed: "1" → "2"']),
        (
            'hosts."web1.example.com".keys',
            ["ssh-ed25519 AAAA"],
            ["ssh-ed25519 BBBB"],
            [
                '"ssh-ed25519 BBBB" added to keys of host web1.example.com',
                '"ssh-ed25519 AAAA" removed from keys of host web1.example.com',
            ],
        ),
        (
            'build.base."busybox:1.36"',
            "sha256:" + "a" * 64,
            "sha256:" + "b" * 64,
            [f'base image busybox:1.36 moved: "sha256:{"a" * 64}" → "sha256:{"b" * 64}"'],
        ),
        ("hooks.pre-deploy.blob", "aa", "bb", ['blob of hook pre-deploy changed: "aa" → "bb"']),
        ("hosts.web1.port", 22, 2222, ["port of host web1 changed: 22 → 2222"]),
        ("roles.web.options.user", None, "app", ['options.user of role web added: "app"']),
        (
            "roles.web.options.networks",
            [],
            ["back"],
            ['"back" added to options.networks of role web'],
        ),
        ("tags.eu.hosts", ["a"], ["a", "b"], ["host b added to tag eu"]),
        ("tags.eu.env.REGION", "eu", None, ['variable REGION of tag eu removed: it was "eu"']),
        ("accessories.db.image", "a:1", "a:2", ['image of accessory db changed: "a:1" → "a:2"']),
        ("accessories.db.ports", None, ["1:1"], ["port 1:1 added to accessory db"]),
        ("healthcheck.limit", 30, 60, ["healthcheck.limit changed: 30 → 60"]),
        ("source.changes", [], ["M app.txt"], ['"M app.txt" added to source.changes']),
    ],
)
def test_each_kind_of_change(field: str, before: Any, after: Any, said: list[str]) -> None:
    assert in_words([Difference(field, before, after)]) == said


def test_a_long_value_is_cut() -> None:
    [line] = in_words([Difference("env.A", "x" * 5000, "y")])
    assert len(line) < 200
