"""A headless Chromium, driven by chromedriver's own protocol (W3C WebDriver, and CDP through it).

No package stands between: a browser is needed for one page, and a dozen requests do. Everything
that Chromium would ask the network for by itself is switched off, and its profile is new and empty.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.harness.shell import BASE_ENV, SYSTEM_PATH, HarnessError

_ARGUMENTS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"),
)
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_DRIVERS: Final = ("chromedriver", "chromium.chromedriver")


@dataclass(frozen=True)
class Browser:
    """A session with one window. What a call returns is what the browser said."""

    session: str

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return _ask(f"{self.session}/{path}", body, "GET" if body is None else "POST")

    def open(self, path: Path) -> None:
        """Go to a file, and wait until it is loaded."""
        self._ask("url", {"url": path.as_uri()})

    def run(self, script: str, *values: object) -> Any:
        """Run a script in the page: `return document.title`."""
        return self._ask("execute/sync", {"script": script, "args": list(values)})

    def cdp(self, command: str, **parameters: Any) -> Any:
        """Give a command of the Chrome DevTools Protocol."""
        return self._ask("goog/cdp/execute", {"cmd": command, "params": parameters})

    def log(self, kind: str) -> list[Any]:
        """Return what was logged since this was last asked: `browser` or `performance`."""
        found: list[Any] = self._ask("se/log", {"type": kind})
        return found

    def requests(self, *, sent: bool = False) -> list[str]:
        """Return every address that was asked for since this was last asked.

        `sent`: without those that the browser itself refused before anything left it.
        """
        events = [json.loads(each["message"])["message"] for each in self.log("performance")]
        refused = {
            each["params"]["requestId"]
            for each in events
            if each["method"] == "Network.loadingFailed" and "blockedReason" in each["params"]
        }
        return [
            each["params"]["request"]["url"]
            for each in events
            if each["method"] == "Network.requestWillBeSent"
            and not (sent and each["params"]["requestId"] in refused)
        ]

    def errors(self) -> list[str]:
        """Return what the page's console complained about: errors, refusals by its policy."""
        return [each["message"] for each in self.log("browser")]

    def element(self, selector: str) -> str:
        """Return the one element that a CSS selector finds."""
        found = self._ask("element", {"using": "css selector", "value": selector})
        return str(next(iter(found.values())))

    def click(self, selector: str) -> None:
        """Click as a person does: it must be visible."""
        self._ask(f"element/{self.element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into a field, by the keyboard."""
        self._ask(f"element/{self.element(selector)}/value", {"text": text})

    def text(self) -> str:
        """Return the text that is drawn: not what the browser leaves out until it is near."""
        return str(self.run("return document.body.innerText"))

    def look(self, *, scheme: str = "light", width: int = 1280, media: str = "") -> None:
        """Be a device of this width, in this colour scheme; `media` is `print` for paper.

        Scrolling takes no time: a click must hit where the element is.
        """
        self.cdp(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def view(self, file: Path) -> None:
        """Save what is in the window now."""
        file.write_bytes(base64.b64decode(self._ask("screenshot")))

    def picture(self, file: Path, *, most: int) -> None:
        """Save the whole page as it looks now, at most so many pixels high."""
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most)}
        taken = self.cdp(
            "Page.captureScreenshot", captureBeyondViewport=True, clip={**clip, "scale": 1}
        )
        file.write_bytes(base64.b64decode(taken["data"]))


def _ask(url: str, body: dict[str, Any] | None, method: str) -> Any:
    """Ask chromedriver, which listens on loopback."""
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    asked = urllib.request.Request(url, data, kind, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        said = json.load(error)["value"]
        raise HarnessError(f"chromedriver: {said['error']}: {said['message']}") from error


def require_browser() -> tuple[str, str]:
    """Return a browser and its driver, or say what is missing and where it can be had."""
    found = [_first(names) for names in (_BROWSERS, _DRIVERS)]
    if None in found:
        raise HarnessError(
            f"no browser to open the report in ({' or '.join(_BROWSERS)}, and {_DRIVERS[0]}): "
            "apt-get install chromium chromium-driver on Debian; on Ubuntu, which has these only "
            "as a snap: Google's own packages of Chrome and chromedriver"
        )
    return str(found[0]), str(found[1])


def _first(names: tuple[str, ...]) -> str | None:
    paths = (shutil.which(name, path=f"{SYSTEM_PATH}:/snap/bin") for name in names)
    return next((path for path in paths if path), None)


@contextmanager
def browser(folder: Path, *, script: bool = True) -> Iterator[Browser]:
    """Start a browser whose home is `folder`; `script` False: pages may not run any."""
    chromium, driver = require_browser()
    env = {**BASE_ENV, "HOME": str(folder), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [driver, "--port=0"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        base = _address(process)
        arguments = [*_ARGUMENTS, f"--user-data-dir={folder / 'profile'}"]
        options: dict[str, Any] = {"binary": chromium, "args": arguments}
        if not script:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        capabilities = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
        }
        made = _ask(f"{base}/session", {"capabilities": {"alwaysMatch": capabilities}}, "POST")
        session = f"{base}/session/{made['sessionId']}"
        try:
            started = Browser(session)
            started._ask("url", {"url": "about:blank"})
            started.requests()  # those of the page that a new window shows
            yield started
        finally:
            _ask(session, None, "DELETE")
    finally:
        process.terminate()
        process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    """Return where a chromedriver listens, which it says once it does."""
    said = []
    for line in process.stdout or ():
        said.append(line)
        found = re.search(r"started successfully on port (\d+)", line)
        if found:
            return f"http://127.0.0.1:{found[1]}"
    raise HarnessError(f"chromedriver didn't start: {''.join(said)}")
