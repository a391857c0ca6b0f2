# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subscriptions, resource groups and deployments; resources of other providers; errors, and deletion."""

from __future__ import annotations

from azure_conformance.tour.machines import machine_body
from azure_conformance.tour.visits import (
    COMPUTE,
    DISKS,
    IMAGE,
    KEY_VAULT,
    LOCKS,
    MANAGED_IDENTITY,
    NETWORK,
    PLACE,
    RESOURCES,
    SCHEDULES,
    SUBSCRIPTIONS,
    Json,
    Tour,
)


async def subscriptions(tour: Tour) -> None:
    """Subscriptions, regions, providers."""
    for path in ("/subscriptions", tour.subscription, f"{tour.subscription}/locations", "/tenants"):
        await tour.go("GET", path, SUBSCRIPTIONS)
    for path in (
        f"{tour.subscription}/providers",
        f"{tour.subscription}/providers/Microsoft.Network",
    ):
        await tour.go("GET", path, RESOURCES)
    await tour.go("POST", f"{tour.subscription}/providers/Microsoft.Network/register", RESOURCES)
    await tour.go("GET", "/subscriptions/11111111-1111-1111-1111-111111111111", SUBSCRIPTIONS, 404)


async def groups(tour: Tour) -> None:
    """Resource groups."""
    await tour.go("GET", tour.group, RESOURCES, 404)
    await tour.go("HEAD", tour.group, RESOURCES, 404)
    await tour.go("PUT", tour.group, RESOURCES, 201, body={"location": PLACE, "tags": {"a": "b"}})
    await tour.go("PUT", tour.group, RESOURCES, 200, body={"location": PLACE, "tags": {"a": "c"}})
    await tour.go("PUT", tour.group, RESOURCES, 409, body={"location": "eastus"})
    await tour.go("PATCH", tour.group, RESOURCES, 200, body={"tags": {"a": "d"}})
    await tour.go("HEAD", tour.group, RESOURCES, 204)
    await tour.go("GET", tour.group, "2024-07-01")
    await tour.go("GET", f"{tour.subscription}/resourcegroups", RESOURCES)
    await tour.go("GET", f"{tour.group}/resources", RESOURCES)
    await tour.go("GET", f"{tour.subscription}/resources", RESOURCES)


async def vaults(tour: Tour) -> None:
    """Key vaults; their secrets are at another endpoint."""
    vaults = f"{tour.group}/providers/Microsoft.KeyVault/vaults"
    sku = {"family": "A", "name": "standard"}
    body = {"location": PLACE, "properties": {"tenantId": "11111111-1111-1111-1111-111111111111", "sku": sku}}
    await tour.go("PUT", f"{vaults}/tour-vault", KEY_VAULT, body=body)
    await tour.go("PUT", f"{vaults}/tour-vault", KEY_VAULT, 400, body={"location": PLACE})
    for path in (f"{vaults}/tour-vault", vaults, f"{tour.subscription}/providers/Microsoft.KeyVault/vaults"):
        await tour.go("GET", path, KEY_VAULT)
    await tour.go("DELETE", f"{vaults}/tour-vault", KEY_VAULT)
    await tour.go("GET", f"{vaults}/tour-vault", KEY_VAULT, 404)


async def identities(tour: Tour) -> None:
    """User-assigned identities."""
    kind = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    await tour.go("GET", f"{tour.subscription}/{kind}", MANAGED_IDENTITY)
    identities = f"{tour.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    body = {"location": PLACE}
    await tour.go("PUT", f"{identities}/tour", MANAGED_IDENTITY, 201, body=body)
    await tour.go("PUT", f"{identities}/tour", MANAGED_IDENTITY, body=body)
    for path in (f"{identities}/tour", identities):
        await tour.go("GET", path, MANAGED_IDENTITY)
    await tour.go("DELETE", f"{identities}/tour", MANAGED_IDENTITY)
    await tour.go("GET", f"{identities}/tour", MANAGED_IDENTITY, 404)


async def deployments(tour: Tour) -> None:
    """Template deployments to a group and to the subscription."""
    asg = {"type": "Microsoft.Network/applicationSecurityGroups", "name": "made", "apiVersion": NETWORK}
    body: Json = {"properties": {"mode": "Incremental", "template": {"resources": [{**asg, "location": PLACE}]}}}
    wrong: Json = {"properties": {"mode": "Incremental", "template": {"resources": [{**asg, "dependsOn": ["x"]}]}}}
    for scope in (tour.group, tour.subscription):
        deployments = f"{scope}/providers/Microsoft.Resources/deployments"
        one = f"{deployments}/d1"
        if scope == tour.subscription:
            more = {"type": "Microsoft.Resources/resourceGroups", "name": "tour", "apiVersion": RESOURCES}
            body = {
                "location": PLACE,
                "properties": {"mode": "Incremental", "template": {"resources": [{**more, "location": PLACE}]}},
            }
        await tour.go("POST", f"{one}/validate", RESOURCES, 200, body=body)
        await tour.go("PUT", one, RESOURCES, 201, body=body)
        await tour.go("PUT", one, RESOURCES, 200, body=body)
        await tour.go("PUT", one, RESOURCES, 400, body={**body, **wrong})
        for path in (one, deployments, f"{one}/operations"):
            await tour.go("GET", path, RESOURCES)
        listed = await tour.go("GET", f"{one}/operations", RESOURCES)
        await tour.go("GET", f"{one}/operations/{listed.body['value'][0]['operationId']}", RESOURCES)
        await tour.go("HEAD", one, RESOURCES, 204)
        await tour.go("POST", f"{one}/exportTemplate", RESOURCES, 200)
        tour.azure.hold(True)
        await tour.go("PUT", f"{deployments}/d2", RESOURCES, 201, body=body)
        await tour.go("POST", f"{deployments}/d2/cancel", RESOURCES, 204)
        tour.azure.hold(False)
        await tour.go("DELETE", one, RESOURCES, 202)
        await tour.go("GET", one, RESOURCES, 404)


