"""docs/configuration.md and docs/lockfile.md say of every key what the models say, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from lockship.lock.model import Lock
from lockship.prepare.config import Config
from tests.unit.cli.reference import documented, headings, modelled

PAGES = [("lockfile.md", Lock), ("configuration.md", Config)]


@pytest.mark.parametrize(("page", "model"), PAGES)
def test_every_key_is_documented_and_every_documented_key_exists(
    page: str, model: type[Any]
) -> None:
    in_page, _ = documented(page)
    in_model, _ = modelled(model)
    assert set(in_page) == set(in_model)


@pytest.mark.parametrize(("page", "model"), PAGES)
def test_types_and_defaults_are_those_of_the_model(page: str, model: type[Any]) -> None:
    in_page, _ = documented(page)
    in_model, _ = modelled(model)
    assert {key: in_page.get(key) for key in in_model} == in_model


@pytest.mark.parametrize(("page", "model"), PAGES)
def test_every_table_has_its_heading(page: str, model: type[Any]) -> None:
    _, tables = modelled(model)
    assert headings(page) == tables


@pytest.mark.parametrize(("page", "model"), PAGES)
def test_every_key_has_a_meaning(page: str, model: type[Any]) -> None:
    _, meanings = documented(page)
    assert [key for key, meaning in meanings.items() if len(meaning) < 10] == []
