# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vaults, as the Resource Manager shows them.

After the REST reference of Microsoft.KeyVault (Vaults, 2023-07-01). A vault that is deleted is gone at once; deleted
vaults, private endpoints and network rules are not served.
"""

from __future__ import annotations

import re
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing, written
from ..arm.resource import Resource, timestamp
from ..arm.routing import GROUP, SUBSCRIPTION, route
from ..arm.tracked import check_location, moved, take_tags
from ..errors import ApiError, Json, location_required, resource_not_found
from .names import VAULT, vault_url

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/Microsoft.KeyVault/vaults/{{name}}"
NAME = re.compile(r"^[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]$")
DEFAULTS: Json = {
    "accessPolicies": [],
    "enabledForDeployment": False,
    "enableSoftDelete": True,
    "softDeleteRetentionInDays": 90,
    "publicNetworkAccess": "Enabled",
}


def find_vault(cloud: Cloud, name: str) -> Resource | None:
    """Return a vault by its name, which is unique in the whole cloud."""
    return next((vault for vault in cloud.store.of_type(VAULT) if vault.name.lower() == name.lower()), None)


OPEN: Json = {"bypass": "AzureServices", "defaultAction": "Allow"}
"""The network rules of a vault that is open to everybody: answers leave them out (recorded in 2023-03)."""


def _render(cloud: Cloud, vault: Resource, state: str = "Succeeded") -> Json:
    return {
        "id": vault.id,
        "name": vault.name,
        "type": VAULT,
        "location": vault.location,
        "tags": vault.tags or {},
        **({"systemData": vault.hidden["systemData"]} if "systemData" in vault.hidden else {}),
        "properties": {
            **vault.properties,
            "vaultUri": vault_url(cloud, vault.name) + "/",
            "provisioningState": state,
        },
    }


def _system_data(request: ArmRequest, vault: Resource | None) -> Json:
    """Return who made a vault, who has changed it last, and when."""
    who = {
        "By": str(request.claims.get("appid") or request.claims.get("oid") or ""),
        "ByType": "User" if "scp" in request.claims else "Application",
    }
    what = {**who, "At": timestamp()}
    made = vault.hidden.get("systemData") if vault is not None else None
    changed = {f"lastModified{name}": value for name, value in what.items()}
    return {**(made or {f"created{name}": value for name, value in what.items()}), **changed}


def _bad(code: str, message: str) -> ApiError:
    return ApiError(400, code, message)


def _checked(body: Json) -> Json:
    """Return the properties of a PUT.

    :raises ApiError: 400.
    """
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise _bad("BadRequest", "The value of the parameter 'properties' is missing.")
    sku, tenant = properties.get("sku"), properties.get("tenantId")
    if not isinstance(sku, dict) or str(sku.get("name")).lower() not in ("standard", "premium"):
        raise _bad("BadRequest", "The sku of a vault is of the family 'A' and has the name 'standard' or 'premium'.")
    if not isinstance(tenant, str) or not tenant:
        raise _bad("BadRequest", "The value of the parameter 'properties.tenantId' is missing.")
    days = properties.get("softDeleteRetentionInDays", 90)
    if not isinstance(days, int) or not 7 <= days <= 90:
        raise _bad("BadRequest", "The value of softDeleteRetentionInDays is from 7 to 90.")
    if properties.get("enableSoftDelete") is False:
        raise _bad("BadRequest", 'The property "enableSoftDelete" can\'t be set to false for new vaults.')
    if properties.get("enablePurgeProtection") is False:
        raise _bad(
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is '
            "an irreversible action.",
        )
    rules = {name: value for name, value in (properties.get("networkAcls") or {}).items() if value}
    if rules == OPEN:
        properties = {name: value for name, value in properties.items() if name != "networkAcls"}
    elif rules:
        properties = {
            **properties,
            "networkAcls": {"ipRules": [], "virtualNetworkRules": [], **properties["networkAcls"]},
        }
    return {**DEFAULTS, **properties}


@route("PUT", ONE, VAULT)
async def put_vault(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update a vault, at once."""
    name = request.params["name"]
    if not NAME.match(name):
        raise _bad(
            "VaultNameNotValid",
            f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The "
            "name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.",
        )
    body = request.required_json()
    take_tags(body)
    if not isinstance(body.get("location"), str):
        raise location_required()
    location = check_location(body["location"], VAULT)
    properties = _checked(body)
    id_ = request.id_of(VAULT, name)
    vault = cloud.store.get(id_)
    state = "RegisteringDns" if vault is None else "Succeeded"
    system_data = _system_data(request, vault)
    if vault is None:
        if find_vault(cloud, name) is not None:
            raise ApiError(
                409,
                "VaultAlreadyExists",
                f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that "
                "the name is already taken.",
            )
        vault = Resource(id_, VAULT, name, request.group, request.subscription, hidden={"secrets": {}})
    elif vault.location != location:
        raise moved(vault, location)
    vault.location, vault.tags, vault.properties = location, body.get("tags"), properties
    vault.hidden["systemData"] = system_data
    cloud.store.save(vault)
    cloud.hosts.update()
    return written(200, _render(cloud, vault, state))


@route("GET", ONE, VAULT)
async def get_vault(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one vault."""
    name = request.params["name"]
    vault = cloud.store.get(request.id_of(VAULT, name))
    if vault is None:
        raise resource_not_found(f"{VAULT}/{name}", request.group)
    return found(_render(cloud, vault))


@route("DELETE", ONE, VAULT)
async def delete_vault(cloud: Cloud, request: ArmRequest) -> Reply:
    """Delete a vault with all that is in it."""
    vault = cloud.store.get(request.id_of(VAULT, request.params["name"]))
    if vault is None:
        return Reply(204)
    cloud.store.remove(vault)
    cloud.hosts.update()
    return Reply(200)


@route("GET", f"{GROUP}/providers/Microsoft.KeyVault/vaults", VAULT)
async def list_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the vaults of a group."""
    group = cloud.group(request.subscription, request.group)
    return listing([_render(cloud, vault) for vault in cloud.store.of_type(VAULT, group.id)])


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults", VAULT)
async def list_subscription(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the vaults of the subscription."""
    under = f"/subscriptions/{request.subscription}"
    return listing([_render(cloud, vault) for vault in cloud.store.of_type(VAULT, under)])
