# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Concurrent writes of the network provider: which are refused, and which supersede others."""

from __future__ import annotations

import typing as t

from ..arm.resource import Resource
from ..errors import network_error
from ..operations import Operation

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def refuse_while_deleting(resource: Resource) -> None:
    """Refuse a write on a resource that is being deleted.

    :raises ApiError: 409.
    """
    if resource.provisioning_state == "Deleting":
        raise network_error(
            "ResourceIsBeingDeleted",
            f"Operation cannot be completed because resource {resource.id} is being deleted.",
            409,
        )


def refuse_while_changing(cloud: Cloud, whole: Resource) -> None:
    """Refuse a write on a part while the whole, or another part of it, is being changed.

    :raises ApiError: 409 (deleting) or 429 (another operation in progress).
    """
    refuse_while_deleting(whole)
    for operation in _under_way(cloud, whole):
        raise network_error(
            "AnotherOperationInProgress",
            "Another operation on this or dependent resource is in progress. To retrieve status of the operation use "
            f"uri: {cloud.operations.url(cloud.origin, operation).partition('&t=')[0]}.",
            429,
        )


def _under_way(cloud: Cloud, whole: Resource) -> list[Operation]:
    found = cloud.operations.under_way(whole.id)
    for part in cloud.store.children(whole.id):
        found += cloud.operations.under_way(part.id)
    return found


def supersede(cloud: Cloud, whole: Resource, by: Operation) -> None:
    """Cancel the operations that a write on a whole resource supersedes: those on it and on its parts.

    Two clients that create one network at the same time see this (iterative/terraform-provider-iterative#341).
    """
    for old in _under_way(cloud, whole):
        if old.id != by.id:
            message = (
                f"Operation {_name(old)} ({old.id}) was canceled and superseded by operation {_name(by)} ({by.id})."
            )
            detail = {"code": "CanceledAndSupersededDueToAnotherOperation", "message": message}
            cloud.operations.cancel(
                old, {"code": "Canceled", "message": "Operation was canceled.", "details": [detail]}
            )


def _name(operation: Operation) -> str:
    """Return the provider's name of an operation: ``PutVirtualNetworkOperation``."""
    thing, _unused, verb = operation.kind.partition(".")
    if thing == "network":
        thing = operation.target.split("/")[-2].removesuffix("s")
    return f"{'Delete' if verb == 'delete' else 'Put'}{thing[:1].upper()}{thing[1:]}Operation"
