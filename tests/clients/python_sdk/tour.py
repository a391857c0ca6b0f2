# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the owner of a Docker host does with Azure's SDK for Python, against the cloud that the environment names.

It runs with the interpreter that has the SDK, of old versions or new ones: bodies are objects in the form of the wire,
which both take. Each step prints one line of JSON, ``[name, result, error]``; a step that fails does not stop the tour.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

GROUP, PLACE = "rg-python", "westeurope"
URL, SUBSCRIPTION, TENANT = (os.environ[name] for name in ("AZURE_URL", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"))
HERE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
IMAGE = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}

credential = ClientSecretCredential(
    TENANT,
    os.environ["AZURE_CLIENT_ID"],
    os.environ["AZURE_CLIENT_SECRET"],
    authority=URL,
    disable_instance_discovery=True,
)
common: dict[str, Any] = {"base_url": URL, "credential_scopes": [f"{URL}/.default"], "polling_interval": 1}
compute = ComputeManagementClient(credential, SUBSCRIPTION, **common)
network = NetworkManagementClient(credential, SUBSCRIPTION, **common)
resources = ResourceManagementClient(credential, SUBSCRIPTION, **common)
vaults = KeyVaultManagementClient(credential, SUBSCRIPTION, **common)
secrets = SecretClient(os.environ["VAULT_URL"], credential, verify_challenge_resource=False)


def reference(type_: str, name: str) -> dict[str, str]:
    """Return what names another resource of the group."""
    return {"id": f"{HERE}/providers/{type_}/{name}"}


def names(items: Iterable[Any]) -> list[str]:
    """Return the names of what a list has."""
    return sorted(str(item.name) for item in items)


def rule(priority: int, port: str) -> dict[str, Any]:
    """Return a security rule."""
    properties = {"priority": priority, "protocol": "Tcp", "access": "Allow", "direction": "Inbound"}
    addresses = {"sourceAddressPrefix": "10.0.0.0/8", "destinationAddressPrefix": "*", "sourcePortRange": "*"}
    return {"properties": {**properties, **addresses, "destinationPortRange": port}}


def power(name: str = "web1") -> str:
    """Return a machine's power state."""
    codes = [status.code for status in compute.virtual_machines.instance_view(GROUP, name).statuses]
    return next(code for code in codes if code.startswith("PowerState/"))


def machine() -> dict[str, Any]:
    """Return the body of the machine."""
    key = {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": os.environ["SSH_PUBLIC_KEY"]}
    linux = {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}}
    os_disk = {"name": "web1-os", "createOption": "FromImage", "managedDisk": {"storageAccountType": "StandardSSD_LRS"}}
    data_disk = {"lun": 0, "name": "web1-data", "createOption": "Empty", "diskSizeGB": 32}
    properties = {
        "hardwareProfile": {"vmSize": "Standard_B2als_v2"},
        "storageProfile": {"imageReference": IMAGE, "osDisk": os_disk, "dataDisks": [data_disk]},
        "osProfile": {"computerName": "web1", "adminUsername": "azureuser", "linuxConfiguration": linux},
        "networkProfile": {"networkInterfaces": [reference("Microsoft.Network/networkInterfaces", "web1-nic")]},
    }
    return {"location": PLACE, "tags": {"by": "python"}, "properties": properties}


def interface() -> dict[str, Any]:
    """Return the body of the network interface."""
    properties = {
        "subnet": reference("Microsoft.Network/virtualNetworks", "docker-vnet/subnets/docker"),
        "publicIPAddress": reference("Microsoft.Network/publicIPAddresses", "web1-ip"),
    }
    group = reference("Microsoft.Network/networkSecurityGroups", "web1-nsg")
    inner = {"ipConfigurations": [{"name": "primary", "properties": properties}], "networkSecurityGroup": group}
    return {"location": PLACE, "properties": inner}


def placed(**properties: Any) -> dict[str, Any]:
    """Return a body with a location."""
    return {"location": PLACE, "properties": properties}


def vault() -> dict[str, Any]:
    """Return the body of a vault without access policies."""
    return placed(tenantId=TENANT, sku={"family": "A", "name": "standard"}, accessPolicies=[])


def turned(operation: Callable[..., Any]) -> str:
    """Run an action of the machine to its end; return the power state afterwards."""
    operation(GROUP, "web1").result()
    return power()


def code(call: Callable[[], Any]) -> list[Any]:
    """Return the status and the code with which a call is refused."""
    try:
        call()
    except HttpResponseError as error:
        return [error.status_code, error.error.code if error.error else None]
    return []


def script(text: str) -> list[str]:
    """Return the codes that Run Command answers with."""
    body = {"commandId": "RunShellScript", "script": [text]}
    done = compute.virtual_machines.begin_run_command(GROUP, "web1", body).result()
    return [part.code for part in done.value]


vms, disks, extensions = compute.virtual_machines, compute.disks, compute.virtual_machine_extensions
EXTENSION = placed(
    publisher="Microsoft.Azure.Extensions",
    type="CustomScript",
    typeHandlerVersion="2.1",
    settings={"commandToExecute": "true"},
)
COPY = placed(
    creationData={"createOption": "Copy", "sourceResourceId": reference("Microsoft.Compute/disks", "web1-data")["id"]}
)
STEPS: dict[str, Callable[[], Any]] = {
    "group": lambda: resources.resource_groups.create_or_update(GROUP, {"location": PLACE, "tags": {"a": "b"}}).tags,
    "group exists": lambda: resources.resource_groups.check_existence(GROUP),
    "group does not": lambda: resources.resource_groups.check_existence("nobody"),
    "group changed": lambda: resources.resource_groups.update(GROUP, {"tags": {"a": "c"}}).tags,
    "groups": lambda: names(resources.resource_groups.list()),
    "provider": lambda: resources.providers.get("Microsoft.Compute").registration_state,
    "network": lambda: (
        network.virtual_networks.begin_create_or_update(
            GROUP, "docker-vnet", placed(addressSpace={"addressPrefixes": ["10.1.0.0/16"]})
        )
        .result()
        .name
    ),
    "subnet": lambda: (
        network.subnets.begin_create_or_update(
            GROUP, "docker-vnet", "docker", {"properties": {"addressPrefix": "10.1.0.0/24"}}
        )
        .result()
        .name
    ),
    "subnets": lambda: names(network.subnets.list(GROUP, "docker-vnet")),
    "peerings": lambda: names(network.virtual_network_peerings.list(GROUP, "docker-vnet")),
    "security group": lambda: (
        network.network_security_groups.begin_create_or_update(GROUP, "web1-nsg", placed()).result().name
    ),
    "security rule": lambda: (
        network.security_rules.begin_create_or_update(GROUP, "web1-nsg", "docker", rule(1010, "2376")).result().name
    ),
    "security rules": lambda: names(network.security_rules.list(GROUP, "web1-nsg")),
    "default rules": lambda: len(names(network.default_security_rules.list(GROUP, "web1-nsg"))),
    "application group": lambda: (
        network.application_security_groups.begin_create_or_update(GROUP, "engines", placed()).result().name
    ),
    "address": lambda: (
        network.public_ip_addresses.begin_create_or_update(
            GROUP, "web1-ip", {**placed(publicIPAllocationMethod="Static"), "sku": {"name": "Standard"}}
        )
        .result()
        .name
    ),
    "addresses": lambda: names(network.public_ip_addresses.list_all()),
    "interface": lambda: (
        network.network_interfaces.begin_create_or_update(GROUP, "web1-nic", interface())
        .result()
        .ip_configurations[0]
        .private_ip_address
    ),
    "interfaces": lambda: names(network.network_interfaces.list(GROUP)),
    "route tables": lambda: names(network.route_tables.list(GROUP)),
    "load balancers": lambda: names(network.load_balancers.list_all()),
    "usages of networks": lambda: bool(list(network.usages.list(PLACE))),
    "images": lambda: bool(compute.virtual_machine_images.list(PLACE, "Debian", "debian-12", "12-gen2")),
    "usages of machines": lambda: bool(list(compute.usage.list(PLACE))),
    "machine": lambda: vms.begin_create_or_update(GROUP, "web1", machine()).result().provisioning_state,
    "machine read": lambda: vms.get(GROUP, "web1", expand="instanceView").instance_view.statuses[-1].code,
    "machines": lambda: names(vms.list(GROUP)),
    "all machines": lambda: names(vms.list_all()),
    "sizes": lambda: bool(names(vms.list_available_sizes(GROUP, "web1"))),
    "tags": lambda: vms.begin_update(GROUP, "web1", {"tags": {"by": "python", "more": "yes"}}).result().tags,
    "disks": lambda: names(disks.list_by_resource_group(GROUP)),
    "larger disk": lambda: (
        disks.begin_update(GROUP, "web1-data", {"properties": {"diskSizeGB": 64}}).result().disk_size_gb
    ),
    "snapshot": lambda: compute.snapshots.begin_create_or_update(GROUP, "s1", COPY).result().disk_size_gb,
    "snapshots": lambda: names(compute.snapshots.list()),
    "access": lambda: bool(
        compute.snapshots.begin_grant_access(GROUP, "s1", {"access": "Read", "durationInSeconds": 60})
        .result()
        .access_sas
    ),
    "access revoked": lambda: compute.snapshots.begin_revoke_access(GROUP, "s1").result(),
    "snapshot removed": lambda: compute.snapshots.begin_delete(GROUP, "s1").result(),
    "extension": lambda: extensions.begin_create_or_update(GROUP, "web1", "script", EXTENSION).result().name,
    "extensions": lambda: names(extensions.list(GROUP, "web1").value),
    "extension removed": lambda: extensions.begin_delete(GROUP, "web1", "script").result(),
    "script": lambda: script("true"),
    "managed script": lambda: (
        compute.virtual_machine_run_commands.begin_create_or_update(
            GROUP, "web1", "who", placed(source={"script": "id"})
        )
        .result()
        .name
    ),
    "managed scripts": lambda: names(compute.virtual_machine_run_commands.list_by_virtual_machine(GROUP, "web1")),
    "effective rules": lambda: bool(
        network.network_interfaces.begin_list_effective_network_security_groups(GROUP, "web1-nic").result().value
    ),
    "stopped": lambda: turned(vms.begin_power_off),
    "deallocated": lambda: turned(vms.begin_deallocate),
    "started": lambda: turned(vms.begin_start),
    "restarted": lambda: turned(vms.begin_restart),
    "availability set": lambda: (
        compute.availability_sets.create_or_update(
            GROUP,
            "set1",
            {**placed(platformFaultDomainCount=2, platformUpdateDomainCount=5), "sku": {"name": "Aligned"}},
        ).name
    ),
    "scale sets": lambda: names(compute.virtual_machine_scale_sets.list(GROUP)),
    "resources": lambda: sorted({item.type for item in resources.resources.list_by_resource_group(GROUP)}),
    "resource": lambda: (
        resources.resources.get(
            GROUP, "Microsoft.Compute", "", "virtualMachines", "web1", api_version="2024-07-01"
        ).name
    ),
    "tags of the group": lambda: resources.tags.get_at_scope(HERE.lstrip("/")).properties.tags,
    "vault": lambda: vaults.vaults.begin_create_or_update(GROUP, "python-vault", vault()).result().name,
    "vaults": lambda: names(vaults.vaults.list_by_resource_group(GROUP)),
    "vault removed": lambda: vaults.vaults.delete(GROUP, "python-vault"),
    "secret": lambda: secrets.set_secret("password", "first").name,
    "secret again": lambda: secrets.set_secret("password", "second").value,
    "secret read": lambda: secrets.get_secret("password").value,
    "versions": lambda: len(list(secrets.list_properties_of_secret_versions("password"))),
    "secrets": lambda: names(secrets.list_properties_of_secrets()),
    "secret removed": lambda: secrets.begin_delete_secret("password").result().name,
    "secret of before": lambda: code(lambda: secrets.get_secret("password")),
    "missing machine": lambda: code(lambda: vms.get(GROUP, "nobody")),
    "missing subnet": lambda: code(lambda: network.subnets.get(GROUP, "docker-vnet", "nobody")),
    "address in use": lambda: code(lambda: network.public_ip_addresses.begin_delete(GROUP, "web1-ip").result()),
    "machine removed": lambda: vms.begin_delete(GROUP, "web1").result(),
    "group removed": lambda: resources.resource_groups.begin_delete(GROUP).result(),
    "groups left": lambda: names(resources.resource_groups.list()),
}


def main() -> None:
    """Do every step."""
    for name, step in STEPS.items():
        result, error = None, ""
        try:
            result = step()
        except (AzureError, AttributeError, LookupError, TypeError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        print(json.dumps([name, result, error]), flush=True)


if __name__ == "__main__":
    main()
