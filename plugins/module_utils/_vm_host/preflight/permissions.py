# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that a plan needs, against those that Azure says the signed-in identity has.

Only what is sure to be missing is refused: what Azure does not tell (deny assignments, conditions), it judges itself.
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
}
_JOINS = {
    "virtual_network": f"{_NETWORK}/virtualNetworks/subnets/join/action",
    "security_group": f"{_NETWORK}/networkSecurityGroups/join/action",
    "public_ip_address": f"{_NETWORK}/publicIPAddresses/join/action",
}


class MissingPermissionError(DockerHostError):
    """The signed-in identity lacks rights that the run would need."""


def read_permissions(session: AzureSession, scope: str) -> list[Json] | None:
    """What the signed-in identity may do there, None when it may not ask.

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
    """The rights on the host's own resource group that the steps of a creation need."""
    required = [
        _WRITES[action.kind]
        for action in plan.actions
        if action.verb in ("create", "update", "tag") and action.kind in _WRITES
    ]
    if plan.action("network_interface"):
        # What was given may be elsewhere, where other rights hold.
        required += [
            right for kind, right in _JOINS.items() if getattr(resources, kind) and not resources.is_given(kind)
        ]
    if plan.action("virtual_machine") and not resources.is_given("network_interface"):
        required.append(f"{_NETWORK}/networkInterfaces/join/action")
    return list(dict.fromkeys(required))


def check_permissions(needed: t.Sequence[str], permissions: list[Json] | None, scope: str) -> None:
    """Refuse a plan for which rights are missing.

    :raises RightsError: the text names all of them.
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
