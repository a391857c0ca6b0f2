# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages in headless Chromium: what a page shows and measures at a width, and what went wrong while it was loaded.

Chromium is driven through its own pipe (``--remote-debugging-pipe``), so no other program or package is needed.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
PHONE, DESKTOP = 390, 1280
HEIGHT = 900
PATIENCE = 180.0
"""Seconds without a word from the browser, after which it counts as hung."""
Json = dict[str, t.Any]

_OVERFLOWING = """
(() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (element) => element && element !== document.body && element !== document.documentElement
    && (["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  const seen = (element, box) => box.width > 1 && box.height > 1 && box.right > 0
    && getComputedStyle(element).visibility !== "hidden";
  const cut = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName) || !texts.currentNode.data.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const box of range.getClientRects()) {
      if (seen(element, box) && box.right > width + 1 && !scrolls(element)) {
        cut.push(`${element.tagName.toLowerCase()}: ${texts.currentNode.data.trim().slice(0, 60)}`);
        break;
      }
    }
  }
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (seen(element, box) && box.left >= 0 && box.right > width + 1 && !scrolls(element.parentElement)) {
      cut.push(`${element.tagName.toLowerCase()}.${element.className}: ${Math.round(box.right)} of ${width} pixels`);
    }
  }
  return cut;
})()
"""

_COLOURS = """
(async () => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64,%s")).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const bands = [];
  for (let band = 0; band < %d; band += 1) {
    const height = Math.floor(image.height / %d);
    const { data } = context.getImageData(0, band * height, image.width, height);
    bands.push(new Set(new Uint32Array(data.buffer)).size);
  }
  return bands;
})()
"""


