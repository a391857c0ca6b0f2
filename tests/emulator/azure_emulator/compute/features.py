# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the compute provider refuses where size, image and a requested feature are incompatible.

The messages are the service's where a report quotes them (each names its source); elsewhere they are plain, and
only status and code are as documented.
"""

from __future__ import annotations

import typing as t

from ..arm.resource import Json, Resource
from ..errors import ApiError, invalid_parameter, operation_not_allowed
from . import catalogue
from .capabilities import Capabilities, capabilities_of
from .catalogue import Image

if t.TYPE_CHECKING:
    from ..cloud import Cloud

SPOT_HELP = "For more information, see http://aka.ms/AzureSpot/errormessages"


def check_features(cloud: Cloud, vm: Resource, wanted: Json, image: Image | None) -> None:
    """Check every feature of a new machine.

    :raises ApiError: 400 or 409.
    """
    name = wanted["hardwareProfile"]["vmSize"]
    can = capabilities_of(catalogue.size_of(cloud, name))
    if image is not None and image.generation not in can.generations:
        raise wrong_generation(name, image.generation)
    supported = image.controllers if image is not None else can.controllers
    check_controller(name, can, supported, (wanted.get("storageProfile") or {}).get("diskControllerType"))
    _check_spot(wanted, name, can)
    security: Json = wanted.get("securityProfile") or {}
    check_security(cloud, security, name, can, image)
    _check_ephemeral(wanted, name, can, image, trusted=security.get("securityType") == "TrustedLaunch")


def wrong_generation(size: str, generation: str) -> ApiError:
    """Return 400: the size does not support the image's generation (Azure/azure-cli#24011)."""
    return ApiError(
        400,
        "BadRequest",
        f"The selected VM size '{size}' cannot boot Hypervisor Generation '{generation[1:]}'. If this was a Create "
        "operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the "
        "selected VM Size. If this was an Update operation please select a Hypervisor Generation "
        f"'{generation[1:]}' VM Size. For more information, see https://aka.ms/azuregen2vm",
    )


def check_controller(size: str, can: Capabilities, supported: t.Sequence[str], asked: str | None) -> None:
    """Refuse a size that cannot boot from the disk controllers of an image or disk.

    :param asked: the controller that the request demands.
    :raises ApiError: 400 (kubernetes-sigs/image-builder#1875, Azure/FederalAVD#20).
    """
    where = f"for the VM size '{size}'. Please query sku api at https://aka.ms/azure-compute-skus "
    where += " to determine supported disk controller types for the VM size."
    if asked and asked not in can.controllers:
        raise invalid_parameter(
            f"The VM size '{size}' cannot boot with DiskControllerType '{asked}'. Please check that the disk "
            f"controller type provided is one of the supported disk controller types {where}",
            "storageProfile.diskControllerType",
        )
    if not set(supported) & set(can.controllers) or (asked and asked not in supported):
        raise invalid_parameter(
            f"The VM size '{size}' cannot boot with OS image or disk. Please check that disk controller types "
            f"supported by the OS image or disk is one of the supported disk controller types {where}",
            "vmSize",
        )


def _check_spot(wanted: Json, name: str, can: Capabilities) -> None:
    """Check the options of a spot VM. The messages are those of "Error messages for Azure Spot Virtual Machines"."""
    spot = wanted.get("priority") in ("Spot", "Low")
    price = (wanted.get("billingProfile") or {}).get("maxPrice")
    if not spot and wanted.get("evictionPolicy"):
        raise operation_not_allowed(f"Eviction policy can be set only on Azure Spot Virtual Machines. {SPOT_HELP}")
    if not spot and price not in (None, -1):
        raise operation_not_allowed(f"Max price can be set only on Azure Spot Virtual Machines. {SPOT_HELP}")
    if spot and not can.spot:
        raise operation_not_allowed(f"The VM size '{name}' cannot be used for Azure Spot Virtual Machines. {SPOT_HELP}")
    if price is not None and price != -1 and price <= 0:
        raise operation_not_allowed(
            f"Invalid max price value. The only supported values are -1 or a decimal greater than zero. {SPOT_HELP}"
        )


def check_security(cloud: Cloud, security: Json, name: str, can: Capabilities, image: Image | None) -> None:
    """Trusted Launch and encryption at host."""
    trusted = security.get("securityType") == "TrustedLaunch"
    if security.get("uefiSettings") and not security.get("securityType"):
        raise invalid_parameter(
            "Use of UEFI settings is not supported without the property 'securityProfile.securityType'.",
            "securityProfile.uefiSettings",
        )
    if trusted and image is not None and not image.trusted_launch:
        raise ApiError(
            400,
            "BadRequest",
            "Use of TrustedLaunch setting is not supported for the provided image. Please select Trusted Launch "
            "Supported Gen2 OS Image. For more information, see https://aka.ms/TrustedLaunch-FAQ.",
        )
    if trusted and not can.trusted_launch:
        raise ApiError(
            400,
            "BadRequest",
            f"The VM size '{name}' is not supported for creation of VMs and Virtual Machine Scale Set with "
            "'TrustedLaunch' security type.",
        )
    if not security.get("encryptionAtHost"):
        return
    if not cloud.switches["encryption_at_host"]:
        raise invalid_parameter(
            "The property 'securityProfile.encryptionAtHost' is not valid because the "
            "'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription.",
            "securityProfile.encryptionAtHost",
        )
    if not can.encryption_at_host:
        raise invalid_parameter(
            f"The VM size '{name}' does not support encryption at host.", "securityProfile.encryptionAtHost"
        )


def _check_ephemeral(wanted: Json, name: str, can: Capabilities, image: Image | None, *, trusted: bool) -> None:
    """Check that an ephemeral OS disk fits into the cache, or onto the temporary disk, of the size."""
    disk: Json = (wanted.get("storageProfile") or {}).get("osDisk") or {}
    settings: Json = disk.get("diffDiskSettings") or {}
    if settings.get("option") != "Local":
        return
    if disk.get("caching") not in (None, "ReadOnly"):
        raise invalid_parameter("The OS disk of an ephemeral VM must have the caching 'ReadOnly'.", "osDisk.caching")
    if disk.get("deleteOption") == "Detach":
        raise invalid_parameter("An ephemeral OS disk cannot be detached.", "osDisk.deleteOption")
    if not can.ephemeral:
        raise operation_not_allowed(f"The VM size '{name}' does not support ephemeral OS disks.")
    if wanted.get("evictionPolicy") == "Deallocate":
        raise operation_not_allowed("The eviction policy 'Deallocate' is not supported with an ephemeral OS disk.")
    place = settings.get("placement") or ("CacheDisk" if can.cache_gib else "ResourceDisk")
    room = can.cache_gib if place == "CacheDisk" else can.temporary_gib
    # "Ephemeral OS disks" (learn.microsoft.com): Trusted Launch keeps 1 GiB of it for the guest's state.
    room -= int(trusted)
    size = disk.get("diskSizeGB") or (image.size_gb if image is not None else 30)
    if size > room:
        # cloudfoundry/bosh-azure-cpi-release#674
        raise ApiError(
            409,
            "NotSupported",
            f"OS disk of Ephemeral VM with size greater than {room} GB is not allowed for VM size {name} when the "
            f"DiffDiskPlacement is {place}. Please refer to https://aka.ms/Ephemeral for more details.",
        )


def is_ephemeral(vm: Resource) -> bool:
    """Return whether the OS disk is on the machine's own host."""
    disk = vm.properties["storageProfile"]["osDisk"]
    return (disk.get("diffDiskSettings") or {}).get("option") == "Local"
