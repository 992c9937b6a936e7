"""Whatever is done between two deploys, everything names the lock's version and serves its bytes.

    pytest tests/fleet/test_sequences.py --sequences=1000
    pytest tests/fleet/test_sequences.py --hypothesis-seed=SEED

A sequence that failed is kept in `sequences/kept`, and played first from then on.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fleet.sequences import steps
from tests.fleet.sequences.oracle import Oracle
from tests.fleet.sequences.play import play
from tests.harness import Fleet

KEPT = Path(__file__).parent / "sequences/kept"
LEAST = 25
LONGEST = 20
"""Steps of one sequence."""


@pytest.fixture
def oracle(clean_fleet: Fleet) -> Iterator[Oracle]:
    oracle = Oracle.connect(clean_fleet)
    yield oracle
    for api in (oracle.builder, *oracle.engines.values()):
        api.close()


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_kept_sequence(oracle: Oracle, tmp_path: Path, path: Path) -> None:
    play(steps.load(path), oracle, tmp_path / "shop")


@dataclass
class Session:
    """The sequences of one run. `failed`: the last one that did, in the end the smallest."""

    wanted: int | None
    seconds: float
    begin: float
    played: int = 0
    failed: steps.Steps | None = None

    @property
    def over(self) -> bool:
        if self.failed is not None or self.wanted is not None or self.played < LEAST:
            return False
        return time.monotonic() - self.begin > self.seconds


@pytest.mark.timeout(0)
def test_random_sequences(
    oracle: Oracle, tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted: int | None = pytestconfig.getoption("sequences")
    session = Session(wanted, pytestconfig.getoption("sequences_seconds"), time.monotonic())
    folder = tmp_path / "shop"

    @settings(
        max_examples=wanted or 10_000,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.sampled_from(steps.POOL), min_size=LONGEST // 2, max_size=LONGEST))
    def sequences(drawn: list[steps.Step]) -> None:
        if session.over:
            return  # the rest of the 10,000 takes no time
        session.played += 1
        shutil.rmtree(folder, ignore_errors=True)
        try:
            play(tuple(drawn), oracle, folder)
        except AssertionError:
            session.failed = tuple(drawn)
            raise

    try:
        sequences()
    finally:
        if session.failed is not None:
            text = steps.dump(session.failed)
            (KEPT / f"{hashlib.sha256(text).hexdigest()[:8]}.json").write_bytes(text)
    taken = time.monotonic() - session.begin
    with capsys.disabled():
        print(f"\n{session.played} random sequences in {taken:.0f} s")  # noqa: T201
