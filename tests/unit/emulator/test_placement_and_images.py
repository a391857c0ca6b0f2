# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Availability sets, proximity placement groups, images, galleries; and what machines in and from them run into."""

from __future__ import annotations

import copy
import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

Json = dict[str, t.Any]
VM = "Microsoft.Compute/virtualMachines/vm"
SET = "Microsoft.Compute/availabilitySets/set"
NEAR = "Microsoft.Compute/proximityPlacementGroups/near"
IMAGE = "Microsoft.Compute/images/own"
GALLERY = "Microsoft.Compute/galleries/gallery"
DEFINITION, VERSION = f"{GALLERY}/images/debian", f"{GALLERY}/images/debian/versions/1.0.0"
GALLERIES = "2023-07-03"
OTHER = "99999999-8888-7777-6666-555555555555"
ALIGNED = {"location": "eastus", "sku": {"name": "Aligned"}}


def machine(arm: Arm, **changes: t.Any) -> Json:
    """The body of a machine with other properties; ``zones`` is no property."""
    body = copy.deepcopy(arm.vm_body())
    for name in ("zones", "location"):
        if name in changes:
            body[name] = changes.pop(name)
    body["properties"].update(changes)
    return body


def reference(arm: Arm, path: str) -> Json:
    """A reference to a resource of the group."""
    return {"id": f"{arm.group}/providers/{path}"}


@pytest.fixture
def place(arm: Arm) -> Arm:
    """A client whose group has an interface, a set and a group to put a machine into."""
    arm.network()
    assert arm.put(SET, ALIGNED).status_code == 200
    assert arm.put(NEAR, {"location": "eastus"}).status_code == 201
    return arm


def test_a_set_shows_its_machines_and_stays_while_it_has_some(place: Arm) -> None:
    assert "virtualMachines" not in place.put(SET, ALIGNED).json()["properties"]
    assert place.get(SET).json()["properties"] == {
        "platformFaultDomainCount": 2,
        "platformUpdateDomainCount": 5,
        "virtualMachines": [],
    }
    near = {"availabilitySet": reference(place, SET), "proximityPlacementGroup": reference(place, NEAR)}
    place.vm(body=machine(place, **near))
    path = place.get(VM).json()["id"]
    assert place.get(SET).json()["properties"]["virtualMachines"] == [{"id": path}]
    assert place.get(NEAR).json()["properties"] == {
        "proximityPlacementGroupType": "Standard",
        "virtualMachines": [{"id": path}],
        "virtualMachineScaleSets": [],
        "availabilitySets": [],
    }
    assert place.code(place.delete(SET)) == (409, "OperationNotAllowed")
    assert place.code(place.delete(NEAR)) == (409, "OperationNotAllowed")
    place.done(place.delete(VM))
    assert place.delete(SET).status_code == 200
    assert place.delete(NEAR).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"availabilitySet": SET, "zones": ["1"]}, (400, "BadRequest")),
        ({"availabilitySet": SET, "priority": "Spot", "hardwareProfile": {"vmSize": "Standard_D2s_v5"}},
         (409, "OperationNotAllowed")),
        ({"availabilitySet": f"{SET}-none"}, (404, "NotFound")),
        ({"proximityPlacementGroup": f"{NEAR}-none"}, (404, "NotFound")),
    ],
)  # fmt: skip
def test_places_that_cannot_be(place: Arm, changes: Json, code: tuple[int, str]) -> None:
    for name in ("availabilitySet", "proximityPlacementGroup"):
        if name in changes:
            changes = {**changes, name: reference(place, changes[name])}
    assert place.code(place.put(VM, machine(place, **changes))) == code


def test_a_set_for_unmanaged_disks_takes_no_machine_with_managed_ones(place: Arm) -> None:
    place.put(f"{SET}2", {"location": "eastus"})
    answer = place.put(VM, machine(place, availabilitySet=reference(place, f"{SET}2")))
    assert place.code(answer) == (409, "OperationNotAllowed")
    assert place.code(place.put(SET, {"location": "eastus", "sku": {"name": "Classic"}})) == (
        409,
        "OperationNotAllowed",
    )


