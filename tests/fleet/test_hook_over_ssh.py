"""The pre-push hook where the remote is on another host: what it stops never arrives there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.fleet.shop import Shop
from tests.harness import Fleet

CONFIG = """\
[service]
name = "shop"

[roles.web]
hosts = ["web1"]
"""


def push(shop: Shop, *words: str) -> subprocess.CompletedProcess[str]:

    env = shop.fleet.env(GIT_SSH_COMMAND=f"ssh -F {shop.fleet.ssh_config}")
    argv = ["git", "push", "origin", *words]
    return subprocess.run(
        argv, cwd=shop.folder, env=env, capture_output=True, text=True, timeout=60
    )


def test_a_push_over_ssh(clean_fleet: Fleet, tmp_path: Path) -> None:
    host = clean_fleet["web1"]
    remote = "/root/shop.git"  # as the host sees it
    shop = Shop.create(clean_fleet, tmp_path / "shop", CONFIG)
    try:
        host.run("git", "init", "--quiet", "--bare", remote)
        shop.git("remote", "add", "origin", f"web1:{remote}")
        shop.run("hook", "install")
        shop.run("prepare")
        shop.commit("Lock it")
        done = push(shop, "HEAD:refs/heads/main")
        assert done.returncode == 0, done.stderr
        assert "1 lock in this push judged" in done.stderr

        # A forced lock: only the host can say that its snapshot isn't there, and later that it is.
        shop.write("site/index.html", "urgent\n")
        shop.run("prepare", "--force")
        shop.git("commit", "--quiet", "--message", "Urgent", ".shiplock")
        done = push(shop, "HEAD:refs/heads/main")
        assert done.returncode != 0
        assert "neither on the remote nor pushed along" in done.stderr
        ref = done.stderr.rpartition("`git push origin ")[2].partition("`")[0]
        assert push(shop, ref).returncode == 0
        assert push(shop, "HEAD:refs/heads/main").returncode == 0
        there = host.run("git", "-C", remote, "for-each-ref", "--format=%(refname)")
        assert there.stdout.split() == ["refs/heads/main", ref]
    finally:
        host.run("rm", "-rf", remote)
