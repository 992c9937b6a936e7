"""The project as it is handed out: the wheel, the scripts, the documents, its files' habits."""

import ast
import os
import pwd
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from lockship import __version__
from lockship.cli.group import COMMANDS
from tests.harness.fleet import REPOSITORY

LONGEST = {"lockship": 300, "tests": 500, "scripts": 300, "examples": 300}
"""Lines that a Python file may have. A test's table of cases is long sooner than code is."""

# In parts, so that this file isn't one that it complains about.
NOT_OURS = [
    re.compile(r"(?<![\w.$}-])/w" + r"ork(?![\w-])"),
    re.compile(r"/opt/(ls" + "venv|wheels|pypi)"),
    re.compile(
        r"py" + r"pi\.org|python" + r"hosted|npm" + r"js\.org|deb\.deb" + "ian|archive\\.ubu"
    ),
    re.compile(r"--(extra-)?index" + "-url|--find" + "-links"),
]


def run(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a program; its stdout and stderr in one."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}"
    return done.stdout


@pytest.fixture
def trusted(hermetic: None) -> None:
    """Under sudo the checkout is another user's, which git wants to be told of."""
    run("git", "config", "--global", "--add", "safe.directory", "*", cwd=REPOSITORY)


@pytest.fixture
def files(trusted: None) -> list[Path]:
    """All files of the project, as paths in it, the ones not yet committed too."""
    listed = run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=REPOSITORY)
    paths = [Path(name) for name in listed.split("\0") if name]
    return [path for path in paths if (REPOSITORY / path).is_file()]


# --- The wheel


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """The environment for pip: the developer's own, since where packages come from is set there."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    return {name: value for name, value in os.environ.items() if name[:4] != "XDG_"} | {
        "HOME": home
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, own_settings: dict[str, str]) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY)
    run(*build, cwd=folder, env=own_settings)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(
    tmp_path_factory: pytest.TempPathFactory, wheel: Path, own_settings: dict[str, str]
) -> Path:
    """The folder of programs of a new environment in which nothing is but the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    run(folder / "bin/python", "-m", "pip", "install", "-q", wheel, cwd=folder, env=own_settings)
    return folder / "bin"


def test_the_wheel_works_where_nothing_else_is(installed: Path, tmp_path: Path) -> None:
    lockship = installed / "lockship"
    assert run(lockship, "--version", cwd=tmp_path) == f"lockship {__version__}\n"
    assert set(COMMANDS) <= set(run(lockship, "--help", cwd=tmp_path).split())
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text("FROM scratch\nEXPOSE 80\n")
    for name in ("click", "tomllib", "lockship"):  # a repository's files are none of our modules
        (shop / f"{name}.py").write_text("raise SystemExit('imported from the repository')\n")
    run("git", "init", "-q", cwd=shop)
    run(lockship, "init", cwd=shop)
    run("git", "add", ".", cwd=shop)
    run("git", "commit", "-qm", "Begin", cwd=shop)
    run(lockship, "prepare", cwd=shop)
    run(lockship, "prepare", "--check", cwd=shop)
    assert run(lockship, "hook", "install", cwd=shop).startswith("installed: ")


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"lockship-{__version__}-py3-none-any.whl"
    names = run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent).splitlines()[1:]
    tops = {line.split("/")[0] for line in names}
    assert tops == {"lockship", f"lockship-{__version__}.dist-info"}
    wanted = ("py.typed", "hooks/samples/announce", "audit/page/page.css", "audit/page/page.js")
    for name in wanted:
        assert any(name in line for line in names)


# --- lockship by lockship


def test_this_repository_can_be_prepared(trusted: None, installed: Path, tmp_path: Path) -> None:
    clone, lockship = tmp_path / "lockship", installed / "lockship"
    run("git", "clone", "-q", REPOSITORY, clone, cwd=tmp_path)
    if not (clone / "lockship.toml").exists():
        (clone / "Dockerfile").write_text("FROM scratch\nCOPY . /app\n")
        run(lockship, "init", cwd=clone)
        run("git", "add", ".", cwd=clone)
        run("git", "commit", "-qm", "Ship lockship itself", cwd=clone)
    run(lockship, "prepare", cwd=clone)
    lock = tomllib.loads((clone / ".shiplock").read_text())
    assert lock["service"]["name"] == "lockship"
    assert lock["source"]["commit"] == run("git", "rev-parse", "HEAD", cwd=clone).strip()
    run("git", "add", ".shiplock", cwd=clone)
    run("git", "commit", "-qm", "Lock it", cwd=clone)
    run(lockship, "prepare", "--check", cwd=clone)


# --- Habits


def test_every_test_is_run(pytestconfig: pytest.Config) -> None:
    """pytest's own list of folders to leave out has `build` in it, which held tests of ours."""
    left_out = pytestconfig.getini("norecursedirs")
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")}
    parts = {part for folder in folders for part in folder.relative_to(REPOSITORY).parts}
    assert [part for part in parts for each in left_out if fnmatch(part, each)] == []


