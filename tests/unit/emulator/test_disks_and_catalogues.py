# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed disks, images, sizes."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

DISK = "Microsoft.Compute/disks/data"
VM = "Microsoft.Compute/virtualMachines/vm"


def _disk(size: int = 8) -> dict[str, t.Any]:
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": size}
    return {"location": "eastus", "sku": {"name": "Premium_LRS"}, "properties": properties}


def test_life_of_a_disk(ready: Arm) -> None:
    created = ready.put(DISK, _disk())
    assert created.status_code in (201, 202)
    assert "/DiskOperations/" in created.headers["azure-asyncoperation"]
    ready.done(created)
    body = ready.get(DISK).json()
    assert (body["sku"], body["properties"]["diskState"]) == ({"name": "Premium_LRS", "tier": "Premium"}, "Unattached")
    storage = ready.get(VM).json()["properties"]["storageProfile"]
    storage["dataDisks"] = [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": body["id"]}}]
    ready.done(ready.patch(VM, {"properties": {"storageProfile": storage}}))
    attached = ready.get(DISK).json()
    assert attached["managedBy"].endswith("/virtualMachines/vm")
    assert attached["properties"]["diskState"] == "Attached"
    response = ready.delete(DISK)
    assert ready.code(response) == (409, "OperationNotAllowed")
    assert "is attached to VM" in response.json()["error"]["message"]
    ready.done(ready.patch(DISK, {"properties": {"diskSizeGB": 12}}))
    assert ready.get(VM).json()["properties"]["storageProfile"]["dataDisks"][0]["diskSizeGB"] == 12
    ready.done(ready.patch(VM, {"properties": {"storageProfile": {"dataDisks": []}}}))
    assert "managedBy" not in ready.get(DISK).json()
    ready.done(ready.patch(DISK, {"properties": {"diskSizeGB": 16}}))
    assert ready.get(DISK).json()["properties"]["diskSizeBytes"] == 16 * 2**30
    assert ready.patch(DISK, {"properties": {"diskSizeGB": 4}}).status_code == 409
    ready.done(ready.delete(DISK))
    assert ready.get(DISK).status_code == 404
    assert ready.delete(DISK).status_code == 204


def test_a_disk_of_an_image_takes_over_what_the_image_says(arm: Arm) -> None:
    place = f"{arm.subscription}/Providers/Microsoft.Compute/Locations/eastus/Publishers/Debian/ArtifactTypes/VMImage"
    reference = {"id": f"{place}/Offers/debian-12/Skus/12-gen2/Versions/0.20250115.1993"}
    creation = {"createOption": "FromImage", "imageReference": reference}
    arm.done(arm.put(DISK, {"location": "eastus", "properties": {"creationData": creation}}))
    shown = arm.get(DISK).json()["properties"]
    assert (shown["osType"], shown["hyperVGeneration"], shown["diskSizeGB"]) == ("Linux", "V2", 30)
    assert shown["supportedCapabilities"] == {
        "acceleratedNetwork": True,
        "architecture": "x64",
        "diskControllerTypes": "SCSI, NVMe",
    }
    assert shown["creationData"] == creation
    copied = {"createOption": "FromImage", "imageReference": {**reference, "lun": 0}}
    arm.done(arm.put(f"{DISK}2", {"location": "eastus", "properties": {"creationData": copied}}))
    assert "osType" not in arm.get(f"{DISK}2").json()["properties"]


def test_the_disk_of_a_machine_with_a_plan_has_the_plan(arm: Arm) -> None:
    arm.azure.switch("extra_images", ["acme:linux:pro:1.0.0"])
    arm.azure.switch("sold_images", ["acme:linux:pro"])
    arm.azure.switch("accepted_terms", ["acme:linux:pro"])
    arm.network()
    body = arm.vm_body()
    body["properties"]["storageProfile"]["imageReference"] = {
        "publisher": "acme",
        "offer": "linux",
        "sku": "pro",
        "version": "1.0.0",
    }
    body["plan"] = {"name": "pro", "publisher": "acme", "product": "linux"}
    try:
        arm.vm(body=body)
        disk = arm.get(VM).json()["properties"]["storageProfile"]["osDisk"]["name"]
        assert arm.get(f"Microsoft.Compute/disks/{disk}").json()["properties"]["purchasePlan"] == body["plan"]
    finally:
        for name in ("extra_images", "sold_images", "accepted_terms"):
            arm.azure.switch(name, [])


def test_an_image_of_a_disk_has_the_size_of_the_disk(arm: Arm) -> None:
    arm.done(arm.put(DISK, _disk(12)))
    os_disk = {"osType": "Linux", "osState": "Generalized", "managedDisk": {"id": arm.get(DISK).json()["id"]}}
    storage = {"osDisk": os_disk, "dataDisks": [{"lun": 0, "managedDisk": os_disk["managedDisk"]}]}
    made = arm.put("Microsoft.Compute/images/i", {"location": "eastus", "properties": {"storageProfile": storage}})
    first = made.json()["properties"]["storageProfile"]["dataDisks"][0]
    assert (first["caching"], first["storageAccountType"]) == ("None", "Standard_LRS")
    assert "diskSizeGB" not in {**first, **made.json()["properties"]["storageProfile"]["osDisk"]}
    arm.done(made)
    data = arm.get("Microsoft.Compute/images/i").json()["properties"]["storageProfile"]["dataDisks"]
    assert data == [{**first, "diskSizeGB": 12}]
    shown = arm.get("Microsoft.Compute/images/i").json()["properties"]["storageProfile"]["osDisk"]
    assert shown["diskSizeGB"] == 12


def test_performance_is_chosen_for_ultra_disks_only(arm: Arm) -> None:
    chosen = {"diskIOPSReadWrite": 700, "diskMBpsReadWrite": 9}
    body = _disk()
    body["properties"].update(chosen, tier="P3", burstingEnabled=True)
    made = arm.put(DISK, body)
    assert (made.json()["properties"]["tier"], "diskIOPSReadWrite" in made.json()["properties"]) == ("P3", False)
    arm.done(made)
    shown = arm.get(DISK).json()["properties"]
    assert (shown["diskIOPSReadWrite"], shown["tier"], "burstingEnabledTime" in shown) == (120, "P3", True)
    arm.done(arm.put(DISK, {**body, "sku": {"name": "Standard_LRS"}}))
    shown = arm.get(DISK).json()["properties"]
    assert (shown["diskIOPSReadWrite"], "tier" in shown) == (500, False)
    ultra = {"location": "eastus", "sku": {"name": "UltraSSD_LRS"}, "zones": ["1"], "properties": body["properties"]}
    made = arm.put("Microsoft.Compute/disks/ultra", ultra)
    assert (made.json()["properties"]["diskIOPSReadWrite"], "zones" in made.json()) == (700, False)
    arm.done(made)
    shown = arm.get("Microsoft.Compute/disks/ultra").json()
    assert (shown["properties"]["diskIOPSReadWrite"], shown["zones"]) == (700, ["1"])
    assert (shown["properties"]["maxShares"], shown["properties"]["creationData"]["logicalSectorSize"]) == (1, 4096)
    arm.done(arm.patch("Microsoft.Compute/disks/ultra", {"properties": {"diskMBpsReadWrite": 10}}))
    assert arm.get("Microsoft.Compute/disks/ultra").json()["properties"]["diskIOPSReadWrite"] == 700


def test_life_of_a_snapshot(ready: Arm) -> None:
    snapshot, copy = "Microsoft.Compute/snapshots/first", "Microsoft.Compute/disks/copy"
    ready.done(ready.put(DISK, _disk()))
    disk = ready.get(DISK).json()
    wanted = {"creationData": {"createOption": "Copy", "sourceResourceId": disk["id"]}, "incremental": True}
    created = ready.put(snapshot, {"location": "eastus", "tags": {"of": "data"}, "properties": wanted})
    assert created.status_code == 202
    assert ready.follow(created)["properties"]["output"]["properties"]["provisioningState"] == "Succeeded"
    body = ready.get(snapshot).json()
    assert (body["sku"]["name"], body["tags"]) == ("Standard_LRS", {"of": "data"})
    shown = {name: body["properties"][name] for name in ("diskSizeGB", "diskSizeBytes", "diskState", "incremental")}
    assert shown == {"diskSizeGB": 8, "diskSizeBytes": 8 * 2**30, "diskState": "Unattached", "incremental": True}
    assert "completionPercent" not in body["properties"]
    assert body["properties"]["creationData"]["sourceUniqueId"] == disk["properties"]["uniqueId"]
    ready.done(ready.patch(snapshot, {"tags": {"of": "data", "kept": "yes"}}))
    assert ready.get(snapshot).json()["tags"] == {"of": "data", "kept": "yes"}
    assert ready.get(snapshot).json()["properties"] == body["properties"]
    assert ready.patch(snapshot, {"properties": {"diskSizeGB": 4}}).status_code == 409
    wanted = {"creationData": {"createOption": "Copy", "sourceResourceId": body["id"]}}
    ready.done(ready.put(copy, {"location": "eastus", "properties": wanted}))
    made = ready.get(copy).json()["properties"]
    assert (made["diskSizeGB"], made["creationData"]["sourceUniqueId"]) == (8, body["properties"]["uniqueId"])
    names = [item["name"] for item in ready.get("Microsoft.Compute/snapshots").json()["value"]]
    assert names == ["first"]
    ready.done(ready.delete(snapshot))
    assert (ready.get(snapshot).status_code, ready.delete(snapshot).status_code) == (404, 204)


def test_a_snapshot_needs_a_source(ready: Arm) -> None:
    snapshot = "Microsoft.Compute/snapshots/first"
    nothing = {"location": "eastus", "properties": {"creationData": {"createOption": "Copy"}}}
    assert ready.code(ready.put(snapshot, nothing)) == (400, "InvalidParameter")
    nothing["properties"] = {
        "creationData": {"createOption": "Copy", "sourceResourceId": f"{ready.group}/providers/{DISK}"}
    }
    assert ready.code(ready.put(snapshot, nothing)) == (404, "ResourceNotFound")
    nothing["properties"] = {"creationData": {"createOption": "Copy", "sourceResourceId": "data"}}
    assert ready.code(ready.put(snapshot, nothing)) == (400, "InvalidParameter")
    assert ready.get(snapshot).status_code == 404
    ready.done(ready.put(DISK, _disk()))
    creation = {"createOption": "Copy", "sourceUri": f"{ready.group}/providers/{DISK}"}
    ready.done(ready.put(snapshot, {"location": "eastus", "properties": {"creationData": creation}}))
    assert ready.get(snapshot).json()["properties"]["creationData"]["sourceUniqueId"]


def test_a_patch_without_changes_is_an_operation_too(arm: Arm) -> None:
    arm.done(arm.put(DISK, _disk()))
    size = arm.get(DISK).json()["properties"]["diskSizeGB"]
    response = arm.patch(DISK, {"properties": {"diskSizeGB": size}})
    assert response.status_code == 202
    arm.done(response)


def test_access_to_the_content_of_a_disk(ready: Arm) -> None:
    ready.done(ready.put(DISK, _disk()))
    wanted = {"access": "Read", "durationInSeconds": 300}
    granted = ready.post(f"{DISK}/beginGetAccess", wanted)
    output = ready.follow(granted)["properties"]["output"]
    assert ready.http.get(granted.headers["location"]).json() == output
    assert output["accessSAS"].startswith("https://")
    assert ready.get(DISK).json()["properties"]["diskState"] == "ActiveSAS"
    ready.done(ready.post(f"{DISK}/endGetAccess"))
    assert ready.get(DISK).json()["properties"]["diskState"] == "Unattached"
    for wrong in ({"access": "All"}, {"access": "Read", "durationInSeconds": 0}):
        assert ready.code(ready.post(f"{DISK}/beginGetAccess", {**wanted, **wrong})) == (400, "InvalidParameter")
    name = ready.get(VM).json()["properties"]["storageProfile"]["osDisk"]["name"]
    own = f"Microsoft.Compute/disks/{name}"
    assert ready.code(ready.post(f"{own}/beginGetAccess", wanted)) == (409, "OperationNotAllowed")
    ready.done(ready.post(f"{VM}/deallocate"))
    assert ready.get(own).json()["properties"]["diskState"] == "Reserved"
    ready.done(ready.post(f"{own}/beginGetAccess", wanted))


def test_disks_are_attached_and_detached_by_an_action(ready: Arm) -> None:
    path = f"{VM}/attachDetachDataDisks"
    disks = []
    for name in ("one", "two"):
        ready.done(ready.put(f"Microsoft.Compute/disks/{name}", _disk()))
        disks.append(ready.get(f"Microsoft.Compute/disks/{name}").json()["id"])
    attached = ready.post(path, {"dataDisksToAttach": [{"diskId": disks[0]}, {"diskId": disks[1], "lun": 0}]})
    assert attached.status_code == 202
    ready.done(attached)
    result = ready.http.get(attached.headers["location"]).json()
    assert [(disk["name"], disk["lun"]) for disk in result["dataDisks"]] == [("one", 1), ("two", 0)]
    assert result == ready.get(VM).json()["properties"]["storageProfile"]
    assert ready.get("Microsoft.Compute/disks/one").json()["properties"]["diskState"] == "Attached"
    exchanged = {"dataDisksToDetach": [{"diskId": disks[0].upper(), "detachOption": "ForceDetach"}]}
    ready.done(ready.post(path, exchanged))
    assert [disk["name"] for disk in ready.get(VM).json()["properties"]["storageProfile"]["dataDisks"]] == ["two"]
    assert ready.get("Microsoft.Compute/disks/one").json()["properties"]["diskState"] == "Unattached"
    assert ready.code(ready.post(path, exchanged)) == (400, "InvalidParameter")
    assert ready.code(ready.post(path, {"dataDisksToAttach": [{"diskId": f"{disks[0]}-none"}]}))[0] == 404
    again = ready.post(path, {"dataDisksToAttach": [{"diskId": disks[0], "lun": 0}]})
    assert again.status_code in (400, 409)
    assert len(ready.get(VM).json()["properties"]["storageProfile"]["dataDisks"]) == 1


def test_ssh_public_keys(arm: Arm) -> None:
    path = "Microsoft.Compute/sshPublicKeys/key"
    made = arm.put(path, {"location": "eastus", "tags": {"a": "b"}})
    assert (made.status_code, made.json()["properties"]) == (201, {})
    pair = arm.post(f"{path}/generateKeyPair", {"encryptionType": "Ed25519"}).json()
    assert pair["publicKey"].startswith("ssh-ed25519 ")
    assert pair["privateKey"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    shown = arm.get(path).json()
    assert "type" not in shown
    assert (shown["properties"], shown["tags"]) == ({"publicKey": pair["publicKey"]}, {"a": "b"})
    assert arm.code(arm.post(f"{path}/generateKeyPair")) == (409, "OperationNotAllowed")
    assert (
        arm.patch(path, {"properties": {"publicKey": "ssh-rsa AAAA"}}).json()["properties"]["publicKey"]
        == "ssh-rsa AAAA"
    )
    assert [key["name"] for key in arm.get("Microsoft.Compute/sshPublicKeys").json()["value"]] == ["key"]
    assert [arm.delete(path).status_code for _time in range(2)] == [200, 204]


def _empty(**changes: t.Any) -> dict[str, t.Any]:
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8, **changes.pop("properties", {})}
    return {"location": "eastus", "properties": properties, **changes}


@pytest.mark.parametrize(
    ("name", "body", "target"),
    [
        ("bad name", _empty(), "disk.name"),
        ("-disk", _empty(), "disk.name"),
        ("disk.", _empty(), "disk.name"),
        ("d" * 81, _empty(), "disk.name"),
        ("disk", _empty(properties={"diskSizeGB": None}), "disk.diskSizeGb"),
        ("disk", _empty(properties={"diskSizeGB": 32768}), "disk.diskSizeGb"),
        ("disk", _empty(properties={"diskSizeGB": 65537}, sku={"name": "UltraSSD_LRS"}), "disk.diskSizeGb"),
        ("disk", _empty(properties={"creationData": {"createOption": "Upload"}}), "creationData.uploadSizeBytes"),
    ],
)
def test_disks_that_are_refused(arm: Arm, name: str, body: dict[str, t.Any], target: str) -> None:
    refused = arm.put(f"Microsoft.Compute/disks/{name}", body)
    assert (arm.code(refused), refused.json()["error"]["target"]) == ((400, "InvalidParameter"), target)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("Standard_LRS", "Standard"),
        ("StandardSSD_LRS", "Standard"),
        ("StandardSSD_ZRS", "Standard"),
        ("Premium_ZRS", "Premium"),
        ("PremiumV2_LRS", "Premium"),
        ("UltraSSD_LRS", "Ultra"),
    ],
)
def test_the_tier_of_a_disks_sku(arm: Arm, name: str, tier: str) -> None:
    arm.done(arm.put(DISK, _empty(sku={"name": name})))
    assert arm.get(DISK).json()["sku"] == {"name": name, "tier": tier}


