"""The images from elsewhere that a Dockerfile names, and where it names them.

What is an image and what a stage of the same file is BuildKit's own rule (frontend/dockerfile,
dockerfile2llb/convert.go): `FROM` may name an earlier stage, `COPY --from` and `RUN --mount` any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lockship.dockerfile.expand import ExpandError, expand
from lockship.dockerfile.flags import flags, mount_from, words
from lockship.dockerfile.lines import (
    BLANK,
    BOM,
    Instruction,
    Text,
    directives,
    escape_character,
    instructions,
)
from lockship.lock.reference import parse_reference

EMPTY: Final = "scratch"  # the image with nothing in it
_STAGE_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*")
_BUILD_ARGS: Final = ("BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT")
_TARGET_ARGS: Final = ("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT")
_SYNTAX: Final = "BUILDKIT_SYNTAX"
_USED: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True)
class Use:
    """One place that names an image: `at` are the characters of the file that say it.

    `platforms` are those for which it is taken there, as far as that is known before the build.
    """

    reference: str
    at: tuple[int, ...]
    line: int
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What can't be known about an image before the build, and on which line."""

    line: int
    text: str


@dataclass
class _Stage:
    """A stage as it is read: `fires` whether a later one is built on it."""

    name: str
    fires: bool = False


@dataclass
class _Reading:
    """What is known of a file while it is read."""

    escape: str
    worlds: list[dict[str, str]]
    """The values of the ARGs above all stages, for each platform that is built for."""
    platforms: tuple[str, ...]
    stages: list[_Stage] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    later: list[tuple[Text, bool, _Stage | None]] = field(default_factory=list)
    """What `--from` names, whether for a later build, in which stage: judged at the end."""

    def named(self, name: str) -> _Stage | None:
        """Return the stage of a name, whatever its case; the last one of several."""
        return next((s for s in reversed(self.stages) if s.name == name.lower()), None)


def images(
    text: str, args: Mapping[str, str], platforms: Sequence[str]
) -> tuple[tuple[Use, ...], tuple[Problem, ...]]:
    """Return each use of an image that has no digest yet, in the file's order, and what is wrong.

    `args` are the build's arguments, `platforms` what it is built for (none: not known). An image
    with a digest in its name is pinned already and not among them.
    """
    reading = _Reading(escape_character(text), _worlds(args, platforms), tuple(platforms))
    _syntax(reading, text, args)
    for instruction in instructions(text):
        if instruction.name == "FROM" and not instruction.onbuild:
            _from(reading, instruction)
        elif instruction.name == "ARG" and not reading.stages:
            _arg(reading, instruction, args)
        elif instruction.name in ("COPY", "RUN"):
            stage = reading.stages[-1] if reading.stages else None
            for name in _sources(instruction):
                reading.later.append((name, instruction.onbuild, stage))
    for name, onbuild, stage in reading.later:
        _source(reading, name, onbuild=onbuild, stage=stage)
    ordered = sorted(reading.uses, key=lambda use: use.at[0])
    return tuple(ordered), tuple(sorted(reading.problems, key=lambda each: each.line))


def _worlds(args: Mapping[str, str], platforms: Sequence[str]) -> list[dict[str, str]]:
    """Return the platform arguments that BuildKit sets by itself, as far as they are known."""
    found = []
    for platform in platforms or ("",):
        system, _, rest = platform.partition("/")
        machine, _, variant = rest.partition("/")
        known = (platform, system, machine, variant) if platform else ()
        values = dict(zip(_TARGET_ARGS, known, strict=False))
        given = (*_TARGET_ARGS, *_BUILD_ARGS)
        found.append(values | {name: args[name] for name in given if name in args})
    return found


def _syntax(reading: _Reading, text: str, args: Mapping[str, str]) -> None:
    """A syntax is an image as well: the program that reads the file. It can be said in four ways.

    An argument of the build goes before what the file says.
    """
    given = parse_reference(args[_SYNTAX]) if _SYNTAX in args else None
    if _SYNTAX in args and (given is None or given.digest is None):
        said = f"[build] args {_SYNTAX} is an image without a digest; say `# syntax=` here instead"
        reading.problems.append(Problem(1, said))
    for mark in ("#", "//"):
        for directive in directives(text, mark, program=True):
            if directive.name == "syntax":
                end = len(directive.value.text.partition(" ")[0])
                _add(reading, directive.value.part(0, end), platforms=())
                return
    if text.lstrip(f"{BOM}{BLANK}\n").startswith("{"):
        reading.problems.append(Problem(1, "lockship reads no definition in JSON"))


