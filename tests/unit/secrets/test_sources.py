"""Each kind of source, and what is said of one that fails: never a value."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lockship.errors import LockshipError
from lockship.secrets import dotenv
from lockship.secrets.kind import Place, Unresolved
from lockship.secrets.resolve import all_or_raise, attempt
from lockship.secrets.secret import Secret
from lockship.secrets.sources import EXPECTED, parse


def resolve(tmp_path: Path, sources: dict[str, str], **environ: str) -> dict[str, str]:
    """Names and values; of one that can't be had, why."""
    found = attempt(sources, Place(tmp_path, environ))
    return {
        n: each.reveal() if isinstance(each, Secret) else str(each) for n, each in found.items()
    }


def program(tmp_path: Path, body: str) -> str:
    """A source that runs a program with this body."""
    path = tmp_path / "a program.py"
    path.write_text(body)
    return f"cmd:{sys.executable} '{path}'"


def test_every_kind(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN KEY-----\nabc\n-----END KEY-----\n")
    (tmp_path / ".env").write_text("A=1\nB='two words'\n")
    sources = {
        "TOKEN": "env:SHOP_TOKEN",
        "KEY": "file:key.pem",
        "ABSOLUTE": f"file:{tmp_path}/key.pem",
        "B": "dotenv:.env#B",
        "SAID": program(tmp_path, "import os; print('said in', os.path.basename(os.getcwd()))"),
    }
    found = resolve(tmp_path, sources, SHOP_TOKEN="t0ken")
    pem = "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    assert found == {
        "TOKEN": "t0ken",
        "KEY": pem,
        "ABSOLUTE": pem,
        "B": "two words",
        "SAID": f"said in {tmp_path.name}",
    }


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    (tmp_path / "args.py").write_text("import sys; print(sys.argv[1:])")
    source = f"cmd:{sys.executable} args.py $HOME `id` ; touch pwned"
    assert resolve(tmp_path, {"A": source})["A"] == "['$HOME', '`id`', ';', 'touch', 'pwned']"
    assert not (tmp_path / "pwned").exists()


def test_each_thing_is_fetched_once(tmp_path: Path) -> None:
    source = program(tmp_path, "open('count', 'a').write('x'); print('v')")
    assert resolve(tmp_path, {"A": source, "B": source, "C": source}) == dict.fromkeys("ABC", "v")
    assert (tmp_path / "count").read_text() == "x"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("env:NOWHERE", "the variable isn't set"),
        ("env:EMPTY", "it is empty"),
        ("file:nowhere", "the file can't be read: No such file or directory"),
        ("file:.", "the file can't be read: Is a directory"),
        ("sops:~nobody-at-all/x#k", "the file can't be read: Could not determine home"),
        ("age:~nobody-at-all/x", "the file can't be read: Could not determine home"),
        ("file:bytes", "the file is no UTF-8 text"),
        ("file:nul", "it holds a NUL character"),
        ("file:large", "the file is larger than 1 MiB"),
        ("dotenv:.env#NOWHERE", "the file has no NOWHERE"),
        ("cmd:no-such-program --x", "no-such-program can't be run: No such file or directory"),
        ("cmd:sh -c 'echo not signed in >&2; exit 3'", "sh ended with status 3\nnot signed in"),
        ("hunter2", EXPECTED),
    ],
)
def test_why_a_secret_can_not_be_had(tmp_path: Path, source: str, why: str) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "nul").write_bytes(b"a\0b")
    (tmp_path / "large").write_bytes(b"a" * (1 << 20) + b"b")
    environ = {"EMPTY": "", "PATH": "/usr/bin:/bin"}
    (found,) = attempt({"A": source}, Place(tmp_path, environ)).values()
    assert isinstance(found, Unresolved)
    assert why in str(found)


def test_every_missing_one_is_named_with_its_source() -> None:
    sources = {"A": "env:A", "B": "env:NOWHERE", "C": "hunter2"}
    outcomes = attempt(sources, Place(Path("/"), {"A": "value"}))
    with pytest.raises(LockshipError) as caught:
        all_or_raise(outcomes, sources)
    assert caught.value.details[0] == "B from env:NOWHERE: the variable isn't set"
    assert caught.value.details[1].startswith("C from (no source): ")
    assert "hunter2" not in "".join(caught.value.details), "a value in a source's place"


@pytest.mark.parametrize(
    "text",
    [
        *("", "hunter2", "env", "env:", "env:A-B", "file:", "file:a\nb", "dotenv:.env"),
        *("dotenv:#A", "dotenv:.env#", "cmd:", "cmd:'", "vault:x", "postgres://u:hunter2@db/x"),
    ],
)
def test_what_is_no_source_is_not_repeated(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^(a source: env:NAME|'[a-z-]+:.*', as .* secrets are written$)"
    ) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")
    for shown in (repr(secret), str(secret), f"{secret}", repr({"a": [secret]})):
        assert "hunter2" not in shown
    assert secret == Secret("hunter2") != Secret("other")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  export A = b c  ", "b c"),
        ("A=b#c # comment", "b#c"),
        ("A= # comment", ""),
        ("A=", ""),
        ("A='$b \\n # c'", "$b \\n # c"),
        ('A="b\\"c\\n$d\\$e" # comment', 'b"c\n$d$e'),
        ('A="two\nlines"', "two\nlines"),
        ("A=1\nA=2", "2"),
        ("# A=1\nA=2\r", "2"),
    ],
)
def test_dotenv(line: str, value: str) -> None:
    assert dotenv.parse(f"B=before\n{line}\nC=behind\n") == {
        "B": "before",
        "A": value,
        "C": "behind",
    }
