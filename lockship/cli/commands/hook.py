"""`lockship hook`: the pre-push verdict, git's hook in its place, and deploy hooks by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_REFUSED

if TYPE_CHECKING:
    from lockship.hook.install import State
    from lockship.hook.objection import Verdict


@click.group("hook")
def command() -> None:
    """Judge the locks in a push; run deploy hooks.

    Everything is read from git's objects, nothing from the working tree: what counts is what is
    pushed, and what runs is what is locked.
    """


@command.command("install")
@options.as_json
def install(*, as_json: bool) -> int:
    """Put the pre-push hook where git looks for it.

    A hook that is there is kept, and goes first. Where hooks are files of the repository (husky),
    it says what to add.
    """
    from lockship.git import Repository
    from lockship.hook import install as place

    return _told(place.install(Repository.discover(Path.cwd()), sys.executable), as_json=as_json)


@command.command("uninstall")
@options.as_json
def uninstall(*, as_json: bool) -> int:
    """Take the pre-push hook away, and put back what was there."""
    from lockship.git import Repository
    from lockship.hook import install as place

    state = place.uninstall(Repository.discover(Path.cwd()), sys.executable)
    _told(state, as_json=as_json)
    return EXIT_DONE


@command.command("status")
@options.as_json
def status(*, as_json: bool) -> int:
    """Show whether the pre-push hook is in its place.

    The exit status is 0 where git asks lockship before a push, else 3.
    """
    from lockship.git import Repository
    from lockship.hook import install as place

    return _told(place.status(Repository.discover(Path.cwd()), sys.executable), as_json=as_json)


def _told(state: State, *, as_json: bool) -> int:
    from lockship.cli.text import visible

    if as_json:
        kept = str(state.kept) if state.kept else None
        console.data_json({"state": state.state, "path": str(state.path), "kept": kept})
    else:
        console.data(visible(f"{state.state}: {state.path}"))
        if state.kept is not None:
            console.data(visible(f"runs first: {state.kept}"))
    works = state.state in ("installed", "outdated", "called")
    return EXIT_DONE if works else EXIT_REFUSED


@command.command("run")
@click.argument("name", metavar="NAME")
@options.destination
def run(*, name: str, destination: str | None) -> int:
    """Run a deploy hook by hand: the locked script, as a deploy runs it.

    No host is asked, so it isn't told which version served before.
    """
    from lockship.cli import lockfile, secrets
    from lockship.cli.hooks import Hooks
    from lockship.cli.lockedhooks import known

    found = lockfile.find(Path.cwd(), destination)
    hooks = Hooks.of(found, "hook", quietly=False)
    known(found.lock, name)
    secrets.attempted(found.lock.secrets, found.root)  # so that none is shown
    hooks.run(name)
    return EXIT_DONE


@command.command("list")
@options.destination
@options.as_json
def list_hooks(*, destination: str | None, as_json: bool) -> int:
    """Show the deploy hooks: which are locked, and whether the working tree's differ."""
    from lockship.cli import lockfile, table
    from lockship.cli.lockedhooks import standing
    from lockship.git import Repository
    from lockship.lock.place import path_below

    found = lockfile.find(Path.cwd(), destination)
    repository = Repository.discover(found.root)
    below = path_below(repository.root, found.folder)
    rows = standing(found.lock, repository, below)
    if as_json:
        console.data_json({"hooks": rows})
    elif rows:
        lines = [(each.name, (each.blob or "-")[:12], each.verdict) for each in rows]
        table.show(("NAME", "SCRIPT", "VERDICT"), lines, {"as locked": "green"})
    else:
        console.say("there are no deploy hooks; docs/deploy-hooks.md says where they go")
    return EXIT_DONE


@command.command("pre-push")
@click.argument("remote", required=False, metavar="REMOTE")
@click.argument("url", required=False, metavar="URL")
@options.as_json
def pre_push(*, remote: str | None, url: str | None, as_json: bool) -> int:
    """Judge what git is about to push, as its pre-push hook.

    Git gives the remote's name and URL as arguments, and the refs on standard input. Exit status:
    0 nothing is wrong, 3 refused, 1 the repository is damaged.
    """
    import os

    from lockship.git import Repository
    from lockship.hook import span, updates
    from lockship.hook.verdict import verdict

    repository = Repository.discover(Path.cwd())
    found = updates.framework_updates(repository, os.environ) if remote is None else None
    if found is None:
        if remote is None:
            raise click.UsageError("git's pre-push hook is told a REMOTE and its URL.")
        text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        found = updates.Remote(remote, url or remote), updates.parse_updates(text)
    with repository.objects() as objects:
        asked = span.pushed(repository, objects, *found)
        said = verdict(repository, objects, asked)
    return _judged(said, "this push", as_json=as_json)


@command.command("verify")
@click.argument("span", metavar="RANGE")
@click.option("--ref", default="", metavar="REF", help="Where it is to go, for `require-fresh`.")
@click.option(
    "--format",
    "style",
    type=click.Choice(("text", "github", "gitlab")),
    default="text",
    metavar="FORMAT",
    help="`text`, or annotations for `github` or `gitlab`, on stdout.",
)
@options.as_json
def verify(*, span: str, ref: str, style: str, as_json: bool) -> int:
    """Judge the locks in a range of commits, as CI does.

    RANGE is git's, such as `origin/main..HEAD`; one revision means all of its history. Exit
    status: 0 nothing is wrong, 3 refused, 1 the repository is damaged.
    """
    from lockship.git import Repository
    from lockship.hook import span as spans
    from lockship.hook.verdict import verdict

    repository = Repository.discover(Path.cwd())
    with repository.objects() as objects:
        said = verdict(repository, objects, spans.named(repository, span, ref))
        if style == "github":
            from lockship.cli.text import visible
            from lockship.hook.annotations import github

            for line in github(said, objects):
                console.data(visible(line))
        elif style == "gitlab":
            from lockship.hook.annotations import gitlab

            console.data_json(gitlab(said, objects))
    return _judged(said, "this range", as_json=as_json)


def _judged(said: Verdict, what: str, *, as_json: bool) -> int:
    from lockship.cli.text import visible
    from lockship.hook import told

    if as_json:
        console.data_json(told.as_data(said))
        return EXIT_REFUSED if said.objections else EXIT_DONE
    if said.objections:
        raise told.refusal(said, what)
    for line in told.approval(said, what):
        console.say(visible(line))
    return EXIT_DONE
