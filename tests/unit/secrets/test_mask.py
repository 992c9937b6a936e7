"""No encoding that is usual shows a secret."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.secrets.mask import HIDDEN, LEAST, Mask

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