def test_a_disk_whose_content_is_uploaded(arm: Arm) -> None:
    creation = {"createOption": "Upload", "uploadSizeBytes": 10 * 2**30 + 512}
    arm.done(arm.put(DISK, {"location": "eastus", "properties": {"creationData": creation}}))
    shown = arm.get(DISK).json()["properties"]
    assert (shown["diskState"], "diskSizeGB" in shown) == ("ReadyToUpload", False)
    arm.done(arm.post(f"{DISK}/beginGetAccess", {"access": "Write", "durationInSeconds": 300}))
    assert arm.get(DISK).json()["properties"]["diskState"] == "ActiveUpload"
    arm.done(arm.post(f"{DISK}/endGetAccess"))
    shown = arm.get(DISK).json()["properties"]
    assert (shown["diskState"], shown["diskSizeGB"]) == ("Unattached", 10)


def test_a_disk_belongs_to_one_machine(ready: Arm) -> None:
    body = ready.vm_body()
    body["properties"]["storageProfile"]["dataDisks"] = [
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "data"}
    ]
    ready.done(ready.put(VM, body))
    ready.done(ready.nic("other"))
    other = ready.vm_body("other", "other")
    disk: t.Any = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": f"{ready.group}/providers/{DISK}"}}
    other["properties"]["storageProfile"]["dataDisks"] = [disk]
    path = "Microsoft.Compute/virtualMachines/other"
    assert ready.code(ready.put(path, other)) == (409, "OperationNotAllowed")
    disk["managedDisk"]["id"] += "x"
    assert ready.code(ready.put(path, other)) == (404, "NotFound")
    other["properties"]["storageProfile"]["dataDisks"] = [
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 4},
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 4},
    ]
    assert ready.code(ready.put(path, other)) == (400, "InvalidParameter")


