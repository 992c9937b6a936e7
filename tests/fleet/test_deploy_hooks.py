"""Deploy hooks around real deploys: when each runs, what it is told, and what it decides."""

from __future__ import annotations

import json
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockship.lock.hooks import NAMES
from tests.fleet.failing.background import started_in
from tests.fleet.shop import Shop, config
from tests.harness import Fleet

FOLDER = ".lockship/hooks"
CONFIG = config(hosts=("web1", "web2"), ports="")
SCRIPT = """\
#!/bin/sh
# Tell a file outside of the repository what this hook was told; fail or wait where one says so.
echo "$LOCKSHIP_HOOK $LOCKSHIP_COMMAND $LOCKSHIP_VERSION <$LOCKSHIP_PREVIOUS_VERSION>" \\
    "$LOCKSHIP_IMAGE $LOCKSHIP_HOSTS $LOCKSHIP_PERFORMER" >>"$TOLD/hooks"
echo "this is $LOCKSHIP_HOOK"
if [ -e "$TOLD/$LOCKSHIP_HOOK" ]; then . "$TOLD/$LOCKSHIP_HOOK"; fi
"""


@dataclass(frozen=True)
class Told:
    """The shop, and the folder in which its hooks say that they ran, and are said what to do."""

    shop: Shop
    folder: Path

    def run(self, *words: str, expect: int = 0) -> tuple[list[list[str]], str]:
        """Run lockship; return what each hook was told, and what was said on stderr."""
        self._log.unlink(missing_ok=True)
        done = self.shop.run(*words, expect=expect, env=self.env)
        return self.lines(), done.stdout + done.stderr

    @property
    def env(self) -> dict[str, str]:
        """Where hooks tell, and a PATH on which they find this lockship."""
        path = f"{Path(sys.executable).parent}:{self.shop.fleet.env()['PATH']}"
        return {"TOLD": str(self.folder), "PATH": path}

    def lines(self) -> list[list[str]]:
        text = self._log.read_text() if self._log.exists() else ""
        return [line.split() for line in text.splitlines()]

    def says(self, **hooks: str) -> None:
        """Let hooks do something more, from now on; nothing ends that again."""
        for name, script in hooks.items():
            (self.folder / name.replace("_", "-")).write_text(f"{script}\n")

    def quiet(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()

    def prepared(self, text: str) -> str:
        """Commit and prepare another text; return its version."""
        self.shop.write("site/index.html", text)
        version = self.shop.commit(f"Say {text.strip()}")
        self.shop.run("prepare")
        return version

    def serves(self, text: str) -> None:
        assert [self.shop.get_inside(host) for host in ("web1", "web2")] == [text] * 2

    @property
    def _log(self) -> Path:
        return self.folder / "hooks"


@pytest.fixture
def told(clean_fleet: Fleet, tmp_path: Path) -> Told:
    shop = Shop.create(clean_fleet, tmp_path / "shop", CONFIG)
    for name in NAMES:
        shop.write(f"{FOLDER}/{name}", SCRIPT)
        (shop.folder / FOLDER / name).chmod(0o755)
    folder = tmp_path / "told"
    folder.mkdir()
    return Told(shop, folder)


def names(lines: list[list[str]]) -> list[str]:
    return [line[0] for line in lines]


def test_when_each_hook_runs_and_what_it_is_told(told: Told) -> None:
    shop = told.shop
    first = told.prepared("one\n")
    for name in NAMES:  # an edit after prepare changes nothing
        shop.write(f"{FOLDER}/{name}", "#!/bin/sh\necho edited\nexit 1\n")
    lines, said = told.run("deploy")
    assert names(lines) == [
        *("pre-build", "post-build", "pre-connect", "pre-deploy", "pre-switch", "post-deploy")
    ]
    image = shop.lock()["artifact"]["image-id"]
    for name, *rest in lines:
        built = [] if name == "pre-build" else [image]
        assert rest[:-1] == ["deploy", first, "<>", *built, "web1,web2"]
        assert rest[-1].startswith("ada@")
    assert "| pre-deploy: this is pre-deploy\n" in said
    assert "edited" not in said
    assert said.index("web2  probe") < said.index("this is pre-switch") < said.index("web1  record")
    told.serves("one\n")

    assert names(told.run("deploy")[0]) == ["pre-connect"], "nothing was to be done"
    shop.git("checkout", "--quiet", "--", ".")
    second = told.prepared("two\n")
    assert names(told.run("build")[0]) == ["pre-build", "post-build"]
    assert names(told.run("build")[0]) == []
    lines, said = told.run("deploy", "--plan")
    assert lines == []
    assert said.splitlines()[-1] == "hooks  pre-connect, pre-deploy, pre-switch, post-deploy"
    plan = json.loads(shop.run("deploy", "--plan", "--json").stdout)
    assert plan["hooks"] == ["pre-connect", "pre-deploy", "pre-switch", "post-deploy"]
    told.says(
        pre_switch='lockship status --json >"$TOLD/status" || true; lockship restart -y || true'
    )
    lines, said = told.run("deploy")
    assert "| pre-switch: error: Another deploy holds the mutex; nothing was changed.\n" in said
    assert re.search(
        rf"pre-switch: .*web1: another deploy is at work: ada@.*, version {second}", said
    ), said
    rows = json.loads((told.folder / "status").read_text())["rows"]
    running = sorted((row["host"], row["version"]) for row in rows if row["state"] == "running")
    both = sorted((first, second))
    assert running == [(host, version) for host in ("web1", "web2") for version in both]
    assert [(line[0], line[3]) for line in lines] == [
        ("pre-connect", "<>"),
        *((name, f"<{first}>") for name in ("pre-deploy", "pre-switch", "post-deploy")),
    ]

    lines, _ = told.run("rollback")
    assert [line[:4] for line in lines] == [
        # Which lock is the one before, the hosts have yet to say.
        ["pre-connect", "rollback", second, "<>"],
        *(
            [name, "rollback", first, f"<{second}>"]
            for name in ("pre-deploy", "pre-switch", "post-rollback")
        ),
    ]
    told.serves("one\n")


def test_what_a_hook_decides(told: Told) -> None:
    shop = told.shop
    told.prepared("good\n")
    told.run("deploy")
    before = [shop.containers(host) for host in ("web1", "web2")]

    version = told.prepared("new\n")
    told.says(pre_build="exit 7")
    lines, said = told.run("deploy", expect=1)
    assert names(lines) == ["pre-build", "deploy-failed"]
    assert "pre-build: the hook ended with exit status 7; nothing was changed." in said
    assert "artifact" not in shop.lock()
    told.quiet()
    shop.run("build", env=told.env)

    told.says(pre_deploy="echo not on a Friday; exit 7", deploy_failed="exit 8")
    lines, said = told.run("deploy", expect=1)
    assert names(lines) == ["pre-connect", "pre-deploy", "deploy-failed"]
    assert "| pre-deploy: not on a Friday\n" in said
    error = said.rpartition("error: ")[2]
    assert error.startswith("pre-deploy: the hook ended with exit status 7; nothing was changed.")
    assert "deploy-failed: the hook ended with exit status 8" in error
    assert [shop.containers(host) for host in ("web1", "web2")] == before
    assert len(shop.journal("web1")) == 1, "nothing had begun"
    told.quiet()

    told.says(pre_switch="exit 7")
    lines, said = told.run("deploy", expect=1)
    assert names(lines) == ["pre-connect", "pre-deploy", "pre-switch", "deploy-failed"]
    assert "The deploy failed before the switch: every host serves what it served" in said
    assert "pre-switch: the hook ended with exit status 7" in said
    assert [shop.containers(host) for host in ("web1", "web2")] == before
    assert shop.journal("web1")[-1]["outcome"] == "failed"
    told.quiet()

    told.says(pre_switch="echo waiting; sleep 600 & wait")
    env = shop.fleet.env(**told.env)
    with started_in(shop.folder, env, "deploy") as deploy:
        deploy.saw("| pre-switch: waiting")
        deploy.signal(signal.SIGINT)
        assert "nothing was switched, what was started is removed" in deploy.ends(130)
    assert [shop.containers(host) for host in ("web1", "web2")] == before
    told.serves("good\n")
    told.quiet()

    told.says(post_build="echo waiting; sleep 600 & wait")
    version = told.prepared("newest\n")
    with started_in(shop.folder, env, "deploy") as deploy:
        deploy.saw("| post-build: waiting")
        deploy.signal(signal.SIGINT)
        assert "Interrupted in the post-build hook; the image is built, " in deploy.ends(130)
    assert "artifact" in shop.lock()
    told.quiet()

    # The one that stands in the way is skipped: its journal, its commit and the audit say so.
    told.says(post_deploy="exit 7", pre_switch="exit 7")
    plan = json.loads(shop.run("deploy", "--plan", "--json", "--skip-hooks", "pre-switch").stdout)
    assert plan["hooks"] == ["pre-connect", "pre-deploy", "post-deploy"]
    lines, said = told.run("deploy", "--skip-hooks", "pre-switch", "--commit", expect=5)
    assert names(lines) == ["pre-connect", "pre-deploy", "post-deploy"]
    assert said.startswith("hooks skipped: pre-switch\n")
    assert shop.journal("web1")[-1]["skipped-hooks"] == ["pre-switch"]
    assert "skipped-hooks" not in shop.journal("web1")[0]
    assert "Lockship-Skipped-Hooks: pre-switch" in shop.git("log", "-1", "--format=%B")
    assert "hooks skipped: pre-switch" in shop.run("audit").stdout
    assert "the hooks pre-switch" in shop.run("audit", "show", version).stdout
    assert f"shop {version} serves now on 2 hosts" in said
    assert f"error: shop {version} serves on 2 hosts, but a hook failed: post-deploy." in said
    told.serves("newest\n")
    assert shop.journal("web1")[-1]["outcome"] == "deployed"
    shop.run("status")

    told.says(pre_connect="exit 7")
    lines, _ = told.run("rollback", "--skip-hooks", "all")
    assert lines == []
    told.serves("good\n")
    left = [name for name in NAMES if name != "post-deploy"]
    assert sorted(shop.journal("web1")[-1]["skipped-hooks"]) == sorted(left)
