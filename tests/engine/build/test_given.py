"""Secrets and an SSH agent in real builds: they are there for a step, and nowhere afterwards."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockship.build.image import build
from lockship.secrets.secret import Secret
from tests.engine.build.conftest import Make, Recorder, make_lock
from tests.harness import Fleet, run_lockship
from tests.harness.images import PYTHON
from tests.harness.shell import sh
from tests.unit.locks import commit_all

SHORT, LONG = "s3cret-4711-abcdef", "a-long-one-0815-" * 9000
READS = """\
FROM busybox:1.36
RUN --mount=type=secret,id=SHORT,required --mount=type=secret,id=LONG,required \\
    wc -c /run/secrets/SHORT /run/secrets/LONG > /sizes && sha256sum /run/secrets/* > /sums
"""
TELLS = """\
FROM busybox:1.36
RUN --mount=type=secret,id=SHORT cat /run/secrets/SHORT; base64 /run/secrets/SHORT; exit 9
"""
ASKS = f"""\
FROM {PYTHON[0]}
COPY ask.py /
RUN --mount=type=ssh python3 /ask.py > /keys
"""
ASK = """\
import os, socket
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
agent.sendall(b"\\0\\0\\0\\1\\x0b")  # SSH_AGENTC_REQUEST_IDENTITIES
answer = agent.makefile("rb")  # a length of four bytes, then as much: it may come in pieces
print(answer.read(int.from_bytes(answer.read(4), "big")))
"""


def test_secrets_are_there_for_a_step_and_not_in_the_image(
    builder: Fleet, repository: Path, report: Recorder
) -> None:
    (repository / "Dockerfile").write_text(READS)
    commit_all(repository)
    lock = make_lock(repository, build={"secrets": ("SHORT", "LONG")})
    values = {"SHORT": Secret(SHORT), "LONG": Secret(LONG)}

    built = build(repository, lock, report=report, tty=False, secrets=values)

    sizes = builder.engine.docker("run", "--rm", built.artifact.images[0].image_id, "cat", "/sizes")
    assert [line.split()[0] for line in sizes.splitlines()[:2]] == [str(len(SHORT)), "144000"]
    said = builder.engine.docker("history", "--no-trunc", built.artifact.images[0].image_id)
    said += builder.engine.docker("inspect", built.artifact.images[0].image_id)
    said += json.dumps([event.step for event in report.events])
    assert SHORT not in said
    assert LONG[:16] not in said


def test_a_step_that_tells_its_secret_is_masked(builder: Fleet, repository: Path) -> None:
    (repository / "Dockerfile").write_text(TELLS)
    (repository / "lockship.toml").write_text(
        '[service]\nname = "shop"\n[roles.web]\nhosts = ["local"]\n'
        '[build]\nsecrets = ["SHORT"]\n[secrets]\nSHORT = "env:SHORT"\nOTHER = "env:NONE"\n'
    )
    commit_all(repository)
    env = builder.env()
    run_lockship(["prepare"], repository, env).expect(0)
    missing = run_lockship(["build"], repository, env).expect(1)
    assert "SHORT from env:SHORT: the variable isn't set" in missing.stderr
    assert "OTHER" not in missing.stderr, "a build doesn't want it"

    told = run_lockship(["build"], repository, env | {"SHORT": SHORT}).expect(1)

    assert "[hidden]" in told.stderr
    assert SHORT not in told.stderr + told.stdout
    assert SHORT not in (repository / ".shiplock").read_text()


@pytest.fixture
def agent(builder: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An SSH agent with the key of who builds; gives back the key's comment."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert process.poll() is None
        sh("ssh-add", "-q", str(builder.home.key), env={"SSH_AUTH_SOCK": str(socket)})
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield "ada@laptop"
    finally:
        process.terminate()
        process.wait()


def test_the_agent_is_forwarded_to_a_step(
    builder: Fleet, make: Make, repository: Path, agent: str
) -> None:
    (repository / "Dockerfile").write_text(ASKS)
    (repository / "ask.py").write_text(ASK)
    commit_all(repository)

    built = make(repository, make_lock(repository, build={"ssh": True}))

    keys = builder.engine.docker("run", "--rm", built.artifact.images[0].image_id, "cat", "/keys")
    assert agent in keys


def test_layers_come_from_a_cache_in_a_registry(
    builder: Fleet, make: Make, repository: Path, report: Recorder
) -> None:
    """Without buildx there is the inline cache: the pushed image itself is the cache."""
    assert builder.registry is not None
    name = f"{builder.registry.address}/acme/shop"
    (repository / "Dockerfile").write_text("FROM busybox:1.36\nRUN date +%N > /when\nCOPY . /srv\n")
    commit_all(repository)
    inline = {"cache_to": ("type=inline",)}
    first = make(
        repository,
        make_lock(
            repository,
            build=inline,
            image={"repository": name, "tag": "one"},
            service={"version": "one"},
        ),
    )
    when = builder.engine.docker("run", "--rm", first.artifact.images[0].image_id, "cat", "/when")
    builder.engine.docker("rmi", "--force", first.artifact.images[0].image_id)
    builder.engine.docker("builder", "prune", "--all", "--force")
    (repository / "index.html").write_text("two\n")
    commit_all(repository)

    second = make(
        repository,
        make_lock(repository, build={"cache_from": (f"{name}:one",)}),
    )

    assert (
        builder.engine.docker("run", "--rm", second.artifact.images[0].image_id, "cat", "/when")
        == when
    )
