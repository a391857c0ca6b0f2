# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local Azure in this process, without sockets, whose operations end on request."""

from __future__ import annotations

import json
import re
import tempfile
import typing as t
import urllib.parse
from pathlib import Path

from azure_emulator.app import Application
from azure_emulator.arm.routing import ROUTER
from azure_emulator.cloud import Cloud
from azure_emulator.operations import Status
from azure_emulator.settings import Settings
from azure_emulator.traffic import App, Scope, TrafficRecorder
from azure_emulator.vault.names import audience

from .compare import Answer
from .paths import parse_poll

ORIGIN = "https://management.local.invalid"


_SIGNING_KEY: dict[str, str] = {}
"""Making a key takes longer than replaying a flow: all clouds of this process sign with the first one's."""


class LocalCloud:
    """An async context manager; one fresh cloud for each flow.

    :param switches: what the cloud is like, see :mod:`azure_emulator.switches`.
    :param traffic: a file to which all exchanges are written, see :mod:`azure_emulator.traffic`.
    """

    def __init__(self, switches: t.Mapping[str, t.Any] | None = None, traffic: Path | None = None) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="conformance-")
        settings = Settings(machines="none", switches=dict(switches or {}))
        self.cloud = Cloud(settings, Path(self._directory.name), durable=False)
        self.cloud.origin = ORIGIN
        self.cloud.identity.signing_key = _SIGNING_KEY.get("key", "")
        self._app: App = Application(self.cloud)
        self._recorder = TrafficRecorder(self._app, traffic) if traffic is not None else None
        if self._recorder is not None:
            self._app = self._recorder
        self._token = ""
        self._vault_token = ""

    async def __aenter__(self) -> LocalCloud:
        await self.cloud.open()
        self._token = await self._sign_in(f"{ORIGIN}/.default")
        _SIGNING_KEY["key"] = self.cloud.identity.signing_key
        return self

    async def _sign_in(self, scope: str) -> str:
        """Return a token for something."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.cloud.identity.client_id,
            "client_secret": self.cloud.identity.secret,
            "scope": scope,
        }
        answer = await self._call(
            "POST",
            f"/{self.cloud.identity.tenant}/oauth2/v2.0/token",
            {"content-type": "application/x-www-form-urlencoded"},
            urllib.parse.urlencode(form).encode(),
        )
        return str(answer.body["access_token"])

    async def __aexit__(self, *_exc: object) -> None:
        await self.cloud.close()
        if self._recorder is not None:
            self._recorder.close()
        self._directory.cleanup()

    @property
    def subscription(self) -> str:
        """The id of the only subscription."""
        return self.cloud.identity.subscription_id

    async def request_secret(self, method: str, url: str, body: t.Any, *, host: str, is_signed_in: bool) -> Answer:
        """Send a request to a key vault.

        :param url: path and query.
        """
        sent = {"host": host, "accept": "application/json"}
        if is_signed_in:
            self._vault_token = self._vault_token or await self._sign_in(f"{audience(self.cloud)}/.default")
            sent["authorization"] = f"Bearer {self._vault_token}"
        raw = b"" if body is None else json.dumps(body).encode()
        return await self._call(method, url, {"content-type": "application/json", **sent}, raw)

    async def request(
        self, method: str, url: str, body: t.Any = None, headers: t.Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request of the signed-in client.

        :param url: path and query, or an absolute URL as the cloud handed it out.
        :param body: a JSON value, bytes that are sent as they are, or None.
        """
        if url.startswith(ORIGIN):
            url = url[len(ORIGIN) :]
        sent = {"authorization": f"Bearer {self._token}", "accept": "application/json", **(headers or {})}
        raw = b""
        if body is not None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        return await self._call(method, url, sent, raw)

    async def _call(self, method: str, url: str, headers: t.Mapping[str, str], raw: bytes) -> Answer:
        path, _dummy, query = url.partition("?")
        host = urllib.parse.urlsplit(ORIGIN).netloc
        sent = {"host": host, "content-length": str(len(raw)), **headers}
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": urllib.parse.unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": (host, 443),
        }
        events: list[Scope] = []

        async def receive() -> Scope:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(event: Scope) -> None:
            events.append(event)

        await self._app(scope, receive, send)
        return _answer(events)

    def serves(self, method: str, path: str) -> bool:
        """Return whether a method on a path is served."""
        match = ROUTER.find(path)
        return match is not None and method in match.handlers

    # --- operations ------------------------------------------------------------------------------------------------

    def hold(self, on: bool) -> None:
        """Whether operations that begin from now on wait until they are released."""
        self.cloud.operations.hold = on

    def fault(self, method: str, path: str, answer: Answer) -> None:
        """Let the next request with this method and path fail with this status and error."""
        error = answer.body.get("error") if isinstance(answer.body, dict) else None
        fields: dict[str, t.Any] = {"action": "status", "method": method, "path": f"^{re.escape(path)}$"}
        for name in ("code", "message"):
            if isinstance(error, dict) and name in error:
                fields[name] = error[name]
        if answer.headers.get("retry-after", "").isdigit():
            fields["retry_after"] = int(answer.headers["retry-after"])
        self.cloud.faults.add({**fields, "status": answer.status})

    async def settle(self) -> None:
        """Wait until every operation that is not held has ended."""
        await self.cloud.operations.settle()

    async def release_others(self, urls: t.Iterable[str]) -> None:
        """Release every held operation except those of these URLs."""
        kept = {_operation_id(url).lower() for url in urls}
        for id_ in self.cloud.operations.held:
            if id_.lower() not in kept:
                await self.cloud.operations.release(id_)

    async def release(self, url: str, status: Status | None = None, error: t.Any = None) -> None:
        """Let an operation end.

        :param url: the operation's URL.
        :param status: the status to end with: Succeeded, Failed, Canceled; None for that of its work.
        """
        await self.cloud.operations.release(_operation_id(url), status, error)


def _operation_id(url: str) -> str:
    poll = parse_poll(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    return poll.id if poll is not None else ""


def _answer(events: list[Scope]) -> Answer:
    start = next(e for e in events if e["type"] == "http.response.start")
    raw = b"".join(e.get("body", b"") for e in events if e["type"] == "http.response.body")
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    body: t.Any = None
    if raw:
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw.decode(errors="replace")
    return Answer(start["status"], headers, body)
