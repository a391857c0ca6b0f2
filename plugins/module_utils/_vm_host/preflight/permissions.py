# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the permissions that a plan needs with those of the signed-in identity.

Only permissions that are certainly missing are refused. Azure does not return deny assignments and conditions here; it
applies them itself.
"""

from __future__ import annotations

import fnmatch
import typing as t

from ..._azure.advice import RIGHTS_HELP
from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.wire import Json
from ..._errors import DockerHostError
from ..desired.topology import HostResources
from ..plan.model import Plan

_NETWORK = "Microsoft.Network"
_WRITES = {
    "resource_group": "Microsoft.Resources/subscriptions/resourceGroups/write",
    "virtual_network": f"{_NETWORK}/virtualNetworks/write",
    "subnet": f"{_NETWORK}/virtualNetworks/subnets/write",
    "security_group": f"{_NETWORK}/networkSecurityGroups/write",
    "public_ip_address": f"{_NETWORK}/publicIPAddresses/write",
    "network_interface": f"{_NETWORK}/networkInterfaces/write",
    "virtual_machine": "Microsoft.Compute/virtualMachines/write",
    "auto_shutdown": "Microsoft.DevTestLab/schedules/write",
}
_JOINS = {
    "virtual_network": f"{_NETWORK}/virtualNetworks/subnets/join/action",
    "security_group": f"{_NETWORK}/networkSecurityGroups/join/action",
    "public_ip_address": f"{_NETWORK}/publicIPAddresses/join/action",
}


class MissingPermissionError(DockerHostError):
    """The signed-in identity lacks permissions that the run needs."""


def read_permissions(session: AzureSession, scope: str) -> list[Json] | None:
    """Return the permissions of the signed-in identity in a scope, None if it may not read them.

    :param scope: the id of a resource group or of a subscription.
    """
    try:
        permissions = session.arm.list(f"{scope}/providers/Microsoft.Authorization/permissions")
    except AzureError as error:
        if error.status in (400, 403, 404):
            return None
        raise
    return permissions or None


def required_permissions(plan: Plan, resources: HostResources) -> list[str]:
    """Return the permissions on the host's own resource group that the actions of a plan need."""
    required = [
        _WRITES[action.kind]
        for action in plan.actions
        if action.verb in ("create", "update", "tag") and action.kind in _WRITES
    ]
    if plan.action("network_interface"):
        # Existing resources may be in another group, with other permissions.
        required += [
            right for kind, right in _JOINS.items() if getattr(resources, kind) and not resources.is_given(kind)
        ]
    if plan.action("virtual_machine") and not resources.is_given("network_interface"):
        required.append(f"{_NETWORK}/networkInterfaces/join/action")
    return list(dict.fromkeys(required))


def check_permissions(needed: t.Sequence[str], permissions: list[Json] | None, scope: str) -> None:
    """Refuse a plan for which permissions are missing.

    :raises MissingPermissionError: the text names all of them.
    """
    if permissions is None:
        return
    missing = [right for right in needed if not any(_grants(entry, right) for entry in permissions)]
    if missing:
        raise MissingPermissionError(
            f"The signed-in identity lacks permissions on {scope} that this run needs: {', '.join(missing)}."
            f" Nothing was changed; {RIGHTS_HELP}",
            missing_rights=missing,
            scope=scope,
        )


def _grants(permission: Json, right: str) -> bool:
    def is_in(patterns: t.Iterable[str] | None) -> bool:
        return any(fnmatch.fnmatchcase(right.lower(), str(pattern).lower()) for pattern in patterns or ())

    return is_in(permission.get("actions")) and not is_in(permission.get("notActions"))