def test_images(arm: Arm) -> None:
    base = f"{arm.subscription}/providers/Microsoft.Compute/locations/westus/publishers"
    assert "Canonical" in [item["name"] for item in arm.get(base).json()]
    offers = f"{base}/debian/artifacttypes/vmimage/offers"
    assert "debian-12" in [item["name"] for item in arm.get(offers).json()]
    skus = f"{offers}/debian-12/skus"
    assert [item["name"] for item in arm.get(skus).json()] == ["12", "12-gen2"]
    versions = arm.get(f"{skus}/12-gen2/versions", dollar_top="1", dollar_orderby="name desc").json()
    assert len(versions) == 1
    newest = arm.get(f"{skus}/12-gen2/versions/latest").json()
    assert newest["name"] == versions[0]["name"]
    assert newest["properties"]["hyperVGeneration"] == "V2"
    response = arm.get(f"{skus}/12-gen3/versions")
    assert (arm.code(response), response.json()["error"]["message"]) == (
        (404, "NotFound"),
        "Artifact: VMImage was not found.",
    )
    arm.azure.switch("extra_images", ["Somebody:something:1:1.2.3"])
    assert (
        arm.get(f"{base}/Somebody/artifacttypes/vmimage/offers/something/skus/1/versions/latest").json()["name"]
        == "1.2.3"
    )


