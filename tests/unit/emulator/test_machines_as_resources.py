# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual machines: what creating, reading, changing and deleting them is like."""

from __future__ import annotations

import copy
import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

VM = "Microsoft.Compute/virtualMachines/vm"


def _set(body: t.Any, path: str, value: t.Any) -> t.Any:
    changed = copy.deepcopy(body)
    target = changed
    *parents, last = path.split(".")
    for name in parents:
        target = target.setdefault(name, {})
    if value is None:
        target.pop(last, None)
    else:
        target[last] = value
    return changed


def test_creating(arm: Arm) -> None:
    arm.network()
    body = arm.vm_body()
    body["properties"]["osProfile"]["customData"] = "YWFh" * 21845  # 65,535 bytes, the most that is allowed
    created = arm.put(VM, body)
    assert created.status_code == 201
    assert created.headers["azure-asyncnotification"] == "Enabled"
    assert "location" not in created.headers
    assert created.headers["x-ms-ratelimit-remaining-resource"].startswith("Microsoft.Compute/PutVM")
    properties = created.json()["properties"]
    assert properties["provisioningState"] == "Creating"
    assert "name" not in properties["storageProfile"]["osDisk"]
    assert "id" not in properties["storageProfile"]["osDisk"]["managedDisk"]
    assert "customData" not in properties["osProfile"]
    poll = arm.http.get(created.headers["azure-asyncoperation"])
    assert sorted(poll.json()) == ["name", "startTime", "status"]
    ended = arm.follow(created)
    assert (ended["status"], ended["name"]) == ("Succeeded", poll.json()["name"])
    assert ended["endTime"] >= ended["startTime"]
    after = arm.get(VM)
    properties = after.json()["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["storageProfile"]["osDisk"]["name"].startswith("vm_OsDisk_1_")
    assert properties["storageProfile"]["osDisk"]["managedDisk"]["id"].endswith(
        properties["storageProfile"]["osDisk"]["name"]
    )
    assert properties["storageProfile"]["osDisk"]["deleteOption"] == "Detach"
    assert properties["storageProfile"]["imageReference"]["exactVersion"].startswith("0.2025")
    assert properties["osProfile"]["linuxConfiguration"]["patchSettings"]["patchMode"] == "ImageDefault"
    assert properties["osProfile"]["requireGuestProvisionSignal"] is True
    assert after.json()["etag"] == after.headers["etag"]
    assert "etag" not in arm.get(VM, **{"api-version": "2023-09-01"}).json()
    nic = arm.get("Microsoft.Network/networkInterfaces/nic").json()["properties"]
    assert nic["virtualMachine"]["id"] == after.json()["id"]
    assert nic["macAddress"].startswith("00-22-48-")


NVME = "Standard_D2s_v6"
FOCAL = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-focal",
    "sku": "20_04-lts-gen2",
    "version": "latest",
}


@pytest.mark.parametrize(
    ("size", "image", "controller", "target"),
    [
        (NVME, FOCAL, None, "vmSize"),
        (NVME, None, "SCSI", "storageProfile.diskControllerType"),
        ("Standard_D2s_v5", None, "NVMe", "storageProfile.diskControllerType"),
    ],
)
def test_a_size_boots_only_from_its_disk_controllers(
    arm: Arm, size: str, image: t.Any, controller: str | None, target: str
) -> None:
    arm.network()
    body = _set(arm.vm_body(), "properties.hardwareProfile.vmSize", size)
    if image:
        body = _set(body, "properties.storageProfile.imageReference", image)
    refused = arm.put(VM, _set(body, "properties.storageProfile.diskControllerType", controller))
    assert arm.code(refused) == (400, "InvalidParameter")
    assert refused.json()["error"]["target"] == target
    assert f"The VM size '{size}' cannot boot with" in refused.json()["error"]["message"]