class Page:
    """A page as loaded at one width."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self._session = session

    def _call(self, method: str, **parameters: t.Any) -> Json:
        return self.browser.call(method, session=self._session, **parameters)

    def open(self, url: str) -> None:
        """Load a page, and wait until the browser has loaded everything that belongs to it.

        :raises AssertionError: the browser cannot load it.
        """
        self.browser.events.clear()
        answer = self._call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        self._wait_for_load(answer["loaderId"])

    def open_once(self, url: str) -> None:
        """Load a page that loads itself again: wait until it tries to, and keep it from that."""
        self.browser.events.clear()
        self._call("Fetch.enable", patterns=[{"resourceType": "Document"}])
        self.browser.send("Page.navigate", session=self._session, url=url)
        first = self._held()
        self._call("Fetch.continueRequest", requestId=first["requestId"])
        self._wait_for_load(first["networkId"])
        self._call("Fetch.failRequest", requestId=self._held(first)["requestId"], errorReason="Aborted")
        self._call("Fetch.disable")

    def _held(self, former: Json | None = None) -> Json:
        """Return the request of a document that waits for permission, and is not a former one."""
        known = former["requestId"] if former else None
        event = self.browser.wait_for(
            lambda event: event.get("method") == "Fetch.requestPaused" and event["params"]["requestId"] != known
        )
        return dict(event["params"])

    def _wait_for_load(self, loader: str) -> None:
        wanted = {"name": "load", "loaderId": loader}
        self.browser.wait_for(
            lambda event: event.get("method") == "Page.lifecycleEvent" and wanted.items() <= event["params"].items()
        )

    def value(self, expression: str) -> t.Any:
        """Return the value of a JavaScript expression in the page, awaited.

        :raises AssertionError: it throws.
        """
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click the middle of an element, as a person does: what covers it gets the click."""
        box = self.value(
            f"(({{left, top, width, height}}) => [left + width / 2, top + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def is_shown(self, selector: str) -> bool:
        """Return whether the beginning of an element is in the window, and nothing covers it."""
        return bool(
            self.value(
                "((element) => { const range = document.createRange(); if (!element) return false;"
                " range.selectNodeContents(element); const [box] = range.getClientRects();"
                " if (!box || !box.width || !box.height) return false;"
                " const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];"
                " return element.contains(document.elementFromPoint(x, y)); })"
                f"(document.querySelector({json.dumps(selector)}))"
            )
        )

    def overflowing(self) -> list[str]:
        """Return the texts and elements that are cut off or make the page wider than the window."""
        return list(self.value(_OVERFLOWING))

    def problems(self) -> list[str]:
        """Return what went wrong since the page was opened: exceptions, errors in the console, failed requests."""
        found = []
        for event in self.browser.events:
            method, parameters = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                found.append(details.get("exception", {}).get("description") or details["text"])
            elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            elif method == "Network.loadingFailed" and parameters["errorText"] != "net::ERR_ABORTED":
                found.append(f"{parameters['type']}: {parameters['errorText']}")
        return found

    def requests(self) -> list[str]:
        """Return the URLs that the page requested."""
        sent = [event["params"] for event in self.browser.events if event["method"] == "Network.requestWillBeSent"]
        return [parameters["request"]["url"] for parameters in sent]

    def screenshot(self, file: Path) -> None:
        """Write what the window shows as PNG."""
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"]))


class Browser:
    """A headless Chromium, which knows no host but localhost."""

    def __init__(self, profile: Path, *arguments: str) -> None:
        """Start it.

        :param profile: directory of its profile.
        :param arguments: further options of Chromium.
        """
        assert CHROMIUM is not None
        self.events: list[Json] = []
        self._number = 0
        self._received = b""
        commands, self._commands = os.pipe()
        self._answers, ours = os.pipe()
        self._log = open(profile.with_suffix(".log"), "wb")  # noqa: SIM115  # as long as the process
        # A page that is not the newest one is in the background, where Chromium would hold it back.
        options = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
            *("--disable-renderer-backgrounding", "--disable-background-timer-throttling"),
            *(f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", *arguments),
        ]
        # Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
        script = f'exec "$@" 3<&{commands} 4>&{ours}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", CHROMIUM, *options, "about:blank"],
            pass_fds=(commands, ours), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        os.close(commands)
        os.close(ours)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_details: object) -> None:
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
        self._log.close()

    @contextmanager
    def page(self, width: int) -> t.Iterator[Page]:
        """Open an empty page of a width in pixels, which is a phone's below 600."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", session=session)
        self.call("Page.setLifecycleEventsEnabled", session=session, enabled=True)
        metrics = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", session=session, **metrics)
        yield Page(self, session)
        self.call("Target.closeTarget", targetId=target)

    def colours(self, file: Path, bands: int) -> list[int]:
        """Return the number of colours of an image (PNG) in each of its horizontal bands, from top to bottom."""
        with self.page(DESKTOP) as page:
            return list(page.value(_COLOURS % (base64.b64encode(file.read_bytes()).decode(), bands, bands)))

    def call(self, method: str, *, session: str | None = None, **parameters: t.Any) -> Json:
        """Call a method of the DevTools protocol and return its result.

        :raises AssertionError: the browser reports an error, or has ended.
        """
        number = self.send(method, session=session, **parameters)
        answer = self.wait_for(lambda received: received.get("id") == number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return dict(answer["result"])

    def send(self, method: str, *, session: str | None = None, **parameters: t.Any) -> int:
        """Call a method and return the number that its answer will have."""
        self._number += 1
        message: Json = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return self._number

    def wait_for(self, is_wanted: t.Callable[[Json], bool]) -> Json:
        """Return the first wanted event or answer. Events are kept in ``events``, and those are looked through, too."""
        for event in self.events:
            if is_wanted(event):
                return event
        while True:
            message = self._read()
            if "method" in message:
                self.events.append(message)
            if is_wanted(message):
                return message

    def _read(self) -> Json:
        while b"\0" not in self._received:
            answers = select.select([self._answers], [], [], PATIENCE)[0]
            more = os.read(self._answers, 65536) if answers else b""
            assert more, f"chromium does not answer: {self.events[-5:]} {Path(self._log.name).read_text()[-2000:]}"
            self._received += more
        message, _end, self._received = self._received.partition(b"\0")
        return dict(json.loads(message))
