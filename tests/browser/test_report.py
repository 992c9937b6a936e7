"""The report in headless Chromium: what a person sees, what the filters do, and what stays away.

The pictures are in pytest's temporary folder, in light and dark, at a desk, on a phone, on paper:
their folder is said at the end of the run, to be looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lockship.audit.report.model import Report
from lockship.cli.audit.page import page
from tests.harness.browser import Browser, browser
from tests.unit.audit.report import samples
from tests.unit.audit.story import begin

HOSTILE = (
    "</script><script>document.title='owned'</script><img src='http://127.0.0.1:9/x' "
    "onerror=\"document.title='owned'\"><svg onload=alert(1)>\x1b]0;owned\x07\u202egnp.exe\u2066"
)
ROWS = "return [...document.querySelectorAll('#table tbody tr')].filter(r => !r.hidden)"
TEXTS = f"{ROWS}.map(r => [...r.cells].map(c => c.textContent))"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        opened.look()
        yield opened


@pytest.fixture(scope="module")
def report() -> Report:
    return samples.report(60)


@pytest.fixture(scope="module")
def file(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(report))
    return path


def test_it_shows_what_the_json_says_and_asks_nobody(
    seen: Browser, report: Report, file: Path
) -> None:
    seen.requests()
    seen.open(file)
    said = json.loads(msgspec.json.encode(report))
    rows = seen.run(TEXTS)
    assert [(row[2], row[1]) for row in rows] == [
        (each["row"]["version"], ".".join(filter(None, (each["row"]["service"],
         each["row"]["destination"])))) for each in said["states"]
    ]  # fmt: skip
    assert seen.run("return document.querySelectorAll('svg.line use').length") == len(said["marks"])
    links = seen.run(
        "return [...document.querySelectorAll('svg.line a')].map(a => a.getAttribute('href'))"
    )
    assert set(links) == {f"#{each['state']}" for each in said["marks"]}
    text = seen.text()
    assert said["verification"]["command"] in text
    for name in ("Deployment frequency", "Lead time for changes", "Change failure rate",
                 "Time to restore"):  # fmt: skip
        assert name in text
    assert seen.requests() == [file.as_uri()]
    assert seen.errors() == []


def test_search_filters_sorting_and_links(seen: Browser, report: Report, file: Path) -> None:
    seen.open(file)

    def shown() -> list[list[str]]:
        rows: list[list[str]] = seen.run(TEXTS)
        return rows

    def choose(field: str, value: str) -> None:
        seen.run(
            "const f = document.getElementById(arguments[0]); f.value = arguments[1];"
            "f.dispatchEvent(new Event('input', {bubbles: true}))", field, value,
        )  # fmt: skip

    every = shown()
    states = [each.row for each in report.states]
    for field, value, count in (
        ("f-destination", "staging", sum(row.destination == "staging" for row in states)),
        ("f-author", "Søren Ås", sum(row.author.name == "Søren Ås" for row in states)),
        ("f-version", states[3].version or "", 1),
        ("f-service", "harbour", len(states)),
        ("f-outcome", "forced", sum(row.forced for row in states)),
        ("f-outcome", "rollback", sum(row.kind == "rollback" for row in states)),
        ("f-outcome", "deployed", sum(each.outcome == "deployed" for each in report.states)),
    ):
        choose(field, value)
        assert len(shown()) == count > 0, field
        parts = "return [...document.querySelectorAll('#parts article')].filter(a => !a.hidden)"
        assert seen.run(f"{parts}.length") == count
        seen.click("#filters button")
        seen.run("return new Promise(done => setTimeout(done))")
        assert len(shown()) == len(every)
    seen.type("#q", "TIDE søren")
    found = shown()
    assert 0 < len(found) < len(every)
    assert all("tide" in row[5].lower() and "Søren" in row[4] for row in found)
    count = seen.run("return document.getElementById('count').textContent")
    assert count == f"{len(found)} of 60 lockfile states"
    # A link to a part that is hidden shows it.
    gone = next(each for each in report.states if each.row.version not in {r[2] for r in found})
    seen.run("location.hash = arguments[0]", f"#{gone.id}")
    visible = "return document.getElementById(arguments[0]).getBoundingClientRect().top"
    seen.run("return new Promise(done => setTimeout(done, 50))")
    assert len(shown()) == len(every)
    assert seen.run(visible, gone.id) < 900
    # Each column both ways; the first is by time.
    seen.click("#table th:nth-child(3) button")
    versions = [row[2] for row in shown()]
    assert versions == sorted(versions, key=versions_key(seen, versions))
    seen.click("#table th:nth-child(1) button")
    assert shown() == every[::-1]
    assert seen.run("return document.querySelector('#table th').ariaSort") == "ascending"
    seen.click("#table th:nth-child(1) button")
    assert shown() == every
    assert seen.errors() == []


def test_a_long_page_is_laid_out_where_it_is_looked_at(seen: Browser, tmp_path: Path) -> None:
    """What is far away costs nothing when the page opens, and a link to it leads there."""
    file = tmp_path / "long.html"
    report = samples.report(1000)
    file.write_text(page(report))
    seen.open(file)
    laid = "return document.querySelector(arguments[0]).checkVisibility({contentVisibilityAuto: 1})"
    for far in ("#table td", "#parts dl"):
        assert not seen.run(laid, far), far
    assert len(seen.run(TEXTS)) == 1000
    for number in (999, 500, 0):
        name = report.states[number].id
        seen.run("location.hash = arguments[0]", f"#{name}")
        top = seen.run(
            "return new Promise(done => { let last; const look = () => { const now ="
            "document.getElementById(arguments[0]).getBoundingClientRect().top;"
            "if (now === last) done(now); else { last = now; setTimeout(look, 300) } }; look() })",
            name,
        )
        assert 0 <= top < 500, "it is what is looked at, once nothing moves any more"
    seen.run("document.querySelector('#deploys').scrollIntoView({behavior: 'instant'})")
    seen.run("return new Promise(done => setTimeout(done, 300))")
    assert seen.run(laid, "#table td")
    assert seen.errors() == []


def versions_key(seen: Browser, words: list[str]) -> Any:
    order = seen.run(
        "return [...arguments[0]].sort(new Intl.Collator('en', {numeric: true}).compare)", words
    )
    return order.index


def test_by_keyboard_alone(seen: Browser, file: Path) -> None:
    seen.open(file)
    stops = seen.run(
        "return [...document.querySelectorAll('a, button, input, select, summary, [tabindex]')]"
        ".filter(e => e.tabIndex >= 0 && !e.closest('#table tbody, #parts')).length"
    )
    assert stops < 40, "the marks of the time line are no stops: the table has the same links"
    seen.type("body", "\ue004")
    assert seen.run("return document.activeElement.textContent") == "Skip to the figures"
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert seen.run(outline) == "solid"


def test_hostile_words_of_a_repository_stay_words(seen: Browser, tmp_path: Path) -> None:
    story = begin(tmp_path / "shop")
    name = HOSTILE.translate(str.maketrans("", "", "<>\x1b\x07"))
    story.repo.write("app.txt", "evil")
    names = {"GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name}
    story.commit(HOSTILE, **names)
    story.put(story.lock(), HOSTILE, **names)
    (story.repo.path / ".shiplock.eu").write_text("fingerprint = '<script>alert(1)</script>'")
    story.commit(HOSTILE, **names)
    branch = "<img/src/onerror=alert(1)>"
    story.git("branch", branch)
    done = story.run("report", "--html", "out.html", "--ref", branch, "--author", name)
    assert done.returncode == 0, done.stderr
    structure = "return [...new Set([...document.querySelectorAll('*')].map(e => e.localName))]"
    seen.requests()
    seen.open(story.repo.path / "out.html")
    elements = set(seen.run(structure))
    assert "img" not in elements
    assert seen.run("return document.scripts.length") == 1
    assert seen.run("return document.title") == "Deploys of shop"
    text = seen.text() + seen.run("return document.querySelector('main').textContent")
    assert "</script><script>document.title='owned'</script>" in text
    assert "\\x1b]0;owned\\x07\\u202egnp.exe\\u2066" in text
    assert f"History of\n{branch}" in text
    assert not set(text) & set("\x1b\x07\u202e\u2066")
    assert seen.requests() == [(story.repo.path / "out.html").as_uri()]
    assert seen.errors() == []


def test_its_policy_stops_what_would_get_in(seen: Browser, file: Path, tmp_path: Path) -> None:
    """Were there a hole in the escaping, the browser would still load and run nothing."""
    broken = tmp_path / "broken.html"
    evil = "<img src='http://127.0.0.1:9/x'><script>document.title = 'owned'</script>"
    broken.write_text(file.read_text().replace("<h1>", f"{evil}<h1>"))
    seen.requests()
    seen.open(broken)
    assert seen.run("return document.title").startswith("Deploys of")
    assert len([each for each in seen.errors() if "Content Security Policy" in each]) == 2
    assert seen.requests(sent=True) == [broken.as_uri()]


def test_without_a_script_everything_is_there(
    report: Report, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with browser(tmp_path_factory.mktemp("plain"), script=False) as plain:
        plain.open(file)
        tree = plain.cdp("DOM.getDocument", depth=1)["root"]["nodeId"]

        def all_of(selector: str) -> list[int]:
            found = plain.cdp("DOM.querySelectorAll", nodeId=tree, selector=selector)
            return list(found["nodeIds"])

        def is_drawn(node: int) -> bool:
            plain.cdp("DOM.scrollIntoViewIfNeeded", nodeId=node)
            box = plain.cdp("DOM.getBoxModel", nodeId=node)["model"]
            return bool(box["height"] > 0 and box["width"] > 0)

        assert len(all_of("#table tbody tr")) == len(report.states)
        assert len(all_of("#parts article")) == len(report.states)
        assert all(is_drawn(node) for node in all_of("#parts article dl")[:10])
        assert all(is_drawn(node) for node in all_of("section > h2, svg.line, .cards article"))
        assert all_of("#table button") == [], "the script did run"
        filters = plain.cdp("DOM.getAttributes", nodeId=all_of("#filters")[0])["attributes"]
        assert "hidden" in filters, "controls that do nothing are not shown"


def test_pictures_to_look_at(
    seen: Browser, file: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    seen.open(file)
    for scheme, width, media in (
        ("light", 1280, ""),
        ("dark", 1280, ""),
        ("light", 390, ""),
        ("dark", 390, ""),
        ("light", 720, "print"),
    ):
        seen.look(scheme=scheme, width=width, media=media)
        sizes = seen.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert sizes[0] <= sizes[1], "nothing is wider than the page"
        picture = tmp_path / f"{media or scheme}-{width}.png"
        seen.run("scrollTo(0, 0)")
        seen.picture(picture, most=6000)
        assert picture.stat().st_size > 50_000
        seen.run("document.querySelector('#parts article').scrollIntoView()")
        seen.view(tmp_path / f"{media or scheme}-{width}-part.png")
        label, fact = seen.run(
            "return [...document.querySelectorAll('#parts article:first-of-type dl > *')]"
            ".slice(0, 2).map(e => [e.localName, e.getBoundingClientRect().left, e.offsetWidth])"
        )
        assert (label[0], fact[0]) == ("dt", "dd")
        assert (fact[1] > label[1]) == (width > 640), "facts beside their labels, or below"
        assert fact[2] > width / 2
        back = seen.run("return getComputedStyle(document.body).backgroundColor")
        assert (back == "rgb(20, 23, 27)") == (scheme == "dark")
    # On paper everything is open and no control is there.
    hidden = seen.run(
        "return [...document.querySelectorAll('nav, #filters, summary, .skip')]"
        ".filter(e => e.checkVisibility()).length"
    )
    assert hidden == 0
    assert seen.run("return document.querySelector('details table').checkVisibility()")
    seen.look()
    record_property("pictures of the report", str(tmp_path))
