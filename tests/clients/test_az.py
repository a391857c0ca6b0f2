# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The az CLI makes, reads, changes and deletes a Docker host's resources. The tests go in order on one host."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

from azure_emulator.launcher import LocalAzure

from .support import Az

GROUP = "rg-az"
IMAGE = "Canonical:ubuntu-24_04-lts:server:latest"
IN = f"-g {GROUP}"
VM = f"{IN} -n web1"
ON_VM = f"{IN} --vm-name web1"


def machine(azure: LocalAzure, group: str, name: str, ssh_public_key: str) -> dict[str, t.Any]:
    """The body of a VM beside whose name stands an interface's."""
    publisher, offer, sku, version = IMAGE.split(":")
    subscription = f"/subscriptions/{azure.subscription_id}/resourceGroups/{group}"
    key = {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": ssh_public_key}
    return {
        "location": "westeurope",
        "tags": {"made-by": "az"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B2s_v2"},
            "storageProfile": {
                "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": version},
                "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": "azureuser",
                "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
            },
            "networkProfile": {
                "networkInterfaces": [
                    {"id": f"{subscription}/providers/Microsoft.Network/networkInterfaces/{name}-nic"}
                ]
            },
        },
    }


def make_machine(az: Az, group: str, name: str, ssh_public_key: str, scratch: Path) -> None:
    """Make a VM that refers to an interface, without the template of ``az vm create``."""
    body = scratch / "vm.json"
    body.write_text(json.dumps(machine(az.azure, group, name, ssh_public_key)))
    path = f"/subscriptions/{az.azure.subscription_id}/resourceGroups/{group}/providers/Microsoft.Compute"
    az(f"rest --method put --url {path}/virtualMachines/{name}?api-version=2024-07-01 --body @{body}")
    az(f"vm wait --created --interval 1 -g {group} -n {name}")


def make_network(az: Az, group: str, name: str) -> None:
    """Make the group and all that a host's VM needs."""
    az(f"group create -l westeurope -n {group}", "--tags", "made-by=az")
    subnet = "--subnet-name docker --subnet-prefixes 10.1.0.0/24"
    az(f"network vnet create -g {group} -n docker-vnet --address-prefixes 10.1.0.0/16 {subnet}")
    az(f"network nsg create -g {group} -n {name}-nsg")
    rule = "--priority 1010 --access Allow --protocol Tcp --destination-port-ranges 4243"
    az(f"network nsg rule create -g {group} --nsg-name {name}-nsg -n docker {rule}")
    az(f"network public-ip create -g {group} -n {name}-ip --sku Standard --dns-name {name}-{group}")
    uses = f"--vnet-name docker-vnet --subnet docker --network-security-group {name}-nsg"
    az(f"network nic create -g {group} -n {name}-nic {uses} --public-ip-address {name}-ip")


