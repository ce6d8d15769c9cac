"""A headless Chromium, driven by the DevTools protocol over a pipe: no package is needed."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from typing import Any, Self

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 60.0  # seconds until what a test waits for must be there
KEYS = {"Tab": 9, "Enter": 13, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}


def browser() -> str | None:
    """The path of an installed Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _pipe() -> list[int]:
    """The two ends of a pipe, with numbers far from 3 and 4."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in low]
    for end in low:
        os.close(end)
    return high


class Page:
    """A page in a browser of its own.

    Attributes:
        events: What the browser reported: (method, parameters).
    """

    def __init__(self, folder: Any, *options: str) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._number, self._rest, self._session = 0, b"", ""
        hear, self._write = _pipe()
        self._read, say = _pipe()
        # the browser reads its file descriptor 3 and writes to 4
        start = f'exec "$@" 3<&{hear} 4>&{say} {hear}<&- {say}>&-'
        own = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        own += ["--remote-debugging-pipe", f"--user-data-dir={folder}", *options]
        self._process = subprocess.Popen(
            ["bash", "-c", start, "bash", str(browser()), *own],
            pass_fds=(hear, say),
            stderr=subprocess.DEVNULL,
        )
        os.close(hear)
        os.close(say)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: Any) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **parameters: Any) -> Any:
        """Calls a method of the protocol and returns its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append((answer.get("method", ""), answer.get("params", {})))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._read, 2**16)
            assert part, "the browser has ended"
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def open(self, address: str) -> None:
        """Opens an address, as if in a new window."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)

    def run(self, expression: str) -> Any:
        """The value of an expression in JavaScript; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> Any:
        """The value of an expression as soon as it is true."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.run(expression)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE} s: {expression}; {self.faults()}")

    def press(self, key: str, modifiers: int = 0) -> None:
        """Presses a key of `KEYS`; modifiers: 2 is control, 8 shift."""
        same = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": modifiers}
        text = {"text": "\r"} if key == "Enter" and not modifiers else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **same, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **same)

    def type(self, text: str) -> None:
        """Types a text where the focus is."""
        self.call("Input.insertText", text=text)

    def upload(self, selector: str, path: Any) -> None:
        """Chooses a file in a field."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        found = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=found)

    def size(self, width: int, height: int) -> None:
        """Makes the window as wide and high as this, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def scheme(self, name: str) -> None:
        """Prefers the colours `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self, whole: bool = True) -> bytes:
        """A screenshot as PNG, of the whole page or of the window."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])

    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        sent = "Network.requestWillBeSent"
        return [found["request"]["url"] for method, found in self.events if method == sent]

    def faults(self) -> list[str]:
        """What went wrong: messages of the console, errors, refused contents."""
        found = []
        for method, event in self.events:
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(event["exceptionDetails"])[:500])
            elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning"):
                found.append(json.dumps(event["args"])[:500])
            elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
                found.append(json.dumps(event["entry"])[:500])
        return found
