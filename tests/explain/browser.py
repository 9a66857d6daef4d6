"""A browser without a window, for tests: pages are opened from files, scripts run in them, pictures taken."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
         "--disable-dev-shm-usage", "--disable-extensions", "--force-color-profile=srgb", "about:blank")
SECONDS = 120  # that an answer may take


class Browser:
    """Chromium, spoken to through a pair of pipes in its developer protocol. `home` is a folder that it may fill."""

    def __init__(self, home: Path):
        (command_end, self.write_end), (self.read_end, answer_end) = _high_pipe(), _high_pipe()
        flags = [*FLAGS, f"--user-data-dir={home}/profile"]
        quiet = os.open(os.devnull, os.O_RDWR)
        self.process = os.posix_spawn(
            PROGRAM, [PROGRAM, *flags], {**os.environ, "HOME": str(home)}, setpgroup=0,
            file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2),
                          (os.POSIX_SPAWN_DUP2, command_end, 3), (os.POSIX_SPAWN_DUP2, answer_end, 4)])
        for end in (command_end, answer_end, quiet):
            os.close(end)
        self.buffer, self.number, self.events = b"", 0, []

    def call(self, method: str, session: str | None = None, **params) -> dict:
        """The result of a command; events that come before it are kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        while data:
            data = data[os.write(self.write_end, data):]
        until = time.monotonic() + SECONDS
        while True:
            answer = self._receive(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self, until: float) -> dict:
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_end], [], [], max(0, until - time.monotonic()))
            data = os.read(self.read_end, 1 << 20) if ready else b""
            if not data:
                raise RuntimeError("the browser gives no answer")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False, hash: str = "") -> Page:
        """The page of the HTML file `path`, loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                            {"name": "prefers-reduced-motion", "value": "reduce"}])
        page.url = path.as_uri()
        page.call("Page.navigate", url=page.url + hash)
        page.run("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")
        return page

    def close(self) -> None:
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.write_end)
        os.close(self.read_end)


class Page:
    """A tab."""

    def __init__(self, browser: Browser, target: str, session: str):
        self.browser, self.target, self.session, self.url = browser, target, session, ""

    def call(self, method: str, **params) -> dict:
        return self.browser.call(method, self.session, **params)

    def run(self, script: str):
        """What the JavaScript expression gives, as JSON; promises are waited for. RuntimeError where it fails."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def key(self, name: str) -> None:
        """Press and let go a key."""
        text = {"Enter": {"text": "\r"}, " ": {"text": " "}}.get(name, {})
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name)

    def screenshot(self, path: Path, full: bool = True) -> None:
        data = self.call("Page.captureScreenshot", captureBeyondViewport=full)["data"]
        path.write_bytes(base64.b64decode(data))

    def _heard(self, *methods: str) -> list[dict]:
        return [event["params"] for event in self.browser.events
                if event.get("sessionId") == self.session and event["method"] in methods]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and exceptions that nobody caught."""
        said = self._heard("Runtime.exceptionThrown", "Log.entryAdded")
        said += [call for call in self._heard("Runtime.consoleAPICalled") if call["type"] in ("error", "warning")]
        return [json.dumps(one)[:1000] for one in said]

    def requests(self) -> list[str]:
        """All addresses that were asked for, but the page's own."""
        urls = [event["request"]["url"] for event in self._heard("Network.requestWillBeSent")]
        return [url for url in urls if url != self.url and not url.startswith("blob:")]

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)


def _high_pipe() -> tuple[int, int]:
    """The two ends of a pipe, away from the numbers 3 and 4 that the browser takes."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