def test_a_placement_group_changes_while_the_machine_is_deallocated(place: Arm) -> None:
    place.vm()
    change = {"properties": {"proximityPlacementGroup": reference(place, NEAR)}}
    assert place.code(place.patch(VM, change)) == (409, "OperationNotAllowed")
    place.done(place.post(f"{VM}/deallocate"))
    place.done(place.patch(VM, change))
    assert len(place.get(NEAR).json()["properties"]["virtualMachines"]) == 1


def test_a_machine_from_an_image_of_its_own(arm: Arm) -> None:
    arm.network()
    disk = {"osType": "Linux", "osState": "Generalized", "diskSizeGB": 40, "blobUri": "https://x/y.vhd"}
    properties = {"storageProfile": {"osDisk": disk}, "hyperVGeneration": "V2"}
    arm.done(arm.put(IMAGE, {"location": "eastus", "properties": properties}))
    assert arm.get(IMAGE).json()["properties"]["provisioningState"] == "Succeeded"
    storage = {"imageReference": reference(arm, IMAGE), "osDisk": {"createOption": "FromImage"}}
    missing = {**storage, "imageReference": reference(arm, f"{IMAGE}-none")}
    assert arm.code(arm.put(VM, machine(arm, storageProfile=missing))) == (404, "ResourceNotFound")
    arm.azure.switch("previous_sizes", True)
    old = {"hardwareProfile": {"vmSize": "Standard_A1_v2"}}
    assert arm.code(arm.put(VM, machine(arm, storageProfile=storage, **old))) == (400, "BadRequest")
    arm.vm(body=machine(arm, storageProfile=storage))
    shown = arm.get(VM, dollar_expand="instanceView").json()["properties"]
    assert shown["storageProfile"]["osDisk"]["diskSizeGB"] == 40
    assert shown["instanceView"]["hyperVGeneration"] == "V2"


def test_an_image_of_a_machine_has_its_data_disks(arm: Arm) -> None:
    arm.network()
    body = machine(arm)
    body["properties"]["storageProfile"]["dataDisks"] = [{"lun": 3, "createOption": "Empty", "diskSizeGB": 4}]
    arm.vm(body=body)
    arm.done(arm.post(f"{VM}/deallocate"))
    arm.post(f"{VM}/generalize")
    source = {"sourceVirtualMachine": {"id": f"{arm.group}/providers/{VM}"}, "storageProfile": {"zoneResilient": True}}
    made = arm.put(IMAGE, {"location": "eastus", "properties": source})
    assert "diskSizeGB" not in made.json()["properties"]["storageProfile"]["dataDisks"][0]
    arm.done(made)
    shown = arm.get(IMAGE).json()["properties"]["storageProfile"]
    (disk,) = shown["dataDisks"]
    assert shown["zoneResilient"] is True
    assert (disk["lun"], disk["diskSizeGB"], disk["storageAccountType"]) == (3, 4, "Standard_LRS")
    assert "/disks/" in disk["managedDisk"]["id"]


def test_parts_of_galleries_change_alone(arm: Arm) -> None:
    gallery(arm)
    version = {"api-version": GALLERIES}
    before = arm.get(DEFINITION, **version).json()["properties"]
    arm.done(arm.patch(DEFINITION, {"properties": {"description": "new"}, "tags": {"a": "b"}}, **version))
    shown = arm.get(DEFINITION, **version).json()
    assert (shown["properties"], shown["tags"]) == ({**before, "description": "new"}, {"a": "b"})
    assert arm.code(arm.patch(f"{DEFINITION}9", {"tags": {}}, **version))[0] == 404
    arm.done(arm.patch(GALLERY, {"tags": {"c": "d"}}, **version))
    assert arm.get(GALLERY, **version).json()["tags"] == {"c": "d"}


def test_a_machine_of_a_specialized_image_has_no_profile(arm: Arm) -> None:
    arm.network()
    gallery(arm, state="Specialized")
    body = machine(arm)
    body["properties"]["storageProfile"]["imageReference"] = reference(arm, DEFINITION.removeprefix("/"))
    del body["properties"]["osProfile"]
    arm.done(arm.put(VM, body))
    assert "osProfile" not in arm.get(VM).json()["properties"]


