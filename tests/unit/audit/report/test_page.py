"""The page itself: valid, whole without a script, its own policy, its size, its contrast."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lockship.audit.finding import Finding
from lockship.audit.report.make import make
from lockship.audit.report.model import Act, OnHost
from lockship.cli.audit.markdown import document
from lockship.cli.audit.page import page
from lockship.cli.audit.page.definitions import readings
from lockship.cli.audit.page.element import Html, element
from lockship.cli.audit.page.words import duration, rate, when
from lockship.cli.text import visible
from tests.unit.audit.report import samples
from tests.unit.audit.report.html import ATTRIBUTES, ELEMENTS, by_id, nodes, parsed, text_of
from tests.unit.cli.reference import DOCS

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x1b[31m\u202etxt\n\x00"
)
SHOWN = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\\x1b[31m\\u202etxt\\n\\x00"
)


@pytest.mark.parametrize("count", [0, 1, 60])
def test_it_is_valid_and_everything_in_it_that_is_named_is_there(count: int) -> None:
    tree = parsed(page(samples.report(count)))
    found = list(nodes(tree))
    assert {name for name, _, _ in found} <= ELEMENTS
    assert {key for _, said, _ in found for key in said} <= ATTRIBUTES
    ids = [said["id"] for _, said, _ in found if "id" in said]
    assert len(ids) == len(set(ids))
    named = {word for _, said, _ in found for word in said.get("aria-labelledby", "").split()}
    linked = {said["href"] for _, said, _ in found if "href" in said}
    assert named <= set(ids)
    assert {each.removeprefix("#") for each in linked} <= set(ids), "only links within the page"


def test_a_reader_finds_a_way_without_seeing_it() -> None:
    tree = parsed(page(samples.report(60)))
    found = list(nodes(tree))
    assert [name for name, _, _ in found if name in ("header", "nav", "main")] == [
        "header", "nav", "main",
    ]  # fmt: skip
    headings = [(name, text_of(node)) for name, _, node in found if re.fullmatch(r"h\d", name)]
    assert [text for name, text in headings if name == "h1"] == ["harbour, harbour.staging"]
    levels = [int(name[1]) for name, _ in headings]
    assert all(b - a <= 1 for a, b in pairwise(levels))
    for name, said, node in found:
        if name == "table":
            assert text_of(node.find("caption"))
        if name == "th":
            assert said["scope"] in ("col", "row")
        if name == "svg":
            assert said.get("aria-hidden") == "true" or said["role"] == "img"
        if name == "section":
            assert text_of(by_id(tree, said["aria-labelledby"]))
        if name in ("input", "select"):
            assert any(node in list(label) for kind, _, label in found if kind == "label")
        if "role" in said and said["role"] == "region":
            assert said["aria-label"], "what can be scrolled by keyboard has a name"


def test_its_policy_allows_its_own_style_and_script_and_nothing_else() -> None:
    tree = parsed(page(samples.report(3)))
    [policy] = [said["content"] for name, said, _ in nodes(tree) if "http-equiv" in said]
    [style], [script] = (
        [node.text for name, _, node in nodes(tree) if name == kind] for kind in ("style", "script")
    )

    def hashed(text: str) -> str:
        return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src '{hashed(style)}'; script-src '{hashed(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style
    assert "//" not in style.replace("/*", "")


def test_the_same_report_gives_the_same_page() -> None:
    assert page(samples.report(40)) == page(samples.report(40))
    assert document(samples.report(40)) == document(samples.report(40))


def test_a_thousand_deploys_are_less_than_two_megabytes() -> None:
    report = samples.report(1000)
    assert len(report.states) == 1000
    assert len(page(report).encode()) < 2_000_000


def test_every_state_has_a_row_a_part_and_what_audit_show_says() -> None:
    facts = samples.facts(40)
    newest = facts.found[0]
    wrong = Finding(
        about="lock", kind="edited", what="it was edited by hand", hint="Write it anew.",
        field="source.subject", commit=newest.commit.id, path=newest.path, version="1",
    )  # fmt: skip
    report = make(dataclasses.replace(facts, findings=(wrong,)))
    tree = parsed(page(report))
    rows = by_id(tree, "table").find("tbody").findall("tr")
    assert len(rows) == 40
    for state, line in zip(report.states, rows, strict=True):
        row, part = state.row, text_of(by_id(tree, state.id))
        cells = [text_of(cell) for cell in line]
        assert cells[0] == when(row.at)
        assert cells[2] == row.version
        assert line.find(".//a").get("href") == f"#{state.id}"
        assert state.source is not None
        assert state.outcome is not None
        told = (
            row.commit, row.subject, row.author.email, row.signature, row.path, row.source_commit,
            row.source_subject, row.source_author, state.source.tree, state.source.reference,
            row.image, row.fingerprint, *row.hosts, *state.source.changes, row.record.performer
            if row.record else "", state.source.snapshot,
        )  # fmt: skip
        assert [word for word in told if word and word not in part] == []
    text = text_of(by_id(tree, report.states[0].id))
    assert "✗ source.subject: it was edited by hand. Write it anew." in text
    assert "1 thing doesn't hold" in text_of(rows[0])
    said = text_of(by_id(tree, "verification"))
    assert f"40 lockfile states checked on {when(report.scope.made)}: 1 thing doesn't hold." in said
    assert report.verification.command in said
    assert "it was edited by hand" in document(report)


def test_hostile_text_stays_text_everywhere() -> None:
    report = samples.report(4)
    first = report.states[0]
    row, record = first.row, first.row.record
    assert record is not None
    assert first.source is not None
    who = replace(row.author, name=HOSTILE, email=HOSTILE)
    evil = replace(
        first,
        outcome=HOSTILE,
        before=HOSTILE,
        row=replace(
            row, subject=HOSTILE, author=who, committer=who, path=HOSTILE, service=HOSTILE,
            version=HOSTILE, source_subject=HOSTILE, source_author=HOSTILE, problems=(HOSTILE,),
            record=replace(record, outcome=HOSTILE, deployed_at=HOSTILE, performer=HOSTILE),
        ),
        source=replace(first.source, changes=(HOSTILE,), roles=((HOSTILE, (HOSTILE,)),)),
        differences=tuple(
            replace(each, field=HOSTILE, before=HOSTILE) for each in first.differences
        ),
    )  # fmt: skip
    scope = replace(
        report.scope, ref=HOSTILE, remote=HOSTILE, projects=(HOSTILE,), chosen={"author": HOSTILE}
    )
    text = page(replace(report, states=(evil, *report.states[1:]), scope=scope))
    tree = parsed(text)
    assert {name for name, _, _ in nodes(tree)} <= ELEMENTS
    assert {key for _, said, _ in nodes(tree) for key in said} <= ATTRIBUTES
    assert len([1 for name, _, _ in nodes(tree) if name == "script"]) == 1
    assert text_of(next(node for name, _, node in nodes(tree) if name == "h1")) == SHOWN
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    told = document(replace(report, states=(evil, *report.states[1:]), scope=scope))
    assert "<script>" not in told.replace("\\<script", "")
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", told)
    assert {line.replace("\\|", "").count("|") for line in told.splitlines() if "|" in line}


def test_the_element_builder_escapes_children_and_attributes() -> None:
    made = element("p", "<b>", Html("<b></b>"), title_='"<&', hidden=True, class_=None, data_x=1)
    assert made == '<p title="&quot;&lt;&amp;" hidden data-x="1">&lt;b&gt;<b></b></p>'


@given(st.text())
def test_any_text_is_shown_as_a_terminal_would(text: str) -> None:
    tree = parsed(f"<!DOCTYPE html><title>x</title>{element('p', text, class_=text)}")
    [(said, shown)] = [(said, node.text) for name, said, node in nodes(tree) if name == "p"]
    assert said["class"] == (shown or "") == visible(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: text 4.5 to 1; 1.4.11: what is drawn 3 to 1."""
    tree = parsed(page(samples.report(0)))
    style = next(node.text for name, _, node in nodes(tree) if name == "style")
    blocks = re.findall(r":root \{([^}]*)\}", style)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", blocks[0]))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", blocks[1]))
    inks = ("ink", "soft", "accent", "bad", "good", "forced", "rollback")
    for ink, sheet in product(inks, ("paper", "sheet", "faint")):
        assert contrast(colours[ink], colours[sheet]) >= 4.5, (ink, sheet)
    for ink, sheet in (("ink", "bad-sheet"), ("bad", "bad-sheet"), ("good", "good-sheet"),
                       ("accent", "bad-sheet"), ("ink", "good-sheet")):  # fmt: skip
        assert contrast(colours[ink], colours[sheet]) >= 4.5, (ink, sheet)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c + c for c in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_figure_is_defined_on_the_page_and_in_the_docs() -> None:
    guide = (DOCS / "auditing.md").read_text()
    text = text_of(by_id(parsed(page(samples.report(3))), "figures"))
    told = document(samples.report(3))
    for definition, value, made_of in readings(samples.report(3).figures):
        assert f"\n| {definition.name} | " in guide
        for words in (definition.name, definition.meaning, definition.unseen, value, made_of):
            assert words in text
            assert words in told


