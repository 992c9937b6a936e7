"""`lockship audit`: its commands are in `lockship.cli.audit`."""

from __future__ import annotations

import click

from lockship.cli.audit import diff, log, report, show, verify

_HELP = ("-h", "--help")


class _Audit(click.Group):
    """A group whose command is `log` where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = ["log", *args]
        return super().parse_args(ctx, args)


@click.group("audit", cls=_Audit)
def command() -> None:
    """Tell from the committed locks what was deployed, and check it.

    Without a word after it: `log`. Nothing is changed, in git or on hosts.
    """


for each in (log.command, show.command, diff.command, verify.command, report.command):
    command.add_command(each)