def gallery(arm: Arm, sharing: Json | None = None, group: str | None = None, state: str = "Generalized") -> Json:
    """A gallery with one version of one image; the gallery as it is shown."""
    base = f"{group or arm.group}/providers/"
    identifier = {"publisher": "me", "offer": "debian", "sku": "12"}
    features = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    bodies: dict[str, Json] = {
        GALLERY: {"sharingProfile": sharing} if sharing else {},
        DEFINITION: {"osType": "Linux", "osState": state, "hyperVGeneration": "V2", "identifier": identifier},
        VERSION: {"storageProfile": {"source": {"virtualMachineId": f"{arm.group}/x"}}},
    }
    bodies[DEFINITION]["features"] = features
    for path, properties in bodies.items():
        body = {"location": "eastus", "properties": properties}
        arm.done(arm.put(base + path, body, **{"api-version": GALLERIES}))
    return t.cast("Json", arm.get(base + GALLERY, **{"api-version": GALLERIES}).json())


def test_a_version_shows_what_azure_adds(arm: Arm) -> None:
    gallery(arm)
    version = {"api-version": GALLERIES}
    body: Json = arm.get(VERSION, **version).json()
    properties = {**body["properties"], "publishingProfile": {"targetRegions": [{"name": "eastus2"}]}}
    response = arm.put(VERSION, {"location": "eastus", "properties": properties}, **version)
    assert "/locations/eastus/capsOperations/" in response.headers["azure-asyncoperation"]
    arm.done(response)
    shown = arm.get(VERSION, **version).json()["properties"]
    assert shown["publishingProfile"]["targetRegions"][0]["name"] == "East US 2"
    assert shown["safetyProfile"]["reportedForPolicyViolation"] is False
    assert (shown["storageProfile"]["osDiskImage"]["source"], "dataDiskImages" in shown["storageProfile"]) == (
        {},
        False,
    )
    assert not {**shown["publishingProfile"], **shown["publishingProfile"]["targetRegions"][0]}.keys() & {
        "replicationMode"
    }
    definition = {**arm.get(DEFINITION, **version).json()["properties"], "disallowed": {"diskTypes": []}}
    arm.done(arm.put(DEFINITION, {"location": "eastus", "properties": definition}, **version))
    assert "disallowed" not in arm.get(DEFINITION, **version).json()["properties"]


def test_a_version_has_the_disks_of_its_source(arm: Arm) -> None:
    gallery(arm)
    version = {"api-version": GALLERIES}
    disk = "Microsoft.Compute/disks/d"
    creation = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 12}
    arm.done(arm.put(disk, {"location": "eastus", "properties": creation}))
    source = {"source": {"id": arm.get(disk).json()["id"]}}
    storage = {"osDiskImage": source, "dataDiskImages": [{"lun": 1, **source}]}
    path = f"{DEFINITION}/versions/1.0.9"
    made = arm.put(path, {"location": "eastus", "properties": {"storageProfile": storage}}, **version)
    assert made.json()["properties"]["storageProfile"] == {
        "osDiskImage": {"hostCaching": "ReadWrite", **source},
        "dataDiskImages": [{"lun": 1, "hostCaching": "ReadOnly", **source}],
    }
    assert "excludeFromLatest" not in made.json()["properties"]["publishingProfile"]["targetRegions"][0]
    arm.done(made)
    shown = arm.get(path, **version).json()["properties"]["storageProfile"]
    assert [shown["osDiskImage"]["sizeInGB"], shown["dataDiskImages"][0]["sizeInGB"]] == [12, 12]
    arm.done(arm.put(path, {"location": "eastus", "tags": {"a": "b"}}, **version))
    assert arm.get(path, **version).json()["properties"]["storageProfile"] == shown
    of_machine = {"storageProfile": {"source": {"virtualMachineId": f"{arm.group}/x"}}}
    made = arm.put(f"{DEFINITION}/versions/1.0.8", {"location": "eastus", "properties": of_machine}, **version)
    assert made.json()["properties"]["storageProfile"] == of_machine["storageProfile"]
    arm.done(made)


