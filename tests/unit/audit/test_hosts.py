"""What hosts say against the locks: each change of a journal's line, each odd container."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from lockship.audit.evidence import HostEvidence, Running
from lockship.audit.hosts import Known, unexplained
from lockship.host.journal import Act, Entry, hash_of
from lockship.lock.accessory import Accessory, settings_key
from lockship.lock.model import Lock
from tests.unit.locks import make_lock

IMAGE = "sha256:" + "ab" * 32
ONE, TWO = make_lock(), make_lock(env={"A": "2"})
KNOWN = Known({ONE.fingerprint: ONE, TWO.fingerprint: TWO}, {ONE.fingerprint: {IMAGE}})


def entry(lock: Lock, at: str) -> Entry:
    return Entry(
        at=at, command="deploy", outcome="deployed", service="shop", destination=None,
        version=lock.service.version, fingerprint=lock.fingerprint, image_id=IMAGE,
        roles=("web",), performer="ada@desk", origin="desk",
    )  # fmt: skip


def chained(entries: Sequence[Entry]) -> list[bytes]:
    lines: list[bytes] = []
    for each in entries:
        lines.append(
            msgspec.json.encode(replace(each, previous=hash_of(lines[-1] if lines else b"")))
        )
    return lines


SOUND = chained([entry(ONE, "1"), entry(TWO, "2"), entry(ONE, "3")])


def told(
    lines: Sequence[bytes], *running: Running, end: bytes | None = None
) -> list[tuple[str, str | None]]:
    """What is found of a journal; `end` is its last line as it was written, where that is known."""
    said = (hash_of(end) or "").encode() if end is not None else b""
    journal = b"".join(line + b"\n" for line in lines)
    evidence = HostEvidence("local", "shop", journal, running, said)
    return [(each.kind, each.field) for each in unexplained(evidence, KNOWN)]


def test_a_sound_journal_and_its_container() -> None:
    assert told(SOUND, Running("a", IMAGE, "shop", "web", "v", ONE.fingerprint)) == []
    assert told([]) == []


@pytest.mark.parametrize("field", Entry.__struct_encode_fields__)
def test_each_field_of_a_line_that_is_edited_shows(field: str) -> None:
    """The chain names the line after it; what the lock knows better is named at the line itself."""
    own = {
        "service": "journal", "destination": "journal", "version": "journal", "roles": "journal",
        "fingerprint": "uncommitted", "previous": "gap", "accessories": "journal",
    }  # fmt: skip
    found = told([SOUND[0], edited(SOUND[1], field), SOUND[2]], end=SOUND[2])
    here = [(own[field], "journal line 2")] if field in own else []
    assert found == [*here, ("gap", "journal line 3")]
    # Of the last line only its hash, beside the journal, knows what it was.
    own["image_id"] = own["image-id"] = "image"
    found = told([*SOUND[:2], edited(SOUND[2], field)], end=SOUND[2])
    here = [(own[field], "journal line 3")] if field in own else []
    assert found == [*here, ("gap", "journal line 3")]


def edited(line: bytes, field: str) -> bytes:
    document = msgspec.json.decode(line)
    document[field] = (
        ["api"] if field in ("roles", "accessories", "skipped-hooks")
        else "restart" if field == "command"
        else "failed" if field == "outcome" else "sha256:" + "1" * 64
    )  # fmt: skip
    return msgspec.json.encode(document)


def test_lines_that_are_removed_added_swapped_or_damaged() -> None:
    one, two, three = SOUND
    assert told([two, three]) == [("gap", "journal line 1")]
    assert told([one, three]) == [("gap", "journal line 2")]
    assert told([one, one, two, three]) == [("gap", "journal line 2")]
    assert told([two, one, three]) == [("gap", f"journal line {n}") for n in (1, 2, 3)]
    cut = two[:40]
    assert told([one, cut, three]) == [("damaged", "journal line 2"), ("gap", "journal line 3")]
    # What a full disk cut short is damaged, and the line after it follows from it.
    after = msgspec.json.encode(replace(entry(ONE, "4"), previous=hash_of(cut)))
    assert told([one, cut, after]) == [("damaged", "journal line 2")]


def test_the_end_of_a_journal() -> None:
    one, two, three = SOUND
    assert told(SOUND, end=three) == []
    assert told([one, two], end=three) == [("gap", "journal line 2")]
    assert told([one], end=three) == [("gap", "journal line 1")]
    assert told([], end=three) == [("gap", "journal")]
    # A deploy that was killed between the line and its hash, and a journal from before there were.
    assert told(SOUND, end=two) == []
    assert told(SOUND) == []


def test_a_deploy_that_was_never_committed() -> None:
    stranger = make_lock(env={"A": "3"})
    assert told(chained([entry(stranger, "1")])) == [("uncommitted", "journal line 1")]
    other = replace(entry(ONE, "1"), image_id="sha256:" + "cd" * 32)
    assert told(chained([other])) == [("image", "journal line 1")]


def test_containers_that_no_lock_explains() -> None:
    def one(**changes: str) -> Running:
        sound = Running("a", IMAGE, "shop", "web", "v", ONE.fingerprint)
        return replace(sound, **changes)

    assert told(SOUND, one(image_id="sha256:" + "cd" * 32)) == [("image", "container a")]
    assert told(SOUND, one(fingerprint="sha256:" + "0" * 64)) == [("by hand", "container a")]
    assert told(SOUND, one(role="api")) == [("by hand", "container a")]
    assert told(SOUND, Running("b", IMAGE)) == [("by hand", "container b")]
    assert told(SOUND[:1], one(fingerprint=TWO.fingerprint)) == [("unrecorded", "container a")]
    # Where no artifact was committed, the journal says which image its deploy brought.
    assert told(SOUND, one(fingerprint=TWO.fingerprint)) == []


def test_accessories_that_no_lock_explains() -> None:
    """An accessory outlives locks: any committed one that describes it explains it."""
    db = Accessory(image="postgres:16", hosts=("local",))
    lock = make_lock(accessories={"db": db})
    known = Known({lock.fingerprint: lock, ONE.fingerprint: ONE})

    def found(**changes: str) -> list[tuple[str, str]]:
        sound = Running("shop-db", IMAGE, "shop", accessory="db", settings=settings_key(db))
        evidence = HostEvidence("local", "shop", b"", (replace(sound, **changes),))
        return [(each.kind, each.what) for each in unexplained(evidence, known)]

    assert found() == []
    assert found(settings_image=IMAGE) == []
    assert found(accessory="cache") == [
        ("by hand", "no committed lock has an accessory cache on this host")
    ]
    assert found(settings="0" * 16) == [
        ("by hand", "no committed lock describes accessory db as it is")
    ]
    assert found(project="blog") == [
        ("by hand", "no committed lock has an accessory db on this host")
    ]
    assert [kind for kind, _ in found(settings_image="sha256:" + "cd" * 32)] == ["image"]


def test_what_the_journal_says_of_accessories() -> None:
    db = Accessory(image="postgres:16", hosts=("local",))
    lock = make_lock(accessories={"db": db})
    known = Known({lock.fingerprint: lock})

    def said(command: Act, *names: str) -> list[str]:
        line = replace(
            entry(lock, "1"), command=command, outcome="done", roles=(), accessories=names
        )
        evidence = HostEvidence("local", "shop", msgspec.json.encode(line) + b"\n")
        return [each.what for each in unexplained(evidence, known)]

    assert said("accessory boot", "db") == []
    assert said("accessory boot", "cache") == ["the lock has no accessory cache"]
    assert said("accessory remove", "cache") == [], "one that left the lock"
