"""No encoding that is usual shows a secret."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import textwrap
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockship.secrets.grams import LEAST_RUN
from lockship.secrets.mask import HIDDEN, LARGEST, LEAST, Mask

VALUE = "p&ss wörd/\"1'+?\n2nd line~"
USUAL = {
    "plain": VALUE,
    "repr": repr(VALUE),
    "json": json.dumps(VALUE),
    "json, unescaped": json.dumps(VALUE, ensure_ascii=False),
    "url path": urllib.parse.quote(VALUE),
    "url part": urllib.parse.quote(VALUE, safe=""),
    "form": urllib.parse.quote_plus(VALUE),
    "url, lower": re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(VALUE, safe="")),
    "html": html.escape(VALUE),
    "hex": VALUE.encode().hex(),
    "HEX": VALUE.encode().hex().upper(),
    "base64": base64.b64encode(VALUE.encode()).decode(),
    "base64, url": base64.urlsafe_b64encode(VALUE.encode()).decode(),
    "json of Go": json.dumps(VALUE).replace("&", "\\u0026"),
    "json of PHP": json.dumps(VALUE).replace("/", "\\/"),
    "url of Go": urllib.parse.quote(VALUE, safe="$&+,;="),
    "url of JavaScript": urllib.parse.quote(VALUE, safe="!'()*"),
    "shell, single quotes": VALUE.replace("'", "'\\''"),
    "shell, double quotes": VALUE.replace('"', '\\"'),
    "basic auth": base64.b64encode(b"user:" + VALUE.encode() + b"@").decode(),
    "basic auth 2": base64.b64encode(b"users:" + VALUE.encode()).decode(),
}


@pytest.mark.parametrize("form", USUAL)
def test_usual_forms(form: str) -> None:
    text = f"before {USUAL[form]} behind"
    masked = Mask([VALUE]).text(text)
    assert HIDDEN in masked
    assert masked.startswith("before ")
    assert masked.endswith(" behind")
    left = masked.replace(HIDDEN, "")
    assert "rd" not in left
    assert len(left) < len("before  behind") + 12, "but for a neighbour's bytes nothing stays"
    assert Mask([VALUE]).data(text.encode()) == masked.encode()


def test_a_key_is_hidden_line_by_line_and_its_frame_is_not() -> None:
    key = "-----BEGIN KEY-----\nMIIabcdef\nghijkl==\n-----END KEY-----"
    mask = Mask([key])
    assert mask.text(" | MIIabcdef | ghijkl==") == f" | {HIDDEN} | {HIDDEN}"
    assert mask.text("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_the_longer_of_two_goes_first_and_a_short_one_stays() -> None:
    assert Mask(["pass", "password"]).text("password pass") == f"{HIDDEN} {HIDDEN}"
    assert Mask(["abc"]).text("abc") == "abc"
    assert Mask(["hidden"]).text("hidden [hidden]") == f"{HIDDEN} [{HIDDEN}]"
    assert Mask().text("all of it") == "all of it"


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=LEAST)


@given(SECRETS, st.text(max_size=5), st.text(max_size=5))
def test_no_secret_stays_whatever_is_around_it(value: str, before: str, behind: str) -> None:
    masked = Mask([value]).text(before + value + behind)
    rest = masked.replace(HIDDEN, "\0")
    assert value not in rest


def noise(size: int) -> bytes:
    return hashlib.shake_128(b"noise").digest(size)


def own_runs(encoded: str, masked: str) -> list[str]:
    """What is still there of an encoding, of LEAST_RUN characters in one piece."""
    runs = {encoded[at : at + LEAST_RUN] for at in range(len(encoded) - LEAST_RUN + 1)}
    return [run for run in runs if run in masked]


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64, url": base64.urlsafe_b64encode,
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
}


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=LEAST, max_size=300),
    st.sampled_from(sorted(ENCODINGS)),
    st.integers(16, 100),
    st.binary(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(["", "#7 0.532 ", "web1 | ", "    "]),
)
@settings(max_examples=70)
def test_no_part_of_an_encoding_stays_however_it_is_wrapped(
    value: str, encoding: str, width: int, before: bytes, behind: bytes, prefix: str
) -> None:
    raw = value.encode()
    whole = ENCODINGS[encoding](before + raw + behind).decode()
    begin, end = len(before), len(before) + len(raw)
    # Of base64, the characters that hold bits of the value alone.
    own = (
        whole[-(-begin * 4 // 3) : end * 4 // 3] if "64" in encoding else whole[begin * 2 : end * 2]
    )
    mask = Mask([value])
    lines = [prefix + whole[at : at + width] for at in range(0, len(whole), width)]
    masked = [mask.text(line) for line in lines]
    assert own_runs(own, "\n".join(masked).replace(HIDDEN, "\n")) == []
    assert [mask.data(line.encode()).decode() for line in lines] == masked
    assert all(line.startswith(prefix) for line in masked)


TOKENS = st.binary(min_size=18, max_size=150).map(lambda raw: base64.b32encode(raw).decode())


@given(TOKENS.filter(lambda token: re.search("[0-9][A-Z]", token)), st.integers(16, 100))
@settings(max_examples=50)
def test_no_part_of_a_token_stays_however_it_is_wrapped(token: str, width: int) -> None:
    mask = Mask([token])
    lines = [mask.text(line) for line in textwrap.wrap(f"the token is {token}.", width)]
    assert own_runs(token, "\n".join(lines)) == []


def test_a_key_in_lines_of_another_width() -> None:
    body = base64.b64encode(noise(600)).decode()
    key = "\n".join(["-----BEGIN KEY-----", *textwrap.wrap(body, 64), "-----END KEY-----"])
    mask = Mask([key])
    for width in (16, 61, 76, 100, 2000):
        for line in textwrap.wrap(body, width):
            assert own_runs(body, mask.text(line)) == []
    told = json.dumps({"key": key})
    assert own_runs(body, mask.text(told)) == []


def test_a_part_of_what_people_read_stays() -> None:
    value = "postgres://shop:pass-word-1@db1.internal.example.com:5432/shop_production"
    mask = Mask([value])
    text = "db1.internal.example.com:5432 answers; shop_production has 3 tables"
    assert mask.text(text) == text
    assert mask.text(f"url={value}") == f"url={HIDDEN}"


def test_of_a_very_long_one_the_whole_and_its_lines_are_hidden() -> None:
    lines = textwrap.wrap(noise(LARGEST).hex(), 60)
    mask = Mask(["\n".join(lines)])
    assert mask.text(f"x {lines[7]} y") == f"x {HIDDEN} y"
