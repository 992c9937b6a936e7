"""The web role: shows the entries, takes new ones, says its version."""

import html
import os
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from guestbook import health, store

LONGEST = 4096  # bytes of a posted form
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
<form method="post">
  <input name="name" placeholder="Name" required maxlength="80">
  <input name="message" placeholder="Message" required maxlength="500">
  <button>Sign</button>
</form>
<dl>
{entries}
</dl>
<footer>{version}</footer>
</html>
"""


def version() -> str:
    """Return the version that lockship deployed."""
    return os.environ.get("LOCKSHIP_VERSION", "development")


def page(entries: list[tuple[str, str]]) -> str:
    """Return the page with these entries."""
    rows = (f"<dt>{html.escape(n)}</dt><dd>{html.escape(m)}</dd>" for n, m in entries)
    title = html.escape(os.environ.get("GUESTBOOK_TITLE", "Guestbook"))
    return PAGE.format(title=title, entries="\n".join(rows), version=html.escape(version()))


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        if self.path == "/":
            self.answer(page(store.approved()), "text/html; charset=utf-8")
        elif self.path == "/version":
            self.answer(version() + "\n")
        elif self.path == "/up":
            self.answer("up\n")
        else:
            self.answer("There is nothing here.\n", status=HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/" or not 0 < length <= LONGEST:
            self.close_connection = True
            self.answer("That can't be posted.\n", status=HTTPStatus.BAD_REQUEST)
            return
        form = parse_qs(self.rfile.read(length).decode(errors="replace"))
        name, message = (form.get(key, [""])[0].strip() for key in ("name", "message"))
        if not name or not message:
            self.answer("A name and a message, please.\n", status=HTTPStatus.BAD_REQUEST)
            return
        store.add(name[:80], message[:500])
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(
        self, text: str, kind: str = "text/plain; charset=utf-8", status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Serves until SIGTERM; requests that have begun are finished."""

    daemon_threads = False
    block_on_close = True

    def service_actions(self) -> None:
        health.touch()


def main() -> None:
    """Serve until SIGTERM."""
    with Server(("", int(os.environ.get("PORT", "8000"))), Handler) as server:
        # `shutdown` waits for the loop that this very thread runs, so another thread must ask.
        stop = threading.Thread(target=server.shutdown)
        signal.signal(signal.SIGTERM, lambda *_: stop.start())
        print(f"guestbook {version()} listens on {server.server_port}")
        server.serve_forever()
    print("guestbook stopped")


if __name__ == "__main__":
    main()
