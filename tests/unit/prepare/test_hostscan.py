"""What a host shows before it is known proves nothing, whatever it makes ssh say."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lockship.lock.model import Host
from lockship.prepare import hostscan
from lockship.prepare.knownhosts import fingerprint


@pytest.fixture
def key(tmp_path: Path) -> str:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True
    )
    return " ".join((tmp_path / "key.pub").read_text().split()[:2])


@contextmanager
def disconnecting(reason: bytes) -> Iterator[int]:
    """Serve SSH that ends every connection before any key is exchanged, with a reason."""

    def string(text: bytes) -> bytes:
        return struct.pack(">I", len(text)) + text

    payload = b"\x01" + struct.pack(">I", 2) + string(reason) + string(b"")  # RFC 4253, 11.1
    padding = 8 - (len(payload) + 5) % 8 + 8
    packet = struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"SSH-2.0-feigned\r\n")
                    connection.recv(1 << 16)
                    connection.sendall(packet)
                    connection.recv(1 << 16)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_a_feigned_certificate_vouches_for_nothing(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ssh repeats a host's reason to disconnect, with its line ends: it looks like ssh's own."""
    feigned = (
        f"x\ndebug1: Server host certificate: x {fingerprint(key)}, serial 0\n"
        "debug1: Host '127.0.0.1' is known and matches the ED25519-CERT host certificate.\n"
        "debug1: SSH2_MSG_SERVICE_ACCEPT received\n"
    )
    monkeypatch.setattr(hostscan, "presented", lambda _name, _host: (key,))
    with disconnecting(feigned.encode()) as port:
        host = Host(user="deploy", port=port)
        assert hostscan.vouched("127.0.0.1", host, [Path("/dev/null")]) == ()