def test_no_file_knows_this_machine_or_where_packages_come_from(files: list[Path]) -> None:
    found = []
    for path in files:
        for number, line in enumerate(text(path).splitlines(), 1):
            found += [f"{path}:{number}: {line}" for each in NOT_OURS if each.search(line)]
    assert found == []


def test_no_python_file_is_long(files: list[Path]) -> None:
    python = [path for path in files if path.suffix == ".py"]
    lengths = {path: len(text(path).splitlines()) for path in python}
    assert {path: n for path, n in lengths.items() if n > LONGEST.get(path.parts[0], 300)} == {}


def test_every_room_says_what_it_is_for(files: list[Path]) -> None:
    rooms = [path for path in files if path.name == "__init__.py" and path.parts[0] == "lockship"]
    assert len(rooms) > 5
    assert [path for path in rooms if not ast.get_docstring(ast.parse(text(path)))] == []


def test_every_script_can_be_run(files: list[Path]) -> None:
    folders = (Path("scripts"), Path(".ci"))
    scripts = [path for path in files if path.parent in folders and text(path)[:2] == "#!"]
    assert {Path(".ci/run"), *(Path("scripts", name) for name in ("setup", "test", "demo"))} <= {
        *scripts
    }
    for path in scripts:
        assert os.access(REPOSITORY / path, os.X_OK), f"{path} isn't executable"
        if "bash" in text(path).splitlines()[0]:
            run("bash", "-n", path, cwd=REPOSITORY)


def test_a_skipped_test_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n@pytest.mark.skip(reason='no moon')\ndef test_it(): ...\n"
    )
    pytest_here = (
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
    )
    shown = run(*pytest_here, "-c", REPOSITORY / "pyproject.toml", "test_it.py", cwd=tmp_path)
    assert re.search(r"^SKIPPED \[1\] \S*test_it.py:\d+: no moon$", shown, re.MULTILINE)


# --- Documents


def links(path: Path) -> Iterator[str]:
    """The targets of a page's links, without those in code."""
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text(path), flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"\]\(<?([^)>\s]+)", prose)


def anchors(path: Path) -> set[str]:
    """What a page's headings are called in a link, as GitHub makes it."""
    headings = re.findall(r"^#+ +(.*?) *$", text(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_in_a_document_leads_somewhere(files: list[Path]) -> None:
    broken = []
    for page in [path for path in files if path.suffix == ".md"]:
        for link in links(page):
            target, _, anchor = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            found = (REPOSITORY / page.parent / target).resolve() if target else REPOSITORY / page
            if not found.exists() or (anchor and anchor not in anchors(found)):
                broken.append(f"{page}: {link}")
    assert broken == []


def test_every_page_is_found_from_the_readme(files: list[Path]) -> None:
    reached, todo = set(), [REPOSITORY / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        todo += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    pages = {
        REPOSITORY / path for path in files if path.parent == Path("docs") and path.suffix == ".md"
    }
    pages.add(REPOSITORY / "docs/decisions/README.md")
    assert pages - reached == set()


def test_every_test_that_a_document_names_exists(files: list[Path]) -> None:
    named = {
        (page, name)
        for page in files
        if page.suffix == ".md"
        for name in re.findall(r"`(?:\S*::)?(test_\w+)`", text(page))
    }
    code = "\n".join(text(path) for path in files if path.name.startswith("test_"))
    assert {(page, name) for page, name in named if f"def {name}(" not in code} == set()


def test_every_promise_in_a_table_with_tests_names_one(files: list[Path]) -> None:
    rows = []
    for page in [path for path in files if path.suffix == ".md"]:
        promises = False
        for line in text(page).splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if not line.startswith("|"):
                promises = False
            elif cells[-1] in ("Test", "Tests", "Shown by"):
                promises = True
            elif promises and set(line) - set("|-: "):
                rows.append((page, line))
    assert [(page, line) for page, line in rows if "`test_" not in line] == []
    pages = {str(page) for page, _ in rows}
    assert {"docs/failures.md", "docs/proxy.md", "docs/security.md"} <= pages


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{__version__}]" in (REPOSITORY / "CHANGELOG.md").read_text()


# --- The demo


@pytest.mark.timeout(900)
def test_the_demo_runs_and_cleans_up_after_itself(tmp_path: Path) -> None:
    env = os.environ | {"LOCKSHIP_DEMO_STATE": str(tmp_path / "demo")}
    demo = REPOSITORY / "scripts/demo"
    try:
        shown = run(demo, cwd=tmp_path, env=env)
    finally:
        run(demo, "--clean", cwd=tmp_path, env=env)
    assert shown.count("serves now on 3 hosts") == 3  # deployed, deployed again, rolled back
    assert not (tmp_path / "demo").exists()


def text(path: Path) -> str:
    return (REPOSITORY / path).read_text(errors="replace")
