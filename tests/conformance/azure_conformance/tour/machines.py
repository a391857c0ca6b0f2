# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual machines: their power, extensions and commands."""

from __future__ import annotations

import typing as t

from azure_conformance.bodies import SSH_KEY
from azure_conformance.tour.visits import COMPUTE, DISKS, IMAGE, NETWORK, PLACE, Json, Tour


def machine_body(tour: Tour, **changes: t.Any) -> Json:
    """The body of a VM."""
    properties: Json = {
        "hardwareProfile": {"vmSize": "Standard_B2s_v2"},
        "storageProfile": {
            "imageReference": dict(IMAGE),
            "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "StandardSSD_LRS"}},
        },
        "osProfile": {
            "computerName": "vm1",
            "adminUsername": "azureuser",
            "linuxConfiguration": {
                "disablePasswordAuthentication": True,
                "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": SSH_KEY}]},
            },
        },
        "networkProfile": {
            "networkInterfaces": [
                {
                    "id": f"{tour.network}/networkInterfaces/nic1",
                    "properties": {"primary": True, "deleteOption": "Delete"},
                }
            ]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    return {"location": PLACE, "tags": {"a": "b"}, "properties": {**properties, **changes}}


async def machines(tour: Tour) -> None:
    """Virtual machines."""
    await tour.go("PUT", tour.vm, COMPUTE, 201, body=machine_body(tour))
    await tour.go("PUT", tour.vm, COMPUTE, 200, body=machine_body(tour))
    await tour.go("PATCH", tour.vm, COMPUTE, 200, body={"tags": {"a": "c"}})
    attached = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": f"{tour.compute}/disks/data1"}}
    await tour.go("PATCH", tour.vm, COMPUTE, 200, body={"properties": {"storageProfile": {"dataDisks": [attached]}}})
    disk = f"{tour.compute}/disks/data1"
    for changed in (
        {"dataDisksToDetach": [{"diskId": disk}]},
        {"dataDisksToAttach": [{"diskId": disk, "lun": 0, "caching": "ReadOnly"}]},
    ):
        await tour.go("POST", f"{tour.vm}/attachDetachDataDisks", COMPUTE, 202, body=changed)
    await tour.go("PATCH", tour.vm, COMPUTE, 409, body={"properties": {"priority": "Spot"}})
    await tour.go(
        "PUT",
        tour.vm,
        COMPUTE,
        409,
        body=machine_body(
            tour, osProfile={"computerName": "other", "adminUsername": "u", "adminPassword": "Tour-1234-Tour"}
        ),
    )
    await tour.go("DELETE", f"{tour.compute}/disks/data1", DISKS, 409)
    await tour.go("DELETE", f"{tour.network}/networkInterfaces/nic1", NETWORK, 400)
    for query in ("", "&$expand=instanceView"):
        await tour.go("GET", tour.vm, COMPUTE, query=query)
    for path in (
        f"{tour.vm}/instanceView",
        f"{tour.vm}/vmSizes",
        f"{tour.compute}/virtualMachines",
        f"{tour.subscription}/providers/Microsoft.Compute/virtualMachines",
        f"{tour.subscription}/providers/Microsoft.Compute/locations/{PLACE}/virtualMachines",
    ):
        await tour.go("GET", path, COMPUTE)
    await tour.go("GET", f"{tour.vm}-none", COMPUTE, 404)
    await tour.go("GET", f"{tour.network}/networkInterfaces/nic1", NETWORK)
    await tour.go("GET", f"{tour.network}/publicIPAddresses/ip1", NETWORK)
    await tour.go("GET", f"{tour.network}/virtualNetworks/vnet1", NETWORK)


async def power(tour: Tour) -> None:
    """Power actions, and what they refuse."""
    nic = f"{tour.network}/networkInterfaces/nic1"
    for name in ("effectiveNetworkSecurityGroups", "effectiveRouteTable"):
        await tour.go("POST", f"{nic}/{name}", NETWORK, 202)
    for action in ("restart", "powerOff", "start", "deallocate", "start", "redeploy", "reapply"):
        await tour.go("POST", f"{tour.vm}/{action}", COMPUTE, 202)
        await tour.go("GET", f"{tour.vm}/instanceView", COMPUTE)
    await tour.go("POST", f"{tour.vm}/generalize", COMPUTE, 200, 409)
    await tour.go("POST", f"{tour.vm}/retrieveBootDiagnosticsData", COMPUTE, 200)
    # Only of a Spot VM.
    await tour.go("POST", f"{tour.vm}/simulateEviction", COMPUTE, 409)
    await tour.go("POST", f"{tour.vm}-none/start", COMPUTE, 404)


async def extensions(tour: Tour) -> None:
    """VM extensions."""
    one = f"{tour.vm}/extensions/script"
    body = extension("echo one")
    await tour.go("PUT", one, COMPUTE, 201, body=body)
    await tour.go("PUT", one, COMPUTE, 200, body=extension("echo two"))
    await tour.go("PATCH", one, COMPUTE, 200, body={"tags": {"x": "y"}})
    for query in ("", "&$expand=instanceView"):
        await tour.go("GET", one, COMPUTE, query=query)
        await tour.go("GET", f"{tour.vm}/extensions", COMPUTE, query=query)
        await tour.go("GET", tour.vm, COMPUTE, query=query)
    await tour.go("GET", f"{one}-none", COMPUTE, 404)
    wrong = {**body, "properties": {**body["properties"], "type": "NoSuchType"}}
    await tour.go("PUT", f"{one}-wrong", COMPUTE, 201, 400, 404, body=wrong)
    await tour.go("POST", f"{tour.vm}/deallocate", COMPUTE, 202)
    await tour.go("PUT", one, COMPUTE, 409, body=extension("echo three"))
    await tour.go("POST", f"{tour.vm}/start", COMPUTE, 202)
    await tour.go("DELETE", one, COMPUTE, 202)
    await tour.go("DELETE", one, COMPUTE, 204, 404)


def extension(command: str) -> Json:
    """The body of a CustomScript extension."""
    return {
        "location": PLACE,
        "properties": {
            "publisher": "Microsoft.Azure.Extensions",
            "type": "CustomScript",
            "typeHandlerVersion": "2.1",
            "autoUpgradeMinorVersion": True,
            "settings": {"timestamp": 1},
            "protectedSettings": {"commandToExecute": command},
        },
    }


async def run_commands(tour: Tour) -> None:
    """Run Command: the action, and the managed resource."""
    await tour.go(
        "POST", f"{tour.vm}/runCommand", COMPUTE, 200, 202, body={"commandId": "RunShellScript", "script": ["true"]}
    )
    one = f"{tour.vm}/runCommands/task"
    body = {
        "location": PLACE,
        "properties": {
            "source": {"script": "echo hello"},
            "parameters": [{"name": "a", "value": "1"}],
            "protectedParameters": [{"name": "b", "value": "secret"}],
            "treatFailureAsDeploymentFailure": True,
            "timeoutInSeconds": 60,
        },
    }
    await tour.go("PUT", one, COMPUTE, 201, body=body)
    await tour.go("PUT", one, COMPUTE, 200, body=body)
    await tour.go("PATCH", one, COMPUTE, 200, body={"tags": {"x": "y"}})
    for query in ("", "&$expand=instanceView"):
        await tour.go("GET", one, COMPUTE, query=query)
    await tour.go("GET", f"{tour.vm}/runCommands", COMPUTE)
    await tour.go("DELETE", one, COMPUTE, 202)
    await tour.go("GET", one, COMPUTE, 404)
