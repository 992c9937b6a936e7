"""Why a host's engine can't be reached, from what the docker command or the socket said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockship.host.errors import HostError

if TYPE_CHECKING:
    import paramiko

_PATIENCE = 2.0  # seconds for the exit status, which follows the end of the output


def no_engine(host: str, channel: paramiko.Channel) -> HostError:
    """Return the error for a `docker system dial-stdio` that ended before it said anything."""
    if channel.closed and not channel.status_event.is_set():
        return gone(host)
    channel.status_event.wait(_PATIENCE)
    said = b""
    while channel.recv_stderr_ready() and len(said) < 1 << 16:
        said += channel.recv_stderr(1 << 15)
    return from_words(host, channel.exit_status, said.decode(errors="replace").strip())


def from_words(host: str, status: int, said: str) -> HostError:
    """Return the error for a docker command that ended with `status` and wrote `said`."""
    lines = said.splitlines()
    low = said.lower()
    if "permission denied" in low:
        return HostError(
            host,
            "no-docker",
            "the login user may not use Docker",
            hint="on the host: sudo usermod -aG docker $USER",
            details=lines[:3],
        )
    if status in (126, 127) or ("not found" in low and "docker" in low):
        return HostError(
            host,
            "no-docker",
            "there is no docker command",
            hint="install Docker on the host: https://docs.docker.com/engine/install/",
            details=lines[:3],
        )
    if not said:
        return gone(host)
    return HostError(
        host,
        "no-docker",
        "the Docker engine doesn't answer",
        hint=f"ssh {host} sudo systemctl start docker; "
        f"what stopped it: ssh {host} sudo journalctl -u docker",
        details=lines[:3],
    )


def no_socket(host: str, path: str, error: OSError) -> HostError:
    """Return the error for this machine's engine whose socket can't be opened."""
    if isinstance(error, PermissionError):
        return HostError(
            host,
            "no-docker",
            f"this user may not use Docker ({path})",
            hint="sudo usermod -aG docker $USER, then log in again",
        )
    return HostError(
        host,
        "no-docker",
        f"no Docker engine answers at {path}: {error.strerror or error}",
        hint="start Docker, or say where it is: export DOCKER_HOST=unix:///path/to/docker.sock",
    )


def gone(host: str) -> HostError:
    """Return the error for a connection that ended in the middle."""
    return HostError(
        host,
        "gone",
        "the connection or the Docker engine went away in the middle",
        hint=f"see whether both are up: ssh {host} docker version; "
        "then run the same command again: it finishes the job",
    )
