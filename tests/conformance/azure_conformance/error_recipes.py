# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reproduce the failures that a record shows.

Where Azure enforces a rule, the state that violates it is created. What depends on the subscription
(quotas, rights, throttling, capacity) is set by the switches and faults that anybody can use.
"""

from __future__ import annotations

import contextlib
import re
import typing as t

from .bodies import is_group
from .compare import Answer
from .local import LocalCloud
from .mapping import Mapping
from .paths import Poll, Target, parse_target
from .records import Interaction
from .resource_history import ResourceHistory
from .seeding import Seeder

Json = dict[str, t.Any]
_QUOTA = re.compile(r"quota", re.IGNORECASE)
_IN_USE = ("InUse", "CannotBeDeleted", "StillAllocated")
_SIZE = re.compile(r"(?:Standard|Basic)_[A-Za-z0-9_]+")


def error_of(body: t.Any) -> Json:
    """Return the error in a body, in ARM's usual spelling; empty if it has none."""
    if not isinstance(body, dict):
        return {}
    error = body.get("error", body.get("Error"))
    if not isinstance(error, dict):
        return {}
    return {name[:1].lower() + name[1:]: value for name, value in error.items()}


def error_code(record: Interaction) -> str:
    """Return the code of a recorded error; empty if the record is not an error."""
    error = error_of(record.response.body)
    return str(error.get("code") or "") if record.status >= 400 else ""


@contextlib.asynccontextmanager
async def conditions(cloud: LocalCloud, record: Interaction, target: Target | None, path: str) -> t.AsyncIterator[None]:
    """Set the recorded state of the subscription for one request, then restore it.

    :param path: the request's path at the local Azure.
    """
    wanted = _switches(record, target)
    before = {name: cloud.cloud.switches[name] for name in wanted}
    for name, value in wanted.items():
        cloud.cloud.switches.set(name, value)
    if _is_fault(record):
        cloud.fault(record.method, path, Answer(record.status, record.response.headers, record.response.body))
    try:
        yield
    finally:
        for name, value in before.items():
            cloud.cloud.switches.set(name, value)
        cloud.cloud.faults.clear()


def _agent_state(record: Interaction) -> str:
    """Return the code with which an answer shows a machine's agent; empty if it shows none."""
    body = record.response.body if isinstance(record.response.body, dict) else {}
    view = (body.get("properties") or {}).get("instanceView") or body
    statuses = (view.get("vmAgent") or {}).get("statuses") or [{}]
    return str(statuses[0].get("code", ""))


def _switches(record: Interaction, target: Target | None) -> dict[str, t.Any]:
    if record.method == "GET" and _agent_state(record) == "ProvisioningState/Unavailable":
        return {"agent": "not_ready"}
    code, message = error_code(record), str(error_of(record.response.body).get("message", ""))
    if code in ("OperationNotAllowed", "QuotaExceeded") and _QUOTA.search(message):
        return {"cores_quota": 0}
    if code == "SkuNotAvailable":
        return {"sku_not_available": _SIZE.findall(message)}
    if code == "AuthorizationFailed" and target is not None:
        verb = {"GET": "read", "HEAD": "read", "DELETE": "delete", "POST": f"{target.tail}/action"}
        name = "Microsoft.Resources/subscriptions/resourceGroups" if is_group(target) else target.type
        return {"forbidden": [f"{name}/{verb.get(record.method, 'write')}"]}
    if code == "MissingSubscriptionRegistration" and target is not None:
        return {"unregistered": [target.type.partition("/")[0]]}
    if code == "DnsRecordInUse" and isinstance(record.request.body, dict):
        settings = (record.request.body.get("properties") or {}).get("dnsSettings") or {}
        return {"taken_labels": [str(settings.get("domainNameLabel", ""))]}
    return {}


def _is_fault(record: Interaction) -> bool:
    """Return whether an answer is unrelated to its request: throttling and server errors."""
    retryable = error_code(record) in ("RetryableError", "AnotherOperationInProgress")
    return record.status in (500, 502, 503, 504) or (record.status == 429 and not retryable)


async def users(seeder: Seeder, history: ResourceHistory, record: Interaction, target: Target, position: int) -> None:
    """Create the users because of which a deletion was refused."""
    if record.status < 400 or not any(word in error_code(record) for word in _IN_USE):
        return
    for user in history.users(target.key):
        found = parse_target(user.id.rsplit("/", 2)[0]) if user.kind.endswith("/ipconfigurations") else user
        if found is not None:
            await seeder.ensure(found, position)


