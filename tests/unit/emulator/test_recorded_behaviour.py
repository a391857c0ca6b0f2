# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Details of answers that recorded traffic decided, one by one; see docs/local-azure.md for the comparison itself."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

Json = dict[str, t.Any]
VM = "Microsoft.Compute/virtualMachines/vm"
DISK = "Microsoft.Compute/disks/data"
NIC = "Microsoft.Network/networkInterfaces/nic"
PLACE = "providers/Microsoft.Compute/locations/eastus"


def disk(**properties: t.Any) -> Json:
    """The body of an empty premium disk."""
    empty = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 10}
    return {"location": "eastus", "sku": {"name": "Premium_LRS"}, "properties": {**empty, **properties}}


def storage(arm: Arm) -> Json:
    """The storage profile of the machine."""
    profile: Json = arm.get(VM).json()["properties"]["storageProfile"]
    return profile


def with_data_disks(arm: Arm, *disks: Json) -> Json:
    """The body of a PUT that gives the machine these data disks."""
    body = arm.vm_body()
    body["properties"]["storageProfile"]["dataDisks"] = list(disks)
    return body


def test_a_disk_is_answered_as_it_was_sent(arm: Arm) -> None:
    response = arm.put(DISK, disk())
    assert response.status_code == 202
    assert {"azure-asyncoperation", "location"} <= response.headers.keys()
    sent = disk()["properties"]
    assert response.json()["properties"] == {**sent, "provisioningState": "Updating"}
    assert response.json()["sku"] == {"name": "Premium_LRS"}
    output = arm.follow(response)["properties"]["output"]
    assert output == arm.get(DISK).json()
    assert (output["properties"]["tier"], output["properties"]["provisioningState"]) == ("P3", "Succeeded")
    assert arm.put(DISK, disk()).status_code == 200
    assert arm.put(DISK, disk(diskSizeGB=20)).status_code == 202


def test_only_premium_disks_have_a_tier(arm: Arm) -> None:
    arm.done(arm.put(DISK, disk(diskSizeGB=200)))
    shown = arm.get(DISK).json()["properties"]
    assert (shown["tier"], shown["diskIOPSReadWrite"], shown["diskMBpsReadWrite"]) == ("P15", 1100, 125)
    arm.done(arm.patch(DISK, {"sku": {"name": "Standard_LRS"}}))
    assert "tier" not in arm.get(DISK).json()["properties"]


def test_a_copy_takes_over_what_its_source_is(ready: Arm) -> None:
    source = storage(ready)["osDisk"]["managedDisk"]["id"]
    copy = disk(creationData={"createOption": "Copy", "sourceResourceId": source})
    del copy["properties"]["diskSizeGB"]
    ready.done(ready.put(DISK, copy))
    original, copied = (ready.get(path).json()["properties"] for path in (source, DISK))
    names = ("osType", "hyperVGeneration", "supportedCapabilities", "diskSizeGB")
    assert {name: copied[name] for name in names} == {name: original[name] for name in names}
    assert copied["creationData"]["sourceUniqueId"] == original["uniqueId"]
    assert original["creationData"]["imageReference"]["id"].endswith("/Skus/12-gen2/Versions/0.20250115.1993")


def test_a_disk_tells_when_its_ownership_changed(ready: Arm) -> None:
    path = storage(ready)["osDisk"]["managedDisk"]["id"]
    attached = ready.get(path).json()["properties"]["LastOwnershipUpdateTime"]
    ready.done(ready.post(f"{VM}/deallocate"))
    assert ready.get(path).json()["properties"]["LastOwnershipUpdateTime"] > attached
    ready.done(ready.put(DISK, disk()))
    assert "LastOwnershipUpdateTime" not in ready.get(DISK).json()["properties"]


