# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recording full traffic, bodies included, for validation against the specifications.

Requests to the Resource Manager only: sign-in is never recorded, and neither is a token. Bodies are recorded as they
are, with the passwords and protected settings in them; so it is done only when asked for.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

Scope = t.MutableMapping[str, t.Any]
Event = t.MutableMapping[str, t.Any]
Receive = t.Callable[[], t.Awaitable[Event]]
Send = t.Callable[[Event], t.Awaitable[None]]
App = t.Callable[[Scope, Receive, Send], t.Awaitable[None]]

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


class TrafficRecorder:
    """ASGI middleware that writes one line of JSON for each exchange.

    Members: ``method``, ``url`` (path and query), ``status``, ``requestHeaders``, ``responseHeaders`` (names in lower
    case), ``requestBody``, ``responseBody`` (parsed JSON, text, or null when empty).

    :param path: appended to; made readable by its owner alone.
    """

    def __init__(self, app: App, path: Path) -> None:
        self._app = app
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_arm(scope["path"]):
            await self._app(scope, receive, send)
            return
        asked: list[bytes] = []
        answered: list[bytes] = []
        start: Event = {}

        async def heard() -> Event:
            event = await receive()
            asked.append(event.get("body", b""))
            return event

        async def said(event: Event) -> None:
            if event["type"] == "http.response.start":
                start.update(event)
            else:
                answered.append(event.get("body", b""))
            await send(event)

        await self._app(scope, heard, said)
        if start:
            self._write(scope, start, b"".join(asked), b"".join(answered))

    def _write(self, scope: Scope, start: Event, asked: bytes, answered: bytes) -> None:
        query = scope["query_string"].decode("latin-1")
        path = scope.get("raw_path", b"").decode("latin-1").partition("?")[0] or scope["path"]
        exchange = {
            "method": scope["method"],
            "url": f"{path}?{query}" if query else path,
            "status": start["status"],
            "requestHeaders": _headers(scope["headers"]),
            "responseHeaders": _headers(start["headers"]),
            "requestBody": _body(asked),
            "responseBody": _body(answered),
        }
        self._file.write(json.dumps(exchange) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_arm(path: str) -> bool:
    return path.lower().startswith(("/subscriptions", "/providers", "/tenants"))


def _headers(pairs: t.Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    return {name: value for name, value in headers.items() if name not in SECRET_HEADERS}


def _body(raw: bytes) -> t.Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
