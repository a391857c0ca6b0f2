# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of a virtual machine: what the service fills in, and how it is shown."""

from __future__ import annotations

import secrets
import typing as t

from ..arm.resource import Json, Resource
from .catalogue import Image
from .names import EXTENSION

if t.TYPE_CHECKING:
    from ..cloud import Cloud

SECRETS = ("adminPassword", "customData")
ORDER = (
    "hardwareProfile",
    "provisioningState",
    "vmId",
    "additionalCapabilities",
    "availabilitySet",
    "storageProfile",
    "osProfile",
    "securityProfile",
    "networkProfile",
    "diagnosticsProfile",
    "priority",
    "evictionPolicy",
    "billingProfile",
    "licenseType",
    "extensionsTimeBudget",
    "timeCreated",
)


def fill(vm: Resource, wanted: Json, image: Image | None, old: Json) -> Json:
    """The properties of a VM: those of a request, completed. Secrets are taken out before."""
    properties = {key: value for key, value in wanted.items() if value is not None}
    properties.pop("instanceView", None)
    properties["hardwareProfile"] = dict(properties.get("hardwareProfile") or old.get("hardwareProfile") or {})
    properties["storageProfile"] = storage(vm, properties.get("storageProfile") or {}, image, old.get("storageProfile"))
    profile = properties.get("osProfile") or old.get("osProfile")
    if profile is not None:
        properties["osProfile"] = os_profile(
            profile, old.get("osProfile") or {}, windows=properties["storageProfile"]["osDisk"]["osType"] == "Windows"
        )
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces")
    if interfaces is None:
        interfaces = old.get("networkProfile", {}).get("networkInterfaces", [])
    properties["networkProfile"] = {"networkInterfaces": [_interface(item) for item in interfaces]}
    for name in ("vmId", "timeCreated", "provisioningState"):
        if name in old:
            properties[name] = old[name]
    return properties


def _interface(item: Json) -> Json:
    inner = {key: value for key, value in (item.get("properties") or {}).items() if value is not None}
    return {"id": item["id"], **({"properties": inner} if inner else {})}


def os_profile(profile: Json, old: Json, *, windows: bool = False) -> Json:
    """``osProfile`` without its secrets, with what the service adds."""
    filled = {key: value for key, value in {**old, **profile}.items() if value is not None and key not in SECRETS}
    linux = filled.get("linuxConfiguration")
    if windows or "windowsConfiguration" in filled:
        given = dict(filled.get("windowsConfiguration") or {})
        filled["windowsConfiguration"] = {
            "provisionVMAgent": True,
            "enableAutomaticUpdates": True,
            **given,
            "patchSettings": {
                "patchMode": "AutomaticByOS",
                "assessmentMode": "ImageDefault",
                **(given.get("patchSettings") or {}),
            },
            "enableVMAgentPlatformUpdates": bool(given.get("enableVMAgentPlatformUpdates")),
        }
    elif linux is not None or "windowsConfiguration" not in filled:
        given = dict(linux or {})
        filled["linuxConfiguration"] = {
            "disablePasswordAuthentication": bool(given.pop("disablePasswordAuthentication", None)),
            **({"ssh": given.pop("ssh")} if given.get("ssh") else {}),
            "provisionVMAgent": given.pop("provisionVMAgent", True) is not False,
            "patchSettings": {
                "patchMode": "ImageDefault",
                "assessmentMode": "ImageDefault",
                **(given.pop("patchSettings", None) or {}),
            },
            "enableVMAgentPlatformUpdates": bool(given.pop("enableVMAgentPlatformUpdates", None)),
        }
    filled.setdefault("secrets", [])
    filled.setdefault("allowExtensionOperations", True)
    filled["requireGuestProvisionSignal"] = True
    return filled


