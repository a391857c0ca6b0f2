# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual machine in wire format.

Private to this collection. Nothing here talks to Azure.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass

from ..._azure.wire import Json
from ..argument_spec import DEFAULT_DISK
from ..desired.custom_data import assemble_custom_data
from ..desired.host_spec import HostSpec
from ..desired.image_reference import DEFAULT_IMAGE, Image, read_image
from ..desired.options import DataDisk, VmIdentity
from ..desired.resource_names import ResourceNames
from ..desired.topology import HostResources
from ..desired.vm_sizes import default_sizes

# Keys of any body of a request. The URL of a webhook contains its key.
SECRET_KEYS = ("adminPassword", "customData", "userData", "webhookUrl")


@dataclass(frozen=True)
class Findings:
    """What the checks before the first change found out for a VM that is new or gets another size.

    :param vm_size: its size, None if it was not checked.
    :param trusted_launch: image and size allow Trusted Launch.
    :param notes: things to warn of.
    :param accelerated_networking: whether image and size allow accelerated networking, None if that is unknown.
    """

    vm_size: str | None = None
    trusted_launch: bool = False
    notes: tuple[str, ...] = ()
    accelerated_networking: bool | None = None


def image_of(desired: HostSpec) -> Image:
    """Return the image of a new VM."""
    return desired.image or read_image("image", DEFAULT_IMAGE)


def size_of(desired: HostSpec) -> str:
    """Return the size of a new VM, as far as the options alone decide it."""
    return desired.vm_size or default_sizes(image_of(desired))[0]


def machine_body(
    desired: HostSpec,
    resources: HostResources,
    location: str,
    tags: Json,
    ssh_keys: t.Sequence[str],
    findings: Findings,
) -> Json:
    """Return the body that creates the VM. It contains secrets."""
    kept = "Detach" if resources.is_given("network_interface") else "Delete"
    properties: Json = {
        "hardwareProfile": {"vmSize": findings.vm_size or size_of(desired)},
        "storageProfile": {
            "imageReference": dict(image_of(desired).reference),
            "osDisk": _os_disk(desired),
            "dataDisks": [new_disk(disk) for disk in desired.data_disks],
        },
        "osProfile": _os_profile(desired, ssh_keys),
        "networkProfile": {
            "networkInterfaces": [
                {"id": resources.network_interface, "properties": {"primary": True, "deleteOption": kept}}
            ]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": desired.boot_diagnostics is not False}},
    }
    properties.update(_placement(desired, resources.names))
    security = _security(desired, findings)
    if security:
        properties["securityProfile"] = security
    if desired.user_data:
        properties["userData"] = encoded(desired.user_data.encode())
    body: Json = {"location": location, "tags": tags, "properties": properties}
    if desired.zone:
        body["zones"] = [desired.zone]
    if desired.plan:
        body["plan"] = dict(desired.plan)
    if desired.identity:
        body["identity"] = identity_body(desired.identity, resources.names)
    return body


def _os_disk(desired: HostSpec) -> Json:
    disk: Json = {
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": desired.os_disk.kind or DEFAULT_DISK},
    }
    if desired.os_disk.size_gb:
        disk["diskSizeGB"] = desired.os_disk.size_gb
    if desired.os_disk.ephemeral:
        disk.update(caching="ReadOnly", diffDiskSettings={"option": "Local"})
        disk["managedDisk"] = {"storageAccountType": desired.os_disk.kind or "Standard_LRS"}
    return disk


def new_disk(disk: DataDisk) -> Json:
    """Return an empty data disk that is deleted with the VM."""
    return {
        "lun": disk.lun,
        "createOption": "Empty",
        "diskSizeGB": disk.size_gb,
        "caching": disk.caching or "None",
        "managedDisk": {"storageAccountType": disk.kind or DEFAULT_DISK},
        "deleteOption": "Delete",
    }


def _os_profile(desired: HostSpec, ssh_keys: t.Sequence[str]) -> Json:
    linux: Json = {
        "disablePasswordAuthentication": desired.admin_password is None,
        "provisionVMAgent": True,
    }
    if ssh_keys:
        path = f"/home/{desired.user}/.ssh/authorized_keys"
        linux["ssh"] = {"publicKeys": [{"path": path, "keyData": key} for key in ssh_keys]}
    profile: Json = {
        "computerName": computer_name(desired.name),
        "adminUsername": desired.user,
        "linuxConfiguration": linux,
    }
    if desired.admin_password:
        profile["adminPassword"] = desired.admin_password
    data = assemble_custom_data(desired.custom_data, desired.ssh_port, desired.boot_script)
    if data:
        profile["customData"] = encoded(data)
    return profile


def computer_name(name: str) -> str:
    """Return the host name inside the VM, from the characters that a host name may have."""
    return name.replace("_", "-").replace(".", "-")[:63].rstrip("-")


def encoded(data: bytes) -> str:
    """Return data in Base64, as Azure requires for custom data and user data."""
    return base64.b64encode(data).decode("ascii")


def _placement(desired: HostSpec, names: ResourceNames) -> Json:
    properties: Json = {}
    for option, key, reference in (
        ("availability_set", "availabilitySet", desired.availability_set),
        ("proximity_placement_group", "proximityPlacementGroup", desired.proximity_placement_group),
    ):
        if reference:
            properties[key] = {"id": names.resolve(option, option, reference)}
    if desired.spot.is_spot:
        properties["priority"] = "Spot"
        properties["evictionPolicy"] = desired.spot.eviction_policy or (
            "Delete" if desired.os_disk.ephemeral else "Deallocate"
        )
        properties["billingProfile"] = {"maxPrice": -1 if desired.spot.max_price is None else desired.spot.max_price}
    if desired.license_type and desired.license_type != "None":
        properties["licenseType"] = desired.license_type
    return properties


def _security(desired: HostSpec, findings: Findings) -> Json:
    desired_profile = desired.security
    profile: Json = {}
    trusted = findings.trusted_launch or any(desired_profile.firmware.values())
    if (desired_profile.security_type or ("TrustedLaunch" if trusted else None)) == "TrustedLaunch":
        profile["securityType"] = "TrustedLaunch"
        profile["uefiSettings"] = {
            "secureBootEnabled": desired_profile.secure_boot_enabled is not False,
            "vTpmEnabled": desired_profile.v_tpm_enabled is not False,
        }
    # Standard has no name of its own in this version of the API: it is what a VM has without one.
    if desired_profile.encryption_at_host is not None:
        profile["encryptionAtHost"] = desired_profile.encryption_at_host
    return profile


def identity_body(identity: VmIdentity, names: ResourceNames) -> Json:
    """Return the VM's identity."""
    body: Json = {"type": identity.kinds}
    if identity.user_assigned:
        option = "vm_identity.user_assigned_identities"
        ids = [names.resolve(option, "identity", text) for text in identity.user_assigned]
        body["userAssignedIdentities"] = {resource_id: {} for resource_id in ids}
    return body


def without_secrets(body: t.Any) -> t.Any:
    """Return a copy of a body with secret values replaced, for a diff."""
    if isinstance(body, t.Mapping):
        return {key: "(not shown)" if key in SECRET_KEYS else without_secrets(value) for key, value in body.items()}
    if isinstance(body, list):
        return [without_secrets(item) for item in body]
    return body
