# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the compute provider refuses before it starts anything."""

from __future__ import annotations

import base64
import re
import typing as t

from ..arm.resource import Json, Resource
from ..errors import ApiError, invalid_parameter, network_error, operation_not_allowed
from ..network.names import NIC, PUBLIC_IP
from ..network.public_ips import check_zone
from . import catalogue
from .capabilities import capabilities_of
from .catalogue import Image
from .features import check_features
from .names import DISK, VM
from .placement import check_placement
from .sources import check_image, is_specialized

if t.TYPE_CHECKING:
    from ..cloud import Cloud

MOST_CUSTOM_DATA = 87380
BANNED_USERS = frozenset(
    (
        "administrator",
        "admin",
        "user",
        "user1",
        "test",
        "user2",
        "test1",
        "user3",
        "admin1",
        "1",
        "123",
        "a",
        "actuser",
        "adm",
        "admin2",
        "aspnet",
        "backup",
        "console",
        "david",
        "guest",
        "john",
        "owner",
        "root",
        "server",
        "sql",
        "support",
        "support_388945a0",
        "sys",
        "test2",
        "test3",
        "user4",
        "user5",
    )
)
BANNED_PASSWORDS = frozenset(
    (
        "abc@123",
        "iloveyou!",
        "P@$$w0rd",
        "P@ssw0rd",
        "P@ssword123",
        "Pa$$word",
        "pass@word1",
        "Password!",
        "Password1",
        "Password22",
    )
)
MOST_CACHED = 4095
HOST_NAME_RULE = (
    "Linux host name cannot exceed 64 characters in length or contain the following characters: "
    "` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?."
)
SSH_KEY = re.compile(r"^(ssh-rsa|ssh-ed25519|-----BEGIN|MII|---- BEGIN)")
NAME = re.compile(r"^[^\\/\"'\[\]:|<>+=;,?*@&_\s][^\\/\"'\[\]:|<>+=;,?*@&\s]{0,63}$")


def check_new_vm(cloud: Cloud, vm: Resource, wanted: Json) -> Image | None:
    """Return all that must be right before a VM is created.

    :returns: the image, if the VM is created from one.
    :raises ApiError: 400, 404 or 409, as the provider words it.
    """
    _check_name(vm.name)
    size = (wanted.get("hardwareProfile") or {}).get("vmSize")
    if not size:
        raise _missing("vmSize" if wanted.get("hardwareProfile") else "hardwareProfile")
    check_size(cloud, vm, size)
    storage: Json = wanted.get("storageProfile") or {}
    if not storage:
        raise _missing("storageProfile")
    image = check_image(cloud, vm, storage)
    os_disk = storage.get("osDisk") or {}
    attached = str(os_disk.get("createOption", "")).lower() == "attach"
    if not attached:
        _check_profile(cloud, vm, wanted)
    elif wanted.get("osProfile"):
        raise invalid_parameter("Parameter 'osProfile' is not allowed.", "osProfile")
    check_interfaces(cloud, vm, wanted)
    _check_os_disk_size(os_disk, image)
    check_disks(cloud, vm, storage)
    check_features(cloud, vm, wanted, image)
    check_placement(cloud, vm, wanted)
    check_quota(cloud, vm, catalogue.size_of(cloud, size).vcpus)
    return image


