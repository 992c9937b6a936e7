"""A host's route against the lock. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from lockship.deploy import names
from lockship.deploy.goals import goal_names
from lockship.deploy.platform import image_on
from lockship.deploy.proxy import edit, maintenance, route, routing
from lockship.deploy.state import HostState
from lockship.lock.model import Lock

Verdict = Literal[
    "as locked", "missing", "answers 503", "elsewhere", "other settings", "no proxy", "unexpected"
]


class RouteRow(Struct, frozen=True, rename="kebab"):
    """The service's route on one host: `upstream` is where requests go, '' for nowhere.

    `maintenance` is what the page says that is shown instead; None where none is.
    """

    host: str
    upstream: str
    verdict: Verdict
    maintenance: str | None = None


def judge(lock: Lock, state: HostState) -> RouteRow | None:
    """Return the route of a host; None where there is none, and none should be."""
    goals = goal_names(lock, image_on(lock, state), state)
    goal = routing.proxied_goal(lock, goals)
    text = state.proxy.route(lock.project) if state.proxy else None
    if goal is None and text is None:
        return None
    upstream = route.upstream_of(text or "")
    message = maintenance.message_of(text or "", lock.project)
    verdict: Verdict = "unexpected"
    if goal is not None:
        verdict = _verdict(lock, state, goal, goals[goal], text)
    return RouteRow(state.host, upstream, verdict, message)


def _verdict(lock: Lock, state: HostState, goal: str, role: str, text: str | None) -> Verdict:
    proxy = state.proxy.container if state.proxy else None
    if proxy is None or proxy.state != "running":
        return "no proxy"
    if text is None:
        return "missing"
    if edit.is_held(text):
        return "answers 503"
    found = next((each for each in state.containers if each.name == goal), None)
    image_id = image_on(lock, state)
    if image_id is None:
        image_id = found.image_id if found else ""
    expected = names.upstream(lock, role, image_id, goal)
    if expected is None or route.upstream_of(text) != expected:
        return "elsewhere"
    same = text == routing.content_for(lock, expected, text)
    return "as locked" if same else "other settings"
