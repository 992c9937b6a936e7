"""Whatever is done between two deploys, everything names the lock's version and serves its bytes.

    pytest tests/fleet/test_sequences.py --sequences=1000
    pytest tests/fleet/test_sequences.py --sequences=1 --sequences-seed=SEED

A sequence that failed is kept in `sequences/kept`, and played first from then on. Hypothesis'
state machines were tried: they draw many alike, and shrink with hundreds of runs of seconds each.
"""

import hashlib
import itertools
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

import pytest

from tests.fleet.sequences import steps
from tests.fleet.sequences.draw import draw
from tests.fleet.sequences.oracle import Oracle
from tests.fleet.sequences.play import SequenceError, play
from tests.harness import Fleet

KEPT = Path(__file__).parent / "sequences/kept"
LEAST = 25
SECONDS = 300.0
CI_SEED = 160_727_926 if os.environ.get("CI") else None
"""CI plays the same ones each time: a push isn't stopped by what it didn't change."""
SHRINKING = 180.0
"""Seconds in which a sequence that failed is made smaller."""


@pytest.fixture
def oracle(clean_fleet: Fleet) -> Iterator[Oracle]:
    oracle = Oracle.connect(clean_fleet)
    yield oracle
    for api in (oracle.builder, *oracle.engines.values()):
        api.close()


@dataclass
class Player:
    """Plays sequences one after another, each in a new repository on cleared hosts."""

    oracle: Oracle
    folder: Path
    played: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    failure: SequenceError | None = None
    """The smallest one so far."""

    def fails(self, sequence: steps.Steps) -> bool:
        self.played += 1
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.tally += play(sequence, self.oracle, self.folder)
        except SequenceError as error:
            self.failure = error
        else:
            return False
        return True

    def shrink(self, until: float) -> None:
        """Leave out step after step, the last first, while what is left still fails."""
        assert self.failure is not None
        for number in reversed(range(len(self.failure.begun) - 1)):
            begun = self.failure.begun
            if time.monotonic() < until and number < len(begun):
                self.fails(begun[:number] + begun[number + 1 :])


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_kept_sequence(oracle: Oracle, tmp_path: Path, path: Path) -> None:
    play(steps.load(path), oracle, tmp_path / "shop")


@pytest.mark.timeout(0)
def test_random_sequences(
    oracle: Oracle,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    # Where all tests are run at once, pytest reads our options too late to know them.
    wanted: int | None = pytestconfig.getoption("sequences", default=None)
    seconds = pytestconfig.getoption("sequences_seconds", default=None) or SECONDS
    seed = pytestconfig.getoption("sequences_seed", default=None) or CI_SEED
    first = SystemRandom().randrange(10**9) if seed is None else seed
    player, begin = Player(oracle, tmp_path / "shop"), time.monotonic()
    for each in itertools.count(first):
        if player.fails(draw(each)):
            player.shrink(until=time.monotonic() + SHRINKING)
            pytest.fail(f"seed {each}, kept as {_keep(player)}\n{player.failure}", pytrace=False)
        taken = time.monotonic() - begin
        if player.played == wanted or (not wanted and player.played >= LEAST and taken > seconds):
            break
    tally = ", ".join(f"{count} {what}" for what, count in sorted(player.tally.items()))
    told = f"{player.played} from seed {first} in {taken:.0f} s: {tally}"
    record_property("random sequences", told)


def _keep(player: Player) -> Path:
    assert player.failure is not None
    text = steps.dump(player.failure.begun)
    path = KEPT / f"{hashlib.sha256(text).hexdigest()[:8]}.json"
    KEPT.mkdir(exist_ok=True)
    path.write_bytes(text)
    return path
