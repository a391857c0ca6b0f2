# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ASGI application: from bytes to a request, through faults and checks to a handler, and back."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
import time
import typing as t
import urllib.parse
from email.utils import formatdate

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from . import groups, identities, locks, marketplace, polls, providers, resources, rights, schedules, tags
from .arm.limits import RateLimits
from .arm.messages import ArmRequest, Reply
from .arm.paging import paged
from .arm.resource import utc_now
from .cloud import Cloud
from .compute import (
    catalogue_routes,
    data_disks,
    disk_access,
    disks,
    extensions,
    galleries,
    images,
    placement,
    power,
    run_commands,
    shared_galleries,
    snapshots,
    ssh_keys,
    vms,
)
from .deployments import routes as deployments
from .dispatch import WRITING, dispatch
from .endpoints import identity, metadata, overview
from .endpoints.control import PREFIX, Control
from .endpoints.tokens import Tokens, form_of
from .errors import ApiError, subscription_not_found
from .faults import Fault
from .network import application_groups, effective, nics, nsgs, public_ips, vnets
from .settings import new_guid
from .vault import data_plane, vaults
from .vault.names import vault_of_host

ROUTED = (
    application_groups,
    catalogue_routes,
    data_disks,
    deployments,
    disk_access,
    disks,
    effective,
    extensions,
    galleries,
    groups,
    identities,
    images,
    locks,
    marketplace,
    nics,
    nsgs,
    placement,
    polls,
    power,
    providers,
    public_ips,
    resources,
    rights,
    run_commands,
    schedules,
    shared_galleries,
    snapshots,
    ssh_keys,
    tags,
    vaults,
    vms,
    vnets,
)
"""Importing these registers their routes and actions."""
LOG = logging.getLogger(__name__)
BODY_LIMIT = 4 * 2**20
TRANSPORT = "azure_emulator.transport"