def _check_profile(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    """Require an ``osProfile`` of a machine whose image is generalized; a specialized one has users of its own."""
    if wanted.get("osProfile"):
        check_os_profile(wanted["osProfile"])
    elif not is_specialized(cloud, vm, wanted["storageProfile"].get("imageReference") or {}):
        raise _missing("osProfile")


def _missing(name: str) -> ApiError:
    return invalid_parameter(f"Required parameter '{name}' is missing (null).", name)


def _check_name(name: str) -> None:
    if not NAME.match(name) or name.endswith((".", "-")):
        raise ApiError(
            400,
            "InvalidParameter",
            f"The entity name '{name}' is invalid according to its validation rule: "
            "^[^_\\W][\\w-._]{0,79}(?<![-.])$.",
            target="name",
        )


def check_size(cloud: Cloud, vm: Resource, size: str) -> None:
    """Refuse an unknown size, and one without capacity."""
    if size.lower() not in catalogue.SIZES and size.lower() not in {s.lower() for s in cloud.switches["extra_sizes"]}:
        raise invalid_parameter(
            f"The value {size} provided for the VM size is not valid. The valid sizes in the current region are: "
            f"{','.join(s.name for s in catalogue.SIZES.values())}. Find out more on the valid VM sizes in each region "
            "at https://aka.ms/azure-regions.",
            "vmSize",
        )
    if catalogue.is_restricted(cloud, size):
        raise ApiError(
            409,
            "SkuNotAvailable",
            f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size}' is "
            f"currently not available in location '{vm.location}'. Please try another size or deploy to a different "
            "location or different zone. See https://aka.ms/azureskunotavailable for details.",
        )


def cores_in_use(cloud: Cloud, vm: Resource) -> int:
    """Return the number of cores of the other allocated VMs in the region."""
    return sum(
        catalogue.size_of(cloud, other.properties["hardwareProfile"]["vmSize"]).vcpus
        for other in cloud.store.of_type(VM, f"/subscriptions/{vm.subscription}")
        if other.location == vm.location and other.key != vm.key and other.hidden.get("power") != "deallocated"
    )


def check_quota(cloud: Cloud, vm: Resource, cores: int) -> None:
    """Refuse a VM that needs more cores than the quota leaves.

    :raises ApiError: 409 OperationNotAllowed (cloud-barista/cb-spider#1558).
    """
    limit = int(cloud.switches["cores_quota"])
    used = cores_in_use(cloud, vm)
    if used + cores > limit:
        raise operation_not_allowed(
            "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. "
            f"Additional details - Deployment Model: Resource Manager, Location: {vm.location}, Current Limit: "
            f"{limit}, "
            f"Current Usage: {used}, Additional Required: {cores}, (Minimum) New Limit Required: {used + cores}. "
            "Submit "
            "a request for Quota increase by specifying parameters listed in the 'Details' section for deployment to "
            "succeed."
        )


def check_os_profile(profile: Json) -> None:
    """Check computer name, user name, password, and the way to sign in."""
    name = profile.get("computerName")
    if not name:
        raise _missing("osProfile.computerName")
    if len(name) > 64 or re.search(r"[`~!@#$%^&*()=+_\[\]{}\\|;:'\",<>/?.]", name):
        raise invalid_parameter(HOST_NAME_RULE, "computerName")
    user = profile.get("adminUsername")
    if not user:
        raise _missing("osProfile.adminUsername")
    if user.lower() in BANNED_USERS:
        raise invalid_parameter("The Admin Username specified is not allowed.", "adminUsername")
    _check_custom_data(profile.get("customData") or "")
    _check_sign_in(profile, user)


def _check_custom_data(data: str) -> None:
    """Check as in Azure/aks-engine issue 1663: 65,535 bytes before Base64."""
    try:
        base64.b64decode("".join(data.split()), validate=True)
    except ValueError:
        is_encoded = False
    else:
        is_encoded = True
    if not is_encoded or len(data) > MOST_CUSTOM_DATA:
        raise invalid_parameter(
            f"Custom data in OSProfile must be in Base64 encoding and with a maximum length of {MOST_CUSTOM_DATA} "
            "characters.",
            "customData",
        )


def _check_sign_in(profile: Json, user: str) -> None:
    linux: Json = profile.get("linuxConfiguration") or {}
    keys = (linux.get("ssh") or {}).get("publicKeys") or []
    password = profile.get("adminPassword")
    if linux.get("disablePasswordAuthentication"):
        if not keys:
            raise invalid_parameter(
                "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
                "linuxConfiguration",
            )
    elif not password:
        raise _missing("adminPassword")
    if password is not None:
        _check_password(password, (8, 123) if "windowsConfiguration" in profile else (6, 72))
    for key in keys:
        _check_key(key, user)