def test_lists_of_galleries(arm: Arm) -> None:
    info = {"publicNamePrefix": "mine", "publisherUri": "https://a", "publisherContact": "a@b", "eula": "c"}
    made = gallery(arm, {"permissions": "Community", "communityGalleryInfo": info})
    version = {"api-version": GALLERIES}
    provider = f"{arm.subscription}/providers/Microsoft.Compute"
    assert made in arm.get(f"{provider}/galleries", **version).json()["value"]
    name = made["properties"]["sharingProfile"]["communityGalleryInfo"]["publicNames"][0]
    listed = arm.get(f"{provider}/locations/eastus/communityGalleries", **version).json()["value"]
    assert listed == [arm.get(f"{provider}/locations/eastus/communityGalleries/{name}", **version).json()]
    metadata = listed[0]["properties"]["communityMetadata"]
    assert (metadata["publisherUri"], metadata["publicNames"]) == ("https://a", [name])
    assert arm.get(f"{provider}/locations/eastus/sharedGalleries", **version).json() == {"value": []}


@pytest.mark.parametrize("shared", [None, "Groups", "Community"])
def test_a_machine_from_a_gallery(arm: Arm, shared: str | None) -> None:
    arm.network()
    info = {"publicNamePrefix": "ours", "publisherContact": "me@example.com"}
    made = gallery(arm, {"permissions": shared, "communityGalleryInfo": info} if shared else None)
    place = f"{arm.subscription}/providers/Microsoft.Compute/locations/eastus"
    wanted = reference(arm, DEFINITION)
    if shared == "Groups":
        name = made["properties"]["identifier"]["uniqueName"]
        wanted = {"sharedGalleryImageId": f"/SharedGalleries/{name}/Images/debian/Versions/1.0.0"}
        seen = arm.get(f"{place}/sharedGalleries/{name}/images/debian", **{"api-version": GALLERIES}).json()
        assert seen["properties"]["osType"] == "Linux"
    elif shared == "Community":
        name = made["properties"]["sharingProfile"]["communityGalleryInfo"]["publicNames"][0]
        wanted = {"communityGalleryImageId": f"/CommunityGalleries/{name}/Images/debian/Versions/latest"}
        path = f"{place}/communityGalleries/{name}/images/debian/versions/1.0.0"
        seen = arm.get(path, **{"api-version": GALLERIES}).json()
        assert seen["identifier"]["uniqueId"] == f"/CommunityGalleries/{name}/Images/debian/Versions/1.0.0"
    trusted = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}
    storage = {"imageReference": wanted, "osDisk": {"createOption": "FromImage"}}
    arm.vm(body=machine(arm, storageProfile=storage, securityProfile=trusted))
    found = arm.get(VM).json()["properties"]["storageProfile"]["imageReference"]
    assert found == {**wanted, "exactVersion": "1.0.0"}


def test_what_a_gallery_refuses(arm: Arm) -> None:
    arm.network()
    gallery(arm)
    storage = {
        "imageReference": reference(arm, f"{DEFINITION}/versions/2.0.0"),
        "osDisk": {"createOption": "FromImage"},
    }
    assert arm.code(arm.put(VM, machine(arm, storageProfile=storage))) == (404, "GalleryImageNotFound")
    versioned = {"api-version": GALLERIES}
    assert arm.code(arm.delete(GALLERY, **versioned)) == (409, "CannotDeleteResource")
    other = {"location": "eastus", "properties": {"storageProfile": {}}}
    assert arm.code(arm.put(f"{DEFINITION}/versions/one", other, **versioned)) == (400, "InvalidParameter")
    assert arm.code(arm.put(f"{GALLERY}2/images/x/versions/1.0.0", other, **versioned)) == (
        404,
        "ParentResourceNotFound",
    )
    arm.done(arm.delete(arm.group))
    arm.azure.settle()
    assert not [key for key in arm.azure.dump() if key.lower().startswith(arm.group.lower())]


EPHEMERAL = {"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": {"option": "Local"}}


@pytest.mark.parametrize(
    ("size", "disk", "code"),
    [
        ("Standard_B2s", {}, (409, "NotSupported")),
        ("Standard_D2s_v5", {}, (409, "OperationNotAllowed")),
        ("Standard_D2ds_v5", {"caching": "ReadWrite"}, (400, "InvalidParameter")),
        ("Standard_D2ds_v5", {"diskSizeGB": 64}, (409, "NotSupported")),
    ],
)
def test_ephemeral_disks_that_cannot_be(arm: Arm, size: str, disk: Json, code: tuple[int, str]) -> None:
    arm.network()
    arm.azure.switch("previous_sizes", True)
    body = machine(arm, hardwareProfile={"vmSize": size})
    body["properties"]["storageProfile"]["osDisk"] = {**EPHEMERAL, **disk}
    assert arm.code(arm.put(VM, body)) == code


