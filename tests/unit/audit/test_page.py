"""docs/auditing.md: each example is run, and prints what the page says (ids aside)."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from lockship.history.record import message
from lockship.lock.reader import parse
from tests.unit.audit.story import Story
from tests.unit.cli.reference import DOCS
from tests.unit.gitrepo import Repo
from tests.unit.locks import leave_pins

PAGE = (DOCS / "auditing.md").read_text()
_BLOCK = re.compile(r"^```\n\$ lockship (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_ID = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12})\b")
MARA = ("Mara Keeper", "mara@example.com")
JO = ("Jo Deployer", "jo@example.com")


def test_the_examples_are_real(tmp_path: Path) -> None:
    shutil.copytree(DOCS.parent / "examples/site", tmp_path / "site")
    story = Story(Repo(tmp_path / "site"))
    story.git("init", "--quiet", "--initial-branch=main")

    def commit(subject: str, date: str, who: tuple[str, str] = MARA) -> None:
        names = {"GIT_AUTHOR_NAME": MARA[0], "GIT_AUTHOR_EMAIL": MARA[1]}
        names |= {"GIT_COMMITTER_NAME": who[0], "GIT_COMMITTER_EMAIL": who[1]}
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        story.commit(subject, **names, **dates)

    commit("A page about the harbour", "2026-03-01T10:00:00+01:00")
    leave_pins(story.repo.path)
    story.lockship("prepare")
    commit("Lock the first version", "2026-03-01T10:04:00+01:00")
    with (story.repo.path / "public/index.html").open("a") as file:
        file.write("<p>Closed on Mondays.</p>\n")
    commit("Say when the harbour is closed", "2026-03-03T13:20:00+01:00")
    story.lockship("prepare")
    commit("Lock: closed on Mondays", "2026-03-03T13:31:00+01:00", JO)
    story.git("checkout", "--quiet", "HEAD~2", "--", ".shiplock")
    commit("Back to the first version", "2026-03-03T15:02:00+01:00", JO)

    *sound, tampered = _BLOCK.findall(PAGE)
    assert len(sound) == 4
    for words, said in sound:
        assert printed(story, words) == _ID.sub("ID", said)
    deployed = parse(story.git("show", "HEAD~1:.shiplock").encode() + b"\n", ".shiplock")
    at = "2026-03-03T12:31:40+00:00"
    text = message(deployed, "deploy", "deployed", at=at, performer="jo@laptop")
    assert f"\n```\n{_ID.sub('ID', text)}```\n" in _ID.sub("ID", PAGE)
    lock = story.repo.path / ".shiplock"
    lock.write_text(lock.read_text().replace("A page about", "A lovely page about"))
    commit("Nicer words", "2026-03-04T09:00:00+01:00", JO)
    assert printed(story, tampered[0]) == _ID.sub("ID", tampered[1])


def printed(story: Story, words: str) -> str:
    done = story.lockship(*shlex.split(words))
    return _ID.sub("ID", done.stdout + done.stderr)
