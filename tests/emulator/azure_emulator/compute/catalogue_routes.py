# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the catalogues: images, sizes, SKUs, usages, extension types."""

from __future__ import annotations

import typing as t
from functools import lru_cache

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing
from ..arm.resource import Json
from ..arm.routing import SUBSCRIPTION, route
from ..arm.versions import LOCATIONS, no_provider
from ..errors import ApiError
from ..marketplace import plan_of
from . import catalogue
from .capabilities import as_listed
from .names import LOCATION, VM
from .new_disks import disk_sku

if t.TYPE_CHECKING:
    from ..cloud import Cloud

PLACE = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}"
PUBLISHERS = f"{PLACE}/publishers"
OFFERS = f"{PUBLISHERS}/{{publisher}}/artifacttypes/vmimage/offers"
SKUS = f"{OFFERS}/{{offer}}/skus"
VERSIONS = f"{SKUS}/{{sku}}/versions"
LEVELS = ("publisher", "offer", "sku")
DISK_TYPES = ("Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Standard_LRS")
WITHOUT_ZONES = frozenset(
    (
        "westus",
        "westcentralus",
        "northcentralus",
        "canadaeast",
        "ukwest",
        "koreasouth",
        "southindia",
        "westindia",
        "australiasoutheast",
        "australiacentral",
    )
)
"""Regions without availability zones, and so without zone-redundant disks ("Azure regions list")."""
TYPES = f"{PUBLISHERS}/{{publisher}}/artifacttypes/vmextension/types"


def _entry(request: ArmRequest, name: str, *path: str) -> Json:
    location = request.params["location"]
    base = f"/Subscriptions/{request.subscription}/Providers/Microsoft.Compute/Locations/{location}/Publishers"
    return {"location": location, "name": name, "id": "/".join([base, *path])}


def _names(values: t.Iterable[str]) -> list[str]:
    return sorted(set(values), key=str.lower)


def _check_place(request: ArmRequest, type_: str = f"{LOCATION}/publishers") -> None:
    """Refuse an unknown region, to which the Resource Manager can forward nothing."""
    if request.params["location"].replace(" ", "").lower() not in LOCATIONS:
        raise no_provider(type_, request.api_version, request.params["location"])


def _images(cloud: Cloud, request: ArmRequest, *levels: str) -> list[catalogue.Image]:
    """Return the images below a publisher, an offer, a SKU.

    :raises ApiError: 404, there are none; 400, the region does not exist.
    """
    _check_place(request)
    fitting = catalogue.images(cloud)
    for level in levels:
        wanted = request.params[level].lower()
        fitting = [image for image in fitting if str(getattr(image, level)).lower() == wanted]
    if not fitting:
        raise ApiError(404, "NotFound", "Artifact: VMImage was not found.")
    return fitting


@route("GET", PUBLISHERS, LOCATION)
async def publishers(cloud: Cloud, request: ArmRequest) -> Reply:
    """Publishers of images and extensions."""
    _check_place(request)
    names = [i.publisher for i in catalogue.images(cloud)] + [e.publisher for e in catalogue.extension_types(cloud)]
    return Reply(200, [_entry(request, publisher, publisher) for publisher in _names(names)], pretty=True)


