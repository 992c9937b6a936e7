"""The page that `audit report` writes: how large it is, and how long a browser takes to open it."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.measure import Comparison, Sample, take_turns
from lockship.cli.audit.page import page as page_of
from tests.harness.browser import Browser, browser
from tests.unit.audit.report import samples

_DEPLOYS: Final = 1_000
_LOADED: Final = "return performance.getEntriesByType('navigation')[0].loadEventEnd"


def page(runs: int, folder: Path) -> list[Comparison]:
    """The report of 1,000 deploys in headless Chromium, against the same data as bare text."""
    report = samples.report(_DEPLOYS)
    ours, theirs = folder / "report.html", folder / "data.html"
    ours.write_text(page_of(report))
    data = json.dumps(json.loads(msgspec.json.encode(report)), indent=1)
    theirs.write_text(f"<!DOCTYPE html><meta charset=utf-8><pre>{html.escape(data)}</pre>")
    words = ("the page of 1,000 deploys", "its `--json`, indented, as text")
    with browser(folder) as opened:
        mine, other = take_turns(runs, _opening(opened, ours), _opening(opened, theirs))
    return [
        Comparison("s", f"opening {words[0]}", f"opening {words[1]}", mine["s"], other["s"]),
        Comparison("B", words[0], words[1], mine["B"], other["B"]),
    ]


def _opening(opened: Browser, file: Path) -> Callable[[], Sample]:
    def measure() -> Sample:
        opened.open(file)
        return {"s": opened.run(_LOADED) / 1000, "B": file.stat().st_size}

    return measure
