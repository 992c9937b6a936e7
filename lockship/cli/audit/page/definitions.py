"""What each DORA figure means here, and what it can't see: the same words on every page."""

from __future__ import annotations

from typing import Final, NamedTuple

from lockship.audit.report.figures import Figures
from lockship.cli.audit.page.words import duration, many, rate, share


class Definition(NamedTuple):
    """A figure's name, what is counted, and what isn't seen."""

    name: str
    meaning: str
    unseen: str


FREQUENCY: Final = Definition(
    "Deployment frequency",
    "Deploys that ended well in the period, by its length. Rollbacks aren't counted.",
    "Deploys whose lock wasn't committed, unless journals were read. From locks alone each one "
    "that was committed counts as deployed, unless its commit records otherwise.",
)
LEAD: Final = Definition(
    "Lead time for changes",
    "From the date of the source commit to the deploy that first brought it; the median.",
    "Earlier commits of the same change, and time before the commit. A rebase makes a commit "
    "younger. Forced deploys, later deploys of the same source, and sources dated after their "
    "deploy aren't counted.",
)
FAILURE: Final = Definition(
    "Change failure rate",
    "Of the deploys that reached the hosts, those that were undone, left hosts that needed "
    "attention, or were followed, as the next that ended well, by a rollback to another lock.",
    "Failures that were mended by a new version, and those that nobody deployed for. From locks "
    "alone only rollbacks and recorded outcomes are seen. A deploy that failed before any host "
    "was switched isn't counted: it changed nothing.",
)
RESTORE: Final = Definition(
    "Time to restore",
    "From the end of a deploy that was rolled back, or left hosts that needed attention, to the "
    "next deploy or rollback that ended well; the median.",
    "When the trouble began and was noticed: it is counted from the deploy. What was undone at "
    "once isn't counted, and neither are outages that no deploy caused.",
)


def readings(figures: Figures) -> list[tuple[Definition, str, str]]:
    """Return each definition with the figure and what it is made of."""
    return [
        (FREQUENCY, rate(figures.per_week), _frequency(figures)),
        (LEAD, duration(figures.lead) if figures.lead is not None else "unknown", _lead(figures)),
        (
            FAILURE,
            share(figures.failure_rate) if figures.failure_rate is not None else "unknown",
            f"{figures.bad} of {many(figures.reached, 'deploy')} that reached hosts",
        ),
        (RESTORE, _restore(figures), _restored(figures)),
    ]


def _frequency(figures: Figures) -> str:
    days = f"{figures.days:.0f}"
    said = f"{many(figures.deployments, 'deploy')} in {days} {'day' if days == '1' else 'days'}"
    beside = [
        many(count, word)
        for count, word in ((figures.rollbacks, "rollback"), (figures.unreached, "failed attempt"))
        if count
    ]
    return "; beside them ".join([said, " and ".join(beside)] if beside else [said])


def _lead(figures: Figures) -> str:
    said = f"{many(figures.leads, 'deploy')} counted"
    return f"{said}, {figures.undated} not" if figures.undated else said


def _restore(figures: Figures) -> str:
    if figures.restore is not None:
        return duration(figures.restore)
    return "unknown" if figures.unrestored else "nothing to restore"


def _restored(figures: Figures) -> str:
    said = f"{figures.restores} restored"
    return f"{said}; {figures.unrestored} not restored yet" if figures.unrestored else said
