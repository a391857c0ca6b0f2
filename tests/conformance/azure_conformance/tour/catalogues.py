# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images, sizes and quotas of a region; custom images and galleries; permissions and terms."""

from __future__ import annotations

from azure_conformance.tour.visits import AUTHORIZATION, COMPUTE, GALLERIES, MARKETPLACE, PLACE, SKUS, Tour


async def catalogues(tour: Tour) -> None:
    """Images, sizes, quotas, extension types."""
    base = f"{tour.subscription}/providers/Microsoft.Compute/locations/{PLACE}"
    images = f"{base}/publishers/Debian/artifacttypes/vmimage/offers"
    for path in (
        f"{base}/publishers",
        images,
        f"{images}/debian-12/skus",
        f"{images}/debian-12/skus/12-gen2/versions",
    ):
        await tour.go("GET", path, COMPUTE)
    newest = await tour.go(
        "GET", f"{images}/debian-12/skus/12-gen2/versions", COMPUTE, query="&$top=1&$orderby=name%20desc"
    )
    await tour.go("GET", f"{images}/debian-12/skus/12-gen2/versions/{newest.body[0]['name']}", COMPUTE)
    await tour.go("GET", f"{images}/debian-12/skus/12-gen2/versions/1.2.3", COMPUTE, 404)
    await tour.go("GET", f"{images}/none/skus", COMPUTE, 404)
    types = f"{base}/publishers/Microsoft.Azure.Extensions/artifacttypes/vmextension/types"
    await tour.go("GET", types, COMPUTE)
    versions = await tour.go("GET", f"{types}/CustomScript/versions", COMPUTE)
    await tour.go("GET", f"{types}/CustomScript/versions/{versions.body[0]['name']}", COMPUTE)
    await tour.go("GET", f"{types}/DockerExtension/versions", COMPUTE, 404)
    for path in ("vmSizes", "usages", "virtualMachines"):
        await tour.go("GET", f"{base}/{path}", COMPUTE)
    await tour.go(
        "GET",
        f"{tour.subscription}/providers/Microsoft.Compute/skus",
        SKUS,
        query=f"&$filter=location%20eq%20'{PLACE}'",
    )
    await tour.go("GET", f"{base}/runCommands", COMPUTE)
    await tour.go("GET", f"{base}/runCommands/RunShellScript", COMPUTE)


async def images(tour: Tour) -> None:
    """Managed images."""
    one = f"{tour.compute}/images/own"
    disk = {"osType": "Linux", "osState": "Generalized", "managedDisk": {"id": f"{tour.compute}/disks/data1"}}
    body = {"location": PLACE, "properties": {"storageProfile": {"osDisk": disk}, "hyperVGeneration": "V2"}}
    await tour.go("PUT", one, COMPUTE, 201, body=body)
    await tour.go("PUT", one, COMPUTE, 200, body=body)
    await tour.go("PATCH", one, COMPUTE, 200, body={"tags": {"a": "b"}})
    await tour.go("PUT", f"{one}-bad", COMPUTE, 400, body={"location": PLACE, "properties": {}})
    listed = one.rpartition("/")[0]
    for path in (one, listed, listed.replace("/resourceGroups/tour", "")):
        await tour.go("GET", path, COMPUTE)
    await tour.go("GET", f"{one}-none", COMPUTE, 404)
    await tour.go("DELETE", one, COMPUTE, 202)
    await tour.go("DELETE", one, COMPUTE, 204)


async def galleries(tour: Tour) -> None:
    """Galleries, and how others see them."""
    gallery = f"{tour.compute}/galleries/gallery"
    image, version = f"{gallery}/images/debian", f"{gallery}/images/debian/versions/1.0.0"
    sharing = {"permissions": "Community", "communityGalleryInfo": {"publicNamePrefix": "tour"}}
    identifier = {"publisher": "me", "offer": "debian", "sku": "12"}
    definition = {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "identifier": identifier}
    content = {"storageProfile": {"osDiskImage": {"source": {"id": f"{tour.compute}/disks/data1"}}}}
    for path, properties in ((gallery, {"sharingProfile": sharing}), (image, definition), (version, content)):
        body = {"location": PLACE, "properties": properties}
        await tour.go("PUT", path, GALLERIES, 201, body=body)
        await tour.go("PUT", path, GALLERIES, 200, body=body)
        await tour.go("PATCH", path, GALLERIES, 200, body={"tags": {"x": "y"}})
        await tour.go("GET", path, GALLERIES)
        await tour.go("GET", path.rpartition("/")[0], GALLERIES)
        await tour.go("GET", f"{path}9", GALLERIES, 404)
    await tour.go("GET", f"{tour.subscription}/providers/Microsoft.Compute/galleries", GALLERIES)
    shown = await tour.go("GET", gallery, GALLERIES)
    name = shown.body["properties"]["sharingProfile"]["communityGalleryInfo"]["publicNames"][0]
    place = f"{tour.subscription}/providers/Microsoft.Compute/locations/{PLACE}"
    await shared_gallery(tour, f"{place}/communityGalleries/{name}")
    among_groups = {"sharingProfile": {"permissions": "Groups"}}
    shown = await tour.go("PUT", gallery, GALLERIES, 200, body={"location": PLACE, "properties": among_groups})
    await shared_gallery(tour, f"{place}/sharedGalleries/{shown.body['properties']['identifier']['uniqueName']}")
    await tour.go("GET", f"{place}/sharedGalleries/none", GALLERIES, 404)
    await tour.go("DELETE", gallery, GALLERIES, 409)
    for path in (version, image, gallery):
        await tour.go("DELETE", path, GALLERIES, 202)


async def shared_gallery(tour: Tour, path: str) -> None:
    """A gallery as others see it."""
    for rest in ("", "/images", "/images/debian", "/images/debian/versions", "/images/debian/versions/1.0.0"):
        await tour.go("GET", f"{path}{rest}", GALLERIES)
    await tour.go("GET", f"{path}/images/none", GALLERIES, 404)
    await tour.go("GET", path.rpartition("/")[0], GALLERIES)


async def rights_and_terms(tour: Tour) -> None:
    """What the client may do, and the terms of images that are sold."""
    for scope in (tour.subscription, tour.group):
        await tour.go("GET", f"{scope}/providers/Microsoft.Authorization/permissions", AUTHORIZATION)
    plan = "publishers/Example/offers/sold/plans/one/agreements/current"
    agreement = f"{tour.subscription}/providers/Microsoft.MarketplaceOrdering/offerTypes/VirtualMachine/{plan}"
    shown = await tour.go("GET", agreement, MARKETPLACE)
    accepted = {**shown.body, "properties": {**shown.body["properties"], "accepted": True}}
    await tour.go("PUT", agreement, MARKETPLACE, body=accepted)