def test_a_machine_keeps_its_disk_controller(arm: Arm) -> None:
    arm.network()
    arm.vm(body=_set(arm.vm_body(), "properties.hardwareProfile.vmSize", NVME))
    assert arm.get(VM).json()["properties"]["storageProfile"]["diskControllerType"] == "NVMe"
    larger = arm.patch(VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v6"}}})
    assert larger.status_code == 200
    arm.done(larger)
    refused = arm.patch(VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}}})
    assert arm.code(refused) == (400, "InvalidParameter")
    assert "cannot boot with OS image or disk" in refused.json()["error"]["message"]


def test_instance_view(ready: Arm) -> None:
    view = ready.get(f"{VM}/instanceView").json()
    assert [status["code"] for status in view["statuses"]] == ["ProvisioningState/succeeded", "PowerState/running"]
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    assert (view["osName"], view["osVersion"], view["hyperVGeneration"]) == ("debian", "12", "V2")
    expanded = ready.get(VM, dollar_expand="instanceView").json()["properties"]["instanceView"]
    assert expanded["statuses"] == view["statuses"]
    assert "instanceView" not in ready.get(VM).json()["properties"]
    assert ready.code(ready.get(VM, dollar_expand="everything")) == (400, "InvalidParameter")
    listed = ready.get("Microsoft.Compute/virtualMachines").json()["value"]
    assert [vm["name"] for vm in listed] == ["vm"]
    path = f"{ready.subscription}/providers/Microsoft.Compute/virtualMachines"
    (everywhere,) = [
        vm
        for vm in ready.get(path, statusOnly="true").json()["value"]
        if vm["id"].lower().startswith(f"{ready.group}/".lower())
    ]
    assert everywhere["properties"]["instanceView"]["statuses"]
    assert f"/resourceGroups/{ready.name.upper()}/" in everywhere["id"]
    assert f"/resourceGroups/{ready.name}/" in listed[0]["id"]


@pytest.mark.parametrize(
    ("agent", "display"), [("ready", "Ready"), ("not_ready", "Not Ready"), ("absent", "Not Ready")]
)
def test_states_of_the_agent(ready: Arm, agent: str, display: str) -> None:
    ready.azure.switch("agent", agent)
    status = ready.get(f"{VM}/instanceView").json()["vmAgent"]["statuses"][0]
    assert status["displayStatus"] == display


P = "properties"


@pytest.mark.parametrize(
    ("path", "value", "status", "code", "target"),
    [
        (f"{P}.hardwareProfile.vmSize", "Standard_Nothing", 400, "InvalidParameter", "vmSize"),
        (f"{P}.hardwareProfile", None, 400, "InvalidParameter", "hardwareProfile"),
        (f"{P}.storageProfile", None, 400, "InvalidParameter", "storageProfile"),
        (f"{P}.osProfile", None, 400, "InvalidParameter", "osProfile"),
        (f"{P}.networkProfile", None, 400, "InvalidParameter", "networkProfile"),
        (f"{P}.osProfile.adminUsername", "root", 400, "InvalidParameter", "adminUsername"),
        (f"{P}.osProfile.computerName", "a_b", 400, "InvalidParameter", "computerName"),
        (f"{P}.osProfile.adminPassword", "short", 400, "InvalidParameter", "adminPassword"),
        (f"{P}.osProfile.adminPassword", "P@ssword123", 400, "InvalidParameter", "adminPassword"),
        (f"{P}.osProfile.adminPassword", "onlylowercaseletters", 400, "InvalidParameter", "adminPassword"),
        (f"{P}.osProfile.customData", "YWFh" * 21846, 400, "InvalidParameter", "customData"),
        (f"{P}.osProfile.customData", "#cloud-config", 400, "InvalidParameter", "customData"),
        (f"{P}.osProfile.linuxConfiguration.ssh", None, 400, "InvalidParameter", "linuxConfiguration"),
        (f"{P}.osProfile.linuxConfiguration", None, 400, "InvalidParameter", "adminPassword"),
        (f"{P}.storageProfile.osDisk.caching", "Some", 400, "InvalidParameter", "storageProfile.osDisk.caching"),
        (f"{P}.storageProfile.imageReference.sku", "99", 404, "PlatformImageNotFound", "imageReference"),
        (f"{P}.colour", "blue", 400, "BadRequest", f"{P}.colour"),
        (
            f"{P}.osProfile.allowExtensionOperations",
            "perhaps",
            400,
            "BadRequest",
            f"{P}.osProfile.allowExtensionOperations",
        ),
        ("colour", "blue", 400, "InvalidRequestContent", None),
        ("location", None, 400, "LocationRequired", None),
        ("location", "mars", 400, "LocationNotAvailableForResourceType", None),
    ],
)
def test_machines_that_cannot_be(arm: Arm, path: str, value: t.Any, status: int, code: str, target: str | None) -> None:
    arm.network()
    response = arm.put(VM, _set(arm.vm_body(), path, value))
    assert arm.code(response) == (status, code)
    assert response.json()["error"].get("target") == target
    assert arm.get(VM).status_code == 404