class Application:
    """The ASGI application of one server."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.tokens = Tokens(cloud)
        self.control = Control(cloud, self.tokens)
        self._limits = RateLimits()
        self._fixed: dict[str, t.Callable[[ArmRequest], Reply]] = {
            "/metadata/endpoints": lambda request: metadata.endpoints(cloud, request.api_version),
            "/metadata/aliases.json": lambda _request: metadata.image_aliases(cloud),
            "/metadata/identity/oauth2/token": self._token_of_vm,
            "/msi/token": self._token_of_app_service,
            "/common/discovery/instance": lambda _request: metadata.discovery(cloud),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            raw = await request.body()
        except ClientDisconnect:
            return
        started = time.perf_counter()
        method, path = request.method, scope["path"]
        query = {
            name.lower(): value
            for name, value in urllib.parse.parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        }
        arm = ArmRequest(
            method, path, {}, query, request.headers, raw, f"{scope['scheme']}://{request.headers.get('host', '')}"
        )
        if path.startswith(PREFIX):
            await _respond(send, await self.control.answer(method, path, request.headers, raw), method)
            return
        if overview.is_for_browser(arm):
            await _respond(send, overview.page(self.cloud), method)
            return
        fault = self.cloud.faults.match(method, path)
        vault = vault_of_host(request.headers.get("host", ""))
        reply: Reply | None = None
        try:
            reply = await self._answer(arm, fault, vault)
        except ApiError as error:
            reply = Reply(error.status, error.body(), error.headers)
        except Exception:
            LOG.exception("%s %s", method, path)
            body = {"error": {"code": "InternalServerError", "message": "Encountered internal server error."}}
            reply = Reply(500, body)
        if reply is not None and vault is not None:
            data_plane.decorate(arm, reply)
        elif reply is not None:
            self._decorate(arm, reply)
        self._log(arm, reply, fault, time.perf_counter() - started)
        await self._send(scope, send, arm, reply, fault)

    async def _answer(self, request: ArmRequest, fault: Fault | None, vault: str | None) -> Reply | None:
        """Return the reply; None if the connection is to break before anything happens."""
        if fault is not None:
            if fault.action == "reset":
                return None
            await self._strike(fault, request)
        if len(request.raw) > BODY_LIMIT:
            raise ApiError(
                413,
                "RequestContentTooLarge",
                f"The request content size exceeds the maximum size of '{BODY_LIMIT // 2**20} MB'.",
            )
        if vault is not None:
            return data_plane.answer(self.cloud, self.tokens, vault, request)
        return self._outside_arm(request) or await self._arm(request)

    async def _strike(self, fault: Fault, request: ArmRequest) -> None:
        """Let a fault act before the request has any effect.

        :raises ApiError: the answer that the fault asks for.
        """
        if fault.action in ("status", "throttle"):
            error = fault.error()
            if fault.status == 401 and fault.action == "status":
                challenge = self.tokens.refused(error.code, error.message, error.message, fault.claims)
                error.headers.update(challenge.headers)
            raise error
        if fault.action == "slow":
            await asyncio.sleep(fault.seconds)
        request.end_fault = fault.end()

    def _outside_arm(self, request: ArmRequest) -> Reply | None:
        """Return the reply to a request outside the Resource Manager; None for one to it."""
        path = request.path.lower().rstrip("/")
        if path.startswith(("/subscriptions", "/tenants", "/providers")):
            return None
        if path.startswith("/_console/"):
            return power.read_console(self.cloud, request.path, request.query.get("sig", ""))
        handler = self._fixed.get(path)
        return handler(request) if handler is not None else self._sign_in(request, path)

    def _sign_in(self, request: ArmRequest, path: str) -> Reply | None:
        parts = request.path.strip("/").split("/")
        rest = path.strip("/").partition("/")[2]
        if rest in ("oauth2/v2.0/token", "oauth2/token") and request.method == "POST":
            return self.tokens.grant(parts[0], form_of(request.raw))
        if rest in ("v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"):
            return Reply(200, self.tokens.configuration(parts[0]))
        if rest in ("discovery/v2.0/keys", "discovery/keys"):
            return Reply(200, self.tokens.keys())
        return None

    def _token_of_vm(self, request: ArmRequest) -> Reply:
        return identity.from_metadata_service(self.cloud, self.tokens, request.query, request.headers)

    def _token_of_app_service(self, request: ArmRequest) -> Reply:
        return identity.from_app_service(self.cloud, self.tokens, request.query, request.headers, request.raw)

    async def _arm(self, request: ArmRequest) -> Reply:
        # Clients send an empty parent path where a generic call has none: providers/Microsoft.Compute//disks/NAME.
        request.path = re.sub("/{2,}", "/", request.path)
        request.claims = self.tokens.check(request.headers.get("authorization"))
        if not request.api_version:
            raise ApiError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        parts = request.path.strip("/").split("/")
        if len(parts) > 1 and parts[0].lower() == "subscriptions":
            self._check_subscription(parts[1])
        reply = await dispatch(self.cloud, request)
        return paged(request, reply, self.cloud.switches["page_size"])

    def _check_subscription(self, subscription: str) -> None:
        if len(subscription) != 36 or subscription.count("-") != 4:
            raise ApiError(
                400,
                "InvalidSubscriptionId",
                f"The provided subscription identifier '{subscription}' is malformed or invalid.",
            )
        if subscription.lower() not in [known.lower() for known in self.cloud.subscriptions]:
            raise subscription_not_found(subscription)

    def _decorate(self, request: ArmRequest, reply: Reply) -> None:
        """Add the headers that every answer of the Resource Manager carries."""
        request_id = new_guid()
        headers = reply.headers
        headers["Date"] = formatdate(time.time() + int(self.cloud.switches["clock_ahead"]), usegmt=True)
        headers.setdefault("Cache-Control", "no-cache")
        headers["Pragma"], headers["Expires"] = "no-cache", "-1"
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["x-ms-request-id"] = request_id
        headers["x-ms-correlation-request-id"] = request.headers.get("x-ms-correlation-request-id", request_id)
        headers["x-ms-routing-request-id"] = f"LOCAL:{utc_now():%Y%m%dT%H%M%SZ}:{request_id}"
        if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
            headers["x-ms-client-request-id"] = request.headers.get("x-ms-client-request-id", "")
        path = request.path.lower()
        left = self._limits.header(request.method, path)
        if left is not None:
            headers["x-ms-ratelimit-remaining-resource"] = left
        if "/providers/microsoft.network/" in path:
            headers["x-ms-arm-service-request-id"] = new_guid()
        if request.method in ("GET", "HEAD"):
            headers["x-ms-ratelimit-remaining-subscription-global-reads"] = "3749"
        elif request.method == "DELETE":
            headers["x-ms-ratelimit-remaining-subscription-deletes"] = "199"
            headers["x-ms-ratelimit-remaining-subscription-global-deletes"] = "2999"
        else:
            headers["x-ms-ratelimit-remaining-subscription-writes"] = "199"
            headers["x-ms-ratelimit-remaining-subscription-global-writes"] = "2999"

    def _log(self, request: ArmRequest, reply: Reply | None, fault: Fault | None, seconds: float) -> None:
        code = None
        if reply is not None and reply.status >= 400 and isinstance(reply.body, dict):
            error = reply.body.get("error")
            code = error.get("code") if isinstance(error, dict) else error
        self.cloud.log.add(
            {
                "time": utc_now().isoformat(),
                "method": request.method,
                "path": request.path,
                "query": {k: v for k, v in request.query.items() if k in ("$expand", "$filter", "$top", "monitor")},
                "api_version": request.api_version or None,
                "status": reply.status if reply is not None else None,
                "code": code,
                "writing": request.method in WRITING and not request.path.lower().endswith("/token"),
                "operation": request.operation,
                "duration": request.duration,
                "seconds": round(seconds, 6),
                "valid": not request.problems,
                "problems": request.problems,
                "rights": request.rights,
                "fault": fault.action if fault is not None else None,
                "client_request_id": request.headers.get("x-ms-client-request-id"),
            }
        )

    async def _send(
        self, scope: Scope, send: Send, request: ArmRequest, reply: Reply | None, fault: Fault | None
    ) -> None:
        transport = scope.get(TRANSPORT)
        if reply is None or (fault is not None and fault.action == "reset_after"):
            break_connection(transport)
            return
        if fault is not None and fault.action == "truncate":
            content = reply.content()
            await _start(send, reply, len(content))
            await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
            await asyncio.sleep(0.05)
            break_connection(transport)
            return
        await _respond(send, reply, request.method)


async def _start(send: Send, reply: Reply, length: int) -> None:
    reply.headers.setdefault("Date", formatdate(usegmt=True))
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(length).encode()))
    if length:
        headers.append((b"content-type", reply.media_type.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


async def _respond(send: Send, reply: Reply, method: str) -> None:
    content = b"" if reply.status == 204 else reply.content()
    await _start(send, reply, len(content))
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})


def create_app(cloud: Cloud) -> ASGIApp:
    """Return the ASGI application of a cloud; ``cloud.origin`` must be the URL that clients use."""
    app = Application(cloud)
    if cloud.settings.record_traffic is None:
        return app
    from .traffic import TrafficRecorder

    return t.cast(ASGIApp, TrafficRecorder(app, cloud.settings.record_traffic))


def break_connection(transport: t.Any) -> None:
    """Reset the connection, so that the client sees an error instead of an orderly end."""
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