def test_what_was_done_on_hosts_and_is_of_no_lock_is_listed() -> None:
    act = Act(
        at="2026-06-30T10:00:00.000+00:00", seconds=1, project="harbour", command="prune",
        outcome="done", version="", fingerprint="", image_id="", performer="ada@desk",
        origin="desk", hosts=(OnHost("web1", "2026-06-30T10:00:00.000+00:00", "done"),),
    )  # fmt: skip
    tree = parsed(page(replace(samples.report(2), unexplained=(act,))))
    assert text_of(by_id(tree, "unexplained")) == (
        "On the hosts, of no committed lock 2026-06-30 10:00 +00:00 harbour no version, "
        "prune: done on web1, by ada@desk from desk"
    )


def test_times_and_durations_in_words() -> None:
    assert when("2026-03-03T14:00:09.123+01:00") == "2026-03-03 14:00 +01:00"
    assert when("2026-03-03T14:00:09Z") == "2026-03-03 14:00 +00:00"
    assert [duration(s) for s in (5, 90, 3600, 5400, 86_399, 129_600, 2_592_000)] == [
        "5 s", "2 min", "1 h", "1 h 30 min", "24 h", "1.5 days", "30 days",
    ]  # fmt: skip
    assert [rate(n) for n in (0, 0.1, 0.5, 3, 14)] == [
        "none", "5.2 per year", "2.2 per month", "3.0 per week", "2.0 per day",
    ]  # fmt: skip
