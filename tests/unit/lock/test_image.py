"""What an image is called, and what engines call it."""

from __future__ import annotations

import pytest

from lockship.lock.image import Image, familiar


@pytest.mark.parametrize(
    ("repository", "listed"),
    [
        ("docker.io/acme/shop", "acme/shop"),
        ("index.docker.io/acme/shop", "acme/shop"),
        ("docker.io/library/nginx", "nginx"),
        ("docker.io/nginx", "nginx"),
        ("shop", "shop"),
        ("acme/library/shop", "acme/library/shop"),
        ("library/a/b", "library/a/b"),
        ("ghcr.io/library/shop", "ghcr.io/library/shop"),
        ("registry.example.com:5000/shop", "registry.example.com:5000/shop"),
    ],
)
def test_how_an_engine_lists_it(repository: str, listed: str) -> None:
    assert familiar(repository) == listed


@pytest.mark.parametrize(
    ("repository", "registry"),
    [
        ("acme/shop", None),
        ("docker.io/acme/shop", "docker.io"),
        ("localhost/shop", "localhost"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/shop", "1.dkr.ecr.eu-west-1.amazonaws.com"),
        ("europe-docker.pkg.dev/acme/images/shop", "europe-docker.pkg.dev"),
    ],
)
def test_which_registry_it_is_in(repository: str, registry: str | None) -> None:
    assert Image(repository=repository, tag="1").registry == registry
