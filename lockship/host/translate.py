"""The one boundary where docker's, requests', paramiko's and sockets' errors become HostErrors."""

from __future__ import annotations

import errno
import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from lockship.errors import LockshipError
from lockship.host.diagnose import gone
from lockship.host.errors import HostError, Kind, frozen

# What runc says of a program that it can't start, behind the names of all that passed it on.
_RUNTIME = re.compile(
    r"(?:failed to create (?:shim )?task[^:]*: )?OCI runtime create failed: .*?(exec: )"
)
_NO_PROGRAM = re.compile(
    r'exec: "([^"]*)": .*(?:no such file|not found|permission denied|is a directory)'
)
_SECRET_IN_URL = re.compile(r"(\w+://)[^/@\s]+@")


@contextmanager
def boundary(host: str, what: str, limit: float, login: str = "") -> Iterator[None]:
    """Turn whatever a library raises in the block into a HostError with the host's name.

    `what` is what was being done, as in "pull shop:1"; `limit` the seconds that were waited for;
    `login` how ssh is told to reach the host (`errors.login_words`), for hints. Lockship's own
    errors and interruptions pass as they are.
    """
    try:
        yield
    except HostError as error:
        error.log_in_as(login or host)
        raise
    except LockshipError:
        raise
    except Exception as error:
        translated = translate(host, what, limit, error)
        if translated is None:
            raise  # a bug of ours, not the host's: it keeps its traceback
        translated.log_in_as(login or host)
        raise translated from error


