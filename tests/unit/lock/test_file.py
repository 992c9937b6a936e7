"""The lockfile: written and read it is the same; changed by anyone else it is refused."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.lock.fingerprint import build_key, sealed, to_document
from lockship.lock.image import Artifact
from lockship.lock.model import Host, Lock
from lockship.lock.reader import MAX_BYTES, NewerLockError, parse, read
from lockship.lock.writer import HEADER, dump, write
from tests.unit.lock.strategies import LOCKS
from tests.unit.locks import make_lock

SLOW = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)


@SLOW
@given(LOCKS)
def test_read_is_what_was_written(lock: Lock) -> None:
    data = dump(lock)
    assert parse(data, "lock") == lock
    assert dump(parse(data, "lock")) == data
    assert dump(lock, data.decode()) == data


@SLOW
@given(LOCKS, st.randoms(use_true_random=False))
def test_another_byte_is_refused_or_means_the_same(lock: Lock, chance: random.Random) -> None:
    data = dump(lock)
    for _ in range(20):
        changed = bytearray(data)
        at = chance.randrange(len(changed))
        changed[at] ^= 1 << chance.randrange(8)
        try:
            found = parse(bytes(changed), "lock")
        except RefusedError:
            continue
        assert without_artifact(found) == without_artifact(lock)


def without_artifact(lock: Lock) -> Lock:
    """`[artifact]` is outside of the fingerprint: `build` writes it into a sealed lock."""
    return msgspec.structs.replace(lock, artifact=None)


def test_every_byte_of_a_usual_lock() -> None:
    lock = make_lock(
        roles={}, hosts={"web1": Host(user="ada", keys=("ssh-ed25519 AAAA",))}, env={"A": "b # c"}
    )
    lock = sealed(msgspec.structs.replace(lock, roles=make_roles("web1")))
    data = dump(lock)
    assert parse(data, "lock") == lock
    for at in range(len(data)):
        for bit in (0, 5):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            try:
                found = parse(bytes(changed), "lock")
            except RefusedError:
                continue
            assert found == lock


def make_roles(*hosts: str) -> dict[str, object]:
    roles = make_lock().roles
    return {"web": msgspec.structs.replace(roles["web"], hosts=hosts)}


@SLOW
@given(LOCKS, LOCKS)
def test_the_fingerprint_is_a_function_of_the_content(one: Lock, other: Lock) -> None:
    same = to_document(unsealed(one)) == to_document(unsealed(other))
    assert (one.fingerprint == other.fingerprint) == same
    assert sealed(one) == one


def unsealed(lock: Lock) -> Lock:
    return msgspec.structs.replace(lock, fingerprint="", artifact=None)


@SLOW
@given(LOCKS)
def test_the_order_of_keys_is_no_content(lock: Lock) -> None:
    turned = msgspec.structs.replace(
        lock,
        roles=dict(reversed(lock.roles.items())),
        hosts=dict(reversed(lock.hosts.items())),
        env=dict(reversed(lock.env.items())),
    )
    assert sealed(turned).fingerprint == lock.fingerprint
    assert build_key(turned) == build_key(lock)


def test_what_makes_another_image_and_what_does_not() -> None:
    lock = make_lock()
    key = build_key(lock)
    pinned = make_lock(hosts={"local": Host(keys=("ssh-ed25519 AAAA",))}, env={"A": "b"})
    assert build_key(pinned) == key
    assert pinned.fingerprint != lock.fingerprint
    changes: tuple[dict[str, Any], ...] = (
        {"source": {"tree": "3" * 40}},
        {"source": {"remote": "https://example.com"}},
        {"build": {"target": "web"}},
        {"image": {"tag": "other"}},
        {"service": {"version": "other"}},
    )
    for change in changes:
        assert build_key(make_lock(**change)) != key


class TestComments:
    def test_what_is_in_a_value_is_none(self) -> None:
        lock = make_lock(build={"target": "\x85# a\u2028# b"})
        assert dump(lock, dump(lock).decode()) == dump(lock)

    def test_they_stay_where_they_were(self) -> None:
        lock = make_lock(env={"B": "2", "A": "1"})
        text = dump(lock).decode()
        said = text.replace("[build]", "# why\n# so\n[build]").replace(
            "subject =", "# a # good one\nsubject ="
        )
        assert parse(said.encode(), "lock") == lock
        assert dump(lock, said).decode() == said
        changed = make_lock(env={"A": "3"}, build={"target": "web"})
        after = dump(changed, said).decode()
        assert "# why\n# so\n[build]\n" in after
        assert "# a # good one\nsubject =" in after
        assert parse(after.encode(), "lock") == changed

    def test_above_quoted_and_nested_tables(self) -> None:
        lock = make_lock(roles=make_roles("2001:db8::1"), hosts={"2001:db8::1": Host(port=22)})
        said = dump(lock).decode().replace('[hosts."2001', '# the old one\n[hosts."2001')
        assert "# the old one" in said
        assert dump(lock, said).decode() == said

    def test_an_own_header_replaces_ours(self) -> None:
        lock = make_lock()
        said = dump(lock).decode().replace(HEADER, "# ours to read\n")
        assert dump(lock, said).decode() == said

    def test_a_table_that_goes_takes_its_comment_along(self) -> None:
        said = dump(make_lock(env={"A": "1"})).decode().replace("[env]", "# clear\n[env]")
        assert "# clear" not in dump(make_lock(), said).decode()

    def test_what_looks_like_a_comment_in_a_value(self) -> None:
        lock = make_lock(env={"A": "x\n# no comment\n[build]\n"})
        assert dump(lock, dump(lock).decode()) == dump(lock)

    @SLOW
    @given(LOCKS, st.text(max_size=200))
    def test_whatever_was_there_before(self, lock: Lock, before: str) -> None:
        assume("\r" not in before)
        data = dump(lock, before)
        assert parse(data, "lock") == lock


class TestRefused:
    def test_newer(self) -> None:
        with pytest.raises(NewerLockError, match="lock-version 2"):
            parse(b'lock-version = 2\nwhat = "ever"\n', ".shiplock")

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"lock-version = true",
            b"lock-version = 0",
            b"lock-version = '1'",
            b"lock-version = 1",
            b"\xff\xfe",
            b"a = " + b"[" * 4000,
            b"<<<<<<< HEAD\n",
            b"#" * ((1 << 20) + 1),
        ],
    )
    def test_damaged(self, data: bytes) -> None:
        with pytest.raises(RefusedError) as caught:
            parse(data, ".shiplock")
        assert not isinstance(caught.value, NewerLockError)
        assert caught.value.hint

    def test_every_cut(self) -> None:
        data = dump(make_lock(env={"A": "b"}))
        for length in range(len(data) - 1):
            with pytest.raises(RefusedError):
                parse(data[:length], ".shiplock")

    def test_a_host_without_its_table(self) -> None:
        lock = make_lock(roles=make_roles("web1"))
        with pytest.raises(RefusedError, match=r"no \[hosts\] table for web1"):
            parse(dump(lock), ".shiplock")

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"no \.shiplock here"):
            read(tmp_path / ".shiplock")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError, match="can't be read"):
            read(tmp_path)


class TestWriting:
    def test_an_unchanged_file_is_not_written(self, tmp_path: Path) -> None:
        path = tmp_path / ".shiplock"
        assert write(path, make_lock())
        before = path.stat()
        assert not write(path, make_lock())
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_the_mode_stays(self, tmp_path: Path) -> None:
        path = tmp_path / ".shiplock"
        write(path, make_lock())
        path.chmod(0o640)
        assert write(path, make_lock(env={"A": "b"}))
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def test_a_new_file_has_the_umasks_mode(self, tmp_path: Path) -> None:
        old = os.umask(0o027)
        try:
            write(tmp_path / ".shiplock", make_lock())
        finally:
            os.umask(old)
        assert stat.S_IMODE((tmp_path / ".shiplock").stat().st_mode) == 0o640

    def test_the_artifact_is_added_and_nothing_else(self, tmp_path: Path) -> None:
        lock = make_lock()
        path = tmp_path / ".shiplock"
        write(path, lock)
        before = path.read_text()
        artifact = Artifact(key=build_key(lock), image_id="sha256:" + "1" * 64)
        write(path, msgspec.structs.replace(lock, artifact=artifact))
        assert path.read_text().startswith(before)
        assert read(path).fingerprint == lock.fingerprint

    def test_a_symlink_is_not_followed(self, tmp_path: Path) -> None:
        path = tmp_path / ".shiplock"
        path.symlink_to(tmp_path / "outside")
        with pytest.raises(RefusedError, match="not a regular file"):
            write(path, make_lock())
        assert not (tmp_path / "outside").exists()

    def test_what_could_not_be_read_is_not_written(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError, match="bytes"):
            write(tmp_path / ".shiplock", make_lock(env={"A": "x" * MAX_BYTES}))
        assert not (tmp_path / ".shiplock").exists()

    def test_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        path = tmp_path / "gone" / ".shiplock"
        with pytest.raises(LockshipError, match="can't be written"):
            write(path, make_lock())
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_left_beside_it(self, tmp_path: Path) -> None:
        write(tmp_path / ".shiplock", make_lock())
        assert [path.name for path in tmp_path.iterdir()] == [".shiplock"]