def _arg(reading: _Reading, instruction: Instruction, args: Mapping[str, str]) -> None:
    for word in words(instruction.rest.text, reading.escape):
        name, given, default = word.partition("=")
        for world in reading.worlds:
            if name in args:
                world[name] = args[name]
            elif given:
                try:
                    world[name] = expand(default, world, reading.escape)
                except ExpandError as error:
                    text = f"ARG {name}: {error}"
                    reading.problems.append(Problem(instruction.rest.line, text))
                    return


def _from(reading: _Reading, instruction: Instruction) -> None:
    said, rest = flags(instruction.rest)
    name, more = rest.split()
    if not name.text:
        return  # BuildKit says that better
    alias = more.text.split()
    stage = _Stage(alias[1].lower() if len(alias) == 2 and alias[0].lower() == "as" else "")
    values = _values(reading, name)
    bases = [reading.named(value) for value in values]
    for base in bases:
        if base is not None:
            base.fires = True
    if None in bases and len(values) > 1:
        _differs(reading, name, values)
    elif None in bases:
        _add(reading, name, values[0], _platforms(reading, said))
    reading.stages.append(stage)


def _platforms(reading: _Reading, said: Sequence[Text]) -> tuple[str, ...]:
    """Return for which platforms a FROM takes its image; none where only the build knows."""
    for flag in said:
        name, _, value = flag.text.partition("=")
        if name == "--platform":
            try:
                found = [expand(value, world, reading.escape) for world in reading.worlds]
            except ExpandError:
                return ()
            known = not any(each in _BUILD_ARGS for each in _USED.findall(value))
            return tuple(dict.fromkeys(filter(None, found))) if known else ()
    return reading.platforms


def _values(reading: _Reading, name: Text) -> list[str]:
    """Return what a name becomes, once for each platform where they differ; [] with a problem."""
    unknown = [
        each
        for each in dict.fromkeys(_USED.findall(name.text))
        if each in (*_TARGET_ARGS, *_BUILD_ARGS)
        and any(each not in world for world in reading.worlds)
    ]
    if unknown:
        remedy = "[build] platforms says it" if unknown[0] in _TARGET_ARGS else "name the image"
        text = f"{name.text}: {unknown[0]} isn't known before the build; {remedy}"
        reading.problems.append(Problem(name.line, text))
        return []
    try:
        found = [expand(name.text, world, reading.escape) for world in reading.worlds]
    except ExpandError as error:
        reading.problems.append(Problem(name.line, f"{name.text}: {error}"))
        return []
    return list(dict.fromkeys(found))


def _differs(reading: _Reading, name: Text, values: Sequence[str]) -> None:
    text = f"{name.text} is another image for each platform ({', '.join(values)})"
    reading.problems.append(Problem(name.line, f"{text}; give each a stage of its own"))


def _sources(instruction: Instruction) -> Iterator[Text]:
    """Yield what `--from` and `--mount=...,from=` name."""
    found, _ = flags(instruction.rest)
    for flag in found:
        name, equals, _ = flag.text.partition("=")
        value = flag.part(len(name) + len(equals), len(flag.text))
        if instruction.name == "COPY" and name == "--from":
            yield value
        elif instruction.name == "RUN" and name == "--mount":
            yield from mount_from(value)


def _source(reading: _Reading, name: Text, *, onbuild: bool, stage: _Stage | None) -> None:
    if not name.text or _STAGE_NUMBER.fullmatch(name.text) or reading.named(name.text):
        return
    if onbuild and not (stage and stage.fires) and _STAGE_NAME.fullmatch(name.text.lower()):
        return  # it may be a stage of the Dockerfile that is built on this image
    if "$" in name.text:
        text = (
            f"{name.text}: variables aren't replaced here: use a stage, `FROM {name.text} AS NAME`"
        )
        reading.problems.append(Problem(name.line, text))
        return
    _add(reading, name)


def _add(
    reading: _Reading,
    name: Text,
    value: str | None = None,
    platforms: tuple[str, ...] | None = None,
) -> None:
    """Keep a use of an image; one with a digest is pinned by its author.

    `platforms` None: it is taken for all that are built for.
    """
    value = name.text if value is None else value
    if value == EMPTY:
        return
    reference = parse_reference(value)
    if reference is None:
        unset = [
            each
            for each in dict.fromkeys(_USED.findall(name.text))
            if not all(world.get(each) for world in reading.worlds)
        ]
        why = f" without a value for {', '.join(unset)}" if unset else ""
        remedy = f"; give ARG {unset[0]} a default, or set it in [build] args" if unset else ""
        said = name.text.strip(BLANK)
        text = f"{said} is no image's name{why}{remedy}"
        reading.problems.append(Problem(name.line, text))
    elif reference.digest is None:
        taken = reading.platforms if platforms is None else platforms
        reading.uses.append(Use(value, name.at, name.line, taken))
