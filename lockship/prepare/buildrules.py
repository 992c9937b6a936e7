"""What must hold between the values of `[build]`, and between them and the secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lockship.lock.image import Image
from lockship.lock.model import LOCAL
from lockship.lock.shape import Problem
from lockship.prepare import hosts
from lockship.prepare.tables import Tables, quoted, strings, table

# Of the caches' own settings (docs.docker.com, "Cache storage backends") those that are secrets.
_CREDENTIALS: Final = frozenset(
    {"secret_access_key", "session_token", "token", "ghtoken", "account_key", "password"}
)


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of the build, or of an image that isn't built."""
    yield from _ready(table(tables.get("image")), tables)
    build, secrets = table(tables.get("build")), table(tables.get("secrets"))
    seen: set[str] = set()
    for index, name in strings(build.get("secrets")):
        if name not in secrets:
            yield Problem(("build", "secrets", index), quoted(name), "a name in [secrets]")
        elif name in seen:
            yield Problem(("build", "secrets", index), f"{quoted(name)} again", "each name once")
        seen.add(name)
    yield from _host(build.get("host"))
    maker = build.get("sbom")
    if isinstance(maker, str) and "@sha256:" not in maker:
        expected = "the image with its digest, 'NAME:TAG@sha256:...': a tag may be moved"
        yield Problem(("build", "sbom"), quoted(maker), expected)
    for key in ("cache-from", "cache-to"):
        for index, entry in strings(build.get(key)):
            yield from _cache(("build", key, index), key, entry)


def _ready(image: Tables, tables: Tables) -> Iterator[Problem]:
    """An image with a digest is in a registry, and nothing is built."""
    if "digest" not in image:
        return
    if "build" in tables:
        expected = "no [build]: with [image] digest nothing is built"
        yield Problem(("build",), "this table", expected)
    repository = image.get("repository", "")
    if isinstance(repository, str) and Image(repository=repository, tag="").registry is None:
        expected = "a name with its registry, such as 'docker.io/library/nginx'"
        yield Problem(
            ("image", "repository"), quoted(repository) if repository else "nothing", expected
        )


def _host(text: object) -> Iterator[Problem]:
    """The build host is one, and not this machine."""
    if not isinstance(text, str):
        return
    try:
        ours = hosts.parse(text).name == LOCAL
    except ValueError:
        yield Problem(("build", "host"), quoted(text), "'[user@]host[:port]'")
    else:
        if ours:
            yield Problem(("build", "host"), quoted(text), "another host; no key: it is built here")


def _cache(path: tuple[str, str, int], key: str, entry: str) -> Iterator[Problem]:
    if "=" not in entry:
        if key == "cache-to":
            expected = "what buildx takes, such as 'type=inline'"
            yield Problem(path, quoted(entry), expected)
        return
    said = dict(each.partition("=")[::2] for each in entry.lower().split(","))
    if not said.get("type"):
        yield Problem(path, quoted(entry), "type= in it, such as 'type=registry,ref=...'")
    elif said["type"] == "local":
        # A lock says the same on every machine, and what comes from one writes to none of them.
        yield Problem(path, quoted(entry), "a cache that every machine has, not a local folder")
    found = sorted(_CREDENTIALS & set(said))
    if found:
        # What was found isn't shown: it is a secret.
        expected = "none: they come from the environment of who builds"
        yield Problem(path, f"credentials in it ({found[0]})", expected)
