# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the compute provider refuses in a change of a virtual machine."""

from __future__ import annotations

import copy
import re
import typing as t

from ..arm.resource import Json, Resource
from ..errors import ApiError, invalid_parameter, operation_not_allowed
from . import catalogue, sources
from .capabilities import capabilities_of
from .checks import check_acceleration, check_disks, check_interfaces, check_quota, check_size, has_acceleration
from .features import check_controller, check_security
from .placement import check_placement_group

if t.TYPE_CHECKING:
    from ..cloud import Cloud

LICENSES = re.compile(r"None|(RHEL|SLES|UBUNTU)(_[A-Z0-9]+)*|Windows_(Client|Server)")
SPOT = ("spot", "low")
"""Two names of one priority: Low is the older one."""
UNCHANGEABLE = (
    ("storageProfile", "imageReference", "publisher"),
    ("storageProfile", "imageReference", "offer"),
    ("storageProfile", "imageReference", "sku"),
    ("storageProfile", "osDisk", "createOption"),
    ("osProfile", "adminUsername"),
    ("osProfile", "computerName"),
    ("osProfile", "linuxConfiguration", "disablePasswordAuthentication"),
    ("osProfile", "linuxConfiguration", "provisionVMAgent"),
    ("osProfile", "linuxConfiguration", "ssh", "publicKeys"),
    ("osProfile", "customData"),
    ("availabilitySet", "id"),
    ("priority",),
    ("evictionPolicy",),
    ("storageProfile", "osDisk", "diffDiskSettings", "option"),
    ("storageProfile", "imageReference", "id"),
    ("storageProfile", "imageReference", "sharedGalleryImageId"),
    ("storageProfile", "imageReference", "communityGalleryImageId"),
)


def check_update(cloud: Cloud, vm: Resource, wanted: Json, body: Json) -> None:
    """Refuse changes of immutable properties.

    :raises ApiError: 409 PropertyChangeNotAllowed, or what a new size runs into.
    """
    if "zones" in body and (body["zones"] or []) != vm.top.get("zones", []):
        raise _unchangeable("zones")
    _check_unchangeable(vm, wanted)
    _check_allocated(vm, wanted)
    if not LICENSES.fullmatch(wanted.get("licenseType") or "None"):
        raise invalid_parameter(f"The license type {wanted['licenseType']} is invalid.", "licenseType")
    for name, check in CHECKS.items():
        if wanted.get(name) is not None:
            check(cloud, vm, wanted)


def _check_unchangeable(vm: Resource, wanted: Json) -> None:
    for path in UNCHANGEABLE:
        new = _at(wanted, path)
        old = vm.hidden.get("customData") if path[-1] == "customData" else _at(vm.properties, path)
        attached = path[-1] == "createOption" and old is not None and new == "attach"
        if path == ("priority",):
            new, old = (SPOT if str(value).lower() in SPOT else value for value in (new, old))
        if new is not None and _plain(new) != _plain(old) and not attached:
            raise _unchangeable("customData" if path[-1] == "customData" else _property(path))