def test_a_machine_with_an_ephemeral_disk_has_no_disk_and_is_never_deallocated(arm: Arm) -> None:
    arm.network()
    body = machine(arm, hardwareProfile={"vmSize": "Standard_D2ds_v5"})
    body["properties"]["storageProfile"]["osDisk"] = EPHEMERAL
    arm.vm(body=body)
    disk = arm.get(VM).json()["properties"]["storageProfile"]["osDisk"]
    assert disk["deleteOption"] == "Delete"
    assert arm.get(disk["managedDisk"]["id"]).status_code == 404
    assert arm.code(arm.post(f"{VM}/deallocate")) == (409, "OperationNotAllowed")
    arm.done(arm.post(f"{VM}/powerOff"))


TRUSTED = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}


def test_security_changes_while_the_machine_is_deallocated(ready: Arm) -> None:
    ready.azure.switch("encryption_at_host", True)
    changes = ({"securityProfile": TRUSTED}, {"securityProfile": {"encryptionAtHost": True}})
    for change in changes:
        assert ready.code(ready.patch(VM, {"properties": change})) == (409, "OperationNotAllowed")
    ready.done(ready.post(f"{VM}/deallocate"))
    for change in changes:
        ready.done(ready.patch(VM, {"properties": change}))
    found = ready.get(VM).json()["properties"]["securityProfile"]
    assert found == {**TRUSTED, "encryptionAtHost": True}
    back = {"securityProfile": {"securityType": "ConfidentialVM"}}
    assert ready.code(ready.patch(VM, {"properties": back})) == (409, "PropertyChangeNotAllowed")


@pytest.mark.parametrize(
    "changes",
    [
        {"securityProfile": {"encryptionAtHost": True}},
        {"securityProfile": {"uefiSettings": {"vTpmEnabled": True}}},
        {"securityProfile": TRUSTED, "hardwareProfile": {"vmSize": "Standard_D2ps_v5"}},
        {"evictionPolicy": "Delete"},
        {"billingProfile": {"maxPrice": 1}},
        {"priority": "Spot"},
        {"priority": "Spot", "billingProfile": {"maxPrice": -3}, "hardwareProfile": {"vmSize": "Standard_D2s_v5"}},
    ],
)
def test_features_that_cannot_be(arm: Arm, changes: Json) -> None:
    arm.network()
    assert arm.put(VM, machine(arm, **changes)).status_code in (400, 409)


def test_another_subscription(arm: Arm) -> None:
    assert arm.code(arm.get(f"/subscriptions/{OTHER}/resourceGroups")) == (404, "SubscriptionNotFound")
    arm.azure.switch("extra_subscriptions", [OTHER])
    group = f"/subscriptions/{OTHER}/resourceGroups/{arm.name}-other"
    assert arm.put(group, {"location": "eastus"}).status_code == 201
    listed = arm.get("/subscriptions", **{"api-version": "2022-12-01"}).json()["value"]
    assert [entry["subscriptionId"] for entry in listed] == [arm.azure.subscription_id, OTHER]
    gallery(arm, group=group)
    arm.network()
    wanted = {"id": f"{group}/providers/{VERSION}"}
    storage = {"imageReference": wanted, "osDisk": {"createOption": "FromImage"}}
    arm.vm(body=machine(arm, storageProfile=storage))
    arm.delete(group)
    arm.azure.settle()


