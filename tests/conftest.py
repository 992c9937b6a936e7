"""Every test is hermetic: own home, git settings and time zone. For servers, ask for `fleet`.

`scripts/test` runs two processes, with a fleet each: stories on servers mostly wait, so that others
have the core meanwhile. Tests that share what takes long to start are one group; who has ended
one takes the next. More processes make tests of timeouts fail on two cores.
"""

import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.harness import Fleet, HarnessError
from tests.harness.home import GITCONFIG

# A CI that starts us in the background, or with nohup, has these ignored, and children inherit it;
# lockship rightly keeps an ignored signal ignored, and the tests send them.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

# How fast examples are drawn says something of the machine, not of the code. CI repeats the same
# examples, so that a push isn't stopped by another one's luck; elsewhere they are new each time.
settings.register_profile(
    "lockship",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("lockship")

TESTS = Path(__file__).parent
LONGEST_FIRST = (
    "fleet/proxy",
    "fleet/test_sequences.py",
    "fleet/failing",
    "unit",
    "fleet/host",
    "engine",
    "fleet",
)
"""Where a group's tests are, and in which order groups are begun; the other files come last."""

# Under sudo both the developer's own home and root's.
REAL_HOMES = [
    Path(pwd.getpwuid(int(user)).pw_dir)
    for user in {str(os.getuid()), os.environ.get("SUDO_UID", str(os.getuid()))}
]
GUARDED = (
    ".lockship",
    ".cache/lockship",
    ".config/lockship",
    ".local/share/lockship",
    ".local/state/lockship",
    ".ssh",
    ".ssh/config",
    ".ssh/known_hosts",
    ".docker",
    ".docker/config.json",
    ".gitconfig",
    ".config/git",
)
"""What lockship, git, ssh and docker would write to if they took the real home for the user's."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.path)))
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(_group(item.path), len(order)))


def _group(path: Path) -> str:
    """The most narrow one, so that what `fleet` holds is what no other one does."""
    found = [name for name in LONGEST_FIRST if path.is_relative_to(TESTS / name)]
    return max(found, key=len, default=path.relative_to(TESTS).parts[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests measured and said with `record_property`, also where all is well."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(autouse=True)
def hermetic(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Nothing of the developer's is in the environment; touching their real home fails the test."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(GITCONFIG)
    for name in [
        name
        for name in os.environ
        if name.startswith(("GIT_", "XDG_", "DOCKER_", "LOCKSHIP_", "SSH_"))
    ]:
        monkeypatch.delenv(name)
    for name in ("VERSION", "NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    hermetic_values = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "EDITOR": "false",
        "GIT_EDITOR": "false",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }
    for name, value in hermetic_values.items():
        monkeypatch.setenv(name, value)
    before = _guarded()
    yield
    touched = sorted(name for name, seen in _guarded().items() if seen != before[name])
    if touched:
        pytest.fail(f"the test touched the real home: {', '.join(touched)}", pytrace=False)


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Three hosts, a builder and a registry with TLS and a password, shared by a worker's tests.

    A test that leaves something behind on it asks for `clean_fleet` instead.
    """
    try:
        with Fleet.start(hosts=3) as fleet:
            yield fleet
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def clean_fleet(fleet: Fleet) -> Iterator[Fleet]:
    """The shared fleet, with all faults undone and nothing deployed after the test."""
    try:
        yield fleet
    finally:
        fleet.reset()


def _guarded() -> dict[str, int | None]:
    paths = [home / name for home in REAL_HOMES for name in GUARDED]
    return {str(path): _changed(path) for path in paths}


def _changed(path: Path) -> int | None:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return None
