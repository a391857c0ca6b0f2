# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies that every provider gives in the same form, and the start of an operation."""

from __future__ import annotations

import typing as t

from ..errors import ApiError, Json
from ..operations import Operation, OperationSpec
from ..settings import new_guid
from .messages import ArmRequest, Reply
from .resource import Resource

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def found(body: Json, etag: str | None = None) -> Reply:
    """Return the reply to a GET of a resource."""
    return Reply(200, body, {"ETag": etag} if etag else {}, pretty=True)


def written(status: int, body: Json) -> Reply:
    """Return the reply to a write without an operation."""
    return Reply(status, body, pretty=True)


def listing(items: list[Json]) -> Reply:
    """Return the reply to a GET of a collection."""
    return Reply(200, {"value": items}, pretty=True)


def check_preconditions(request: ArmRequest, resource: Resource | None) -> None:
    """Obey ``If-Match`` and ``If-None-Match``.

    :raises ApiError: 412.
    """
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    if wanted and (resource is None or (wanted != "*" and resource.etag not in _etags(wanted))):
        raise _precondition("If-Match", wanted, resource)
    if unwanted and resource is not None and (unwanted == "*" or resource.etag in _etags(unwanted)):
        raise _precondition("If-None-Match", unwanted, resource)


def _etags(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]


def _precondition(header: str, value: str, resource: Resource | None) -> ApiError:
    id_ = resource.id if resource is not None else ""
    current = resource.etag if resource is not None else ""
    return ApiError(
        412,
        "PreconditionFailed",
        f"Precondition failed. The value '{value}' of header {header} does not match the etag '{current}' of resource "
        f"{id_}.",
        details=[],
    )


def begin(cloud: Cloud, request: ArmRequest, spec: OperationSpec) -> Operation:
    """Start an operation for a request, and note it for the request log."""
    latency = spec.latency or spec.kind
    operation = Operation(
        id=spec.id or new_guid(),
        provider=spec.provider,
        kind=spec.kind,
        target=spec.target,
        subscription=request.subscription,
        location=spec.location,
        api_version=request.api_version,
        args=spec.args,
        duration=cloud.latencies.draw(latency),
        counts_from_end=cloud.latencies.counts_from_end(latency),
        first_poll_waits=spec.first_poll_waits,
        end_fault=request.end_fault,
        retry_after=spec.retry_after,
    )
    request.operation, request.duration = f"{spec.kind} {operation.id}", operation.duration
    return cloud.operations.begin(operation, can_be_held=not request.is_part)


def _operation_headers(cloud: Cloud, request: ArmRequest, operation: Operation) -> Json:
    headers = {
        "Azure-AsyncOperation": cloud.operations.url(request.origin, operation),
        "azure-asyncnotification": "Enabled",
    }
    wait = cloud.latencies.retry_after(operation.retry_after)
    if wait is not None:
        headers["Retry-After"] = str(wait)
    return headers


def started(cloud: Cloud, request: ArmRequest, operation: Operation, status: int, body: Json) -> Reply:
    """Return 200 or 201 for a write whose operation is under way, with the resource in its present state."""
    return Reply(status, body, _operation_headers(cloud, request, operation), pretty=True)


def accepted(cloud: Cloud, request: ArmRequest, operation: Operation, body: Json | None = None) -> Reply:
    """Return 202 for an operation that either header lets the client follow."""
    headers = _operation_headers(cloud, request, operation)
    headers["Location"] = cloud.operations.url(request.origin, operation, location=True)
    return Reply(202, body, headers, pretty=True)
