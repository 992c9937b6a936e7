"""A role that is a scheduler, on a real server: its jobs run, and never those of two versions."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.shop import Shop
from tests.harness import Fleet, until

CONFIG = """\
[service]
name = "shop"

[roles.web]
hosts = ["web1"]
healthcheck = false

[roles.cron]
hosts = ["web1"]
command = ["crond", "-f", "-c", "/etc/crontabs"]
order = "stop-first"
healthcheck = false
"""
DOCKERFILE = """\
FROM busybox:1.36
COPY crontab /etc/crontabs/root
COPY job /job
STOPSIGNAL SIGKILL
CMD ["sleep", "1000000"]
"""


def test_a_cron_role_runs_its_jobs_once(clean_fleet: Fleet, tmp_path: Path) -> None:
    shop = Shop.create(clean_fleet, tmp_path / "shop", CONFIG)
    shop.write("Dockerfile", DOCKERFILE)
    shop.write("crontab", "* * * * * sh /job >/ran\n")
    shop.write("job", 'echo "$LOCKSHIP_VERSION"\n')
    shop.release("one")
    first = shop.running("web1", "cron")
    plan = shop.run("deploy", "--plan").stdout
    assert "nothing to do" in plan
    shop.write("job", 'echo "$LOCKSHIP_VERSION again"\n')
    version = shop.commit("Another job")
    shop.run("prepare")
    shop.run("build")
    shown = shop.run("deploy", "--plan").stdout.splitlines()
    steps = [line.split("  (")[0].split("  ")[-1] for line in shown if "shop-cron" in line]
    stop, start = (next(s for s in steps if s.startswith(word)) for word in ("stop", "start"))
    assert steps.index(stop) < steps.index(start), "two schedulers never run at once"
    shop.run("deploy")
    now = shop.running("web1", "cron")
    assert now["Id"] != first["Id"]
    engine = shop.engine("web1")
    until(
        lambda: version in engine.docker("exec", now["Id"], "sh", "-c", "cat /ran 2>/dev/null; :"),
        90,  # cron has minutes, and nothing finer
        "a job of the new version",
    )
    shop.run("status")