def test_a_set_of_another_group(place: Arm) -> None:
    group = f"{place.group}-other"
    place.put(group, {"location": "eastus"})
    assert place.put(f"{group}/providers/{SET}", ALIGNED).status_code == 200
    elsewhere = {"availabilitySet": {"id": f"{group}/providers/{SET}"}}
    assert place.code(place.put(VM, machine(place, **elsewhere))) == (404, "NotFound")
    place.delete(group)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_network_of_another_subscription(arm: Arm, allowed: bool) -> None:
    arm.azure.control("PUT", "switches", {"extra_subscriptions": [OTHER], "cross_subscription_networks": allowed})
    group = f"/subscriptions/{OTHER}/resourceGroups/{arm.name}-other"
    arm.put(group, {"location": "eastus"})
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.3.0.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.3.0.0/16"]}, "subnets": subnets}
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/net"
    arm.done(arm.put(network, {"location": "eastus", "properties": space}))
    configuration = {"name": "c", "properties": {"subnet": {"id": f"{network}/subnets/s"}}}
    body = {"location": "eastus", "properties": {"ipConfigurations": [configuration]}}
    answer = arm.put("Microsoft.Network/networkInterfaces/nic", body)
    if allowed:
        assert answer.status_code == 201
        arm.follow(answer)
    else:
        assert arm.code(answer) == (400, "InvalidResourceReference")
    arm.delete(arm.group)
    arm.azure.settle()
    arm.delete(group)
    arm.azure.settle()


def test_disks_of_a_machine_change_while_it_is_deallocated(ready: Arm) -> None:
    disk = ready.get(VM).json()["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
    changes: list[Json] = [{"properties": {"diskSizeGB": 64}}, {"sku": {"name": "Premium_LRS"}}]
    for change in changes:
        assert ready.code(ready.patch(disk, change)) == (409, "OperationNotAllowed")
    ready.done(ready.post(f"{VM}/deallocate"))
    for change in changes:
        ready.done(ready.patch(disk, change))
    ready.done(ready.post(f"{VM}/start"))
    shown = ready.get(VM).json()["properties"]["storageProfile"]["osDisk"]
    assert (shown["diskSizeGB"], shown["managedDisk"]["storageAccountType"]) == (64, "Premium_LRS")


def test_identities_are_added_and_taken_away_one_by_one(ready: Arm) -> None:
    base = f"{ready.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"

    def change(kind: str, **entries: Json | None) -> Json | None:
        given = {f"{base}/{name}": value for name, value in entries.items()}
        identity: Json = {"type": kind, **({"userAssignedIdentities": given} if given else {})}
        ready.done(ready.patch(VM, {"identity": identity}))
        return t.cast("Json | None", ready.get(VM).json().get("identity"))

    response = ready.patch(VM, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {f"{base}/a": {}}}})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "FailedIdentityOperation")
    version = {"api-version": "2023-01-31"}
    for name in ("a", "b", "c"):
        assert ready.put(f"{base}/{name}", {"location": "westeurope"}, **version).status_code == 201
    ids = ready.get(f"{base}/a", **version).json()["properties"]
    shown = change("UserAssigned", a={})["userAssignedIdentities"][f"{base}/a"]
    assert shown == {key: ids[key] for key in ("principalId", "clientId")}
    assert sorted(change("UserAssigned", a={}, b={})["userAssignedIdentities"]) == [f"{base}/a", f"{base}/b"]
    both = change("SystemAssigned, UserAssigned", a=None, c={})
    assert sorted(both["userAssignedIdentities"]) == [f"{base}/b", f"{base}/c"]
    assert both["principalId"]
    alone = change("SystemAssigned")
    assert alone["principalId"] == both["principalId"]
    assert "userAssignedIdentities" not in alone
    assert change("None") is None


def test_accelerated_networking_needs_a_size_that_has_it(arm: Arm) -> None:
    refused = (400, "VMSizeIsNotPermittedToEnableAcceleratedNetworking")
    arm.azure.switch("previous_sizes", True)
    arm.network()
    nic = "Microsoft.Network/networkInterfaces/nic"
    plain = arm.nic_body()
    fast = {**plain, "properties": {**plain["properties"], "enableAcceleratedNetworking": True}}
    arm.done(arm.put(nic, fast))
    small = {"hardwareProfile": {"vmSize": "Standard_B2s"}}
    assert arm.code(arm.put(VM, machine(arm, **small))) == refused
    arm.vm()
    assert arm.code(arm.patch(VM, {"properties": small})) == refused
    slow = {**plain, "properties": {**plain["properties"], "enableAcceleratedNetworking": False}}
    arm.done(arm.put(nic, slow))
    arm.done(arm.patch(VM, {"properties": small}))
    assert arm.code(arm.put(nic, fast)) == refused