def test_a_deallocated_machine_shows_less(ready: Arm) -> None:
    ready.done(ready.put(VM, with_data_disks(ready, {"lun": 0, "createOption": "Empty", "diskSizeGB": 4})))
    before = storage(ready)
    assert {"diskSizeGB", "managedDisk"} <= before["osDisk"].keys() & before["dataDisks"][0].keys()
    ready.done(ready.post(f"{VM}/deallocate"))
    after = storage(ready)
    for shown in (after["osDisk"], *after["dataDisks"]):
        assert "diskSizeGB" not in shown
        assert shown["managedDisk"].keys() == {"id"}
    assert "internalDomainNameSuffix" not in ready.get(NIC).json()["properties"]["dnsSettings"]
    ready.done(ready.post(f"{VM}/start"))
    assert storage(ready) == before
    assert "internalDomainNameSuffix" in ready.get(NIC).json()["properties"]["dnsSettings"]


def test_a_detached_disk_is_listed_until_the_operation_ends(ready: Arm) -> None:
    ready.done(ready.put(VM, with_data_disks(ready, {"lun": 0, "createOption": "Empty", "diskSizeGB": 4})))
    response = ready.put(VM, with_data_disks(ready))
    shown = response.json()["properties"]["storageProfile"]["dataDisks"]
    assert [(item["lun"], item["toBeDetached"]) for item in shown] == [(0, True)]
    ready.done(response)
    assert storage(ready)["dataDisks"] == []


def test_an_attached_disk_shows_its_size_at_once_and_a_new_one_its_name_later(arm: Arm) -> None:
    arm.network()
    arm.done(arm.put(DISK, disk()))
    existing = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": arm.get(DISK).json()["id"]}}
    response = arm.put(VM, with_data_disks(arm, existing, {"lun": 1, "createOption": "Empty", "diskSizeGB": 4}))
    first, second = response.json()["properties"]["storageProfile"]["dataDisks"]
    assert (first["name"], first["diskSizeGB"], "name" in second) == ("data", 10, False)
    arm.done(response)
    assert storage(arm)["dataDisks"][1]["name"].startswith("vm_disk3_")


def test_an_unmanaged_data_disk_stays_unmanaged(arm: Arm) -> None:
    arm.network()
    vhd = {"uri": "https://account.blob.core.windows.net/vhds/data.vhd"}
    body = with_data_disks(arm, {"lun": 0, "name": "d", "createOption": "Empty", "diskSizeGB": 4, "vhd": vhd})
    arm.done(arm.put(VM, body))
    shown = storage(arm)["dataDisks"][0]
    assert (shown["vhd"], "managedDisk" in shown) == (vhd, False)


def test_a_machine_without_identities_does_not_show_any(ready: Arm) -> None:
    ready.done(ready.patch(VM, {"identity": {"type": "SystemAssigned"}}))
    assert ready.get(VM).json()["identity"]["type"] == "SystemAssigned"
    assert "identity" not in ready.done(ready.patch(VM, {"identity": {"type": "None"}})).json()
    assert "identity" not in ready.get(VM).json()


def test_the_delete_option_of_an_interface_stays(arm: Arm) -> None:
    arm.network()
    body = arm.vm_body()
    reference = body["properties"]["networkProfile"]["networkInterfaces"][0]
    reference["properties"] = {"deleteOption": "Detach"}
    arm.vm(body=body)
    reference["properties"] = {"primary": True}
    shown = arm.done(arm.put(VM, body)).json()["properties"]["networkProfile"]["networkInterfaces"][0]
    assert shown["properties"] == {"primary": True, "deleteOption": "Detach"}


def test_a_patch_with_properties_has_an_operation_even_if_it_changes_nothing(ready: Arm) -> None:
    profile = ready.get(VM).json()["properties"]["networkProfile"]
    response = ready.patch(VM, {"properties": {"networkProfile": profile}})
    assert (response.json()["properties"]["provisioningState"], response.status_code) == ("Updating", 200)
    assert "azure-asyncoperation" in response.headers
    ready.done(response)


def test_a_repeated_put_has_no_operation_to_follow(ready: Arm) -> None:
    body = ready.vm_body()
    ready.done(ready.put(VM, {**body, "tags": {"a": "b"}}))
    again = ready.put(VM, {**body, "tags": {"a": "b"}})
    assert (again.status_code, again.json()["properties"]["provisioningState"]) == (200, "Updating")
    assert "azure-asyncoperation" not in again.headers
    ready.azure.settle()
    assert ready.get(VM).json()["properties"]["provisioningState"] == "Succeeded"
    ready.done(ready.post(f"{VM}/restart"))
    assert "azure-asyncoperation" in ready.put(VM, {**body, "tags": {"a": "b"}}).headers


