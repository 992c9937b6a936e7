"""Who may import whom: the floors of the house, and each third-party package in its room."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

from tests.harness.cli import lockship_command

HEAVY = {"docker", "fabric", "paramiko", "rich", "tomlkit", "msgspec"}
STAGES = ("prepare", "build", "deploy", "hook", "audit")

# Upper floors import lower ones. `None` is every room; a room is a module and all below it.
FLOORS = [
    {"__main__"},
    {"cli"},
    set(STAGES),
    {"history"},
    {"git", "gitobjects", "lockedblobs", "selection", "host"},
    {"secrets", "dockerfile"},
    {"lock"},
    {"errors", "progress", "programs", "scratch"},
]
ROOMS: dict[str, set[str] | None] = {
    "msgspec": None,
    "click": {"cli"},
    "rich": {"cli"},
    "tomlkit": {"lock"},
    "yaml": {"prepare"},
    "docker": {"host", "build"},
    "fabric": {"host", "build"},
    "paramiko": {"host", "build"},
    "invoke": {"host", "build"},  # fabric's own base
    "requests": {"host", "build"},  # what docker's errors are made of
    "urllib3": {"host", "build"},
}


@cache
def graph(*, types_too: bool = True) -> grimp.ImportGraph:
    return grimp.build_graph(
        "lockship",
        include_external_packages=True,
        exclude_type_checking_imports=not types_too,
        cache_dir=None,
    )


def room(module: str) -> str:
    return module.removeprefix("lockship").strip(".").partition(".")[0]


def imports(*, types_too: bool = True) -> list[tuple[str, str]]:
    """Every direct import: which module of ours, and which module it names."""
    seen = graph(types_too=types_too)
    return [
        (module, imported)
        for module in sorted(seen.modules)
        if module.partition(".")[0] == "lockship"
        for imported in sorted(seen.find_modules_directly_imported_by(module))
    ]


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


def ours() -> list[tuple[str, str]]:
    """Imports between rooms of ours. The package itself holds only the version."""
    return [(a, b) for a, b in imports() if b.startswith("lockship.") and room(a) != room(b)]


def test_every_module_lives_on_a_floor() -> None:
    rooms = {room(module) for module in graph().modules if module.startswith("lockship.")}
    assert rooms <= set().union(*FLOORS), "a new room needs a place in FLOORS"


def test_nothing_imports_upwards() -> None:
    assert [(a, b) for a, b in ours() if floor(room(b)) < floor(room(a))] == []


def test_stages_do_not_import_one_another() -> None:
    assert [(a, b) for a, b in ours() if room(a) in STAGES and room(b) in STAGES] == []


def test_only_the_door_imports_prepare() -> None:
    """Law 1: what looks at the world is out of reach of everything after the lock."""
    assert {room(a) for a, b in ours() if room(b) == "prepare"} <= {"cli"}


def test_a_command_does_not_import_another() -> None:
    commands = "lockship.cli.commands."
    assert [(a, b) for a, b in imports() if a.startswith(commands) and b.startswith(commands)] == []


def test_third_party_packages_stay_in_their_rooms() -> None:
    outside = [
        (module, imported)
        for module, imported in imports(types_too=False)
        if imported.partition(".")[0] not in {"lockship", *sys.stdlib_module_names}
        and not _may(room(module), imported.partition(".")[0])
    ]
    assert outside == []


def _may(where: str, package: str) -> bool:
    rooms = ROOMS.get(package, set())
    return rooms is None or where in rooms


def test_the_lock_reads_no_environment_and_no_clock() -> None:
    """Law 2: a lock is a function of content."""
    forbidden = {"datetime", "time", "random", "secrets", "getpass", "socket", "subprocess"}
    found = [(a, b) for a, b in imports() if room(a) == "lock" and b in forbidden]
    assert found == []


def loaded_by(args: list[str], cwd: Path) -> set[str]:
    """Return the top-level packages that are loaded when a command has ended."""
    program = (
        "import sys; from lockship.cli.main import run; run(sys.argv[1:]);"
        "print('\\0' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *args], cwd=cwd, capture_output=True, text=True
    )
    assert "bug" not in done.stderr
    return set(done.stdout.rpartition("\0")[2].split())


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["--version"],
        ["deploy", "--help"],
        ["prepare", "--help"],
        ["exec", "--help"],
        ["deply"],
        ["deploy", "--plam"],
        [],
    ],
    ids=" ".join,
)
def test_help_and_wrong_words_load_nothing_heavy(args: list[str], tmp_path: Path) -> None:
    assert loaded_by(args, tmp_path) & HEAVY == set()


@pytest.mark.parametrize("command", ["build", "deploy", "rollback", "status", "logs"])
def test_a_missing_lock_is_found_before_anything_heavy_is_loaded(
    command: str, tmp_path: Path
) -> None:
    assert loaded_by([command], tmp_path) & {"docker", "fabric", "paramiko"} == set()


@pytest.mark.parametrize("command", ["prepare", "init", "config"])
def test_what_looks_at_git_loads_no_docker_and_no_ssh(command: str, tmp_path: Path) -> None:
    assert loaded_by([command], tmp_path) & {"docker", "fabric", "paramiko"} == set()


def test_the_command_runs_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        lockship_command(["--version"]), cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("lockship ")
