"""Which certificate the proxy shows for a host name: a TLS handshake through the connection."""

from __future__ import annotations

import ssl
from typing import Final

from lockship.host.channel import SocketLike

_CHUNK: Final = 1 << 14


def shown_certificate(connection: SocketLike, name: str) -> bytes | None:
    """Shake hands as a client that asks for `name`; return the server's certificate as DER.

    It isn't verified: whoever asks compares it. Raises OSError (ssl.SSLError is one).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # compared by whoever asks
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    while True:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            received = connection.recv(_CHUNK)
            if not received:
                raise ConnectionResetError("hung up in the handshake") from None
            incoming.write(received)
        else:
            return client.getpeercert(binary_form=True)
