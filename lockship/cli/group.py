"""The group of commands, each loaded from its file only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from lockship import __version__

# A command's name is its file's, and the line is what `lockship --help` says of it. It is written
# here so that the list of commands loads none of them; a test holds it against the command's own.
COMMANDS: Final = {
    "init": "Write a lockship.toml that works for this repository.",
    "prepare": "Look at git and lockship.toml once, and write the lock.",
    "config": "Show the configuration, and where each value is said.",
    "build": "Build the locked image, and push it where there is a registry.",
    "deploy": "Bring every host to what the lock says.",
    "rollback": "Bring every host back to a version that it served before.",
    "status": "Show what runs on each host, against the lock.",
    "logs": "Show the logs of the service's containers.",
    "proxy": "Manage the proxy that the services of a host share.",
    "accessory": "Run what the service needs beside itself: databases, caches.",
    "mutex": "See and break the mutex that a deploy holds on its hosts.",
    "stop": "Stop the service's containers, until `start` or a deploy.",
    "start": "Start the locked containers that `stop` stopped.",
    "restart": "Restart the locked containers, host after host.",
    "remove": "Remove the service from its hosts.",
    "maintenance": "Show a maintenance page instead of the service.",
    "hook": "Judge the locks in a push; run deploy hooks.",
    "host": "Trust the keys of the hosts that are deployed to.",
    "server": "Check the lock's servers, and install Docker on them.",
    "secrets": "Check where the secrets come from.",
    "prune": "Remove what no rollback needs any more from the hosts.",
    "exec": "Run a command in a running container of the service.",
    "audit": "Tell from the committed locks what was deployed, and check it.",
}
_MODULES: Final = {"exec": "execute"}  # where the command's name is a word of Python
_CLOSE: Final = 0.6


class LazyGroup(click.Group):
    """A group that knows its commands' names and loads a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"lockship.cli.commands.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from their one-line help, loading none."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown word is refused with the nearest known one."""
        word = args[0]
        if word not in COMMANDS:
            raise click.UsageError(f"There is no command '{word}'.{_nearest(word)}", ctx)
        return word, self.get_command(ctx, word), args[1:]


def _nearest(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=_CLOSE)
    return f" Did you mean '{near[0]}'?" if near else ""


@click.group(
    cls=LazyGroup,
    name="lockship",
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done; 1 failed, hosts unchanged; 2 wrong usage; 3 refused or drifted; "
    "4 undone, the old version serves; 5 hosts need attention; 130 interrupted.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def lockship() -> None:
    """Deploy Docker services to your own servers from one lockfile.

    init once, then prepare, deploy. What was prepared is what is built and deployed.
    """
