"""docs/commands.md: each command, option, argument and exit status is there, and nothing else."""

from __future__ import annotations

import re

import click
import pytest

from lockship import errors
from lockship.cli import boundary
from lockship.cli.group import COMMANDS, lockship
from tests.unit.cli.reference import DOCS

PAGE = (DOCS / "commands.md").read_text()


def commands() -> dict[str, click.Command]:
    """Every command with the words by which it is called."""
    context = click.Context(lockship)
    found: dict[str, click.Command] = {"lockship": lockship}
    for name in lockship.list_commands(context):
        command = lockship.get_command(context, name)
        assert command is not None
        found[f"lockship {name}"] = command
        if isinstance(command, click.Group):
            found |= {f"lockship {name} {word}": each for word, each in command.commands.items()}
    return found


def documented_options(words: str) -> list[str]:
    """Return the first column of a command's table, as `-d`, `--destination NAME`."""
    section = PAGE.split(f"\n## `{words}`\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [row.split(" | ")[0].removeprefix("| ") for row in rows]


def options_of(command: click.Command) -> list[str]:
    shown = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            shown.append(f"`{(parameter.metavar or parameter.name or '').upper()}`")
            continue
        assert isinstance(parameter, click.Option)
        names = [f"`{name}`" for name in parameter.opts]
        if not parameter.is_flag and parameter.metavar:
            names[-1] = f"{names[-1][:-1]} {parameter.metavar}`"
        shown.append(", ".join(names))
    return shown


@pytest.mark.parametrize("words", commands())
def test_every_option_is_documented_and_every_documented_one_exists(words: str) -> None:
    command = commands()[words]
    expected = options_of(command)
    if words == "lockship":
        expected.append("`-h`, `--help`")
    assert sorted(documented_options(words)) == sorted(expected)


def test_every_documented_command_exists() -> None:
    assert re.findall(r"^## `(.*)`$", PAGE, re.MULTILINE) == list(commands())


@pytest.mark.parametrize("words", commands())
def test_every_command_and_option_has_help(words: str) -> None:
    command = commands()[words]
    assert command.help
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help] == []


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    for name, line in COMMANDS.items():
        assert (commands()[f"lockship {name}"].help or "").splitlines()[0] == line


def test_every_exit_status_is_documented() -> None:
    known = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    rows = re.findall(r"^\| (\d+) \| \S", PAGE, re.MULTILINE)
    assert {int(status) for status in rows} == known | {boundary.EXIT_OUTPUT_CLOSED}


@pytest.mark.parametrize(
    "words",
    [
        words
        for words, each in commands().items()
        if not isinstance(each, click.Group) and not words.startswith("lockship hook ")
    ],
)
def test_every_command_has_a_destination_and_data_has_json(words: str) -> None:
    names = {option for each in commands()[words].params for option in each.opts}
    assert {"-d", "--destination"} <= names
    assert "--json" in names or words.endswith(" exec")  # its data is the command's own
