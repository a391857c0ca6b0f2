# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine can ask Azure's addresses for: the ASGI application behind them."""

from __future__ import annotations

import base64
import html
import json
import logging
import typing as t
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from azure_emulator.machines.base import MachineError
from azure_emulator.machines.wireserver import documents
from azure_emulator.machines.wireserver.handlers import Handlers
from azure_emulator.machines.wireserver.machine import WireMachine
from azure_emulator.machines.wireserver.metadata import answer as metadata_answer
from azure_emulator.machines.wireserver.report import parse

METADATA_SERVICE = "169.254.169.254"
PLUGIN_PORT = 32526
BODY_LIMIT = 4 * 2**20
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """A request of a machine."""

    machine: WireMachine
    method: str
    path: str
    query: t.Mapping[str, str]
    headers: t.Mapping[str, str]
    body: bytes = field(repr=False)


class PlatformApp:
    """The application of one virtual network.

    :param machine_at: finds the machine with an address in that network.
    """

    def __init__(self, machine_at: Callable[[str], WireMachine | None], handlers: Handlers) -> None:
        self._machine_at, self._handlers = machine_at, handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    await Response(status_code=413)(scope, receive, send)
                    return
        except ClientDisconnect:
            return
        address = request.client.host if request.client else ""
        machine = self._machine_at(address)
        if machine is None:
            response = Response(status_code=410)
        else:
            query = {name.lower(): value for name, value in request.query_params.items()}
            asked = Asked(machine, request.method, request.url.path, query, request.headers, body)
            response = await self._answer(scope["server"], asked)
        await response(scope, receive, send)

    async def _answer(self, server: tuple[str, int], asked: Asked) -> Response:
        try:
            if server[0] == METADATA_SERVICE:
                return _metadata(asked)
            if server[1] == PLUGIN_PORT:
                return await self._host_plugin(asked)
            return await self._wire_server(asked)
        except (ValueError, KeyError, TypeError, MachineError) as error:
            LOG.info("machine %s: %s %s: %s", asked.machine.name, asked.method, asked.path, error)
            return Response(status_code=400)

    async def _wire_server(self, asked: Asked) -> Response:
        component = asked.query.get("comp", "").lower()
        if asked.method == "GET" and asked.path.startswith("/artifacts/"):
            return self._artifact(asked.path)
        if asked.method == "PUT" and asked.path.startswith("/status/"):
            asked.machine.reported(parse(json.loads(asked.body)))
            return Response(status_code=201)
        if asked.method == "POST":
            return _posted(asked, component)
        answer = _DOCUMENTS.get(component)
        if asked.method != "GET" or answer is None:
            return Response(status_code=404)
        text = await answer(asked)
        return Response(text, media_type="text/xml; charset=utf-8") if text else Response(status_code=404)

    def _artifact(self, path: str) -> Response:
        content = self._handlers.artifact(path.rpartition("/")[2])
        return Response(content, media_type="application/octet-stream") if content else Response(status_code=404)

    async def _host_plugin(self, asked: Asked) -> Response:
        """HostGAPlugin: what the agent asks its host. There are no ``vmSettings``, so it keeps to the goal state."""
        what = (asked.method, asked.path)
        if what == ("GET", "/versions"):
            return Response(json.dumps(["2015-09-01"]), media_type="application/json")
        if what == ("GET", "/health"):
            return Response()
        if what == ("GET", "/extensionArtifact"):
            location = urllib.parse.urlsplit(asked.headers.get("x-ms-artifact-location", ""))
            return self._artifact(location.path)
        if what == ("PUT", "/status"):
            content = base64.b64decode(json.loads(asked.body)["content"])
            asked.machine.reported(parse(json.loads(content)))
            return Response()
        if what == ("PUT", "/vmAgentLog"):
            return Response()
        return Response(status_code=404)


async def _versions(_asked: Asked) -> str:
    return documents.versions()


async def _goal_state(asked: Asked) -> str:
    await asked.machine.poll()
    return documents.goal_state(asked.machine.goal, asked.machine.name)


async def _certificates(asked: Asked) -> str:
    certificate = asked.headers["x-ms-guest-agent-public-x509-cert"]
    cipher = asked.headers.get("x-ms-cipher-name", "DES_EDE3_CBC")
    data = await asked.machine.tenant.delivered_to(certificate, cipher)
    return documents.certificates(asked.machine.goal, data)


async def _config(asked: Asked) -> str:
    machine, kind = asked.machine, asked.query.get("type", "").lower()
    if kind == "hostingenvironmentconfig":
        return documents.hosting_environment(machine.goal, machine.name, machine.tenant.thumbprint)
    if kind == "sharedconfig":
        return documents.shared_config(machine.goal, machine.name, machine.address)
    if kind == "extensionsconfig":
        return documents.extensions_config(machine.goal, machine.tenant.thumbprint)
    return ""


_DOCUMENTS: t.Mapping[str, Callable[[Asked], Awaitable[str]]] = {
    "versions": _versions,
    "goalstate": _goal_state,
    "certificates": _certificates,
    "config": _config,
}


def _posted(asked: Asked, component: str) -> Response:
    """Return the answer to a report. Telemetry is thrown away."""
    if component == "health":
        text = asked.body.decode(errors="replace")
        asked.machine.health = "Ready" if "<State>Ready</State>" in text else "NotReady"
        if "<SubStatus>ProvisioningFailed</SubStatus>" in text:
            reason = text.partition("<Description>")[2].partition("</Description>")[0]
            asked.machine.provisioning_failure = html.unescape(reason) or "no reason was reported"
        return Response()
    if component == "goalstate":
        text = documents.goal_state(asked.machine.goal, asked.machine.name)
        return Response(text, media_type="text/xml; charset=utf-8")
    if component == "roleproperties":
        return Response(status_code=202)
    known = component == "telemetrydata" or asked.path.lower().startswith("/healthservice")
    return Response(status_code=200 if known else 404)


def _metadata(asked: Asked) -> Response:
    status, body = metadata_answer(asked.machine.metadata, asked.method, asked.path, asked.query, asked.headers)
    if isinstance(body, str):
        return Response(body, status_code=status, media_type="text/plain; charset=utf-8")
    return Response(json.dumps(body), status_code=status, media_type="application/json; charset=utf-8")
