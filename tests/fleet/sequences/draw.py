"""Draw a random sequence: everything may follow everything, and what people do next does often."""

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.fleet.sequences import steps as s

SHORTEST, LONGEST = 10, 20

_KINDS: Final[dict[str, list[s.Step]]] = {
    "edit": [
        *(s.Write("site/index.html", text) for text in ("one\n", "two\n", "three\n")),
        *(s.Write("site/a.txt", text) for text in ("a\n", "b\n", "c\n")),
        s.Write("site/new page.html", "new\n"),
        s.Write("site/ü/ß.txt", "deep\n"),
        s.Write("notes.txt", "not served\n"),
        s.Write("site/.shiplock", "a lockfile's name, so no content\n"),
        s.Write("site/ignored.log", "ignored\n"),
        s.Remove("site/a.txt"),
    ],
    "configure": [
        s.Configure(motto="a b=c"),
        s.Configure(label="x"),
        s.Configure(label="x", motto="ü"),
        s.Configure(port=8081),
        s.Configure(),
    ],
    "break": [s.Remove(s.UP), s.Configure(misspelt=True), s.Remove(".shiplock"), s.Forget()],
    "mend": [s.Write(s.UP, "up\n"), s.Configure()],
    "history": [
        s.Amend("Again"),
        s.Amend("Begin"),
        s.Switch("main"),
        s.Switch("other"),
        s.CommitLock(),
        s.Stage(),
    ],
    "environment": [s.Environment(name) for name in s.ENVIRONMENTS],
    "commit": [s.Commit()],
    "prepare": [s.Prepare()],
    "force": [s.Prepare(force=True)],
    "name": [s.Prepare(name="v1"), s.Prepare(force=True, name="v1"), s.Prepare(name="v2")],
    "look": [s.Build(), s.Check(), s.Plan()],
    "deploy": [s.Deploy()],
    "rollback": [
        *(s.Rollback(back) for back in (None, None, None, 1, 2, 3)),
    ],
}
_CHANGES: Final = ("edit", "configure", "break", "mend", "history")


@dataclass
class _Habits:
    """What a person believes of the state of things, roughly."""

    dirty: bool = False
    stale: bool = True
    locked: bool = False
    waiting: bool = False
    deployed: int = 0
    broken: bool = False

    def weights(self) -> dict[str, float]:
        usual = self.locked or self.deployed > 0
        return {
            "edit": 1.0 if self.dirty else 3.0,
            "configure": 0.7,
            "break": 0.6,
            "mend": 3.0 if self.broken else 0.2,
            "history": 0.8,
            "environment": 0.7,
            "commit": 4.0 if self.dirty else 0.2,
            "prepare": 0.6 if self.dirty else 5.0 if self.stale else 0.4,
            "force": 2.0 if self.dirty else 0.3,
            "name": 0.4,
            "look": 0.7 if usual else 0.1,
            "deploy": 6.0 if self.waiting else 0.5 if usual else 0.1,
            "rollback": 2.0 if self.deployed > 1 else 0.3 if usual else 0.1,
        }

    def after(self, kind: str) -> None:
        if kind in _CHANGES:
            self.dirty, self.stale = kind != "history", True
            self.broken = kind == "break" or (self.broken and kind != "mend")
        elif kind == "commit":
            self.dirty, self.stale = False, True
        elif kind in ("prepare", "force", "name"):
            self.stale, self.locked, self.waiting = False, True, True
        elif kind == "deploy":
            self.waiting, self.deployed = False, self.deployed + 1


def draw(seed: int) -> s.Steps:
    """The sequence of this seed."""
    random, habits, drawn = Random(seed), _Habits(), []  # noqa: S311 - no secret
    for _ in range(random.randint(SHORTEST, LONGEST)):
        weights = habits.weights()
        (kind,) = random.choices(list(weights), list(weights.values()))
        habits.after(kind)
        drawn.append(random.choice(_KINDS[kind]))
    return tuple(drawn)
