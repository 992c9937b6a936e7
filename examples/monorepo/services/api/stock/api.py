"""The API: /up, /version, /items and /items/NAME."""

import json
import os
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tinyroute import Routes

routes = Routes()
CATALOGUE = Path(__file__).parents[1] / "catalogue.json"


@routes.at("/up")
def up() -> object:
    return {"up": True}


@routes.at("/version")
def version() -> object:
    return {"version": os.environ.get("LOCKSHIP_VERSION", "development")}


@routes.at("/items")
def items() -> object:
    return read_catalogue()


@routes.at("/items/{name}")
def item(name: str) -> object:
    found = read_catalogue()["items"].get(name)
    return None if found is None else {"name": name, "count": found}


def read_catalogue() -> dict[str, Any]:
    """Return what was written at build time."""
    found: dict[str, Any] = json.loads(CATALOGUE.read_text())
    return found


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    def do_GET(self) -> None:
        route = routes.find(self.path)
        answer = route[0](**route[1]) if route is not None else None
        status = HTTPStatus.NOT_FOUND if answer is None else HTTPStatus.OK
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", 8081), Handler).serve_forever()


if __name__ == "__main__":
    main()
