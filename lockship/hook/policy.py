"""`[policy]`: what a repository wants of a pushed lock beyond that it is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lockship.lock.model import Lock, Policy

_NONE: Final = Policy()
_BRANCHES: Final = "refs/heads/"
_STARS: Final = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def policy_of(lock: Lock | None) -> Policy:
    """Return the lock's policy; the one that wants nothing where there is none."""
    return lock.policy if lock is not None and lock.policy is not None else _NONE


def wants_fresh(policy: Policy, ref: str) -> bool:
    """Tell whether locks that are pushed to `ref` must be of the pushed content."""
    return any(_matches(pattern, ref) for pattern in policy.require_fresh)


def _matches(pattern: str, ref: str) -> bool:
    """A pattern names branches unless it begins with `refs/`; `*` stays in one part, `**` not."""
    whole = pattern if pattern.startswith("refs/") else _BRANCHES + pattern
    parts = re.split(r"(\*\*|\*|\?)", whole)
    expression = "".join(_STARS.get(part) or re.escape(part) for part in parts)
    return re.fullmatch(expression, ref, re.DOTALL) is not None


def weakened(before: Policy, after: Policy) -> Iterator[str]:
    """Yield what `after` allows and `before` didn't, as `allow-dirty: false to true`."""
    if after.allow_dirty and not before.allow_dirty:
        yield "allow-dirty: false to true"
    if before.require_artifact and not after.require_artifact:
        yield "require-artifact: true to false"
    if before.require_signed and not after.require_signed:
        yield "require-signed: true to false"
    gone = [each for each in before.require_fresh if each not in after.require_fresh]
    if gone:
        yield f"require-fresh: without {', '.join(gone)}"