def _check_password(password: str, length: tuple[int, int]) -> None:
    """Check the service's own limits (the portal's and the CLI's are narrower)."""
    classes = sum(bool(re.search(p, password)) for p in (r"[A-Z]", r"[a-z]", r"[0-9]", r"[^A-Za-z0-9]"))
    if password in BANNED_PASSWORDS:
        raise invalid_parameter("The Admin Password specified is not allowed.", "adminPassword")
    if not length[0] <= len(password) <= length[1] or classes < 3 or re.search(r"[\x00-\x1f]", password):
        raise invalid_parameter(
            f"The supplied password must be between {length[0]}-{length[1]} characters long and must satisfy at least "
            "3 of password complexity requirements from the following:\r\n1) Contains an uppercase character\r\n2) "
            "Contains a lowercase character\r\n3) Contains a numeric digit\r\n4) Contains a special character\r\n5) "
            "Control characters are not allowed",
            "adminPassword",
        )


def _check_key(key: Json, user: str) -> None:
    path = f"/home/{user}/.ssh/authorized_keys"
    if key.get("path") != path:
        raise invalid_parameter(
            f"Destination path for SSH public keys is currently limited to its default value {path} due to a known "
            "issue in Linux provisioning agent.",
            "linuxConfiguration.ssh.publicKeys.path",
        )
    if not SSH_KEY.match(key.get("keyData") or ""):
        raise invalid_parameter(
            "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
            "linuxConfiguration.ssh.publicKeys.keyData",
        )


