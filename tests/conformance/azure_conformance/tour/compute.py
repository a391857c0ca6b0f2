# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks, snapshots, SSH keys, and what places machines."""

from __future__ import annotations

from azure_conformance.tour.visits import COMPUTE, DISKS, PLACE, Json, Tour


async def disks(tour: Tour) -> None:
    """Managed disks."""
    disk = f"{tour.compute}/disks/data1"
    body = {
        "location": PLACE,
        "sku": {"name": "StandardSSD_LRS"},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8},
    }
    await tour.go("PUT", disk, DISKS, 200, 201, 202, body=body)
    await tour.go("PATCH", disk, DISKS, 200, 202, body={"properties": {"diskSizeGB": 16}})
    await tour.go("PATCH", disk, DISKS, 200, 202, 400, 409, body={"properties": {"diskSizeGB": 8}})
    for path in (disk, f"{tour.compute}/disks", f"{tour.subscription}/providers/Microsoft.Compute/disks"):
        await tour.go("GET", path, DISKS)
    access = {"access": "Read", "durationInSeconds": 300}
    await tour.go("POST", f"{disk}/beginGetAccess", DISKS, 202, body=access)
    await tour.go("POST", f"{disk}/endGetAccess", DISKS, 202)
    await tour.go("GET", f"{disk}-none", DISKS, 404)
    place = f"{tour.subscription}/Providers/Microsoft.Compute/Locations/{PLACE}/Publishers/Debian/ArtifactTypes"
    image = {"id": f"{place}/VMImage/Offers/debian-12/Skus/12-gen2/Versions/0.20250115.1993"}
    body["properties"] = {"creationData": {"createOption": "FromImage", "imageReference": image}}
    await tour.go("PUT", f"{disk}-image", DISKS, 202, body=body)
    await tour.go("GET", f"{disk}-image", DISKS)
    await snapshots(tour, disk)


async def snapshots(tour: Tour, disk: str) -> None:
    """A snapshot of a disk."""
    snapshot = f"{tour.compute}/snapshots/data1-1"
    source = {"createOption": "Copy", "sourceResourceId": disk}
    body: Json = {"location": PLACE, "properties": {"creationData": source, "incremental": True}}
    await tour.go("PUT", snapshot, DISKS, 200, 202, body=body)
    await tour.go("PATCH", snapshot, DISKS, 200, 202, body={"tags": {"of": "data1"}})
    for path in (
        snapshot,
        f"{tour.compute}/snapshots",
        f"{tour.subscription}/providers/Microsoft.Compute/snapshots",
    ):
        await tour.go("GET", path, DISKS)
    access = {"access": "Read", "durationInSeconds": 300}
    await tour.go("POST", f"{snapshot}/beginGetAccess", DISKS, 202, body=access)
    await tour.go("POST", f"{snapshot}/endGetAccess", DISKS, 202)
    await tour.go("DELETE", snapshot, DISKS, 202)
    await tour.go("GET", snapshot, DISKS, 404)


async def ssh_keys(tour: Tour) -> None:
    """SSH public keys."""
    kind = f"{tour.compute}/sshPublicKeys"
    for path, key_type in ((f"{kind}/rsa", "RSA"), (f"{kind}/ed25519", "Ed25519")):
        await tour.go("PUT", path, COMPUTE, 201, body={"location": PLACE})
        await tour.go("PATCH", path, COMPUTE, 200, body={"tags": {"a": "b"}})
        body = {"encryptionType": key_type}
        await tour.go("POST", f"{path}/generateKeyPair", COMPUTE, 200, body=body)
        await tour.go("POST", f"{path}/generateKeyPair", COMPUTE, 409, body=body)
        for found in (path, kind, kind.replace("/resourceGroups/tour", "")):
            await tour.go("GET", found, COMPUTE)
        await tour.go("DELETE", path, COMPUTE, 200)
        await tour.go("DELETE", path, COMPUTE, 204)


async def placement(tour: Tour) -> None:
    """Availability sets and proximity placement groups, alone and with a machine in them."""
    near = f"{tour.compute}/proximityPlacementGroups/near"
    await tour.go("PUT", near, COMPUTE, 201, body={"location": PLACE})
    await tour.go("PUT", near, COMPUTE, 200, body={"location": PLACE, "tags": {"a": "b"}})
    one = f"{tour.compute}/availabilitySets/set"
    body: Json = {"location": PLACE, "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}}
    body["properties"]["proximityPlacementGroup"] = {"id": near}
    await tour.go("PUT", one, COMPUTE, 200, body=body)
    changed = {**body, "properties": {"platformFaultDomainCount": 3}}
    await tour.go("PUT", one, COMPUTE, 409, body=changed)
    await tour.go("PUT", f"{one}-bad", COMPUTE, 400, body={**body, "properties": {"platformUpdateDomainCount": 99}})
    for path in (one, near):
        await tour.go("PATCH", path, COMPUTE, 200, body={"tags": {"a": "c"}})
        listed = path.rpartition("/")[0]
        for found in (path, listed, listed.replace("/resourceGroups/tour", "")):
            await tour.go("GET", found, COMPUTE)
        await tour.go("GET", f"{path}-none", COMPUTE, 404)
    await tour.go("GET", f"{one}/vmSizes", COMPUTE)
    await tour.go("DELETE", near, COMPUTE, 409)
    await tour.go("DELETE", one, COMPUTE, 200)
    await tour.go("DELETE", one, COMPUTE, 204)
    await tour.go("DELETE", near, COMPUTE, 200)
