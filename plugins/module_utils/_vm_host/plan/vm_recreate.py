# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a virtual machine again whose last operation failed. Pure.

Other operations fail too, not only the creation: a VM that has worked for years is ``Failed`` after a start, a resize
or an update that Azure could not complete. Only what the options name may change in it.
"""

from __future__ import annotations

import copy
import typing as t

from ..._azure.wire import Json, properties_of
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.options import OsDiskOptions

# Properties that only Azure writes (VirtualMachine of the Compute API: readOnly).
_READ_ONLY = ("vmId", "timeCreated", "instanceView", "provisioningState")
# Members of a VM, and the options that decide on each.
_DECIDED: t.Mapping[str, tuple[str, ...]] = {
    "hardwareProfile": ("vm_size",),
    "availabilitySet": ("availability_set",),
    "proximityPlacementGroup": ("proximity_placement_group",),
    "priority": ("priority",),
    "evictionPolicy": ("priority", "eviction_policy"),
    "billingProfile": ("priority", "max_price"),
    "licenseType": ("license_type",),
    "securityProfile": ("security_profile",),
    "diagnosticsProfile": ("boot_diagnostics",),
}


def was_provisioned(current: HostState) -> bool:
    """Return whether a VM was provisioned successfully once, so that only a later operation can have failed.

    A VM that is being created gets its disk first. If its agent has reported, or if it could be deallocated, it was
    provisioned.
    """
    properties = properties_of(current.virtual_machine)
    agent = (properties.get("instanceView") or {}).get("vmAgent") or {}
    ready = any(status.get("code") == "ProvisioningState/succeeded" for status in agent.get("statuses") or [])
    return _has_disk(properties) and (ready or current.power_state == "deallocated")


def recreated_body(desired: HostSpec, body: Json, current: Json) -> Json:
    """Return the body that creates a VM again: its former settings, replaced by those that the options set.

    :param body: the body by the options alone.
    :param current: the VM in wire format.
    """
    properties = body["properties"]
    before = {key: value for key, value in properties_of(current).items() if key not in _READ_ONLY}
    _keep_properties(desired, properties, before)
    if before.get("osProfile", {}).get("adminUsername"):
        properties["osProfile"]["adminUsername"] = before["osProfile"]["adminUsername"]
    if desired.boot_script:
        # Azure keeps the custom data of the first attempt, and refuses any other, such as with a newer setup program.
        properties["osProfile"].pop("customData", None)
    _keep_storage(desired, properties["storageProfile"], before.get("storageProfile") or {})
    for name, asked in (("zones", desired.zone), ("plan", desired.plan), ("identity", desired.identity)):
        if not asked and current.get(name):
            body[name] = _identity(current[name]) if name == "identity" else copy.deepcopy(current[name])
    return body


def _keep_properties(desired: HostSpec, properties: Json, before: Json) -> None:
    """Keep the settings that no option sets, apart from disks, user and network."""
    for name, options in _DECIDED.items():
        if not desired.explicit.intersection(options) and name in before:
            properties[name] = copy.deepcopy(before[name])
    for name, value in before.items():
        if name not in (*_DECIDED, "storageProfile", "osProfile", "networkProfile"):
            properties.setdefault(name, copy.deepcopy(value))


def _keep_storage(desired: HostSpec, storage: Json, before: Json) -> None:
    """Keep existing disks unchanged; the next run changes them."""
    reference = {key: value for key, value in (before.get("imageReference") or {}).items() if key != "exactVersion"}
    if not desired.image and reference:
        storage["imageReference"] = reference
    disk = before.get("osDisk")
    if disk and (_is_made(disk) or desired.os_disk == OsDiskOptions()):
        storage["osDisk"] = copy.deepcopy(disk)
    known = {entry["lun"]: entry for entry in before.get("dataDisks") or []}
    new = {entry["lun"]: entry for entry in storage["dataDisks"] if not _is_made(known.get(entry["lun"]) or {})}
    storage["dataDisks"] = [copy.deepcopy(entry) for _lun, entry in sorted({**known, **new}.items())]


def _has_disk(properties: Json) -> bool:
    return _is_made((properties.get("storageProfile") or {}).get("osDisk") or {})


def _is_made(disk: Json) -> bool:
    return bool((disk.get("managedDisk") or {}).get("id"))


def _identity(current: Json) -> Json:
    body: Json = {"type": current["type"]}
    if current.get("userAssignedIdentities"):
        body["userAssignedIdentities"] = {name: {} for name in current["userAssignedIdentities"]}
    return body