def check_interfaces(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    """Refuse interfaces that do not exist, are not ready, or belong to another machine."""
    references = (wanted.get("networkProfile") or {}).get("networkInterfaces") or []
    if not references:
        raise _missing("networkProfile")
    primaries = [r for r in references if (r.get("properties") or {}).get("primary")]
    if len(references) > 1 and len(primaries) != 1:
        raise network_error(
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            f"Virtual machine {vm.name} must have one network interface set as the primary.",
        )
    for reference in references:
        if not reference.get("id"):
            raise _missing("networkInterface.id")
        _check_interface(cloud, vm, reference["id"])
    size = (wanted.get("hardwareProfile") or vm.properties["hardwareProfile"])["vmSize"]
    if has_acceleration(cloud, references):
        check_acceleration(cloud, vm, size)


def has_acceleration(cloud: Cloud, references: t.Iterable[Json]) -> bool:
    """Return whether one of the interfaces has accelerated networking."""
    nics = [cloud.store.get(reference["id"]) for reference in references]
    return any(nic is not None and nic.properties.get("enableAcceleratedNetworking") for nic in nics)


def check_acceleration(cloud: Cloud, vm: Resource, size: str) -> None:
    """Refuse accelerated networking with a size that lacks it (code and words: Azure/azure-cli#12858).

    :raises ApiError: 400.
    """
    if capabilities_of(catalogue.size_of(cloud, size)).accelerated_networking:
        return
    able = [s.name for s in catalogue.SIZES.values() if capabilities_of(s).accelerated_networking]
    raise ApiError(
        400,
        "VMSizeIsNotPermittedToEnableAcceleratedNetworking",
        f"Virtual machine {vm.id} has size {size}, which is not compatible with enabling accelerated networking on "
        f"network interface(s) on the VM. Compatible VM sizes: {', '.join(able)}",
    )


def _check_interface(cloud: Cloud, vm: Resource, id_: str) -> None:
    nic = cloud.store.get(id_)
    if nic is None or nic.type != NIC or nic.location != vm.location:
        raise network_error(
            "InvalidResourceReference",
            f"Resource {id_} referenced by resource {vm.id} was not found. Please make sure that the referenced "
            "resource exists, and that both resources are in the same region.",
        )
    if nic.provisioning_state in ("Updating", "Deleting"):
        from ..network.common import not_provisioned

        raise not_provisioned(cloud, nic, vm.id)
    owner = nic.hidden.get("virtualMachine", "")
    if owner in cloud.store and owner.lower() != vm.key:
        raise network_error("NicInUse", f"Network Interface {nic.id} is used by existing resource {owner}.")
    for target, _shown in nic.refs:
        address = cloud.store.get(target)
        if address is not None and address.type == PUBLIC_IP:
            check_zone(address, vm)


def _check_os_disk_size(disk: Json, image: Image | None) -> None:
    """Refuse an OS disk that is smaller than its image (words and status: skypilot-org/skypilot#2219)."""
    size = disk.get("diskSizeGB")
    if size and image is not None and size < image.size_gb:
        raise ApiError(
            409,
            "OperationNotAllowed",
            f"The specified disk size {size} GB is smaller than the size of the corresponding disk in the VM image: "
            f"{image.size_gb} GB. This is not allowed. Please choose equal or greater size or do not specify an "
            "explicit size.",
            target="osDisk.diskSizeGB",
        )


def _check_caching(cloud: Cloud, disk: Json) -> None:
    resource = cloud.store.get((disk.get("managedDisk") or {}).get("id") or "")
    size = (resource.properties.get("diskSizeGB") if resource is not None else None) or disk.get("diskSizeGB") or 0
    if disk.get("caching") not in (None, "None") and size > MOST_CACHED:
        raise cache_too_large()


def cache_too_large() -> ApiError:
    """400, as reported in kubernetes-sigs/azuredisk-csi-driver#3072."""
    return ApiError(
        400,
        "BadRequest",
        f"Only Disk CachingType 'None' is supported for disk with size greater than {MOST_CACHED} GB.",
    )


def check_disks(cloud: Cloud, vm: Resource, storage: Json) -> None:
    """Refuse disks that do not exist or belong to another machine, and two on one LUN."""
    luns: set[int] = set()
    for disk in storage.get("dataDisks") or []:
        if disk.get("lun") is None:
            raise _missing("dataDisk.lun")
        if disk["lun"] in luns:
            raise invalid_parameter(
                f"The value '{disk['lun']}' of parameter 'dataDisk.lun' is already in use by another disk.",
                "dataDisk.lun",
            )
        luns.add(disk["lun"])
    os_disk = storage.get("osDisk") or {}
    for disk in [os_disk, *(storage.get("dataDisks") or [])]:
        _check_caching(cloud, disk)
        id_ = (disk.get("managedDisk") or {}).get("id")
        if not id_ or disk.get("diffDiskSettings"):
            continue
        resource = cloud.store.get(id_)
        if resource is None or resource.type != DISK:
            raise ApiError(404, "NotFound", f"Disk {id_.rpartition('/')[2]} is not found.", target="disk")
        owner = resource.hidden.get("managedBy", "")
        if owner in cloud.store and owner.lower() != vm.key:
            raise operation_not_allowed(
                f"Cannot attach data disk '{resource.name}' to VM '{vm.name}' because the disk is already owned by VM "
                f"'{owner}'."
            )


def references(vm: Resource) -> list[tuple[str, str]]:
    """Return what a VM uses: its interfaces, its disks, and its placement."""
    found = [(item["id"], vm.id) for item in vm.properties["networkProfile"]["networkInterfaces"]]
    storage: Json = vm.properties["storageProfile"]
    for disk in [storage["osDisk"], *storage["dataDisks"]]:
        id_ = (disk.get("managedDisk") or {}).get("id")
        if id_:
            found.append((id_, vm.id))
    for name in ("availabilitySet", "proximityPlacementGroup"):
        id_ = (vm.properties.get(name) or {}).get("id")
        if id_:
            found.append((id_, vm.id))
    return found