@pytest.mark.parametrize("name", ["vmSizes", "usages"])
def test_sizes_of_a_region(arm: Arm, name: str) -> None:
    listed = arm.get(f"{arm.subscription}/providers/Microsoft.Compute/locations/eastus/{name}").json()["value"]
    assert len(listed) > 20


@pytest.mark.parametrize(
    "path",
    [
        "publishers",
        "publishers/Canonical/artifacttypes/vmimage/offers",
        "publishers/Canonical/artifacttypes/vmextension/types",
        "vmSizes",
        "usages",
    ],
)
def test_a_region_that_is_none(arm: Arm, path: str) -> None:
    answer = arm.get(f"{arm.subscription}/providers/Microsoft.Compute/locations/nowhere/{path}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "NoRegisteredProviderFound")
    assert "for location 'nowhere'" in error["message"]
    assert "The supported locations are '" in error["message"]


def test_skus(arm: Arm) -> None:
    arm.azure.switch("sku_not_available", ["Standard_B2s_v2"])
    path = f"{arm.subscription}/providers/Microsoft.Compute/skus"
    params = {"api-version": "2021-07-01", "dollar_filter": "location eq 'westeurope'"}
    skus = {sku["name"]: sku for sku in arm.get(path, **params).json()["value"]}
    assert skus["Standard_B2s_v2"]["restrictions"][0]["reasonCode"] == "NotAvailableForSubscription"
    for name in ("Standard_B2s", "Standard_D2s_v3", "Standard_F2s_v2"):
        assert skus[name]["restrictions"][0]["reasonCode"] == "NotAvailableForSubscription"
    for name in ("Standard_B2als_v2", "Standard_B2pls_v2", "Standard_D2s_v5", "Standard_D2als_v6"):
        assert skus[name]["restrictions"] == []
    assert skus["Premium_ZRS"]["resourceType"] == "disks"
    params["dollar_filter"] = "location eq 'westus'"
    without = {sku["name"]: sku for sku in arm.get(path, **params).json()["value"]}
    assert "Premium_LRS" in without
    assert "Premium_ZRS" not in without
    assert without["Standard_D2s_v5"]["locationInfo"][0]["zones"] == []
    assert skus["Standard_D2s_v5"]["locations"] == ["westeurope"]
    capabilities = {item["name"]: item["value"] for item in skus["Standard_D2s_v5"]["capabilities"]}
    assert (capabilities["vCPUs"], capabilities["MemoryGB"]) == ("2", "8.0")


def test_previous_generations_need_quota_from_before(arm: Arm) -> None:
    arm.network()
    body = arm.vm_body()
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_B2s"
    usages = f"{arm.subscription}/providers/Microsoft.Compute/locations/westeurope/usages"

    def limit() -> int:
        return next(
            row["limit"] for row in arm.get(usages).json()["value"] if row["name"]["value"] == "standardBSFamily"
        )

    assert limit() == 0
    assert arm.code(arm.put(VM, body)) == (409, "SkuNotAvailable")
    arm.azure.switch("previous_sizes", True)
    assert limit() > 0
    arm.vm(body=body)
