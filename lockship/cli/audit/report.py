"""`lockship audit report`."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.cli.audit import selection
from lockship.errors import EXIT_DONE, LockshipError

if TYPE_CHECKING:
    from lockship.audit.report.model import Report
    from lockship.audit.select import Wanted
    from lockship.git import Repository

_STDOUT: Final = "-"
_NOTHING: Final = "Say what to write: --html FILE, --markdown FILE or --json."
_APART: Final = "--html and --markdown are two files: name two."
_ONCE: Final = "Only one of --html, --markdown and --json can go to stdout."


@click.command("report")
@click.option("--html", metavar="FILE", help="Write one self-contained page; - is stdout.")
@click.option("--markdown", metavar="FILE", help="Write it as Markdown; - is stdout.")
@selection.narrowed
@click.option("--hosts", is_flag=True, help="Read every host's journal and containers as well.")
@options.as_json
def command(
    *,
    html: str | None,
    markdown: str | None,
    since: str | None,
    until: str | None,
    service: str | None,
    destination: str | None,
    author: str | None,
    version: str | None,
    host: str | None,
    ref: str | None,
    every: bool,
    hosts: bool,
    as_json: bool,
) -> int:
    """Write a page about past deploys, for people who'd rather look.

    A time line, the four DORA figures, a table, a part for each deploy, and what `audit verify`
    finds. The page needs no network and no script.
    """
    from lockship.git import Repository

    if html is None and markdown is None and not as_json:
        raise click.UsageError(_NOTHING)
    if [html, markdown].count(_STDOUT) + as_json > 1:
        raise click.UsageError(_ONCE)
    if html is not None and html == markdown:
        raise click.UsageError(_APART)
    if every and ref:
        raise click.UsageError("--all goes without --ref.")
    for file in (html, markdown):
        _check(file)
    now = datetime.now().astimezone()
    repository = Repository.discover(Path.cwd())
    asked = {
        "since": since, "until": until, "service": service, "destination": destination,
        "author": author, "version": version, "host": host,
    }  # fmt: skip
    wanted = selection.wanted(now, **asked)
    report = _made(
        repository, now, wanted, asked, ref=ref, every=every, hosts=hosts, quietly=as_json
    )
    if as_json:
        console.data_json(report)
    if html is not None:
        from lockship.cli.audit.page import page

        _write(html, page(report))
    if markdown is not None:
        from lockship.cli.audit.markdown import document

        _write(markdown, document(report))
    return EXIT_DONE


def _made(
    repository: Repository,
    now: datetime,
    wanted: Wanted,
    asked: dict[str, str | None],
    *,
    ref: str | None,
    every: bool,
    hosts: bool,
    quietly: bool,
) -> Report:
    from lockship.audit.report.make import Facts, make
    from lockship.cli import progress
    from lockship.cli.audit import look

    commits = selection.tips(repository, ref, every)
    found = look.everything(repository, commits)
    about = look.of_destination(found, wanted.destination)
    findings = look.verified(repository, about, commits)
    read = None
    if hosts:
        from lockship.cli.audit.hosts import judged, read_hosts

        with progress.shown(quietly=quietly, brief=True) as report:
            read, failed = read_hosts(about, report)
        findings += judged(about, read, failed)
    return make(
        Facts(
            now=now,
            ref="all branches and tags" if every else ref or "HEAD",
            commits=tuple(commits),
            found=found,
            rows=look.rows_of(repository, found, check=True),
            wanted=wanted,
            asked={name: value for name, value in asked.items() if value is not None},
            read=read,
            checked=len([each for each in about if each.blob]),
            findings=tuple(findings),
            command=_verify_words(commits, wanted.destination, every=every, hosts=hosts),
        )
    )


def _verify_words(commits: list[str], destination: str | None, *, every: bool, hosts: bool) -> str:
    """Return what to type to check the same again; of one branch, at the same commit."""
    words = ["lockship", "audit", "verify", *(["--all"] if every else commits)]
    words += ["--hosts"] if hosts else []
    words += ["-d", destination] if destination is not None else []
    return shlex.join(words)


def _check(file: str | None) -> None:
    """Refuse, before anything is looked up, what no file can be written at. Raises UsageError."""
    if file is None or file == _STDOUT:
        return
    path = Path(file)
    if path.is_dir():
        raise click.UsageError(f"{file} is a folder: name a file in it.")
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"{path.parent} is no folder: make it, or name another file.")


def _write(file: str, text: str) -> None:
    if file == _STDOUT:
        console.data(text.removesuffix("\n"))
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LockshipError(
            f"{file} can't be written: {error.strerror}.",
            hint="Make room, or name a file in a folder that you may write to.",
        ) from error
    console.say(f"wrote {file}")
