"""What an engine says of a push, as engines of both kinds have said it."""

from __future__ import annotations

import pytest

from lockship.build.registry import last_digest
from lockship.errors import LockshipError

DIGEST = "sha256:47157a566749ee154e75d7f7bdcdf77087d946314d717368a7ce3e4a715a4831"
SAID = {"status": f"1: digest: {DIGEST} size: 1607"}


@pytest.mark.parametrize(
    "events",
    [
        # Docker 20.10.24.
        [SAID, {"progressDetail": {}, "aux": {"Tag": "1", "Digest": DIGEST, "Size": 1607}}],
        # Docker 26.1.5 with its images in containerd.
        [{"status": "Pushed", "progressDetail": {}, "id": "ed83c9766b03"}, SAID],
    ],
)
def test_the_digest_of_a_push(events: list[dict[str, object]]) -> None:
    assert last_digest("r.example.com/shop:1", events) == DIGEST


def test_a_push_that_fails_or_says_nothing() -> None:
    assert last_digest("r/shop:1", [{"status": "Preparing", "id": "ed83c9766b03"}]) is None
    error = {"errorDetail": {"message": "denied: no"}, "error": "denied: no"}
    with pytest.raises(LockshipError, match="refuses"):
        last_digest("r.example.com/shop:1", [SAID, error])
