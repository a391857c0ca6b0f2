# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be changed of a virtual machine in place, and what that costs. Private to this collection.

Nothing here talks to Azure.
"""

from __future__ import annotations

import re

from ..._azure.resource_ids import same_id
from ..._azure.wire import Json, picked, properties_of
from ..._diff import Differences
from ..bodies.virtual_machine import encoded, identity_body, new_disk
from ..desired.host_spec import HostSpec
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
    wanted: HostSpec, layout: HostResources, tags: Json, actual: Json, user_data: str | None
) -> tuple[Json, Differences]:
    """The PATCH that changes what can be changed in place, and the differences that ask for it.

    :param user_data: the VM's user data (base64), if asked for.
    """
    found = Differences()
    body: Json = {}
    properties: Json = {}
    present = properties_of(actual)
    params = wanted.params
    if found.compare("tags", actual.get("tags") or {}, tags):
        body["tags"] = tags
    size = (present.get("hardwareProfile") or {}).get("vmSize")
    if wanted.vm_size and str(size).lower() != wanted.vm_size.lower():
        found.add("vm_size", size, wanted.vm_size)
        properties["hardwareProfile"] = {"vmSize": wanted.vm_size}
    if params["boot_diagnostics"] is not None:
        enabled = bool(((present.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}).get("enabled"))
        if found.compare("boot_diagnostics", enabled, params["boot_diagnostics"]):
            properties["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": params["boot_diagnostics"]}}
    license_type = params["license_type"]
    if license_type and found.compare("license_type", present.get("licenseType") or "None", license_type):
        properties["licenseType"] = license_type
    if params["user_data"] and user_data != encoded(params["user_data"]):
        found.add("user_data", "(not shown)", "(not shown)")
        properties["userData"] = encoded(params["user_data"])
    if params["vm_identity"]:
        _update_identity(found, body, wanted, layout.names, actual)
    _update_place(found, properties, wanted, layout.names, present)
    _update_security(found, properties, wanted, actual)
    _update_disks(found, properties, wanted, present)
    if properties:
        body["properties"] = properties
    return body, found


def _update_place(found: Differences, properties: Json, wanted: HostSpec, names: ResourceNames, present: Json) -> None:
    """Price and placement group."""
    option = "proximity_placement_group"
    if wanted.params[option]:
        before = (present.get("proximityPlacementGroup") or {}).get("id")
        asked = names.resolve(option, option, wanted.params[option])
        if not same_id(before, asked):
            found.add(option, before, asked)
            properties["proximityPlacementGroup"] = {"id": asked}
    price = wanted.params["max_price"]
    if price is not None:
        before = (present.get("billingProfile") or {}).get("maxPrice")
        if before is None or float(before) != float(price):
            found.add("max_price", before, price)
            properties["billingProfile"] = {"maxPrice": price}


def _update_security(found: Differences, properties: Json, wanted: HostSpec, actual: Json) -> None:
    asked = wanted.params["security_profile"] or {}
    present = properties_of(actual).get("securityProfile") or {}
    profile: Json = {}
    trusted = present.get("securityType") == "TrustedLaunch"
    if asked.get("security_type") == "TrustedLaunch" and not trusted and generation_of(actual) == "V2":
        found.add("security_profile.security_type", "Standard", "TrustedLaunch")
        settings = {"secureBootEnabled": "secure_boot_enabled", "vTpmEnabled": "v_tpm_enabled"}
        profile["securityType"] = "TrustedLaunch"
        profile["uefiSettings"] = {key: asked.get(option) is not False for key, option in settings.items()}
    elif trusted:
        settings = dict(present.get("uefiSettings") or {})
        before = dict(settings)
        for option, key in (("secure_boot_enabled", "secureBootEnabled"), ("v_tpm_enabled", "vTpmEnabled")):
            value = asked.get(option)
            if value is not None and found.compare(f"security_profile.{option}", bool(settings.get(key)), value):
                settings[key] = value
        if settings != before:
            profile.update(securityType="TrustedLaunch", uefiSettings=settings)
    at_host = asked.get("encryption_at_host")
    if at_host is not None and found.compare(
        "security_profile.encryption_at_host", bool(present.get("encryptionAtHost")), at_host
    ):
        profile["encryptionAtHost"] = at_host
    if profile:
        properties["securityProfile"] = profile


def _update_identity(found: Differences, body: Json, wanted: HostSpec, names: ResourceNames, actual: Json) -> None:
    asked = identity_body(wanted, names)
    present = actual.get("identity") or {}
    before = {
        "type": present.get("type") or "None",
        "ids": sorted(key.lower() for key in present.get("userAssignedIdentities") or {}),
    }
    after = {"type": asked["type"], "ids": sorted(key.lower() for key in asked.get("userAssignedIdentities") or {})}
    if found.compare("vm_identity", before, after):
        gone = {key: None for key in present.get("userAssignedIdentities") or {} if key.lower() not in after["ids"]}
        if gone and after["ids"]:
            asked["userAssignedIdentities"] = {**asked["userAssignedIdentities"], **gone}
        body["identity"] = asked


def _update_disks(found: Differences, properties: Json, wanted: HostSpec, present: Json) -> None:
    attached = (present.get("storageProfile") or {}).get("dataDisks") or []
    luns = {int(disk.get("lun", -1)) for disk in attached}
    caching: dict[int, str] = {}
    for disk, before in recached(wanted, present):
        caching[disk.lun] = str(disk.caching)
        found.add(f"data_disks[lun {disk.lun}].caching", before.get("caching") or "None", disk.caching)
    added = [disk for disk in wanted.data_disks if disk.lun not in luns]
    for disk in added:
        found.add(f"data_disks[lun {disk.lun}]", None, f"{disk.size_gb} GiB")
    if added or caching:
        kept = [_attached(disk, caching.get(int(disk["lun"]))) for disk in attached]
        properties["storageProfile"] = {"dataDisks": kept + [new_disk(disk) for disk in added]}


def _attached(disk: Json, caching: str | None) -> Json:
    """A disk that is there, as an update names it."""
    return {
        **picked(disk, ("lun", "name", "caching", "deleteOption", "writeAcceleratorEnabled")),
        **({"caching": caching} if caching else {}),
        "lun": disk["lun"],
        "createOption": "Attach",
        "managedDisk": picked(disk.get("managedDisk") or {}, ("id",)),
    }
