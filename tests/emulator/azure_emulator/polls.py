# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answer the polls of operations of compute and network."""

from __future__ import annotations

import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.routing import SUBSCRIPTION, route
from .operations import Operation, async_body

if t.TYPE_CHECKING:
    from .cloud import Cloud

COMPUTE = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/operations/{{operation}}"
DISK = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/DiskOperations/{{operation}}"
GALLERY = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/capsOperations/{{operation}}"
NETWORK = f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}/operations/{{operation}}"
RESULTS = f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}/operationResults/{{operation}}"


POLL_RETRY_AFTER = {"compute": 30, "disk": 2, "gallery": 30, "network": 10, "group": 15}
BY_KIND = {"publicIPAddress.create": 2, "publicIPAddress.update": 2, "vm.deallocate": 36, "vm.start": 9}
"""Recorded seconds that a poll is told to wait, by provider and by kind of operation."""


def _wait(cloud: Cloud, operation: Operation) -> dict[str, str]:
    """Return the Retry-After of a poll. The first poll of compute has none, unless latency is instant."""
    if operation.provider == "compute" and operation.polls == 0 and not cloud.latencies.instant:
        return {}
    recorded = BY_KIND.get(operation.kind, POLL_RETRY_AFTER[operation.provider])
    wait = cloud.switches["retry_after"] or cloud.latencies.retry_after(recorded)
    return {"Retry-After": str(wait)}


@route("GET", COMPUTE, "Microsoft.Compute/locations/operations")
@route("GET", DISK, "Microsoft.Compute/disks")
@route("GET", GALLERY, "Microsoft.Compute/galleries")
async def poll_compute(cloud: Cloud, request: ArmRequest) -> Reply:
    """``Azure-AsyncOperation`` of compute; with ``monitor=true`` its ``Location``."""
    operation = cloud.operations.find(request.params["operation"], request.query)
    going_on = operation.status == "InProgress"
    if request.query.get("monitor", "").lower() == "true":
        reply = _monitor(cloud, request, operation)
    else:
        headers = _wait(cloud, operation) if going_on else {}
        reply = Reply(200, async_body(operation), headers, pretty=True)
    cloud.operations.note_poll(operation)
    return reply


def _monitor(cloud: Cloud, request: ArmRequest, operation: Operation) -> Reply:
    if operation.status == "InProgress":
        location = cloud.operations.url(request.origin, operation, location=True)
        return Reply(202, None, {"Location": location, **_wait(cloud, operation)})
    if operation.status == "Succeeded":
        return Reply(200, operation.output, pretty=True)
    return Reply(
        409, {"error": operation.error or {"code": operation.status, "message": operation.status}}, pretty=True
    )


@route("GET", NETWORK, "Microsoft.Network/locations/operations")
async def poll_network(cloud: Cloud, request: ArmRequest) -> Reply:
    """``Azure-AsyncOperation`` of network."""
    operation = cloud.operations.find(request.params["operation"], request.query)
    headers = _wait(cloud, operation) if operation.status == "InProgress" else {}
    reply = Reply(200, async_body(operation), headers, pretty=True)
    cloud.operations.note_poll(operation)
    return reply


@route("GET", RESULTS, "Microsoft.Network/locations/operationResults")
async def poll_result(cloud: Cloud, request: ArmRequest) -> Reply:
    """``Location`` of network."""
    operation = cloud.operations.find(request.params["operation"], request.query)
    going_on = operation.status == "InProgress"
    cloud.operations.note_poll(operation)
    if going_on:
        location = cloud.operations.url(request.origin, operation, location=True)
        return Reply(202, None, {"Location": location, **_wait(cloud, operation)})
    if operation.status == "Succeeded" and operation.output is not None:
        location = cloud.operations.url(request.origin, operation, location=True)
        return Reply(200, operation.output, {"Location": location}, pretty=True)
    if operation.status == "Succeeded":
        urls = {
            "Azure-AsyncOperation": cloud.operations.url(request.origin, operation),
            "Location": cloud.operations.url(request.origin, operation, location=True),
        }
        return Reply(204, None, urls)
    error = operation.error or {"code": operation.status, "message": "The operation did not succeed."}
    return Reply(409, {"error": error}, pretty=True)