def test_the_place_of_an_unknown_property_is_named(arm: Arm) -> None:
    arm.network()
    message = arm.put(VM, _set(arm.vm_body(), "properties.osProfile.colour", 1)).json()["error"]["message"]
    assert message.startswith("Could not find member 'colour' on object of type 'OSProfile'.")
    assert "Path 'properties.osProfile.colour', line 1, position " in message
    assert not message.endswith("position 1.")


def test_read_only_properties_are_ignored_and_noted(ready: Arm) -> None:
    ready.azure.clear_requests()
    body = ready.get(VM).json()
    body["properties"]["vmId"] = "something else"
    answer = ready.put(VM, body)
    assert answer.status_code == 200
    assert "azure-asyncoperation" not in answer.headers
    assert answer.json()["properties"]["vmId"] != "something else"
    entry = next(entry for entry in ready.azure.requests() if entry["method"] == "PUT")
    assert entry["valid"] is False
    assert "read-only: properties.vmId" in entry["problems"]


def test_quota_and_sizes(ready: Arm) -> None:
    ready.azure.switch("cores_quota", 2)
    ready.done(ready.nic("other"))
    path = "Microsoft.Compute/virtualMachines/other"
    response = ready.put(path, ready.vm_body("other", "other"))
    assert ready.code(response) == (409, "OperationNotAllowed")
    assert "Total Regional Cores quota" in response.json()["error"]["message"]
    usages = f"{ready.subscription}/providers/Microsoft.Compute/locations/eastus/usages"
    rows = {row["name"]["value"]: row for row in ready.get(usages).json()["value"]}
    assert rows["cores"]["limit"] == 2
    assert rows["cores"]["currentValue"] >= 2
    ready.azure.switch("cores_quota", 10_000)
    ready.azure.switch("sku_not_available", ["Standard_B2s_v2"])
    response = ready.put(path, ready.vm_body("other", "other"))
    assert ready.code(response) == (409, "SkuNotAvailable")
    assert "Standard_B2s_v2" in response.json()["error"]["message"]


def test_an_interface_belongs_to_one_machine(ready: Arm) -> None:
    response = ready.put("Microsoft.Compute/virtualMachines/other", ready.vm_body(name="other"))
    assert ready.code(response) == (400, "NicInUse")
    response = ready.put("Microsoft.Compute/virtualMachines/other", ready.vm_body("none", "other"))
    assert ready.code(response) == (400, "InvalidResourceReference")


@pytest.mark.parametrize(
    ("path", "value", "target"),
    [
        ("properties.storageProfile.imageReference.offer", "debian-11", "imageReference"),
        ("properties.osProfile.adminUsername", "somebody", "adminUsername"),
        ("properties.osProfile.computerName", "other", "computerName"),
        ("properties.osProfile.linuxConfiguration.ssh.publicKeys", [], "linuxConfiguration.ssh.publicKeys"),
        ("zones", ["1"], "zones"),
    ],
)
def test_what_cannot_change(ready: Arm, path: str, value: t.Any, target: str) -> None:
    response = ready.put(VM, _set(ready.vm_body(), path, value))
    assert ready.code(response) == (409, "PropertyChangeNotAllowed")
    assert response.json()["error"]["message"] == f"Changing property '{target}' is not allowed."
    assert response.json()["error"]["target"] == target


