"""Hold an image that was built again against the one that was locked: what differs, by its step.

Times don't count: a step that runs writes its files when it runs. Everything else does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from lockship.audit.finding import Finding
from lockship.host.imagetar import Exported, Item, Layer

_SHOWN: Final = 5  # files that are named of one layer
_STEP: Final = 120  # characters of a step
_HINT: Final = (
    "Make the step repeatable (no clock, no unpinned download), or believe the recorded one."
)


class Rebuilt(Struct, frozen=True, rename="kebab"):
    """How many layers an image has, and how many came out byte for byte or but for times."""

    version: str
    layers: int
    identical: int
    times: int


def compare(
    version: str, locked: Exported, again: Exported, ignored: frozenset[str]
) -> tuple[Rebuilt, list[Finding]]:
    """Return what differs between the locked image and the one that was built again.

    `ignored` are labels that may differ.
    """
    findings = [
        Finding(
            about="build", kind="config", version=version, field=key, hint=_HINT,
            what=f"the image's {key} is {_text(ours)}; built again it is {_text(theirs)}",
        )
        for key, ours, theirs in _settings(locked, again, ignored)
    ]  # fmt: skip
    if len(locked.layers) != len(again.layers):
        what = f"the image has {len(locked.layers)} layers; built again it has {len(again.layers)}"
        findings.append(
            Finding(about="build", kind="layers", what=what, version=version, hint=_HINT)
        )
    identical = times = 0
    for number, (ours, theirs) in enumerate(zip(locked.layers, again.layers, strict=False), 1):
        if ours.diff_id == theirs.diff_id:
            identical += 1
            continue
        said = _different(locked.items(ours), again.items(theirs))
        if said == "":
            times += 1
            continue
        findings.append(
            Finding(
                about="build", kind="layer", version=version, field=f"layer {number}", hint=_HINT,
                what=f"{_step(ours, theirs)} made {said}",
            )
        )  # fmt: skip
    return Rebuilt(version, len(locked.layers), identical, times), findings


def added(done: Sequence[Rebuilt]) -> Rebuilt | None:
    """Return what came of several platforms' images together; None where none was built again."""
    if not done:
        return None
    return Rebuilt(
        version=done[0].version,
        layers=sum(each.layers for each in done),
        identical=sum(each.identical for each in done),
        times=sum(each.times for each in done),
    )


def _settings(
    locked: Exported, again: Exported, ignored: frozenset[str]
) -> Iterator[tuple[str, Any, Any]]:
    if locked.platform != again.platform:
        yield "platform", locked.platform, again.platform
    ours, theirs = (_plain(each.config, ignored) for each in (locked, again))
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            yield key, ours.get(key), theirs.get(key)


def _plain(config: Mapping[str, Any], ignored: frozenset[str]) -> dict[str, Any]:
    """Return what an image says to an engine; absent and empty are the same."""
    labels = {k: v for k, v in (config.get("Labels") or {}).items() if k not in ignored}
    return {k: v for k, v in ({**config, "Labels": labels}).items() if v}


def _different(ours: Mapping[str, Item] | None, theirs: Mapping[str, Item] | None) -> str:
    """Name the files that differ; '' where only times do."""
    if ours is None or theirs is None:
        return "another layer; its compression hides which files differ"
    said = [
        *(f"{path} (gone)" for path in sorted(ours.keys() - theirs.keys())),
        *(f"{path} (new)" for path in sorted(theirs.keys() - ours.keys())),
        *(
            f"{path} ({_how(ours[path], theirs[path])})"
            for path in sorted(ours.keys() & theirs.keys())
            if ours[path] != theirs[path]
        ),
    ]
    more = len(said) - _SHOWN
    listed = ", ".join(said[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"other files: {listed}" if said else ""


def _how(ours: Item, theirs: Item) -> str:
    if (ours.kind, ours.link, ours.digest) != (theirs.kind, theirs.link, theirs.digest):
        return "content"
    return "mode" if ours.mode != theirs.mode else "owner or attributes"


def _step(ours: Layer, theirs: Layer) -> str:
    step = ours.step or theirs.step or "a step that the image doesn't name"
    return step if len(step) <= _STEP else step[: _STEP - 1] + "…"


def _text(value: Any) -> str:
    text = str(value) if value else "nothing"
    return text if len(text) <= _STEP else text[: _STEP - 1] + "…"
