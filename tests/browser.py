"""A headless Chromium, spoken to over its debugging pipe: what a page comes to for a reader.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

# Where the browser's debugging pipe is: it reads from the first and writes to the second.
_PIPE = (3, 4)


@dataclass
class Browser:
    """A page in the browser.

    Attributes:
        problems: what the page complained of: errors, and what its policy refused.
    """

    commands: int
    answers: int
    problems: list[str] = field(default_factory=list)
    _session: str = ""
    _unread: bytes = b""
    _numbers: Iterator[int] = field(default_factory=count)

    def open(self, page: Path) -> None:
        """Load a page."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        self._call("Page.navigate", url=page.as_uri())
        self.evaluate(
            "new Promise(done => addEventListener('load', done) || "
            "document.readyState === 'complete' && done())"
        )

    def evaluate(self, script: str) -> Any:
        """Run a script in the page and return what it comes to."""
        reported = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in reported, reported
        return reported["result"].get("value")

    def be_a_phone(self) -> None:
        """Show the page on a small screen from now on."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=360,
            height=740,
            deviceScaleFactor=2,
            mobile=True,
        )

    def be_dark(self) -> None:
        """Show the page to somebody who likes it dark from now on."""
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self._call("Emulation.setEmulatedMedia", features=dark)

    def screenshot(self) -> str:
        """Return what is seen, as PNG in base64."""
        shown: str = self._call("Page.captureScreenshot")["data"]
        return shown

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": parameters}
        if self._session:
            call["sessionId"] = self._session
        os.write(self.commands, json.dumps(call).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}:
                self.problems.append(json.dumps(message["params"]))
            if message.get("id") == number:
                assert "error" not in message, message
                answer: dict[str, Any] = message["result"]
                return answer

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            chunk = os.read(self.answers, 65536)
            assert chunk, "the browser has ended"
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Run a browser for as long as the context lasts.

    Args:
        profile: an empty folder of its own.
    """
    theirs_in, commands = os.pipe()
    answers, theirs_out = os.pipe()
    # A shell puts the pipe where the browser looks for it.
    script = f'exec "$0" "$@" {_PIPE[0]}<&{theirs_in} {_PIPE[1]}>&{theirs_out}'
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            script,
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(commands, answers)
    finally:
        with suppress(OSError):
            os.close(commands)
        process.terminate()
        process.wait(20)
        os.close(answers)
