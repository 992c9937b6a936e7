"""A report as one HTML page: no network, no script needed to read it.

Style and script are files beside this one. The page's Content-Security-Policy allows these two by
their hashes and nothing else: whatever a commit's message holds, nothing is loaded, sent or run.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from lockship.audit.report.model import Report
from lockship.cli.audit.page import (
    figures,
    head,
    part,
    said,
    table,
    timeline,
    trends,
    verification,
)
from lockship.cli.audit.page.element import Html, element


def page(report: Report) -> str:
    """Return the page. The same report gives the same bytes."""
    style, script = _file("page.css"), _file("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return "<!DOCTYPE html>\n" + element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=policy),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="referrer", content="no-referrer"),
            element("title", f"Deploys of {said.projects(report)}"),
            element("style", Html(style)),
        ),
        element(
            "body",
            element("a", "Skip to the figures", href="#figures", class_="skip"),
            timeline.symbols(),
            head.head(report),
            element(
                "main",
                figures.section(report),
                timeline.section(report),
                trends.section(report),
                table.section(report),
                verification.section(report),
                part.section(report),
            ),
            element("script", Html(script)),
        ),
        lang="en",
    ) + "\n"  # fmt: skip


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