def translate(host: str, what: str, limit: float, error: Exception) -> HostError | None:
    """Return the HostError that a library's exception means; None when it means none."""
    import docker.errors
    import paramiko
    import requests
    import urllib3

    inner = _innermost(error)
    if isinstance(inner, HostError):
        return inner
    if isinstance(error, docker.errors.APIError):
        return from_engine(host, what, error.explanation or str(error), error.status_code or 0)
    if isinstance(inner, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
        return frozen(host, limit, what)
    if isinstance(inner, paramiko.SSHException):
        return _from_ssh(host, what, limit, inner)
    if isinstance(inner, http.client.BadStatusLine) and not isinstance(
        inner, http.client.RemoteDisconnected
    ):
        return _chatty(host, str(inner))
    if isinstance(
        inner,
        EOFError
        | BrokenPipeError
        | ConnectionResetError
        | ConnectionAbortedError
        | http.client.HTTPException
        | urllib3.exceptions.HTTPError
        | requests.RequestException,
    ):
        return gone(host)
    if isinstance(inner, OSError):
        return _from_os(host, what, inner)
    if isinstance(error, docker.errors.DockerException):
        return HostError(host, "refused", f"{what}: {clean(str(error))}")
    return None


def from_engine(host: str, what: str, said: str, status: int = 0) -> HostError:
    """Return the error for what an engine answered in words, with its HTTP status (0: unknown)."""
    said = clean(said)
    low = said.lower()
    if "no space left on device" in low or "disk quota exceeded" in low:
        return disk_full(host, what)
    if "port is already allocated" in low or "address already in use" in low:
        return HostError(
            host,
            "port-taken",
            f"{what}: {said}",
            hint=f"see who has it: ssh {host} docker ps --format '{{{{.Names}}}} {{{{.Ports}}}}'",
        )
    said = _RUNTIME.sub(r"\1", said).removesuffix(": unknown")
    kind: Kind = "refused"
    hint = _without_program(said)
    if status == 409 and "name" in low and "in use" in low:
        hint = f"see that container: ssh {host} docker ps --all"
    elif not hint and status != 404 and what.startswith(("create ", "start ")):
        hint = "what it's made of is its table in lockship.toml: `options`, `volumes`, `command`"
    return HostError(host, kind, f"{what}: {said}", hint=hint)


def _without_program(said: str) -> str:
    found = _NO_PROGRAM.search(said)
    if found is None:
        return ""
    if found[1] in ("/bin/sh", "sh"):
        return 'the image has no shell: in its Dockerfile say CMD as a list, as in CMD ["/app"]'
    return "what is to run isn't in the image: see the role's `command`, else the Dockerfile's CMD"


def disk_full(host: str, what: str) -> HostError:
    """Return the error for a full disk."""
    return HostError(
        host,
        "disk-full",
        f"{what}: no space left on the host's disk",
        hint=f"see what takes it: ssh {host} docker system df; free it: docker system prune",
    )


def clean(text: str) -> str:
    """Return text without credentials in URLs."""
    return _SECRET_IN_URL.sub(r"\1", text)


def _from_ssh(host: str, what: str, limit: float, error: Exception) -> HostError:
    import paramiko

    if isinstance(error, paramiko.PasswordRequiredException):
        return HostError(
            host,
            "authentication",
            "the ssh key has a passphrase",
            hint="unlock it once for this session: ssh-add",
        )
    if isinstance(error, paramiko.AuthenticationException):
        return HostError(
            host,
            "authentication",
            "login refused: no key of yours is accepted",
            hint=f"see which keys are tried: ssh -v {host} true",
        )
    if isinstance(error, paramiko.BadHostKeyException):
        return HostError(
            host,
            "host-key",
            f"the host key of the jump host {error.hostname} changed",
            hint=f"see it: ssh {error.hostname} true",
        )
    said = clean(str(error))
    if "no existing session" in said.lower():  # offering one more key after sshd had hung up
        return HostError(
            host,
            "authentication",
            "login refused: too many keys were offered before the right one",
            hint=f"in ~/.ssh/config, for {host}: IdentityFile PATH and IdentitiesOnly yes",
        )
    if "not found in known_hosts" in said:
        return HostError(
            host,
            "host-key",
            f"a jump host's key is unknown: {said}",
            hint="connect to it once with ssh and check the key it shows",
        )
    if isinstance(error, paramiko.ChannelException):
        return HostError(
            host,
            "refused",
            f"{what}: sshd refused one more channel: {error.text}",
            hint="on the host, in /etc/ssh/sshd_config: MaxSessions 30",
        )
    if "garbage packet" in said.lower():
        return _chatty(host, "")
    if "timeout opening channel" in said.lower():
        return frozen(host, limit, what)
    if "session not active" in said.lower() or "closed" in said.lower():
        return gone(host)
    if "no authentication methods" in said.lower():
        return HostError(
            host,
            "authentication",
            "there is no key to log in with",
            hint="name one in ~/.ssh/config (IdentityFile), or ssh-add it",
        )
    return HostError(host, "unreachable", f"ssh: {said}", hint=f"try: ssh -v {host} true")


def _chatty(host: str, line: str) -> HostError:
    return HostError(
        host,
        "refused",
        "the login shell prints something before the command's own output",
        hint="on the host, let .bashrc and its like print only when the shell is interactive",
        details=[line.strip()[:200]] if line.strip() else [],
    )


def _from_os(host: str, what: str, error: OSError) -> HostError:
    import paramiko

    if error.errno == errno.ENOSPC:
        return disk_full(host, what)
    said = clean(error.strerror or str(error))
    if isinstance(error, socket.gaierror):
        return HostError(
            host,
            "unreachable",
            f"no address for this name: {said}",
            hint="check the name in the lock, or give it an alias in ~/.ssh/config",
        )
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        said = str(getattr(next(iter(error.errors.values())), "strerror", said))
    unreachable = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT)
    if error.errno in unreachable or isinstance(
        error, paramiko.ssh_exception.NoValidConnectionsError
    ):
        return HostError(
            host,
            "unreachable",
            f"can't connect: {said}",
            hint=f"see whether it is up: ssh {host} true",
        )
    if "closed" in said.lower():
        return gone(host)
    if isinstance(error, FileNotFoundError) and what == "ssh":
        return HostError(
            host,
            "unreachable",
            f"the ProxyCommand can't be run: there is no {error.filename}",
            hint="see ~/.ssh/config",
        )
    # SFTP has no word for a full disk (draft-ietf-secsh-filexfer-02, 7): it's a "Failure".
    hint = f"is its disk full? ssh {host} df -h" if said == "Failure" else ""
    return HostError(host, "file", f"{what}: {said}", hint=hint)


def _innermost(error: BaseException) -> BaseException:
    """Return the error that requests and urllib3 wrapped: they keep it as an argument."""
    seen = {id(error)}
    while True:
        inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        inner = inner or getattr(error, "reason", None)
        if not isinstance(inner, BaseException) or id(inner) in seen:
            return error
        seen.add(id(inner))
        error = inner