def storage(vm: Resource, wanted: Json, image: Image | None, old: Json | None) -> Json:
    """``storageProfile``: the image's exact version, and names and sizes of the disks."""
    filled: Json = {}
    reference = wanted.get("imageReference") or (old or {}).get("imageReference")
    if reference is not None:
        filled["imageReference"] = {k: v for k, v in reference.items() if k != "exactVersion" and v is not None}
        exact = (old or {}).get("imageReference", {}).get("exactVersion") or (image.version if image else None)
        if exact and ("publisher" in reference or is_of_gallery(reference)):
            filled["imageReference"]["exactVersion"] = exact
    filled["osDisk"] = _os_disk(vm, wanted.get("osDisk") or {}, image, (old or {}).get("osDisk"))
    disks = wanted.get("dataDisks")
    if disks is None:
        disks = (old or {}).get("dataDisks", [])
    filled["dataDisks"] = [_data_disk(vm, disk, old or {}) for disk in disks]
    if wanted.get("diskControllerType"):
        filled["diskControllerType"] = wanted["diskControllerType"]
    return filled


def is_of_gallery(reference: Json) -> bool:
    """Whether a reference means an image of a gallery."""
    shared = reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId")
    return bool(shared) or "/galleries/" in str(reference.get("id", "")).lower()


def _os_disk(vm: Resource, wanted: Json, image: Image | None, old: Json | None) -> Json:
    given = {key: value for key, value in wanted.items() if value is not None and (key != "vhd" or value)}
    before = old or {}
    name = given.get("name") or before.get("name") or vm.hidden.get("osDiskName")
    if name is None:
        name = f"{vm.name}_OsDisk_1_{secrets.token_hex(16)}"
    vm.hidden["osDiskName"] = name
    managed = {"storageAccountType": "Standard_LRS"} | before.get("managedDisk", {}) | (given.get("managedDisk") or {})
    managed = {key: value for key, value in managed.items() if value is not None}
    managed.setdefault("storageAccountType", "Standard_LRS")
    local = given.get("diffDiskSettings") or before.get("diffDiskSettings")
    if local:
        given["diffDiskSettings"] = local
    filled: Json = {
        "osType": given.get("osType") or before.get("osType") or (image.os_type if image else "Linux"),
        "name": name,
        "createOption": _spelled(given.get("createOption") or before.get("createOption") or "FromImage"),
        **({"vhd": given["vhd"]} if given.get("vhd") else {}),
        "caching": given.get("caching") or before.get("caching") or "ReadWrite",
        **({} if given.get("vhd") else {"managedDisk": managed}),
        "deleteOption": given.get("deleteOption") or before.get("deleteOption") or ("Delete" if local else "Detach"),
    }
    size = given.get("diskSizeGB") or before.get("diskSizeGB") or (image.size_gb if image else 30)
    filled["diskSizeGB"] = size
    return {**{key: value for key, value in given.items() if key not in filled}, **filled}


def _data_disk(vm: Resource, wanted: Json, old: Json) -> Json:
    before: Json = next((d for d in old.get("dataDisks", []) if d["lun"] == wanted["lun"]), {})
    given = {key: value for key, value in wanted.items() if value is not None}
    managed = {**before.get("managedDisk", {}), **(given.get("managedDisk") or {})}
    name = given.get("name") or before.get("name")
    if name is None:
        id_ = managed.get("id")
        name = id_.rpartition("/")[2] if id_ else f"{vm.name}_disk{wanted['lun'] + 2}_{secrets.token_hex(16)}"
    return {
        "lun": wanted["lun"],
        "name": name,
        "createOption": _spelled(given.get("createOption", "Empty")),
        "caching": given.get("caching") or before.get("caching") or "None",
        **({"vhd": given["vhd"]} if given.get("vhd") else {}),
        "managedDisk": {"storageAccountType": "Standard_LRS", **managed},
        "deleteOption": given.get("deleteOption") or before.get("deleteOption") or "Detach",
        **({"diskSizeGB": size} if (size := given.get("diskSizeGB") or before.get("diskSizeGB")) else {}),
        "toBeDetached": bool(given.get("toBeDetached")),
    }


def _spelled(option: str) -> str:
    return {"fromimage": "FromImage", "attach": "Attach", "empty": "Empty", "copy": "Copy"}.get(option.lower(), option)


