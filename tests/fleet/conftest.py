"""How many random sequences: as many as fit into minutes, or so many; how long under load."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sequences",
        type=int,
        metavar="N",
        help="play N random sequences; without it, as many as fit into --sequences-seconds",
    )
    parser.addoption(
        "--sequences-seconds",
        type=float,
        metavar="SECONDS",
        help="time for random sequences (default 300), but at least 25 of them",
    )
    parser.addoption(
        "--sequences-seed",
        type=int,
        metavar="SEED",
        help="begin with the sequence of this seed, as a failure says it",
    )
    parser.addoption(
        "--switches",
        type=int,
        metavar="N",
        help="deploys and rollbacks behind the proxy under load (default 50)",
    )
    parser.addoption(
        "--every-fault",
        action="store_true",
        help="strike a host behind the proxy in every way at every moment, not in a few",
    )