def names(found: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The names in a list of resources."""
    return sorted(str(item["name"]) for item in found)


def power(az: Az) -> str:
    """The VM's power state, in Azure's words."""
    statuses = az(f"vm get-instance-view {VM}")["instanceView"]["statuses"]
    return next(str(s["code"]) for s in statuses if s["code"].startswith("PowerState/"))


def test_network(az: Az) -> None:
    make_network(az, GROUP, "web1")
    assert az(f"group show -n {GROUP}")["tags"] == {"made-by": "az"}
    assert az(f"group exists -n {GROUP}") is True
    assert names(az("group list")) == [GROUP]
    vnet = az(f"network vnet show {IN} -n docker-vnet")
    assert vnet["addressSpace"]["addressPrefixes"] == ["10.1.0.0/16"]
    assert names(vnet["subnets"]) == ["docker"]
    assert names(az(f"network vnet list {IN}")) == ["docker-vnet"]
    nsg = az(f"network nsg show {IN} -n web1-nsg")
    assert (len(nsg["defaultSecurityRules"]), names(nsg["securityRules"])) == (6, ["docker"])
    assert names(az(f"network nsg list {IN}")) == ["web1-nsg"]
    assert az(f"network nsg rule show {IN} --nsg-name web1-nsg -n docker")["destinationPortRange"] == "4243"
    address = az(f"network public-ip show {IN} -n web1-ip")
    assert address["ipAddress"]
    assert address["dnsSettings"]["fqdn"] == f"web1-{GROUP}.westeurope.cloudapp.azure.com"
    assert names(az(f"network public-ip list {IN}")) == ["web1-ip"]
    nic = az(f"network nic show {IN} -n web1-nic")
    assert nic["ipConfigurations"][0]["privateIPAddress"] == "10.1.0.4"
    assert names(az(f"network nic list {IN}")) == ["web1-nic"]


def test_changes_of_the_network(az: Az) -> None:
    az(f"network vnet subnet create {IN} --vnet-name docker-vnet -n second --address-prefixes 10.1.1.0/24")
    assert az(f"network vnet update {IN} -n docker-vnet --set tags.colour=red")["tags"] == {"colour": "red"}
    assert az(f"network nsg update {IN} -n web1-nsg --set tags.colour=red")["tags"] == {"colour": "red"}
    subnets = az(f"network vnet subnet list {IN} --vnet-name docker-vnet")
    assert names(subnets) == ["docker", "second"]
    az(f"network nsg rule update {IN} --nsg-name web1-nsg -n docker --source-address-prefixes 192.0.2.0/24")
    (rule,) = az(f"network nsg rule list {IN} --nsg-name web1-nsg")
    assert rule["sourceAddressPrefix"] == "192.0.2.0/24"
    assert az(f"network public-ip update {IN} -n web1-ip --idle-timeout 10")["idleTimeoutInMinutes"] == 10
    assert az(f"network nic update {IN} -n web1-nic --set tags.colour=red")["tags"] == {"colour": "red"}
    assert az(f"group update -n {GROUP} --set tags.colour=red")["tags"]["colour"] == "red"


def test_what_is_used_cannot_be_deleted(az: Az) -> None:
    refused = az.attempt(*f"network public-ip delete {IN} -n web1-ip".split())
    assert refused.returncode != 0
    assert "PublicIPAddressCannotBeDeleted" in refused.stderr


def test_images(az: Az) -> None:
    publisher, offer, sku, _version = IMAGE.split(":")
    listed = az(f"vm image list --all -l westeurope --publisher {publisher} --offer {offer} --sku {sku}")
    assert any(image["urn"].startswith(f"{publisher}:{offer}:{sku}:") for image in listed)
    shown = az(f"vm image show -l westeurope --urn {IMAGE}")
    assert shown["osDiskImage"]["operatingSystem"] == "Linux"


def test_machine(az: Az, ssh_public_key: str, tmp_path: Path) -> None:
    make_machine(az, GROUP, "web1", ssh_public_key, tmp_path)
    shown = az(f"vm show -d {VM}")
    assert shown["powerState"] == "VM running"
    assert shown["publicIps"] == az(f"network public-ip show {IN} -n web1-ip")["ipAddress"]
    assert shown["privateIps"] == "10.1.0.4"
    assert shown["osProfile"]["adminUsername"] == "azureuser"
    assert names(az(f"vm list {IN}")) == ["web1"]
    (addresses,) = az(f"vm list-ip-addresses {VM}")
    assert addresses["virtualMachine"]["network"]["privateIpAddresses"] == ["10.1.0.4"]
    assert az(f"network nic show {IN} -n web1-nic")["virtualMachine"]["id"] == shown["id"]


def test_power(az: Az) -> None:
    assert power(az) == "PowerState/running"
    az(f"vm stop {VM}")
    assert power(az) == "PowerState/stopped"
    az(f"vm start {VM}")
    az(f"vm restart {VM}")
    assert power(az) == "PowerState/running"
    az(f"vm deallocate {VM}")
    assert power(az) == "PowerState/deallocated"
    assert az(f"vm resize {VM} --size Standard_B4s_v2")["hardwareProfile"]["vmSize"] == "Standard_B4s_v2"
    az(f"vm start {VM}")
    assert az(f"vm update {VM} --set tags.colour=red")["tags"]["colour"] == "red"


def test_extension(az: Az) -> None:
    kind = "--name CustomScript --publisher Microsoft.Azure.Extensions --version 2.1"
    # A stand-in runs only scripts that keep within this directory.
    first, second = (
        json.dumps({"script": base64.b64encode(f'#!/bin/sh\necho "{word} $DOCKER_SETUP_ROOT"\n'.encode()).decode()})
        for word in ("in", "again in")
    )
    made = az(f"vm extension set {ON_VM} {kind} --extension-instance-name docker-host --settings", first)
    assert made["provisioningState"] == "Succeeded"
    shown = az(f"vm extension show {ON_VM} -n docker-host")
    assert (shown["typePropertiesType"], shown["settings"]) == ("CustomScript", json.loads(first))
    az(f"vm extension set {ON_VM} {kind} --extension-instance-name docker-host --settings", second)
    assert az(f"vm extension show {ON_VM} -n docker-host")["settings"] == json.loads(second)
    assert names(az(f"vm extension list {ON_VM}")) == ["docker-host"]
    (view,) = az(f"vm get-instance-view {VM}")["instanceView"]["extensions"]
    assert view["name"] == "docker-host"
    az(f"vm extension delete {ON_VM} -n docker-host")
    assert az(f"vm extension list {ON_VM}") == []


def test_run_command(az: Az) -> None:
    name = "--run-command-name greet"
    script = 'test -n "$DOCKER_SETUP_ROOT" && echo hello'
    az(f"vm run-command create {ON_VM} -l westeurope {name} --script", script)
    view = az(f"vm run-command show {ON_VM} {name} --instance-view")["instanceView"]
    assert (view["executionState"], view["exitCode"], view["output"].strip()) == ("Succeeded", 0, "hello")
    assert names(az(f"vm run-command list {ON_VM}")) == ["greet"]
    az(f"vm run-command update {ON_VM} -l westeurope {name} --script", script.replace("hello", "good day"))
    view = az(f"vm run-command show {ON_VM} {name} --instance-view")["instanceView"]
    assert view["output"].strip() == "good day"
    az(f"vm run-command delete --yes {ON_VM} {name}")
    assert az(f"vm run-command list {ON_VM}") == []


def test_machines_of_az_vm_create(az: Az, ssh_public_key: str) -> None:
    """It deploys a template: with everything new, with an existing network and group, several machines at once."""
    group = "-g rg-az-create"
    az("group create -l westeurope -n rg-az-create")
    common = f"vm create {group} --admin-username azureuser"
    az(f"{common} -n one --image Debian12 --validate --ssh-key-value", ssh_public_key)
    made = az(f"{common} -n one --image Debian12 --ssh-key-value", ssh_public_key)
    assert (made["powerState"], made["privateIpAddress"]) == ("VM running", "10.0.0.4")
    more = f"{common} --image {IMAGE} --vnet-name oneVNET --subnet oneSubnet"
    az(
        f"{more} -n two --nsg oneNSG --data-disk-sizes-gb 4 --tags a=b --assign-identity --ssh-key-value",
        ssh_public_key,
    )
    assert az(f"vm show {group} -n two")["identity"]["type"] == "SystemAssigned"
    az(f"{more} -n many --count 2 --public-ip-address= --nsg= --ssh-key-value", ssh_public_key)
    assert names(az(f"vm list {group}")) == ["many0", "many1", "one", "two"]
    az(f"vm availability-set create {group} -n set")
    deployed = az(f"deployment group list {group}")
    assert {deployment["properties"]["provisioningState"] for deployment in deployed} == {"Succeeded"}
    az(f"lock create {group} -n keep --lock-type CanNotDelete")
    refused = az.attempt(*f"vm delete --yes {group} -n one".split())
    assert "ScopeLocked" in refused.stderr
    az(f"lock delete {group} -n keep")
    az(f"vm auto-shutdown {group} -n one --time 1900")
    assert az(f"network nic list-effective-nsg {group} -n oneVMNic")["value"]
    az("group delete --yes -n rg-az-create")


def test_everything_is_deleted(az: Az) -> None:
    az(f"vm delete --yes {VM}")
    az(f"network nic delete {IN} -n web1-nic")
    az(f"network public-ip delete {IN} -n web1-ip")
    az(f"network nsg rule delete {IN} --nsg-name web1-nsg -n docker")
    az(f"network nsg delete {IN} -n web1-nsg")
    az(f"network vnet subnet delete {IN} --vnet-name docker-vnet -n second")
    az(f"network vnet delete {IN} -n docker-vnet")
    assert az(f"resource list {IN}") == []
    az(f"group delete --yes -n {GROUP}")
    assert az("group list") == []
    assert az.azure.dump() == {}