def action_body(target: Target) -> t.Any:
    """Return a body for an action whose body the record lacks."""
    if target.tail.lower() == "runcommand":
        return {"commandId": "RunShellScript", "script": ["true"]}
    if target.tail.lower() == "begingetaccess":
        return {"access": "Read", "durationInSeconds": 3600}
    return None


def refused_change(record: Interaction, known: Json | None) -> Json:
    """Return a PATCH of the properties that the target or message of a recorded error names."""
    error = error_of(record.response.body)
    target = str(error.get("target") or "")
    message = str(error.get("message", "")).lower()
    body: Json = {"properties": {}}
    for words, path, value in _CHANGES:
        if target.lower() == path.rpartition(".")[2].lower() or words in message:
            place = body["properties"]
            *way, last = path.split(".")
            for step in way:
                place = place.setdefault(step, {})
            place[last] = {"id": _sibling(record, last)} if value is _OTHER else value
            return body
    if target:
        body["properties"][target] = "changed"
    return body


def _sibling(record: Interaction, property_: str) -> str:
    """Return the id of another resource, of the type that a reference property points at, in the same group."""
    target = parse_target(record.path)
    base = target.id.rpartition("/providers/")[0] if target is not None else ""
    return f"{base}/providers/Microsoft.Compute/{property_}s/replay"


_OTHER = object()
_CHANGES: tuple[tuple[str, str, t.Any], ...] = (
    ("max price", "billingProfile.maxPrice", 1.5),
    ("property 'priority'", "priority", "Spot"),
    ("eviction policy", "evictionPolicy", "Delete"),
    ("proximity placement group", "proximityPlacementGroup", _OTHER),
    ("availability set", "availabilitySet", _OTHER),
    ("admin user", "osProfile.adminUsername", "changed"),
    ("computer name", "osProfile.computerName", "changed"),
    (
        "image",
        "storageProfile.imageReference",
        {"publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest"},
    ),
    ("vm size", "hardwareProfile.vmSize", "Standard_D2s_v5"),
)
"""Words of a message (or the target's last word), the property they mean, and another value for it."""


async def operation_for(
    cloud: LocalCloud, seeder: Seeder, record: Interaction, poll: Poll, mapping: Mapping
) -> str | None:
    """Begin an operation for polls whose beginning the record does not have; the URL to poll, or None.

    What kind it was the polls do not tell (but for extensions); every operation of a provider is answered alike.
    """
    location = poll.location or "eastus"
    group = f"/subscriptions/{cloud.subscription}/resourceGroups/replay-operations"
    provider = f"{group}/providers"
    code = str(error_of(record.response.body).get("code", ""))
    if poll.provider == "microsoft.network":
        id_, version = f"{provider}/Microsoft.Network/networkSecurityGroups/replay", "2024-05-01"
        method, body = ("DELETE", None) if poll.results else ("PUT", {"location": location})
    elif poll.provider == "microsoft.compute":
        id_, version = f"{provider}/Microsoft.Compute/virtualMachines/replay", "2024-07-01"
        method, body = "POST", None
    elif poll.provider in ("", "microsoft.resources"):
        id_, version, method, body = group, "2022-09-01", "DELETE", None
    else:
        return None
    target = parse_target(id_)
    if target is None:
        return None
    if method == "PUT":
        await seeder.group(target)
    else:
        await seeder.ensure(target, 0)
    if method == "POST":
        id_, method, body = _machine_request(id_, code)
    cloud.hold(True)
    answer = await cloud.request(method, f"{id_}?api-version={version}", body)
    header = "location" if poll.results or record.query.get("monitor") == "true" else "azure-asyncoperation"
    return answer.headers.get(header)


def _machine_request(id_: str, code: str) -> tuple[str, str, t.Any]:
    if not code.startswith(("VMExtension", "VMAgent")):
        return f"{id_}/restart", "POST", None
    properties = {
        "publisher": "Microsoft.Azure.Extensions",
        "type": "CustomScript",
        "typeHandlerVersion": "2.1",
        "autoUpgradeMinorVersion": True,
    }
    return f"{id_}/extensions/replay", "PUT", {"location": "eastus", "properties": properties}
