"""The sample hooks, each locked and run as a deploy runs it, against a real server or remote."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lockship.hook.environment import Occasion
from lockship.hook.run import Hook, HookFailed, run
from lockship.hook.scripts import read
from lockship.lock.model import Lock
from lockship.prepare.prepare import prepare
from lockship.progress import Event
from tests.unit.gitrepo import Repo, create

SAMPLES = Path(__file__).parents[3] / "hooks/samples"
NAMES = ["announce", "require-green-ci", "tag-release", "warm-cache"]
OCCASION = Occasion("deploy", "ada@laptop", "2026-03-03T14:00:00Z", 42.3, "1.0", "")


@dataclass
class Site:
    """A real server: `answers` are by path, a status and a body; `asked` is what came."""

    url: str
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            served.asked.append((self.command, self.path, dict(self.headers), body))
            status, answer = served.answers.get(self.path, (404, {}))
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Site(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def locked(path: Path, sample: str, name: str) -> tuple[Repo, Lock]:
    repo = create(path / "shop")
    repo.write(f".lockship/hooks/{name}", (SAMPLES / sample).read_bytes(), executable=True)
    repo.commit("Use a sample")
    return repo, prepare(repo.path).lock


def ran(repo: Repo, lock: Lock, name: str, occasion: Occasion = OCCASION, **env: str) -> list[str]:
    """Run the hook; return its lines."""
    seen: list[str] = []

    def report(event: Event) -> None:
        if event.kind == "line":
            seen.append(event.step.removeprefix(f"{name}: "))

    script = read(repo.path, lock)[name]
    outer = {**os.environ, "no_proxy": "127.0.0.1", **env}
    try:
        run(
            Hook(name, script, lock, repo.path, repo.path, occasion, outer),
            hide=bytes,
            report=report,
        )
    except HookFailed as error:
        error.details = tuple(seen)
        raise
    return seen


def said(repo: Repo, lock: Lock, name: str, **env: str) -> tuple[str, ...]:
    """Run a hook that says no; return its lines."""
    with pytest.raises(HookFailed, match="ended with exit status 1") as caught:
        ran(repo, lock, name, OCCASION, **env)
    return caught.value.details


def test_these_are_all_and_each_can_be_run() -> None:
    assert sorted(path.name for path in SAMPLES.iterdir()) == NAMES
    assert all(os.access(path, os.X_OK) for path in SAMPLES.iterdir())
    page = (SAMPLES.parents[1] / "docs/deploy-hooks.md").read_text()
    assert all(f"| `{name}` |" in page for name in NAMES)


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("pre-deploy", "", "ada@laptop begins to deploy {} on local (before: 1.0)"),
        ("post-deploy", "", "ada@laptop deployed {} on local in 42 s (before: 1.0)"),
        ("post-rollback", "", "ada@laptop rolled back to {} on local in 42 s (before: 1.0)"),
        (
            "deploy-failed",
            "<!channel> web1 & web2",
            "ada@laptop failed to deploy {}: &lt;!channel&gt; web1 &amp; web2 (before: 1.0)",
        ),
    ],
)
def test_announce(tmp_path: Path, site: Site, name: str, error: str, text: str) -> None:
    repo, lock = locked(tmp_path, "announce", name)
    site.answers["/hook"] = (200, "ok")
    occasion = replace(OCCASION, error=error)
    lines = ran(repo, lock, name, occasion, CHAT_WEBHOOK_URL=f"{site.url}/hook")
    assert lines == ["told the chat"]
    ((method, path, headers, body),) = site.asked
    assert (method, path, headers["Content-Type"]) == ("POST", "/hook", "application/json")
    assert json.loads(body) == {"text": text.format(f"shop {lock.service.version}")}


def test_a_chat_that_does_not_answer_stops_nothing(tmp_path: Path, site: Site) -> None:
    repo, lock = locked(tmp_path, "announce", "pre-deploy")
    assert "isn't set" in ran(repo, lock, "pre-deploy")[0]
    (line,) = ran(repo, lock, "pre-deploy", CHAT_WEBHOOK_URL=f"{site.url}/secret-path")
    assert line == "the chat couldn't be told: Not Found"
    (line,) = ran(repo, lock, "pre-deploy", CHAT_WEBHOOK_URL="http://127.0.0.1:1/secret-path")
    assert "Connection refused" in line
    (line,) = ran(repo, lock, "pre-deploy", CHAT_WEBHOOK_URL="secret-path")
    assert "secret-path" not in line


def test_tag_release(tmp_path: Path) -> None:
    repo, lock = locked(tmp_path, "tag-release", "post-deploy")
    repo.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    repo.git("remote", "add", "origin", "../remote.git")
    tag = f"deployed/{lock.service.version}"
    assert ran(repo, lock, "post-deploy") == [f"tagged {tag}"]
    on_remote = repo.git("ls-remote", "origin", f"refs/tags/{tag}^{{}}")
    assert on_remote.split()[0] == lock.source.commit
    assert "Deployed by ada@laptop at 2026-03-03T14:00:00Z to local" in repo.git("show", tag)
    assert ran(repo, lock, "post-deploy") == [f"{tag} is there already"]
    staging = replace(lock, service=replace(lock.service, destination="staging"))
    assert ran(repo, staging, "post-deploy") == [f"tagged deployed/staging/{lock.service.version}"]
    repo.write("app.txt", "dirty\n")
    forced = prepare(repo.path, force=True).lock
    assert "no commit to tag" in ran(repo, forced, "post-deploy")[0]


def test_require_green_ci(tmp_path: Path, site: Site) -> None:
    repo, lock = locked(tmp_path, "require-green-ci", "pre-deploy")
    env: dict[str, Any] = {"CI_API": site.url, "CI_REPOSITORY": "acme/shop", "CI_TOKEN": "hunter22"}
    at = f"/repos/acme/shop/commits/{lock.source.commit}"
    short = lock.source.commit[:12]

    def answer(statuses: dict[str, str], runs: Mapping[str, str | None]) -> None:
        site.answers[f"{at}/status?per_page=100&page=1"] = (
            200,
            {
                "total_count": len(statuses),
                "statuses": [{"context": n, "state": s} for n, s in statuses.items()],
            },
        )
        checks = [
            {"name": n, "status": "completed" if c else "in_progress", "conclusion": c}
            for n, c in runs.items()
        ]
        for page in range(1, len(checks) // 100 + 2):
            part = checks[100 * page - 100 : 100 * page]
            site.answers[f"{at}/check-runs?per_page=100&page={page}"] = (
                200,
                {"total_count": len(checks), "check_runs": part},
            )

    answer({"build": "success"}, {"lint": "neutral", "docs": "skipped", "test": "success"})
    assert ran(repo, lock, "pre-deploy", **env) == [f"CI is green for {short}: 4 results"]
    assert {headers["Authorization"] for *_, headers, _ in site.asked} == {"Bearer hunter22"}
    answer({"build": "failure"}, {"test": None, "lint": "success"})
    assert said(repo, lock, "pre-deploy", **env) == (
        f"CI isn't green for {short}",
        "build: failure",
        "test: pending",
    )
    answer({}, {f"test {n}": "success" for n in range(150)} | {"the last": "timed_out"})
    assert said(repo, lock, "pre-deploy", **env)[1:] == ("the last: timed_out",)
    answer({}, {})
    assert said(repo, lock, "pre-deploy", **env) == (f"CI has no result for {short}",)
    site.answers.clear()
    assert "404" in said(repo, lock, "pre-deploy", **env)[0]
    assert said(repo, lock, "pre-deploy") == ("CI_REPOSITORY isn't set: nobody can be asked",)
    rollback = replace(OCCASION, command="rollback")
    assert ran(repo, lock, "pre-deploy", rollback, **env) == ["a rollback isn't held up"]
    repo.write("app.txt", "dirty\n")
    forced = prepare(repo.path, force=True).lock
    assert "CI never saw it" in said(repo, forced, "pre-deploy", **env)[0]


def test_warm_cache(tmp_path: Path, site: Site) -> None:
    repo, lock = locked(tmp_path, "warm-cache", "post-deploy")
    site.answers |= {"/": (200, "home"), "/shop?page=2": (200, "goods")}
    urls = f"{site.url}/ {site.url}/shop?page=2"
    lines = ran(repo, lock, "post-deploy", WARM_URLS=urls)
    assert [line.partition(" in ")[0] for line in lines] == [
        f"{site.url}/: 6 bytes",
        f"{site.url}/shop?page=2: 7 bytes",
    ]
    failed = said(repo, lock, "post-deploy", WARM_URLS=f"{urls} {site.url}/gone")
    assert failed[2] == f"{site.url}/gone: HTTP Error 404: Not Found"
    assert [path for _, path, *_ in site.asked].count("/gone") == 3
    assert ran(repo, lock, "post-deploy") == ["WARM_URLS isn't set: nothing to warm"]