def test_a_machine_that_was_powered_off_shows_the_last_report_of_its_agent(ready: Arm) -> None:
    before = ready.get(f"{VM}/instanceView").json()
    ready.done(ready.post(f"{VM}/powerOff"))
    after = ready.get(f"{VM}/instanceView").json()
    for name in ("computerName", "osName"):
        assert after[name] == before[name]
    assert after["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    ready.done(ready.post(f"{VM}/deallocate"))
    assert "vmAgent" not in ready.get(f"{VM}/instanceView").json()


def test_an_extension_shows_only_its_name_while_the_agent_does_not_report(ready: Arm) -> None:
    ready.done(ready.put(f"{VM}/extensions/script", ready.extension_body()))
    assert ready.get(f"{VM}/instanceView").json()["extensions"][0]["statuses"]
    ready.azure.switch("agent", "not_ready")
    assert ready.get(f"{VM}/instanceView").json()["extensions"] == [{"name": "script"}]


def test_two_expansions_at_once(ready: Arm) -> None:
    shown = ready.get(VM, dollar_expand="instanceView,userData")
    assert shown.json()["properties"]["instanceView"]
    assert ready.code(ready.get(VM, dollar_expand="instanceView,everything")) == (400, "InvalidParameter")


def test_low_and_spot_are_one_priority(arm: Arm) -> None:
    arm.azure.switch("cores_quota", 10_000)
    arm.network()
    body = arm.vm_body()
    body["properties"].update(priority="Low", hardwareProfile={"vmSize": "Standard_D2s_v5"})
    arm.vm(body=body)
    body["properties"]["priority"] = "Spot"
    assert arm.put(VM, body).status_code == 200
    body["properties"]["priority"] = "Regular"
    arm.azure.settle()
    assert arm.code(arm.put(VM, body)) == (409, "PropertyChangeNotAllowed")


@pytest.mark.parametrize(("policy", "left"), [("Deallocate", "PowerState/deallocated"), ("Delete", None)])
def test_an_eviction_that_is_simulated_does_what_the_policy_says(arm: Arm, policy: str, left: str | None) -> None:
    """Virtual Machines - Simulate Eviction (learn.microsoft.com): 204, for Spot machines only."""
    arm.azure.switch("cores_quota", 10_000)
    arm.network()
    body = arm.vm_body()
    arm.vm(body=body)
    assert arm.code(arm.post(f"{VM}/simulateEviction")) == (409, "OperationNotAllowed")
    arm.delete(VM)
    arm.azure.settle()
    body["properties"].update(priority="Spot", evictionPolicy=policy, hardwareProfile={"vmSize": "Standard_D2s_v5"})
    arm.vm(body=body)
    assert arm.post(f"{VM}/simulateEviction").status_code == 204
    arm.azure.settle()
    shown = arm.get(VM, dollar_expand="instanceView")
    if left is None:
        assert shown.status_code == 404
    else:
        assert left in [status["code"] for status in shown.json()["properties"]["instanceView"]["statuses"]]


@pytest.mark.parametrize(("sku", "member"), [("12-gen2", "sizeInGb"), ("12", "sizeInBytes")])
def test_the_size_of_an_image_depends_on_its_generation(arm: Arm, sku: str, member: str) -> None:
    path = f"{arm.subscription}/{PLACE}/publishers/Debian/artifacttypes/vmimage/offers/debian-12/skus/{sku}/versions"
    shown = arm.get(f"{path}/0.20250115.1993").json()["properties"]
    assert shown["osDiskImage"].keys() == {"operatingSystem", member}
    assert ("replicaCount" in shown) == (sku == "12-gen2")


def test_run_command_documents(arm: Arm) -> None:
    path = f"{arm.subscription}/{PLACE}/runCommands"
    assert [item["id"] for item in arm.get(path).json()["value"]] == ["RunShellScript", "RunPowerShellScript"]
    document = arm.get(f"{path}/RunPowerShellScript").json()
    assert (document["osType"], [item["name"] for item in document["parameters"]]) == ("Windows", ["arg1", "arg2"])


def test_the_older_run_command_on_windows(arm: Arm) -> None:
    arm.azure.switch("extra_images", ["MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2:1.0.0:V2"])
    arm.network()
    body = arm.vm_body()
    image = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2"}
    body["properties"]["storageProfile"]["imageReference"] = {**image, "version": "latest"}
    body["properties"]["osProfile"] = {
        "computerName": "vm",
        "adminUsername": "azureuser",
        "adminPassword": "Correct-horse-1",
        "windowsConfiguration": {},
    }
    arm.vm(body=body)
    assert arm.code(arm.post(f"{VM}/runCommand", {"commandId": "RunShellScript"})) == (404, "NotFound")
    output = arm.follow(arm.post(f"{VM}/runCommand", {"commandId": "RunPowerShellScript"}))["properties"]["output"]
    codes = ["ComponentStatus/StdOut/succeeded", "ComponentStatus/StdErr/succeeded"]
    assert [item["code"] for item in output["value"]] == codes


def test_a_managed_run_command_shows_what_it_was_given(ready: Arm) -> None:
    path = f"{VM}/runCommands/script"
    body: Json = {"location": "eastus", "properties": {"source": {"script": "true"}}}
    ready.done(ready.put(path, body))
    assert "treatFailureAsDeploymentFailure" not in ready.get(path).json()["properties"]
    assert "statuses" not in ready.get(path, dollar_expand="instanceView").json()["properties"]["instanceView"]
    body["properties"]["treatFailureAsDeploymentFailure"] = True
    ready.done(ready.put(path, body))
    assert ready.get(path).json()["properties"]["treatFailureAsDeploymentFailure"] is True


def test_members_that_both_the_last_write_and_the_read_must_know(arm: Arm) -> None:
    network, address = "Microsoft.Network/virtualNetworks/vnet", "Microsoft.Network/publicIPAddresses/ip"
    spaces: Json = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    static: Json = {"publicIPAllocationMethod": "Static"}
    for path, member, old, body in (
        (network, "privateEndpointVNetPolicies", "2022-01-01", {"properties": spaces}),
        (address, "ddosSettings", "2022-01-01", {"sku": {"name": "Standard"}, "properties": static}),
    ):
        arm.done(arm.put(path, {"location": "eastus", **body}, **{"api-version": old}))
        assert member not in arm.get(path).json()["properties"], path
        arm.done(arm.put(path, {"location": "eastus", **body}))
        assert member in arm.get(path).json()["properties"], path
        assert member not in arm.get(path, **{"api-version": old}).json()["properties"], path


def test_an_empty_parent_path(ready: Arm) -> None:
    path = f"{ready.group}/providers/Microsoft.Compute//virtualMachines/vm"
    assert ready.get(path, **{"api-version": "2024-07-01"}).json()["name"] == "vm"
    body = {"tags": {"a": "b"}}
    assert ready.done(ready.patch(path, body, **{"api-version": "2024-07-01"})).json()["tags"] == {"a": "b"}


@pytest.mark.parametrize(
    ("version", "status"),
    [("2031-01-01", 200), ("2031-01-01-preview", 200), ("2031-13-01", 400), ("2031-01", 400), ("2022-01-02", 400)],
)
def test_api_versions_newer_than_the_table_are_served_as_the_newest(ready: Arm, version: str, status: int) -> None:
    newest = ready.get(VM, **{"api-version": "2026-04-01"}).json()
    response = ready.get(VM, **{"api-version": version})
    assert response.status_code == status
    if status == 200:
        assert response.json() == newest


def test_image_aliases(arm: Arm) -> None:
    metadata = arm.http.get("/metadata/endpoints", params={"api-version": "2022-09-01"}).json()
    document = arm.http.get(metadata["vmImageAliasDoc"], headers={"Authorization": ""}).json()
    aliases = document["outputs"]["aliases"]["value"]["Linux"]
    assert aliases["Debian12"]["publisher"] == "Debian"
    arm.network()
    body = arm.vm_body()
    image = {name: value for name, value in aliases["Ubuntu2404"].items() if name != "architecture"}
    body["properties"]["storageProfile"]["imageReference"] = image
    arm.vm(body=body)
