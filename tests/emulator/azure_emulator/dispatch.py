# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a request of a known client to the handler of its path, through the checks of the Resource Manager."""

from __future__ import annotations

import typing as t

from . import groups, locks, rights, unserved
from .arm.messages import ArmRequest, Reply
from .arm.routing import ROUTER
from .arm.versions import check_version
from .errors import ApiError
from .faults import throttled

if t.TYPE_CHECKING:
    from .cloud import Cloud

WRITING = frozenset({"PUT", "PATCH", "POST", "DELETE"})


async def dispatch(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return a handler's reply to a request whose subscription exists and whose client has signed in.

    :raises ApiError: the path, the method or the api-version is not served, or the client may not do this.
    """
    match = ROUTER.find(request.path)
    if match is None:
        return unserved.answer(cloud, request)
    entry = match.handlers.get(request.method)
    if entry is None:
        raise ApiError(
            405,
            "HttpMethodNotAllowed",
            f"The HTTP method '{request.method}' is not supported at scope '{request.path}'.",
            headers={"Allow": ", ".join(sorted(match.handlers))},
        )
    handler, type_ = entry
    request.params = match.params[request.method]
    check_version(type_, request.api_version, "eastus" if "/resourcegroups/" in request.path.lower() else "*")
    rights.check(cloud, request)
    locks.check(cloud, request)
    _check_provider(cloud, request, type_.partition("/")[0])
    _check_group(cloud, request)
    return await handler(cloud, request)


def _check_provider(cloud: Cloud, request: ArmRequest, namespace: str) -> None:
    """Check the provider's registration, and throttling, both set by switches."""
    switches = cloud.switches
    if "/locations/operation" in request.path.lower():
        return
    if request.method in WRITING and namespace.lower() in {name.lower() for name in switches["unregistered"]}:
        message = (
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions."
        )
        code = "MissingSubscriptionRegistration"
        raise ApiError(409, code, message, details=[{"code": code, "target": namespace, "message": message}])
    if switches["throttle"] and namespace == "Microsoft.Compute":
        raise throttled({"Retry-After": "1"} if switches["throttle"] == "retry-after" else {})


def _check_group(cloud: Cloud, request: ArmRequest) -> None:
    """Refuse paths below a missing group, and writes in a group that is being deleted."""
    if "group" not in request.params or len(request.path.strip("/").split("/")) == 4:
        return
    group = cloud.group(request.subscription, request.group)
    if request.method in ("PUT", "PATCH", "POST"):
        groups.refuse_while_deleting(group)
