# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Resources: tenants, subscriptions, regions, resource providers."""

from __future__ import annotations

import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.replies import listing
from .arm.routing import SUBSCRIPTION, route
from .arm.versions import LOCATIONS, versions_of
from .compute.names import (
    AVAILABILITY_SET,
    DISK,
    EXTENSION,
    GALLERY,
    GALLERY_IMAGE,
    GALLERY_VERSION,
    IMAGE,
    PLACEMENT_GROUP,
    RUN_COMMAND,
    SNAPSHOT,
    SSH_KEY,
    VM,
)
from .errors import ApiError, Json
from .groups import KIND, TYPE
from .identities import IDENTITY
from .network.names import APPLICATION_GROUP, NIC, NSG, PUBLIC_IP, RULE, SUBNET, VNET
from .vault.names import VAULT

if t.TYPE_CHECKING:
    from .cloud import Cloud

COMPUTE = (VM, EXTENSION, RUN_COMMAND, DISK, SNAPSHOT, AVAILABILITY_SET, PLACEMENT_GROUP, IMAGE, SSH_KEY)
GALLERIES = (GALLERY, GALLERY_IMAGE, GALLERY_VERSION)
RESOURCES = (TYPE, f"{KIND}/deployments", f"{KIND}/tags", f"{KIND}/subscriptions", f"{KIND}/resources")
TYPES = (
    *RESOURCES,
    "Microsoft.Authorization/locks",
    "Microsoft.DevTestLab/schedules",
    VNET,
    SUBNET,
    NSG,
    RULE,
    APPLICATION_GROUP,
    PUBLIC_IP,
    NIC,
    *COMPUTE,
    *GALLERIES,
    VAULT,
    IDENTITY,
)
NAMESPACES = (
    "Microsoft.Authorization",
    "Microsoft.Compute",
    "Microsoft.DevTestLab",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.Resources",
    "Microsoft.Storage",
)


def subscription_body(cloud: Cloud, id_: str) -> Json:
    """Return a subscription."""
    own = cloud.store.get(f"/subscriptions/{id_}")
    return {
        "id": f"/subscriptions/{id_}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": id_,
        "tenantId": cloud.identity.tenant,
        "displayName": "Local Azure",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        **({"tags": own.tags} if own is not None and own.tags else {}),
    }


@route("GET", "/subscriptions", KIND)
async def list_subscriptions(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the subscriptions that the client may see."""
    return Reply(200, {"value": [subscription_body(cloud, id_) for id_ in cloud.subscriptions], "nextLink": ""})


@route("GET", SUBSCRIPTION, KIND)
async def get_subscription(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the subscription."""
    return Reply(200, subscription_body(cloud, request.subscription))


@route("GET", "/tenants", KIND)
async def list_tenants(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the tenant."""
    tenant = cloud.identity.tenant
    body = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Local Azure", "tenantCategory": "Home"}
    return Reply(200, {"value": [body], "nextLink": ""})


@route("GET", f"{SUBSCRIPTION}/locations", KIND)
async def list_locations(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the regions."""
    base = f"/subscriptions/{request.subscription}/locations"
    return listing(
        [
            {
                "id": f"{base}/{name}",
                "name": name,
                "type": "Region",
                "displayName": name,
                "regionalDisplayName": name,
                "metadata": {
                    "regionType": "Physical",
                    "regionCategory": "Recommended",
                    "geography": "Local",
                    "geographyGroup": "Local",
                    "longitude": "0",
                    "latitude": "0",
                    "physicalLocation": "Local",
                    "pairedRegion": [],
                },
            }
            for name in LOCATIONS
        ]
    )


def _provider(cloud: Cloud, subscription: str, namespace: str) -> Json:
    kinds = [kind for kind in TYPES if kind.startswith(f"{namespace}/")]
    unregistered = {name.lower() for name in cloud.switches["unregistered"]}
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": [
            {
                "resourceType": kind.partition("/")[2],
                "locations": list(LOCATIONS),
                "apiVersions": list(reversed(versions_of(kind))),
                "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation",
            }
            for kind in kinds
        ],
        "registrationState": "NotRegistered" if namespace.lower() in unregistered else "Registered",
        "registrationPolicy": "RegistrationRequired",
    }


@route("GET", f"{SUBSCRIPTION}/providers", KIND)
async def list_providers(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the resource providers."""
    return Reply(200, {"value": [_provider(cloud, request.subscription, namespace) for namespace in NAMESPACES]})


def _namespace(request: ArmRequest) -> str:
    wanted = request.params["namespace"]
    for namespace in NAMESPACES:
        if namespace.lower() == wanted.lower():
            return namespace
    raise ApiError(404, "InvalidResourceNamespace", f"The resource namespace '{wanted}' is invalid.")


@route("GET", SUBSCRIPTION + "/providers/{namespace}", KIND)
async def get_provider(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one resource provider."""
    return Reply(200, _provider(cloud, request.subscription, _namespace(request)))


@route("POST", SUBSCRIPTION + "/providers/{namespace}/register", KIND)
async def register(cloud: Cloud, request: ArmRequest) -> Reply:
    """Register the subscription for a resource provider."""
    namespace = _namespace(request)
    left = [name for name in cloud.switches["unregistered"] if name.lower() != namespace.lower()]
    cloud.switches.set("unregistered", left)
    return Reply(200, _provider(cloud, request.subscription, namespace))