def without_details(properties: Json, api_version: str, hidden: Json) -> Json:
    """Properties as an api-version knows them, and as they are before the disks exist."""
    shown = {name: properties[name] for name in ORDER if name in properties}
    shown.update({name: value for name, value in properties.items() if name not in shown and name != "userData"})
    storage_: Json = dict(shown["storageProfile"])
    os_disk: Json = dict(storage_["osDisk"])
    if not hidden.get("disksReady"):
        managed = {k: v for k, v in (os_disk.get("managedDisk") or {}).items() if k != "id"}
        if "managedDisk" in os_disk and not hidden.get("osDiskGiven"):
            os_disk["managedDisk"] = managed
        if not hidden.get("osDiskNamed"):
            os_disk.pop("name", None)
        if "vhd" in os_disk:
            os_disk.pop("diskSizeGB", None)
    if api_version < "2021-03-01":
        os_disk.pop("deleteOption", None)
    storage_["osDisk"] = os_disk
    disks = [dict(disk) for disk in storage_["dataDisks"]]
    for disk in disks:
        if api_version < "2021-03-01":
            disk.pop("deleteOption", None)
        if api_version < "2019-07-01":
            disk.pop("toBeDetached", None)
    storage_["dataDisks"] = disks
    if api_version < "2019-12-01" and "imageReference" in storage_:
        storage_["imageReference"] = {k: v for k, v in storage_["imageReference"].items() if k != "exactVersion"}
    shown["storageProfile"] = storage_
    if "osProfile" in shown:
        shown["osProfile"] = _profile_of_version(shown["osProfile"], api_version)
    if api_version < "2021-11-01":
        shown.pop("timeCreated", None)
    return shown


def _profile_of_version(profile: Json, api_version: str) -> Json:
    shown = dict(profile)
    if api_version < "2018-06-01":
        shown.pop("allowExtensionOperations", None)
    if api_version < "2019-03-01":
        shown.pop("requireGuestProvisionSignal", None)
    windows = dict(shown.get("windowsConfiguration") or {})
    if windows:
        for name, since in (("patchSettings", "2020-06-01"), ("enableVMAgentPlatformUpdates", "2022-11-01")):
            if api_version < since:
                windows.pop(name, None)
        if "patchSettings" in windows and api_version < "2021-03-01":
            windows["patchSettings"] = {k: v for k, v in windows["patchSettings"].items() if k != "assessmentMode"}
        shown["windowsConfiguration"] = windows
    linux = dict(shown.get("linuxConfiguration") or {})
    if linux:
        for name, since in (
            ("provisionVMAgent", "2017-12-01"),
            ("patchSettings", "2020-12-01"),
            ("enableVMAgentPlatformUpdates", "2022-11-01"),
        ):
            if api_version < since:
                linux.pop(name, None)
        if "patchSettings" in linux and api_version < "2021-03-01":
            linux["patchSettings"] = {k: v for k, v in linux["patchSettings"].items() if k != "assessmentMode"}
        shown["linuxConfiguration"] = linux
    return shown


def render_vm(cloud: Cloud, vm: Resource, api_version: str, instance_view: Json | None = None) -> Json:
    """The body of a VM, with its extensions below ``resources``."""
    from .extensions import render_extension

    body: Json = {"name": vm.name, "id": vm.id, "type": vm.type, "location": vm.location}
    if vm.tags is not None:
        body["tags"] = vm.tags
    body.update(vm.top)
    if api_version >= "2024-07-01":
        body["etag"] = vm.etag
    properties = without_details(vm.properties, api_version, vm.hidden)
    if instance_view is not None:
        created = properties.pop("timeCreated", None)
        properties["instanceView"] = instance_view
        if created is not None:
            properties["timeCreated"] = created
    body["properties"] = properties
    extensions = cloud.store.children(vm.id, EXTENSION)
    if extensions:
        body["resources"] = [render_extension(extension) for extension in extensions]
    return body
