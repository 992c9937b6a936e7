"""What a rollout that didn't end well says: what is known of each host decides its exit status."""

from lockship.deploy import ending
from lockship.deploy.ending import Ending
from lockship.errors import (
    EXIT_ATTENTION,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_UNDONE,
    LockshipError,
)

BROKEN = {"web2": LockshipError("web2: it broke", hint="mend it", details=["status 404"])}
GONE = {"web2": LockshipError("web2: it went away", hint="look after it")}


def test_taken_back_everywhere() -> None:
    end = Ending(failed=BROKEN, back=["web1", "web2"])
    before, after = ending.of_stage(end), ending.of_switch(end)
    assert (before.exit_status, after.exit_status) == (EXIT_FAILED, EXIT_UNDONE)
    for error in (before, after):
        assert error.details == ("web2: it broke", "  status 404")
        assert error.hint == "mend it"


def test_interrupted() -> None:
    end = Ending(failed={}, back=["web1"], interrupted=True)
    for error in (ending.of_stage(end), ending.of_switch(end)):
        assert error.exit_status == EXIT_INTERRUPTED
        assert "lockship deploy" in error.hint


def test_each_host_is_told_of_where_one_is_not_back() -> None:
    end = Ending(failed=BROKEN, not_back=GONE, back=["web1"], interrupted=True)
    for error in (ending.of_stage(end), ending.of_switch(end)):
        assert error.exit_status == EXIT_ATTENTION
        assert "web2" in error.message
        assert error.details[:4] == (
            "web1: serves what it served; the deploy is taken back",
            "web2: it broke",
            "  status 404",
            "web2: it went away",
        )
        assert error.details[4].startswith("web2: not ")
        assert error.hint.splitlines()[0] == "look after it"
        assert "lockship status" in error.hint


def test_a_failure_elsewhere_is_told_first() -> None:
    end = Ending(failed={"web1": LockshipError("web1: full")}, not_back=GONE, back=["web1"])
    assert ending.of_switch(end).details[0] == "web1: full"


def test_missing_journal_line_is_told_and_changes_no_status() -> None:
    end = Ending(failed=BROKEN, back=["web1", "web2"], unrecorded=GONE)
    error = ending.of_switch(end)
    assert error.exit_status == EXIT_UNDONE
    assert error.details[-1] == "web2: not recorded in its journal: it went away"


def test_switched_and_not_tidied() -> None:
    error = ending.of_finish("4f2a", GONE)
    assert error.exit_status == EXIT_ATTENTION
    assert "Every host was switched to 4f2a, but web2" in error.message
    assert "lockship deploy" in error.hint
