"""`builder`, `image` and `registry`: what is built, what it is called, who is asked for it."""

from __future__ import annotations

from typing import Final

from lockship.prepare.kamal import secrets
from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.roles import Known
from lockship.prepare.kamal.source import MARK, Reader, text

_HUB: Final = "docker.io"
_LOGIN: Final = (
    "`docker login` on the machine that deploys is enough; or name a secret in [registry]"
)


def put_image(draft: Draft, top: Reader, known: Known) -> str:
    """Put the image's name and the registry's account into the draft; return the name."""
    registry = top.below("registry")
    server = text(registry.take("server", _HUB))
    image = text(top.take("image", top.tables.get("service", "app")))
    name = image if image.startswith(f"{server}/") else f"{server}/{image}"
    draft.put(("image", "repository"), name, ("image",))
    if server.startswith("localhost"):
        why = "Kamal tunnels to this registry; here the image goes over ssh where there is none"
        draft.leave(registry.at("server"), why)
        del draft.tables["image"]
    user, password = registry.each("username"), registry.each("password")
    listed = isinstance(registry.tables.get("password"), list)
    if user and listed and password:
        if isinstance(registry.tables.get("username"), list):
            why = "the user's name is a secret there and isn't here: write it into [registry]"
            draft.leave(registry.at("username"), why)
        (name_of, *_) = secrets.add(draft, map(text, password), known, registry.at("password"))
        draft.put(("registry", "username"), text(user[0]), registry.at("username"))
        draft.put(("registry", "password"), name_of, registry.at("password"))
    elif password:
        ruby = MARK in text(password[0])
        why = (
            f"Ruby (ERB) isn't run; {_LOGIN}"
            if ruby
            else f"a password isn't written down; {_LOGIN}"
        )
        draft.leave(registry.at("password"), why)
    draft.leave_rest(registry)
    return name


def put(draft: Draft, builder: Reader, image: str, known: Known) -> None:
    """Put `builder` into [build]."""
    context = text(builder.take("context", ".")).strip("/").removeprefix("./") or "."
    if context != ".":
        draft.put(("build", "context"), context, builder.at("context"))
    elif "context" in builder.tables:
        draft.leave(
            builder.at("context"), "a build is always of git's content, never of the folder"
        )
    if (dockerfile := builder.take("dockerfile")) is not None:
        inside = text(dockerfile).removeprefix(f"{context}/")
        draft.put(("build", "dockerfile"), inside, builder.at("dockerfile"))
        if context != "." and inside == dockerfile:
            draft.leave(builder.at("dockerfile"), f"its path begins in the context, {context}")
    if (target := builder.take("target")) is not None:
        draft.put(("build", "target"), text(target), builder.at("target"))
    args = builder.below("args")
    for key in args.tables:
        draft.put(("build", "args", key), text(args.take(key)), args.at(key))
    platforms = [f"linux/{text(each)}" for each in builder.each("arch")]
    if platforms:
        draft.put(("build", "platforms"), platforms, builder.at("arch"))
    names = [text(each) for each in builder.each("secrets")]
    if names:
        draft.put(
            ("build", "secrets"),
            secrets.add(draft, names, known, builder.at("secrets")),
            builder.at("secrets"),
        )
    if (ssh := builder.take("ssh")) is not None:
        ident = text(ssh).partition("=")[0]
        draft.put(
            ("build", "ssh"), True if ident in ("default", "true") else [ident], builder.at("ssh")
        )
    for key in ("provenance", "sbom"):
        if (value := builder.take(key)) is not None:
            maximum = key == "provenance" and "max" in text(value)
            draft.put(("build", key), "max" if maximum else text(value) != "false", builder.at(key))
    _cache(draft, builder.below("cache"), image)
    if (remote := builder.take("remote")) is not None:
        why = f"build there with DOCKER_HOST={text(remote)}, or on a machine of that platform"
        draft.leave(builder.at("remote"), why)
    draft.leave_if(
        builder, "local", "the docker client's own engine builds: DOCKER_HOST, docker context"
    )
    draft.leave_if(builder, "driver", "the docker client's own builder is used: docker buildx use")
    draft.leave_if(builder, "pack", "cloud native buildpacks aren't offered: a Dockerfile is built")
    draft.leave_rest(builder)


def _cache(draft: Draft, cache: Reader, image: str) -> None:
    kind = text(cache.take("type"))
    more = text(cache.take("options"))
    where = text(cache.take("image", f"{image}-build-cache"))
    if kind == "registry":
        server = image.partition("/")[0]
        reference = (
            where if "/" in where and "." in where.partition("/")[0] else f"{server}/{where}"
        )
        read = f"type=registry,ref={reference}"
    elif kind:
        read = f"type={kind}"
    else:
        return
    draft.put(("build", "cache-from"), [read], cache.path)
    draft.put(("build", "cache-to"), [f"{read},{more}" if more else read], cache.path)
    draft.leave_rest(cache)
