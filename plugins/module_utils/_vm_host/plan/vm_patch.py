# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that Azure makes to a virtual machine in place, and whether they stop or restart it.

Nothing here talks to Azure.
"""

from __future__ import annotations

import re

from ..._azure.resource_ids import same_id
from ..._azure.wire import Json, dig, picked, properties_of
from ..._diff import Differences
from ..bodies.virtual_machine import encoded, identity_body, new_disk
from ..desired.host_spec import HostSpec
from ..desired.options import DEFAULT_PRICE, SecurityProfile, VmIdentity
from ..desired.resource_names import ResourceNames
from ..desired.topology import HostResources
from .disks import recached
from .immutable import generation_of

# What Azure changes only while the VM is deallocated. Encryption at host, Trusted Launch: "End-to-end encryption using
# encryption at host", "Enable Trusted launch on existing Azure Gen2 VMs" (learn.microsoft.com). Price and placement
# group: what Azure answers to a VM that is allocated ("Max price change is not allowed when the VM is currently
# allocated", "Updating proximity placement group of VM is not allowed while the VM is running").
DEALLOCATED = frozenset(
    (
        "security_profile.encryption_at_host",
        "security_profile.security_type",
        "max_price",
        "proximity_placement_group",
    )
)
# Another caching of a data disk detaches it for a moment ("Azure premium storage: design for high performance"), which
# a running engine would not survive.
RECACHED = re.compile(r"data_disks\[lun \d+\]\.caching")
# What makes Azure restart a running VM ("Trusted launch: Verify or update your settings").
RESTARTED = frozenset(("vm_size", "security_profile.secure_boot_enabled", "security_profile.v_tpm_enabled"))
# What depends on the size that the VM has, or gets.
SIZE_MATTERS = frozenset(
    (
        "vm_size",
        "managed_disk_type",
        "enable_accelerated_networking",
        "security_profile.security_type",
        "security_profile.encryption_at_host",
    )
)


def update_body(
    desired: HostSpec, resources: HostResources, tags: Json, current: Json, user_data: str | None
) -> tuple[Json, Differences]:
    """Return the PATCH with all changes that Azure makes in place, and the differences that require it.

    :param user_data: the VM's user data (base64), if it was read.
    """
    changes = Differences()
    body: Json = {}
    properties: Json = {}
    if changes.compare("tags", current.get("tags") or {}, tags):
        body["tags"] = tags
    if desired.identity:
        _update_identity(changes, body, desired.identity, resources.names, current)
    _update_settings(changes, properties, desired, properties_of(current))
    if desired.user_data and user_data != encoded(desired.user_data.encode()):
        changes.add("user_data", "(not shown)", "(not shown)")
        properties["userData"] = encoded(desired.user_data.encode())
    if "user_data" in desired.reset and user_data:
        changes.add("user_data", "(not shown)", None)
        # "az vm update --user-data": an empty text deletes it.
        properties["userData"] = ""
    _update_place(changes, properties, desired, resources.names, properties_of(current))
    _update_security(changes, properties, desired, current)
    _update_disks(changes, properties, desired, properties_of(current))
    if properties:
        body["properties"] = properties
    return body, changes


def _update_settings(changes: Differences, properties: Json, desired: HostSpec, current: Json) -> None:
    """Add the changes of size, boot diagnostics and license.

    :param current: the VM's properties.
    """
    size = dig(current, "hardwareProfile", "vmSize")
    if desired.vm_size and str(size).lower() != desired.vm_size.lower():
        changes.add("vm_size", size, desired.vm_size)
        properties["hardwareProfile"] = {"vmSize": desired.vm_size}
    if desired.boot_diagnostics is not None:
        enabled = bool(dig(current, "diagnosticsProfile", "bootDiagnostics", "enabled"))
        if changes.compare("boot_diagnostics", enabled, desired.boot_diagnostics):
            properties["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": desired.boot_diagnostics}}
    license_type = desired.license_type
    if license_type and changes.compare("license_type", current.get("licenseType") or "None", license_type):
        properties["licenseType"] = license_type


def _update_place(
    changes: Differences, properties: Json, desired: HostSpec, names: ResourceNames, current: Json
) -> None:
    """Add the changes of the spot price and the placement group."""
    option, group = "proximity_placement_group", desired.proximity_placement_group
    if group:
        before = (current.get("proximityPlacementGroup") or {}).get("id")
        asked = names.resolve(option, option, group)
        if not same_id(before, asked):
            changes.add(option, before, asked)
            properties["proximityPlacementGroup"] = {"id": asked}
    price, before = desired.spot.max_price, (current.get("billingProfile") or {}).get("maxPrice")
    if "max_price" in desired.reset and before is not None:
        price = DEFAULT_PRICE
    if price is not None and (before is None or float(before) != float(price)):
        changes.add("max_price", before, price)
        properties["billingProfile"] = {"maxPrice": price}


def _update_security(changes: Differences, properties: Json, desired: HostSpec, current: Json) -> None:
    current_profile = properties_of(current).get("securityProfile") or {}
    profile: Json = {}
    trusted = current_profile.get("securityType") == "TrustedLaunch"
    asked = _default_security(trusted) if "security_profile" in desired.reset else desired.security
    if asked.security_type == "TrustedLaunch" and not trusted and generation_of(current) == "V2":
        changes.add("security_profile.security_type", "Standard", "TrustedLaunch")
        keys = {"secureBootEnabled": "secure_boot_enabled", "vTpmEnabled": "v_tpm_enabled"}
        profile["securityType"] = "TrustedLaunch"
        profile["uefiSettings"] = {key: asked.firmware[option] is not False for key, option in keys.items()}
    elif trusted:
        settings = dict(current_profile.get("uefiSettings") or {})
        before = dict(settings)
        for option, key in (("secure_boot_enabled", "secureBootEnabled"), ("v_tpm_enabled", "vTpmEnabled")):
            value = asked.firmware[option]
            if value is not None and changes.compare(f"security_profile.{option}", bool(settings.get(key)), value):
                settings[key] = value
        if settings != before:
            profile.update(securityType="TrustedLaunch", uefiSettings=settings)
    at_host = asked.encryption_at_host
    if at_host is not None and changes.compare(
        "security_profile.encryption_at_host", bool(current_profile.get("encryptionAtHost")), at_host
    ):
        profile["encryptionAtHost"] = at_host
    if profile:
        properties["securityProfile"] = profile


def _default_security(trusted: bool) -> SecurityProfile:
    """Return the settings that a new VM has. The security type, which depends on the image, stays."""
    firmware = True if trusted else None
    return SecurityProfile(secure_boot_enabled=firmware, v_tpm_enabled=firmware, encryption_at_host=False)


def _update_identity(
    changes: Differences, body: Json, identity: VmIdentity, names: ResourceNames, current: Json
) -> None:
    asked = identity_body(identity, names)
    current_identity = current.get("identity") or {}
    before = {
        "type": current_identity.get("type") or "None",
        "ids": sorted(key.lower() for key in current_identity.get("userAssignedIdentities") or {}),
    }
    after = {"type": asked["type"], "ids": sorted(key.lower() for key in asked.get("userAssignedIdentities") or {})}
    if changes.compare("vm_identity", before, after):
        gone = {
            key: None for key in current_identity.get("userAssignedIdentities") or {} if key.lower() not in after["ids"]
        }
        if gone and after["ids"]:
            asked["userAssignedIdentities"] = {**asked["userAssignedIdentities"], **gone}
        body["identity"] = asked


def _update_disks(changes: Differences, properties: Json, desired: HostSpec, current: Json) -> None:
    attached = (current.get("storageProfile") or {}).get("dataDisks") or []
    luns = {int(disk.get("lun", -1)) for disk in attached}
    caching: dict[int, str] = {}
    for disk, before in recached(desired, current):
        caching[disk.lun] = str(disk.caching)
        changes.add(f"data_disks[lun {disk.lun}].caching", before.get("caching") or "None", disk.caching)
    added = [disk for disk in desired.data_disks if disk.lun not in luns]
    for disk in added:
        changes.add(f"data_disks[lun {disk.lun}]", None, f"{disk.size_gb} GiB")
    if added or caching:
        kept = [_attached(disk, caching.get(int(disk["lun"]))) for disk in attached]
        properties["storageProfile"] = {"dataDisks": kept + [new_disk(disk) for disk in added]}


def _attached(disk: Json, caching: str | None) -> Json:
    """Return the entry of an existing disk in an update."""
    return {
        **picked(disk, ("lun", "name", "caching", "deleteOption", "writeAcceleratorEnabled")),
        **({"caching": caching} if caching else {}),
        "lun": disk["lun"],
        "createOption": "Attach",
        "managedDisk": picked(disk.get("managedDisk") or {}, ("id",)),
    }
