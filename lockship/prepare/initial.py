"""`init`: write a first `lockship.toml` that `prepare` accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.git import Repository
from lockship.lock.names import CONFIG_NAME
from lockship.lock.place import service_folder
from lockship.prepare.configfiles import config_name
from lockship.prepare.dockerfile import exposed_port
from lockship.prepare.previous import lock_path

_LONGEST_NAME: Final = 63
_SCP: Final = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/\\].*)")
_URL: Final = re.compile(
    r"(?P<scheme>https?|ssh|git)://(?:[^/@]*@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/(?P<path>.+)"
)

_TEMPLATE: Final = """\
# What lockship deploys, and where. `lockship prepare` locks it into .shiplock.

[service]
name = "{name}"
{source}{build}
[roles.web]
# "local" is this machine's own engine. A server is "[user@]host[:port]", or an ssh alias.
hosts = ["local"]
{ports}# command = "python -m app"
# volumes = ["data:/data"]
# memory = "512m"

# Clear values only: whoever reads this repository reads them.
[env]
# LOG_LEVEL = "info"

{healthcheck}
# Name a registry to push the image there; without one it goes to the servers over ssh.
# [image]
# repository = "registry.example.com/acme/{name}"
"""
_HEALTHCHECK: Final = """\
# A new container must answer here before the old one goes.
[healthcheck]
port = {port}
# path = "/health"
"""
_NO_PORT: Final = """\
# A new container must answer before the old one goes. The Dockerfile EXPOSEs no port to ask.
# [healthcheck]
# port = 8080
# path = "/health"
"""
_DESTINATION: Final = """\
# What is different in {destination}: laid over lockship.toml, tables key by key.

# [roles.web]
# hosts = ["deploy@{destination}.example.com"]

# [env]
# LOG_LEVEL = "debug"

# What doesn't hold here, this line above all tables:
# unset = ["roles.web.ports"]
"""


def init(start: Path, destination: str | None = None) -> Path:
    """Write `lockship.toml`, or `lockship.<destination>.toml`, and return its path.

    At the repository's root; where the root has one already, in the folder `start` of a further
    service, if that has a Dockerfile. Raises UsageError outside a repository, without a Dockerfile,
    or for a destination before there is a `lockship.toml`; RefusedError where the file is there.
    """
    repository = Repository.discover(start)
    lock_path(repository.root, destination)  # refuses a name that no destination can have
    if destination is None:
        folder, text = _first(repository, start)
        _write(folder / CONFIG_NAME, text)
        return folder / CONFIG_NAME
    folder = service_folder(start, repository.root, destination)
    path = folder / config_name(destination)
    if not (folder / CONFIG_NAME).exists():
        raise UsageError(f"There is no {CONFIG_NAME} yet.", hint="`lockship init` writes it.")
    _write(path, _DESTINATION.format(destination=destination))
    return path


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:  # 'x': never through or over what is there
            file.write(text)
    except FileExistsError:
        raise RefusedError(
            f"{path.name} is there already.", hint="Edit it, or remove it first."
        ) from None
    except OSError as error:
        raise LockshipError(f"{path} can't be written: {error.strerror}.") from error


def _first(repository: Repository, start: Path) -> tuple[Path, str]:
    """Return the folder of the new configuration, and its text."""
    root = repository.root.resolve()
    dockerfile = _dockerfile(root, start)
    context = dockerfile.parent.relative_to(root).as_posix()
    further = (root / CONFIG_NAME).exists() and context != "."
    folder = dockerfile.parent if further else root
    port = exposed_port(dockerfile.read_text(errors="replace"))
    remote = public_remote(_origin(repository))
    source = [f'remote = "{remote}"'] if remote else []
    if further:
        source += ["# Other folders that it is made of belong here too.", f'paths = ["{context}"]']
    text = _TEMPLATE.format(
        name=service_name(folder.name),
        source="\n".join(["", "[source]", *source, ""]) if source else "",
        build=f'\n[build]\ncontext = "{context}"\n' if context != "." else "",
        ports=f'ports = ["{port}:{port}"]\n' if port else '# ports = ["8080:8080"]\n',
        healthcheck=_HEALTHCHECK.format(port=port) if port else _NO_PORT,
    )
    return folder, text


def _dockerfile(root: Path, start: Path) -> Path:
    for folder in (start.resolve(), root.resolve()):
        if (folder / "Dockerfile").is_file():
            return folder / "Dockerfile"
    raise UsageError(
        "There is no Dockerfile here.", hint="Write one, or go to the folder that has it."
    )


def service_name(folder: str) -> str:
    """Return a folder's name as a legal service name: `My Shop_2` becomes `my-shop-2`."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    return name[:_LONGEST_NAME].strip("-") or "app"


def _origin(repository: Repository) -> str:
    said = repository.run("config", "--get", "remote.origin.url", ok=(0, 1))
    return said.decode(errors="replace").strip()


def public_remote(url: str) -> str | None:
    """Return where people find a repository: its https address, without credentials.

    None for what isn't on a named host: a path, localhost, a bare address.
    """
    found = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if found is None or not re.search(r"\.[a-z]{2,}$", found["host"]):
        return None
    path = found["path"].removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"[A-Za-z0-9._~/-]+", path):
        return None
    return f"https://{found['host']}/{path}"