def test_a_machine_stays_in_its_region(ready: Arm) -> None:
    assert ready.code(ready.put(VM, _set(ready.vm_body(), "location", "westus"))) == (409, "InvalidResourceLocation")


def test_resizing_and_tags(ready: Arm) -> None:
    resized = ready.put(VM, _set(ready.vm_body(), "properties.hardwareProfile.vmSize", "Standard_B4s_v2"))
    assert (resized.status_code, resized.json()["properties"]["provisioningState"]) == (200, "Updating")
    ready.done(resized)
    assert ready.get(VM).json()["properties"]["hardwareProfile"]["vmSize"] == "Standard_B4s_v2"
    patched = ready.patch(VM, {"tags": {"a": "b"}})
    assert patched.status_code == 200
    assert "retry-after" not in patched.headers
    ready.done(patched)
    assert ready.get(VM).json()["tags"] == {"a": "b"}
    nothing = ready.patch(VM, {"tags": {"a": "b"}})
    assert "azure-asyncoperation" not in nothing.headers


def test_power(ready: Arm) -> None:
    for verb, state in (
        ("powerOff", "stopped"),
        ("start", "running"),
        ("deallocate", "deallocated"),
        ("start", "running"),
    ):
        response = ready.post(f"{VM}/{verb}")
        assert (response.status_code, response.content) == (202, b"")
        assert response.headers["location"].count("monitor=true") == 1
        ready.done(response)
        assert ready.http.get(response.headers["location"]).status_code == 200
        view = ready.get(f"{VM}/instanceView").json()
        assert view["statuses"][-1]["code"] == f"PowerState/{state}"
        assert ("vmAgent" in view) == (state != "deallocated")
    for verb in ("restart", "redeploy", "reapply"):
        ready.done(ready.post(f"{VM}/{verb}"))
    assert ready.code(ready.post(f"{VM}/generalize")) == (409, "OperationNotAllowed")
    ready.done(ready.post(f"{VM}/deallocate"))
    assert ready.post(f"{VM}/generalize").status_code == 200
    assert ready.code(ready.post(f"{VM}/start")) == (409, "OperationNotAllowed")
    assert ready.code(ready.post("Microsoft.Compute/virtualMachines/none/start")) == (404, "ResourceNotFound")


def test_a_deallocated_machine_needs_its_cores_again(ready: Arm) -> None:
    ready.done(ready.post(f"{VM}/deallocate"))
    ready.azure.switch("cores_quota", 1)
    assert ready.code(ready.post(f"{VM}/start")) == (409, "OperationNotAllowed")


def test_two_writes_at_once(arm: Arm) -> None:
    arm.network()
    arm.azure.hold()
    created = arm.put(VM, arm.vm_body())
    for response in (
        arm.put(VM, _set(arm.vm_body(), "properties.hardwareProfile.vmSize", "Standard_B4s_v2")),
        arm.post(f"{VM}/powerOff"),
    ):
        assert arm.code(response) == (409, "Conflict")
    arm.azure.release(created.headers["azure-asyncoperation"].partition("?")[0].rpartition("/")[2])
    assert arm.follow(created)["status"] == "Succeeded"


def test_deleting_keeps_what_it_used(ready: Arm) -> None:
    disk = ready.get(VM).json()["properties"]["storageProfile"]["osDisk"]["name"]
    response = ready.delete(VM)
    assert (response.status_code, response.content) == (202, b"")
    assert "monitor=true" in response.headers["location"]
    assert ready.get(VM).json()["properties"]["provisioningState"] == "Deleting"
    ready.done(response)
    assert ready.get(VM).status_code == 404
    assert ready.delete(VM).status_code == 204
    assert ready.get(f"Microsoft.Compute/disks/{disk}").json()["properties"]["diskState"] == "Unattached"
    nic = ready.get("Microsoft.Network/networkInterfaces/nic").json()["properties"]
    assert "virtualMachine" not in nic
    assert "macAddress" not in nic