def _check_placement(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    if wanted["proximityPlacementGroup"].get("id"):
        check_placement_group(cloud, wanted["proximityPlacementGroup"]["id"], vm)


def _check_hardware(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    if resized(vm, wanted):
        size = wanted["hardwareProfile"]["vmSize"]
        check_size(cloud, vm, size)
        check_quota(cloud, vm, catalogue.size_of(cloud, size).vcpus)
        _check_boots(cloud, vm, wanted, size)
        if has_acceleration(cloud, vm.properties["networkProfile"]["networkInterfaces"]):
            check_acceleration(cloud, vm, size)


def _check_boots(cloud: Cloud, vm: Resource, wanted: Json, size: str) -> None:
    """Refuse a size that cannot boot the machine's disk: its generation, or its disk controller."""
    can = capabilities_of(catalogue.size_of(cloud, size))
    asked = _at(wanted, ("storageProfile", "diskControllerType"))
    present = _at(vm.properties, ("storageProfile", "diskControllerType")) or "SCSI"
    check_controller(size, can, (asked or present,), asked)


def _check_network(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    check_interfaces(cloud, vm, wanted)
    _check_interface_change(vm, wanted)


def _check_storage(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    check_disks(cloud, vm, wanted["storageProfile"])


def _check_allocated(vm: Resource, wanted: Json) -> None:
    """Refuse what can only be changed while the machine is deallocated (Java SDK records of 2020-10)."""
    if vm.hidden.get("power") == "deallocated":
        return
    price = _at(wanted, ("billingProfile", "maxPrice"))
    if price is not None and price != _at(vm.properties, ("billingProfile", "maxPrice")):
        more = "For more information, see http://aka.ms/AzureSpot/errormessages"
        detail = {
            "code": "OperationNotAllowed",
            "message": f"Max price change is not allowed when the VM '{vm.name}' is currently allocated. Please "
            f"deallocate and try again. {more}",
            "target": vm.name,
        }
        raise ApiError(409, "OperationNotAllowed", f"Max price change is not allowed. {more}", details=[detail])
    if "proximityPlacementGroup" in wanted:
        new, old = (_at(p, ("proximityPlacementGroup", "id")) for p in (wanted, vm.properties))
        if _plain(new) != _plain(old):
            raise operation_not_allowed(
                f"Updating proximity placement group of VM {vm.name} is not allowed while the VM is running. Please "
                "stop/deallocate the VM and retry the operation."
            )


def _check_security(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    """Refuse changes of the security profile that are impossible, or impossible at present.

    "Enable Trusted launch on existing Azure Gen2 VMs" and "End-to-end encryption using encryption at host"
    (learn.microsoft.com): the machine must be deallocated; other ways lead to a new machine.
    """
    asked: Json = wanted.get("securityProfile") or {}
    present: Json = vm.properties.get("securityProfile") or {}
    deallocated = vm.hidden.get("power") == "deallocated"
    at_host = asked.get("encryptionAtHost")
    if at_host is not None and at_host != bool(present.get("encryptionAtHost")) and not deallocated:
        name = "securityProfile.encryptionAtHost"
        raise ApiError(
            409, "OperationNotAllowed", f"{name} can be updated only when VM is in deallocated state.", target=name
        )
    kind = asked.get("securityType")
    if kind is not None and kind != present.get("securityType"):
        image = sources.image_of(cloud, vm, vm.properties["storageProfile"].get("imageReference") or {})
        second = image is not None and image.generation == "V2"
        if present.get("securityType") or kind != "TrustedLaunch" or not second:
            raise _unchangeable("securityProfile.securityType")
        if not deallocated:
            name = "securityProfile.securityType"
            raise ApiError(
                409, "OperationNotAllowed", f"{name} can be updated only when VM is in deallocated state.", target=name
            )
    size = _at(wanted, ("hardwareProfile", "vmSize")) or vm.properties["hardwareProfile"]["vmSize"]
    can = capabilities_of(catalogue.size_of(cloud, size))
    check_security(cloud, {**present, **asked}, size, can, None)


def _check_interface_change(vm: Resource, wanted: Json) -> None:
    new = {item["id"].lower() for item in wanted["networkProfile"]["networkInterfaces"]}
    old = {item["id"].lower() for item in vm.properties["networkProfile"]["networkInterfaces"]}
    if new != old and vm.hidden.get("power") != "deallocated":
        raise operation_not_allowed(
            f"Network interfaces cannot be added to or removed from VM '{vm.name}' while it is allocated. Please "
            "stop/deallocate the VM and retry the operation."
        )


CHECKS: t.Mapping[str, t.Callable[[Cloud, Resource, Json], None]] = {
    "proximityPlacementGroup": _check_placement,
    "securityProfile": _check_security,
    "hardwareProfile": _check_hardware,
    "networkProfile": _check_network,
    "storageProfile": _check_storage,
}
"""What else is checked, by the property that a request changes; in the service's order."""


def _property(path: tuple[str, ...]) -> str:
    return {"publisher": "imageReference", "offer": "imageReference", "sku": "imageReference"}.get(
        path[-1], "linuxConfiguration.ssh.publicKeys" if path[-1] == "publicKeys" else path[-1]
    )


def _unchangeable(name: str) -> ApiError:
    return ApiError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name)


def _at(data: Json, path: tuple[str, ...]) -> t.Any:
    value: t.Any = data
    for name in path:
        value = (value or {}).get(name)
    return value


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return value.strip().lower()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def resized(vm: Resource, wanted: Json) -> bool:
    """Return whether a request asks for another size."""
    new = _at(wanted, ("hardwareProfile", "vmSize"))
    return new is not None and str(new).lower() != vm.properties["hardwareProfile"]["vmSize"].lower()


def firmware_changes(vm: Resource, wanted: Json) -> bool:
    """Return whether a request asks for other settings of the firmware."""
    path = ("securityProfile", "uefiSettings")
    new = _at(wanted, path)
    return new is not None and new != _at(vm.properties, path)


def merged(old: Json, new: Json) -> Json:
    """Apply a PATCH: objects are merged, everything else is replaced."""
    result = copy.deepcopy(old)
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        elif value is not None:
            result[name] = value
    return result
