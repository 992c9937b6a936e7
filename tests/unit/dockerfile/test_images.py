"""Which images a Dockerfile takes from elsewhere, as BuildKit reads it."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.dockerfile.images import images
from lockship.dockerfile.pinned import pinned

AT = "@sha256:" + "0a" * 32


def names(text: str, args: dict[str, str] | None = None, *platforms: str) -> list[str]:
    """Return the images that a Dockerfile names, in its order, after seeing that all is well."""
    uses, problems = images(dedent(text), args or {}, platforms)
    assert problems == ()
    return [use.reference for use in uses]


def problem(text: str, args: dict[str, str] | None = None, *platforms: str) -> str:
    """Return the only problem, as `line: text`."""
    (found,) = images(dedent(text), args or {}, platforms)[1]
    return f"{found.line}: {found.text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM scratch\nCOPY a /\n", []),
        ("from busybox\n", ["busybox"]),
        ("FROM  --platform=$BUILDPLATFORM   busybox:1.36   AS Base\nFROM base\n", ["busybox:1.36"]),
        ("FROM a AS one\nFROM one AS two\nFROM TWO\n", ["a"]),
        ("FROM later\nFROM b AS later\n", ["later", "b"]),  # FROM sees only stages above it
        ("FROM a\nCOPY --from=later x /\nFROM b AS later\n", ["a", "b"]),  # --from sees all
        ("FROM a\nFROM b\nCOPY --from=0 x /\nCOPY --from=scratch x /\n", ["a", "b"]),
        ("FROM a\nCOPY --link --from=acme/tools:1 --chown=1 x /\n", ["a", "acme/tools:1"]),
        ("FROM a\nCOPY --from='b:1' x /\nCOPY --from=\"c\" x /\n", ["a", "b:1", "c"]),
        ("FROM a\nADD --from=b x /\n", ["a"]),
        ("FROM a\nRUN --mount=type=bind,from=b,target=/x ls\n", ["a", "b"]),
        ("FROM a\nRUN --mount=type=cache,target=/x --mount=FROM=b:2,dst=/y ls\n", ["a", "b:2"]),
        ("FROM a\nRUN echo --mount=from=b\nRUN echo; COPY --from=c\n", ["a"]),
        (f"FROM busybox:1{AT}\nFROM a{AT}\nCOPY --from=b{AT} x /\n", []),
        ("FROM localhost:5000/a\nFROM Example.com/b\n", ["localhost:5000/a", "Example.com/b"]),
        ("# a comment\n\n  # FROM x\nFROM a\n#FROM y\n", ["a"]),
        ("FROM \\\n  # why\n\n  busy\\\nbox:1.36 \\\n AS x\nFROM x\n", ["busybox:1.36"]),
        ("# escape=`\nFROM a`\n:1\nRUN dir C:\\\nFROM b\n", ["a:1", "b"]),
        ("FROM a\nRUN dir C:\\\\\nFROM b\n", ["a", "b"]),  # an escaped escape continues nothing
        ("FROM a\r\nRUN x\\\r\n y\r\nFROM b\r\n", ["a", "b"]),
        ("\ufeffFROM a\n", ["a"]),
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN <<-'E F'\n\tFROM b\n\tE F\nFROM c\n", ["a", "c"]),
        ("FROM a\nCOPY <<one <<\"two\" /x\nFROM b\none\nFROM c\ntwo\nFROM d\n", ["a", "d"]),
        ("FROM a\nRUN 3<<X cat\nFROM b\nX\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN echo '<<EOF'\nFROM b\n", ["a", "b"]),
        ("FROM a\nRUN [\"echo\", \"<<EOF\"]\nFROM b\n", ["a", "b"]),
        ("FROM a\nRUN echo 1 << 2\nFROM b\n", ["a", "b"]),
        ("FROM a\nENV X=<<EOF\nFROM b\n", ["a", "b"]),
        ("FROM a\nRUN <<EOF\nFROM b\n", ["a"]),  # BuildKit says that it isn't closed
        ("# syntax=docker/dockerfile:1\nFROM a\n", ["docker/dockerfile:1", "a"]),
        ("#SYNTAX = docker/dockerfile:1 more words\n# escape=`\nFROM a`\n:2\n",
         ["docker/dockerfile:1", "a:2"]),
        ("#!/usr/bin/env docker\n# syntax=d/d\nFROM a\n", ["d/d", "a"]),
        ("// syntax=d/d\nFROM a\n", ["d/d", "a"]),
        ("# a comment\n# syntax=docker/dockerfile:1\nFROM a\n", ["a"]),
        (f"# syntax=docker/dockerfile:1{AT}\nFROM a\n", ["a"]),
        ("FROM a\nONBUILD COPY --from=acme/b:1 x /\nONBUILD RUN --mount=from=c/d ls\n",
         ["a", "acme/b:1", "c/d"]),
        ("FROM a\nONBUILD COPY --from=build x /\n", ["a"]),  # a stage of whoever builds on it
        ("FROM a AS base\nONBUILD COPY --from=b x /\nFROM base\n", ["a", "b"]),
        ("FROM\nFROM a b\nCOPY --from= x /\n", ["a"]),
        ("", []),
    ],
)  # fmt: skip
def test_what_is_an_image_and_what_is_not(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        ("ARG V=3\nFROM a:$V\n", {}, ["a:3"]),
        ("ARG V=3\nFROM a:${V}-slim\n", {"V": "4"}, ["a:4-slim"]),
        ("ARG V\nFROM a:${V}\n", {"V": "4"}, ["a:4"]),
        ("FROM a:${V:-5}\n", {"V": "4"}, ["a:5"]),  # not declared, so not known
        ("ARG V=\nFROM a:${V:-5}\nFROM a${V-5}\nFROM a${V:+x}\n", {}, ["a:5", "a", "a"]),
        ("ARG A=1 B=\"2\" C='3'\nARG D=$A.$B\nFROM a:$D.${C}\n", {}, ["a:1.2.3"]),
        ("ARG A=a:1\nFROM \"$A\"\nARG A=b\nFROM $A\n", {}, ["a:1", "a:1"]),
        ("ARG S=one\nFROM a AS one\nFROM $S\n", {}, ["a"]),
        (f"ARG D={AT}\nFROM a:1$D\n", {}, []),
        ("ARG E\nFROM a${E}\n", {}, ["a"]),
        ("ARG R=x.test:5000\nFROM ${R}/a:1\n", {}, ["x.test:5000/a:1"]),
        ("FROM a:${V:-${W:-7}}\n", {}, ["a:7"]),
        ("FROM --platform=linux/$TARGETARCH a\n", {}, ["a"]),
        ("FROM a:$TARGETARCH\n", {"TARGETARCH": "x"}, ["a:x"]),
    ],
)  # fmt: skip
def test_arguments(text: str, args: dict[str, str], expected: list[str]) -> None:
    assert names(text, args) == expected


def test_platforms() -> None:
    text = "FROM a:$TARGETOS-$TARGETARCH-$TARGETVARIANT\n"
    assert names(text, {}, "linux/arm/v7") == ["a:linux-arm-v7"]
    stages = "FROM x AS b_amd64\nFROM y AS b_arm64\nFROM b_$TARGETARCH\n"
    assert names(stages, {}, "linux/amd64", "linux/arm64") == ["x", "y"]
    assert "another image for each platform" in problem(
        "FROM a:$TARGETARCH\n", {}, "linux/amd64", "linux/arm64"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ARG V\n\nFROM python:$V\n", "3: python:$V is no image's name without a value for V; give"
         " ARG V a default, or set it in [build] args"),
        ("FROM ${BASE}\n", "1: ${BASE} is no image's name without a value for BASE"),
        ("FROM x-$TARGETARCH\n", "TARGETARCH isn't known before the build; [build] platforms"),
        ("FROM x:$BUILDARCH\n", "BUILDARCH isn't known before the build; name the image"),
        ("FROM a\nCOPY --from=$X b /\n", "2: $X: variables aren't replaced here"),
        ("FROM a\nRUN --mount=from=$X,dst=/b ls\n", "2: $X: variables aren't replaced here"),
        ("FROM UPPER\n", "1: UPPER is no image's name"),
        ("ARG V=1.2\nFROM a:${V%.*}\n", "2: a:${V%.*}: lockship expands no '${V%...}'"),
        ("FROM a:${V\n", "1: a:${V: lockship expands no"),
        ("FROM a:${V:?which}\n", "1: a:${V:?which}: V: which"),
        ("ARG V='1\nFROM a:$V\n", "1: ARG V: a single quote isn't closed"),
    ],
)  # fmt: skip
def test_what_can_not_be_known_is_said_with_its_line(text: str, said: str) -> None:
    _, problems = images(text, {}, ())
    assert said in f"{problems[0].line}: {problems[0].text}"


def test_a_syntax_that_is_said_elsewhere() -> None:
    said = problem("FROM a\n", {"BUILDKIT_SYNTAX": "docker/dockerfile:1"})
    assert said.startswith("1: [build] args BUILDKIT_SYNTAX is an image without a digest")
    assert names("FROM a\n", {"BUILDKIT_SYNTAX": f"docker/dockerfile:1{AT}"}) == ["a"]
    assert (
        problem('\n{"syntax": "docker/dockerfile:1"}\n')
        == "1: lockship reads no definition in JSON"
    )


def test_doubling_arguments_end_in_an_error() -> None:
    lines = [f"ARG A{n + 1}=$A{n}$A{n}" for n in range(60)]
    assert "longer than" in problem("\n".join(["ARG A0=aaaaaaaaaa", *lines, "FROM a"]))


def test_every_line_stays_where_it_is_and_only_images_change() -> None:
    text = (
        "\ufeff# syntax=docker/dockerfile:1 # really\r\nARG V=3\n"
        "FROM --platform=$BUILDPLATFORM python:${V}-\\\n  # why\nslim AS b\n"
        "COPY --link --from='acme/tools' a /\nRUN --mount=type=bind,from=acme/tools,dst=/t <<E\n"
        "FROM acme/tools\nE\nFROM b\nCOPY . .  \n"
    )
    uses, problems = images(text, {}, ())
    assert problems == ()
    changed = pinned(text, uses, {use.reference: f"{use.reference}@PIN" for use in uses})
    assert changed == (
        "\ufeff# syntax=docker/dockerfile:1@PIN # really\r\nARG V=3\n"
        "FROM --platform=$BUILDPLATFORM python:3-slim@PIN\\\n  # why\n AS b\n"
        "COPY --link --from='acme/tools@PIN' a /\n"
        "RUN --mount=type=bind,from=acme/tools@PIN,dst=/t <<E\n"
        "FROM acme/tools\nE\nFROM b\nCOPY . .  \n"
    )
    assert pinned("FROM scratch\n", (), {}) == "FROM scratch\n"


PIECES = st.sampled_from(
    ["FROM ", "ARG ", "RUN ", "COPY ", "ONBUILD ", "--from=", "--mount=from=", "a:1", " AS x", "x",
     "$", "${", "}", ":-", ":?", "\\", "`", "\n", "\r\n", "#", "# escape=`\n", "# syntax=s\n",
     "<<E", "<<-'E'", "\nE\n", "'", '"', " ", "\t", "=", ",", "[", "]", "@", "\ufeff", "\x85",
     "scratch", "--", "TARGETARCH", "\0", "\udcff"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=60).map("".join), st.sampled_from([(), ("linux/amd64",)]))
def test_whatever_it_is_it_is_read_and_written(text: str, platforms: tuple[str, ...]) -> None:
    uses, _ = images(text, {"x": "1"}, platforms)
    changed = pinned(text, uses, {use.reference: f"{use.reference}{AT}" for use in uses})
    assert changed.count("\n") == text.count("\n")
    for use in uses:
        assert AT not in use.reference
    # What was pinned has nothing left to pin, unless a word was only joined by what was replaced.
    again, _ = images(changed, {"x": "1"}, platforms)
    assert len(again) == 0


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\\\n" * 50_000,
        "RUN " + "<<E " * 30_000 + "\n",
        "FROM " + "${a:-" * 100_000,
        "FROM " + "'" * 300_001,
        "RUN --mount=" + "from=a," * 20_000 + " x\n",
        "COPY " + "--from=a " * 20_000 + "x /\n",
        "RUN [" * 100_000,
        "RUN " + "[" * 100_000 + '"]\n',
        "FROM a" + ":b" * 100_000 + "\n",
        "FROM a" + "--" * 300_000 + "!\n",
        "ARG A=" + "\\" * 500_000 + "\nFROM $A\n",
        "#" * 1_000_000 + "\nFROM a\n",
    ],
    ids=range(12),
)
def test_absurd_files_take_no_time(text: str) -> None:
    """Each of them in a second or two; a quadratic step would take minutes."""
    images(text, {}, ())
