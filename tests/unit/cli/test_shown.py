"""What people see of a plan, of differences, of a table."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lockship.cli.differences import difference_lines
from lockship.cli.rollout import plan_lines
from lockship.cli.table import aligned
from lockship.deploy.steps import CreateContainer, HostPlan, Plan, StartContainer, StopContainer
from lockship.lock.diff import Difference
from tests.unit.cli.terminal import on_terminal, python


def test_a_plan_names_each_host_its_steps_and_why() -> None:
    plan = Plan(
        "abc",
        "sha256:12",
        (
            HostPlan(
                "web1",
                stage=(CreateContainer("shop-web-abc", "web", "web is to run abc"),),
                switch=(
                    StartContainer("shop-web-abc", "it was just created"),
                    StopContainer("shop-web-old", 10.0, "old\x1b gives way"),
                ),
            ),
            HostPlan("web2"),
        ),
        batches=(("web1",), ("web3", "web4")),
    )
    assert plan_lines(plan) == [
        "abc  sha256:12",
        "",
        "batch 1  web1",
        "batch 2  web3, web4",
        "",
        "web1",
        "  stage   create shop-web-abc  (web is to run abc)",
        "  switch  start shop-web-abc  (it was just created)",
        "  switch  stop shop-web-old  (old\\x1b gives way)",
        "",
        "web2",
        "  nothing to do",
    ]


def test_differences_field_by_field() -> None:
    found = [
        Difference("source.subject", "one", "two\x1b[2J"),
        Difference("env.ADDED", None, "1"),
        Difference("env.GONE", "1", None),
        Difference("deploy.retain", 3, 4),
        Difference("roles.web.hosts", ["a", "b"], ["b", "c"]),
        Difference("roles.web.ports", ["1:1", "2:2"], ["2:2", "1:1"]),
    ]
    assert difference_lines(found) == [
        '~ source.subject: "one" → "two\\u001b[2J"',
        '+ env.ADDED = "1"',
        '- env.GONE = "1"',
        "~ deploy.retain: 3 → 4",
        '- roles.web.hosts: "a"',
        '+ roles.web.hosts: "c"',
        "~ roles.web.ports: the same items in another order",
    ]


CELL = st.text(alphabet="ab ", max_size=5)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1))
def test_columns_begin_under_one_another(rows: list[tuple[str, str, str]]) -> None:
    lines = aligned(rows)
    wide = max(len(row[0]) for row in rows)
    for row, line in zip(rows, lines, strict=True):
        assert line.ljust(wide + 2)[wide + 2 :].startswith(row[1].rstrip())
        assert line == line.rstrip()


TABLE = (
    "from lockship.cli import table;"
    "table.show(('HOST', 'VERDICT'), [('web1', 'as [b]locked'), ('\\x1bweb', 'stopped')],"
    " {'stopped': 'yellow'})"
)


def test_a_table_on_a_terminal_is_coloured_and_safe(tmp_path: Path) -> None:
    _, drawn = on_terminal(python(TABLE), tmp_path)
    assert "\x1b[33mstopped" in drawn
    assert "as [b]locked" in drawn
    assert r"\x1bweb" in drawn


def test_a_table_without_colour(tmp_path: Path) -> None:
    _, drawn = on_terminal(python(TABLE), tmp_path, {"TERM": "dumb"})
    assert drawn.replace("\r\n", "\n") == (
        "HOST     VERDICT\nweb1     as [b]locked\n\\x1bweb  stopped\n"
    )