@route("GET", OFFERS, LOCATION)
async def offers(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the offers of a publisher."""
    images = _images(cloud, request, *LEVELS[:1])
    path = (images[0].publisher, "ArtifactTypes", "VMImage", "Offers")
    return Reply(200, [_entry(request, name, *path, name) for name in _names(i.offer for i in images)], pretty=True)


@route("GET", SKUS, LOCATION)
async def skus(cloud: Cloud, request: ArmRequest) -> Reply:
    """SKUs of an offer."""
    images = _images(cloud, request, *LEVELS[:2])
    path = (images[0].publisher, "ArtifactTypes", "VMImage", "Offers", images[0].offer, "Skus")
    return Reply(200, [_entry(request, name, *path, name) for name in _names(i.sku for i in images)], pretty=True)


def _version_path(image: catalogue.Image) -> tuple[str, ...]:
    return (image.publisher, "ArtifactTypes", "VMImage", "Offers", image.offer, "Skus", image.sku, "Versions")


@route("GET", VERSIONS, LOCATION)
async def versions(cloud: Cloud, request: ArmRequest) -> Reply:
    """Versions of an image; ``$top`` and ``$orderby=name desc`` are obeyed."""
    images = _images(cloud, request, *LEVELS)
    images.sort(
        key=lambda image: catalogue.version_key(image.version),
        reverse="desc" in request.query.get("$orderby", "").lower(),
    )
    top = request.query.get("$top", "")
    if top.isdigit():
        images = images[: int(top)]
    return Reply(200, [_entry(request, i.version, *_version_path(i), i.version) for i in images], pretty=True)


@route("GET", VERSIONS + "/{version}", LOCATION)
async def version(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one version of an image."""
    _check_place(request)
    reference = {name: request.params[name] for name in (*LEVELS, "version")}
    image = catalogue.find_image(cloud, reference)
    if image is None:
        raise ApiError(404, "NotFound", "Artifact: VMImage was not found.")
    properties: Json = {
        "hyperVGeneration": image.generation,
        "architecture": image.architecture,
        "disallowed": {"vmDiskType": "None"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": image.publisher == "Canonical"},
        "imageDeprecationStatus": _deprecation(cloud, image),
        "features": [
            {"name": "IsAcceleratedNetworkSupported", "value": "True"},
            {"name": "DiskControllerTypes", "value": ", ".join(image.controllers)},
            {"name": "IsHibernateSupported", "value": str(image.hibernates)},
            *([{"name": "SecurityType", "value": "TrustedLaunchSupported"}] if image.trusted_launch else []),
        ],
        "osDiskImage": {"operatingSystem": image.os_type, **_size_of(image)},
        "dataDiskImages": [],
    }
    if image.generation == "V2":
        properties["replicaCount"] = 10
    plan = plan_of(cloud, image.publisher, image.offer, image.sku)
    if plan is not None:
        properties["plan"] = plan
    return found({"properties": properties, **_entry(request, image.version, *_version_path(image), image.version)})


def _deprecation(cloud: Cloud, image: catalogue.Image) -> Json:
    """Return an image's ImageDeprecationStatus."""
    withdrawn = [urn.lower() for urn in cloud.switches["withdrawn_images"]]
    if f"{image.publisher}:{image.offer}:{image.sku}".lower() not in withdrawn:
        return {"imageState": "Active"}
    return {"imageState": "ScheduledForDeprecation", "scheduledDeprecationTime": "2027-03-31T00:00:00+00:00"}


def _size_of(image: catalogue.Image) -> Json:
    """Return the size of an image, which is recorded and not in the specification.

    For the first generation it is that of a fixed VHD, which ends with a footer (12 of 12 recordings).
    """
    return {"sizeInGb": image.size_gb} if image.generation == "V2" else {"sizeInBytes": image.size_gb * 2**30 + 512}


@route("GET", TYPES, LOCATION)
async def extension_types(cloud: Cloud, request: ArmRequest) -> Reply:
    """Extension types of a publisher."""
    _check_place(request)
    wanted = request.params["publisher"].lower()
    kinds = [e for e in catalogue.extension_types(cloud) if e.publisher.lower() == wanted]
    return Reply(
        200,
        [_entry(request, e.type, e.publisher, "ArtifactTypes", "VMExtension", "Types", e.type) for e in kinds],
        pretty=True,
    )


@route("GET", TYPES + "/{type}/versions", LOCATION)
async def extension_versions(cloud: Cloud, request: ArmRequest) -> Reply:
    """Versions of an extension type."""
    kind = _extension(cloud, request)
    path = (kind.publisher, "ArtifactTypes", "VMExtension", "Types", kind.type, "Versions")
    return Reply(200, [_entry(request, v, *path, v) for v in kind.versions], pretty=True)


@route("GET", TYPES + "/{type}/versions/{version}", LOCATION)
async def extension_version(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one version of an extension type."""
    kind = _extension(cloud, request)
    wanted = request.params["version"]
    if wanted not in kind.versions:
        raise ApiError(404, "NotFound", "Artifact: VMExtension was not found.")
    path = (kind.publisher, "ArtifactTypes", "VMExtension", "Types", kind.type, "Versions", wanted)
    properties = {
        "operatingSystem": "Linux",
        "computeRole": "IaaS",
        "handlerSchema": "",
        "vmScaleSetEnabled": True,
        "supportsMultipleExtensions": False,
    }
    return found({"properties": properties, **_entry(request, wanted, *path)})


def _extension(cloud: Cloud, request: ArmRequest) -> catalogue.ExtensionType:
    _check_place(request)
    kind = catalogue.find_extension_type(cloud, request.params["publisher"], request.params["type"])
    if kind is None:
        raise ApiError(404, "NotFound", "Artifact: VMExtension was not found.")
    return kind


@route("GET", f"{PLACE}/vmSizes", LOCATION)
async def sizes(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the sizes of a region."""
    _check_place(request, f"{LOCATION}/vmSizes")
    return listing([catalogue.size_body(size) for size in catalogue.SIZES.values()])


@route("GET", f"{PLACE}/usages", LOCATION)
async def usages(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return how much of the region's quota is used."""
    _check_place(request, f"{LOCATION}/usages")
    location = request.params["location"].replace(" ", "").lower()
    vms = [
        vm
        for vm in cloud.store.of_type(VM, f"/subscriptions/{request.subscription}")
        if vm.location == location and vm.hidden.get("power") != "deallocated"
    ]
    limit = int(cloud.switches["cores_quota"])
    cores: dict[str, int] = {}
    for vm in vms:
        size = catalogue.size_of(cloud, vm.properties["hardwareProfile"]["vmSize"])
        cores[size.family] = cores.get(size.family, 0) + size.vcpus
    rows = [("cores", "Total Regional vCPUs", sum(cores.values()), limit)]
    spot = sum(
        catalogue.size_of(cloud, vm.properties["hardwareProfile"]["vmSize"]).vcpus
        for vm in vms
        if vm.properties.get("priority") in ("Spot", "Low")
    )
    rows += [("lowPriorityCores", "Total Regional Spot vCPUs", spot, limit)]
    rows += [("virtualMachines", "Virtual Machines", len(vms), 25000)]
    families = {size.family: size.name for size in catalogue.SIZES.values()}
    for family in _names(families):
        previous = catalogue.PREVIOUS.fullmatch(families[family]) and not cloud.switches["previous_sizes"]
        rows.append((family, f"{family} vCPUs", cores.get(family, 0), 0 if previous else limit))
    return listing(
        [
            {"limit": most, "unit": "Count", "currentValue": now, "name": {"value": value, "localizedValue": text}}
            for value, text, now, most in rows
        ]
    )


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus", "Microsoft.Compute/skus")
async def resource_skus(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the SKUs of the location in ``$filter=location eq 'X'``, or of every location."""
    wanted = request.query.get("$filter", "").partition("eq")[2].strip().strip("'").lower()
    switches = cloud.switches
    sold = bool(switches["previous_sizes"]), frozenset(switches["sku_not_available"])
    if wanted and not switches["page_size"]:
        return Reply(200, _content(wanted, *sold), pretty=True)
    return listing(_listed(wanted, *sold))


@lru_cache(maxsize=8)
def _content(location: str, previous: bool, unavailable: frozenset[str]) -> bytes:
    """Return the answer for one location: a megabyte, which every creation of a host asks for."""
    return listing(_listed(location, previous, unavailable)).content()


def _listed(wanted: str, previous: bool, unavailable: frozenset[str]) -> list[Json]:
    """Return the SKUs of a location, or of every location if the name is empty.

    :param previous: the switch ``previous_sizes``.
    :param unavailable: the switch ``sku_not_available``.
    """
    found: list[Json] = []
    # Worked out once: az asks for all locations, whichever its user names.
    sizes = [
        (size, _capabilities(size), catalogue.is_size_restricted(size.name, previous, unavailable))
        for size in catalogue.SIZES.values()
    ]
    for location in LOCATIONS:
        if wanted in ("", location):
            found += [_sku(size, location, capabilities, missing) for size, capabilities, missing in sizes]
            found += [_disk_sku(name, location) for name in DISK_TYPES if zones_of(location) or "ZRS" not in name]
    return found


def zones_of(location: str) -> list[str]:
    """Return the availability zones of a region."""
    return [] if location in WITHOUT_ZONES else ["1", "2", "3"]


def _disk_sku(name: str, location: str) -> Json:
    kind = name.partition("_")[0]
    return {
        "resourceType": "disks",
        **disk_sku(name),
        "size": {"Premium": "P10", "StandardSSD": "E10", "Standard": "S10"}[kind],
        "locations": [location],
        "locationInfo": [{"location": location, "zones": zones_of(location), "zoneDetails": []}],
        "capabilities": [{"name": "MaxSizeGiB", "value": "128"}, {"name": "MinSizeGiB", "value": "64"}],
        "restrictions": [],
    }


def _capabilities(size: catalogue.Size) -> list[Json]:
    return [{"name": name, "value": value} for name, value in as_listed(size).items()]


def _sku(size: catalogue.Size, location: str, capabilities: list[Json], missing: bool) -> Json:
    restriction: Json = {
        "type": "Location",
        "values": [location],
        "restrictionInfo": {"locations": [location]},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.partition("_")[2],
        "family": size.family,
        "locations": [location],
        "locationInfo": [{"location": location, "zones": zones_of(location), "zoneDetails": []}],
        "capabilities": capabilities,
        "restrictions": [restriction] if missing else [],
    }