def test_delete_options(arm: Arm) -> None:
    arm.network()
    body = arm.vm_body()
    properties = body["properties"]
    properties["storageProfile"]["osDisk"]["deleteOption"] = "Delete"
    properties["storageProfile"]["dataDisks"] = [
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 8, "name": "goes", "deleteOption": "Delete"},
        {"lun": 1, "createOption": "Empty", "diskSizeGB": 8, "name": "stays"},
    ]
    properties["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": "Delete"}
    arm.vm(body=body)
    address = arm.get("Microsoft.Network/publicIPAddresses/ip").json()
    address["properties"]["deleteOption"] = "Delete"
    arm.done(arm.put("Microsoft.Network/publicIPAddresses/ip", address))
    arm.done(arm.delete(VM))
    assert [disk["name"] for disk in arm.get("Microsoft.Compute/disks").json()["value"]] == ["stays"]
    assert arm.get("Microsoft.Network/networkInterfaces/nic").status_code == 404
    assert arm.get("Microsoft.Network/publicIPAddresses/ip").status_code == 404


def test_a_dynamic_address_comes_and_goes(arm: Arm) -> None:
    arm.azure.switch("basic_public_ip", True)
    arm.done(arm.vnet())
    body = {"location": "eastus", "sku": {"name": "Basic"}, "properties": {"publicIPAllocationMethod": "Dynamic"}}
    path = "Microsoft.Network/publicIPAddresses/ip"
    arm.done(arm.put(path, body))
    arm.done(arm.nic(address="ip"))
    assert "ipAddress" not in arm.get(path).json()["properties"]
    arm.vm()
    assert arm.get(path).json()["properties"]["ipAddress"]
    arm.done(arm.post(f"{VM}/deallocate"))
    assert "ipAddress" not in arm.get(path).json()["properties"]


def test_boot_diagnostics(ready: Arm) -> None:
    assert ready.code(ready.post(f"{VM}/retrieveBootDiagnosticsData")) == (409, "OperationNotAllowed")
    body = _set(ready.vm_body(), "properties.diagnosticsProfile", {"bootDiagnostics": {"enabled": True}})
    ready.done(ready.put(VM, body))
    url = ready.post(f"{VM}/retrieveBootDiagnosticsData").json()["serialConsoleLogBlobUri"]
    assert ready.http.get(url, headers={"Authorization": ""}).status_code == 200
    assert ready.http.get(url[:-1]).status_code == 403


def test_user_data_is_shown_on_request_alone(arm: Arm) -> None:
    arm.network()
    arm.vm(body=_set(arm.vm_body(), "properties.userData", "aGVsbG8="))
    assert "userData" not in arm.get(VM).json()["properties"]
    assert arm.get(VM, dollar_expand="userData").json()["properties"]["userData"] == "aGVsbG8="


def test_an_interface_changes_while_it_is_deallocated(ready: Arm) -> None:
    ready.done(ready.nic("second"))
    body = ready.vm_body("second")
    assert ready.put(VM, body).status_code == 409
    ready.done(ready.post(f"{VM}/deallocate"))
    ready.done(ready.put(VM, body))
    assert "virtualMachine" not in ready.get("Microsoft.Network/networkInterfaces/nic").json()["properties"]
    assert "virtualMachine" in ready.get("Microsoft.Network/networkInterfaces/second").json()["properties"]


def test_a_hundred_machines_at_once(arm: Arm) -> None:
    arm.azure.switch("cores_quota", 10_000)
    arm.done(arm.vnet())
    created = []
    for number in range(100):
        assert arm.nic(f"nic{number}").status_code == 201
        response = arm.put(f"Microsoft.Compute/virtualMachines/vm{number}", arm.vm_body(f"nic{number}", f"vm{number}"))
        assert response.status_code == 201
        created.append(response)
    for response in created:
        arm.done(response)
    machines = arm.get("Microsoft.Compute/virtualMachines").json()["value"]
    assert {vm["properties"]["provisioningState"] for vm in machines} == {"Succeeded"}
    nics = arm.get("Microsoft.Network/networkInterfaces").json()["value"]
    addresses = {nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] for nic in nics}
    assert len(addresses) == len({nic["properties"]["macAddress"] for nic in nics}) == len(machines) == 100