async def schedules(tour: Tour) -> None:
    """The shutdown of a machine at a time of day."""
    one = f"{tour.group}/providers/Microsoft.DevTestLab/schedules/shutdown-computevm-vm1"
    properties = {"taskType": "ComputeVmShutdownTask", "dailyRecurrence": {"time": "1900"}, "timeZoneId": "UTC"}
    body = {"location": PLACE, "properties": properties}
    await tour.go("PUT", one, SCHEDULES, 201, body=body)
    for path in (one, one.rpartition("/")[0], f"{tour.subscription}/providers/Microsoft.DevTestLab/schedules"):
        await tour.go("GET", path, SCHEDULES)
    await tour.go("DELETE", one, SCHEDULES)


async def tags_and_locks(tour: Tour) -> None:
    """Tags and locks of a group."""
    tags = f"{tour.group}/providers/Microsoft.Resources/tags/default"
    await tour.go("PUT", tags, RESOURCES, 200, body={"properties": {"tags": {"a": "b"}}})
    await tour.go("PATCH", tags, RESOURCES, 200, body={"operation": "Merge", "properties": {"tags": {"c": "d"}}})
    await tour.go("GET", tags, RESOURCES)
    await tour.go("GET", f"{tour.subscription}/tagNames", RESOURCES)
    await tour.go("DELETE", tags, RESOURCES)
    locks = f"{tour.group}/providers/Microsoft.Authorization/locks"
    lock = {"properties": {"level": "CanNotDelete"}}
    await tour.go("PUT", f"{locks}/l1", LOCKS, 201, body=lock)
    await tour.go("GET", f"{locks}/l1", LOCKS)
    await tour.go("GET", locks, LOCKS)
    await tour.go("DELETE", tour.group, RESOURCES, 409)
    await tour.go("DELETE", f"{locks}/l1", LOCKS)


async def mistakes(tour: Tour) -> None:
    """Requests that are refused before any resource is looked at."""
    nsg = f"{tour.network}/networkSecurityGroups/bad"
    await tour.go("PUT", nsg, NETWORK, 400, body=b"{nonsense")
    await tour.go("PUT", nsg, NETWORK, 400, body={"location": PLACE, "properties": {"unknown": 1}})
    await tour.go("PUT", nsg, NETWORK, 400, body={"properties": {}})
    await tour.go("PUT", nsg, "2019-13-01", 400, body={"location": PLACE})
    await tour.go(
        "PUT", f"{tour.compute}/virtualMachines/bad", COMPUTE, 400, body={"location": PLACE, "properties": {"x": 1}}
    )
    await tour.go(
        "PUT",
        f"{tour.compute}/virtualMachines/bad",
        COMPUTE,
        404,
        body=machine_body(
            tour, storageProfile={"imageReference": {**IMAGE, "sku": "no"}, "osDisk": {"createOption": "FromImage"}}
        ),
    )
    gone = tour.network.replace("/tour/", "/nowhere/")
    await tour.go("PUT", f"{gone}/networkSecurityGroups/a", NETWORK, 404, body={"location": PLACE})


async def unserved(tour: Tour) -> None:
    """Types that can be read, and of which there are none."""
    for type_, version in (
        ("Microsoft.Network/routeTables", NETWORK),
        ("Microsoft.Compute/virtualMachineScaleSets", COMPUTE),
        ("Microsoft.Compute/diskEncryptionSets", DISKS),
    ):
        await tour.go("GET", f"{tour.subscription}/providers/{type_}", version)
        await tour.go("GET", f"{tour.group}/providers/{type_}", version)
        await tour.go("GET", f"{tour.group}/providers/{type_}/one", version, 404)


async def removal(tour: Tour) -> None:
    """Deleting: one by one, then a whole group."""
    await tour.go("DELETE", tour.vm, COMPUTE, 202)
    await tour.go("DELETE", tour.vm, COMPUTE, 204)
    await tour.go("DELETE", f"{tour.compute}/disks/data1", DISKS, 202)
    await tour.go("DELETE", f"{tour.network}/networkInterfaces/nic1", NETWORK, 202, 204)
    await tour.go("DELETE", f"{tour.network}/publicIPAddresses/ip1", NETWORK, 202)
    await tour.go("DELETE", f"{tour.network}/virtualNetworks/vnet1", NETWORK, 202)
    await tour.go("DELETE", f"{tour.network}/networkSecurityGroups/nsg1", NETWORK, 202)
    await tour.go("DELETE", tour.group, RESOURCES, 202)
    await tour.go("DELETE", tour.group, RESOURCES, 404)
