# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control interface: faults, switches, the request log, the resources. It is not part of Azure."""

from __future__ import annotations

import dataclasses
import hmac
import json
import typing as t

from cryptography import x509

from ..arm.messages import Reply
from ..errors import Json
from ..operations import Operation
from .tokens import Tokens

if t.TYPE_CHECKING:
    from ..cloud import Cloud

PREFIX = "/_control/"


class Control:
    """Answers below ``/_control``; every request carries the control token as bearer."""

    def __init__(self, cloud: Cloud, tokens: Tokens) -> None:
        self._cloud = cloud
        self._tokens = tokens

    async def answer(self, method: str, path: str, headers: t.Mapping[str, str], raw: bytes) -> Reply:
        """Answer one request."""
        expected = f"Bearer {self._cloud.identity.control_token}"
        if not hmac.compare_digest(headers.get("authorization", "").encode(), expected.encode()):
            return Reply(401, {"error": "the control token is missing or wrong"})
        name = path.removeprefix(PREFIX).strip("/")
        handler = getattr(self, f"_{method.lower()}_{name.replace('-', '_')}", None)
        if handler is None:
            return Reply(404, {"error": f"no {method} {path}"})
        try:
            body = json.loads(raw) if raw else {}
            return Reply(200, await handler(body))
        except (ValueError, KeyError, TypeError) as error:
            return Reply(400, {"error": str(error.args[0] if error.args else error)})

    async def _get_requests(self, _body: Json) -> Json:
        return {"value": self._cloud.log.entries()}

    async def _delete_requests(self, _body: Json) -> Json:
        self._cloud.log.clear()
        return {}

    async def _get_faults(self, _body: Json) -> Json:
        return {"value": [dataclasses.asdict(fault) for fault in self._cloud.faults.all()]}

    async def _post_faults(self, body: Json) -> Json:
        return dataclasses.asdict(self._cloud.faults.add(body))

    async def _delete_faults(self, _body: Json) -> Json:
        self._cloud.faults.clear()
        return {}

    async def _get_switches(self, _body: Json) -> Json:
        return self._cloud.switches.all()

    async def _put_switches(self, body: Json) -> Json:
        for name, value in body.items():
            self._cloud.switches.set(name, value)
        return self._cloud.switches.all()

    async def _get_dump(self, _body: Json) -> Json:
        return {r.id: _dumped(r) for r in self._cloud.store}

    async def _get_names(self, _body: Json) -> Json:
        return dict(self._cloud.hosts.names())

    async def _post_settle(self, _body: Json) -> Json:
        await self._cloud.operations.settle()
        return {}

    async def _post_certificates(self, body: Json) -> Json:
        text = str(body["pem"])
        x509.load_pem_x509_certificate(text.encode())
        self._cloud.identity.certificates.append(text)
        self._cloud.save_identity()
        return {}

    async def _post_federated_token(self, body: Json) -> Json:
        return {"token": self._tokens.federated_token(**body)}

    async def _put_hold(self, body: Json) -> Json:
        self._cloud.operations.hold = bool(body["hold"])
        return {}

    async def _get_operations(self, _body: Json) -> Json:
        return {"value": [_operation(operation) for operation in self._cloud.operations.all()]}

    async def _post_release(self, body: Json) -> Json:
        await self._cloud.operations.release(str(body["id"]), body.get("status"), body.get("error"))
        return {}

    async def _post_console(self, body: Json) -> Json:
        return {"log": self._cloud.machines.console_log(self._cloud.resource(str(body["id"])))}


def _operation(operation: Operation) -> Json:
    shown = ("id", "kind", "target", "status", "duration", "start_time", "end_time", "error")
    return {name: getattr(operation, name) for name in shown}


def _dumped(resource: t.Any) -> Json:
    return {
        "type": resource.type,
        "location": resource.location,
        "tags": resource.tags,
        **resource.top,
        "properties": resource.properties,
        "power": resource.hidden.get("power"),
    }
