# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of a virtual machine: what the service fills in, and how it is shown."""

from __future__ import annotations

import secrets
import typing as t

from ..arm.history import without_newer
from ..arm.resource import Json, Resource
from .capabilities import default_controller
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
    """Return the properties of a VM: those of a request, completed. The caller removes secrets."""
    properties = {key: value for key, value in wanted.items() if value is not None}
    properties.pop("instanceView", None)
    properties["hardwareProfile"] = dict(properties.get("hardwareProfile") or old.get("hardwareProfile") or {})
    stored = storage(vm, properties.get("storageProfile") or {}, image, old.get("storageProfile"))
    if "diskControllerType" not in stored and image is not None and image.generation == "V2":
        stored["diskControllerType"] = default_controller(str(properties["hardwareProfile"].get("vmSize")))
    properties["storageProfile"] = stored
    profile = properties.get("osProfile") or old.get("osProfile")
    if profile is not None:
        properties["osProfile"] = os_profile(
            profile, old.get("osProfile") or {}, windows=properties["storageProfile"]["osDisk"]["osType"] == "Windows"
        )
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces")
    if interfaces is None:
        interfaces = old.get("networkProfile", {}).get("networkInterfaces", [])
    options = {
        item["id"].lower(): (item.get("properties") or {}).get("deleteOption")
        for item in old.get("networkProfile", {}).get("networkInterfaces", [])
    }
    properties["networkProfile"] = {
        "networkInterfaces": [_interface(item, options.get(item["id"].lower())) for item in interfaces]
    }
    for name in ("vmId", "timeCreated", "provisioningState"):
        if name in old:
            properties[name] = old[name]
    return properties


def _interface(item: Json, delete_option: str | None) -> Json:
    """Return the reference to an interface. A PUT that leaves the delete option out keeps it."""
    inner = {key: value for key, value in (item.get("properties") or {}).items() if value is not None}
    if delete_option:
        inner.setdefault("deleteOption", delete_option)
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
    controller = wanted.get("diskControllerType") or (old or {}).get("diskControllerType")
    return {**filled, **({"diskControllerType": controller} if controller else {})}


def is_of_gallery(reference: Json) -> bool:
    """Return whether a reference means an image of a gallery."""
    shared = reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId")
    return bool(shared) or "/galleries/" in str(reference.get("id", "")).lower()


DATA_DISK: Json = {"createOption": "Empty", "caching": "None", "deleteOption": "Detach"}
DISK_MEMBERS = ("osType", "name", "createOption", "caching", "deleteOption", "diskSizeGB")
"""Members of a disk that the service fills in: of the request, else as before, else a default."""
NOT_KEPT = ("detachOption", "vhd", "managedDisk", "osType")
"""Members of a data disk that say how to attach or detach it, that are looked at by themselves, or that it lacks."""


def _os_disk(vm: Resource, wanted: Json, image: Image | None, old: Json | None) -> Json:
    given = {key: value for key, value in wanted.items() if value is not None and (key != "vhd" or value)}
    before = old or {}
    local = given.get("diffDiskSettings") or before.get("diffDiskSettings")
    attached = str((given.get("managedDisk") or {}).get("id") or "").rpartition("/")[2]
    name = vm.hidden.get("osDiskName") or attached or f"{vm.name}_OsDisk_1_{secrets.token_hex(16)}"
    defaults: Json = {
        "osType": image.os_type if image else "Linux",
        "name": name,
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete" if local else "Detach",
        **({} if attached else {"diskSizeGB": image.size_gb if image else 30}),
    }
    filled = _first(DISK_MEMBERS, given, before, defaults)
    vm.hidden["osDiskName"] = filled["name"]
    filled["createOption"] = _spelled(filled["createOption"])
    if local:
        filled["diffDiskSettings"] = local
    if "vhd" not in given:
        filled["managedDisk"] = _managed(before, given)
    return {**{key: value for key, value in given.items() if key not in filled}, **filled}


def _first(names: t.Iterable[str], *sources: Json) -> Json:
    """Return the first value that one of the sources has for each member."""
    found = {name: next((source[name] for source in sources if source.get(name)), None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _managed(before: Json, given: Json) -> Json:
    """Return ``managedDisk``: its previous members, overridden by those of the request."""
    merged = {**(before.get("managedDisk") or {}), **(given.get("managedDisk") or {})}
    return {"storageAccountType": "Standard_LRS", **{key: value for key, value in merged.items() if value is not None}}


def _data_disk(vm: Resource, wanted: Json, old: Json) -> Json:
    before: Json = next((d for d in old.get("dataDisks", []) if d["lun"] == wanted["lun"]), {})
    given = {key: value for key, value in wanted.items() if value is not None and (key != "vhd" or value)}
    managed = _managed(before, given)
    disk_id = managed.get("id")
    name = disk_id.rpartition("/")[2] if disk_id else f"{vm.name}_disk{wanted['lun'] + 2}_{secrets.token_hex(16)}"
    filled = _first(DISK_MEMBERS, {**given, "osType": None}, before, {**DATA_DISK, "name": name})
    filled["createOption"] = _spelled(given.get("createOption", "Empty"))
    rest = {name: value for name, value in given.items() if name not in (*filled, *NOT_KEPT)}
    return {
        "lun": wanted["lun"],
        **rest,
        **filled,
        **({"vhd": given["vhd"]} if "vhd" in given else {"managedDisk": managed}),
        "toBeDetached": bool(given.get("toBeDetached")),
    }


def _spelled(option: str) -> str:
    return {"fromimage": "FromImage", "attach": "Attach", "empty": "Empty", "copy": "Copy"}.get(option.lower(), option)


INTRODUCED = {
    "timeCreated": "2021-11-01",
    "storageProfile.imageReference.exactVersion": "2019-12-01",
    "storageProfile.diskControllerType": "2022-08-01",
    "storageProfile.osDisk.deleteOption": "2021-03-01",
    "storageProfile.dataDisks[].deleteOption": "2021-03-01",
    "storageProfile.dataDisks[].toBeDetached": "2019-07-01",
    "osProfile.allowExtensionOperations": "2018-06-01",
    "osProfile.requireGuestProvisionSignal": "2019-03-01",
    "osProfile.linuxConfiguration.provisionVMAgent": "2017-12-01",
    "osProfile.linuxConfiguration.patchSettings": "2020-06-01",
    "osProfile.linuxConfiguration.patchSettings.assessmentMode": "2021-03-01",
    "osProfile.linuxConfiguration.enableVMAgentPlatformUpdates": "2022-11-01",
    "osProfile.windowsConfiguration.patchSettings": "2020-06-01",
    "osProfile.windowsConfiguration.patchSettings.assessmentMode": "2021-03-01",
    "osProfile.windowsConfiguration.enableVMAgentPlatformUpdates": "2022-11-01",
}
"""The api-version since which answers show a property."""


def shown_properties(vm: Resource, api_version: str) -> Json:
    """Return the properties that an api-version shows, in the service's order, and without what is not made yet."""
    ordered = {name: vm.properties[name] for name in ORDER if name in vm.properties}
    rest = {name: value for name, value in vm.properties.items() if name not in ordered and name != "userData"}
    shown = without_newer({**ordered, **rest}, INTRODUCED, api_version)
    storage_ = shown["storageProfile"]
    if not vm.hidden.get("disksReady"):
        _hide_what_is_not_made(storage_["osDisk"], vm.hidden)
        for disk in storage_["dataDisks"]:
            if disk["lun"] not in vm.hidden.get("namedDisks", ()):
                disk.pop("name", None)
    if vm.hidden.get("power") == "deallocated":
        for disk in [storage_["osDisk"], *storage_["dataDisks"]]:
            _hide_while_deallocated(disk)
    return shown


def _hide_while_deallocated(disk: Json) -> None:
    """Hide what answers do not show of a deallocated machine's managed disks (16 of 16 recordings)."""
    if "managedDisk" in disk:
        disk.pop("diskSizeGB", None)
        disk["managedDisk"].pop("storageAccountType", None)


def _hide_what_is_not_made(os_disk: Json, hidden: Json) -> None:
    if "managedDisk" in os_disk and not hidden.get("osDiskGiven"):
        os_disk["managedDisk"].pop("id", None)
    if not hidden.get("osDiskNamed"):
        os_disk.pop("name", None)
    if "vhd" in os_disk:
        os_disk.pop("diskSizeGB", None)


def render_vm(cloud: Cloud, vm: Resource, api_version: str, instance_view: Json | None = None) -> Json:
    """Return the body of a VM, with its extensions below ``resources``."""
    from .extensions import EXTENSIONS

    body: Json = {"name": vm.name, "id": vm.id, "type": vm.type, "location": vm.location}
    if vm.tags is not None:
        body["tags"] = vm.tags
    body.update(vm.top)
    if api_version >= "2024-07-01":
        body["etag"] = vm.etag
    properties = shown_properties(vm, api_version)
    if instance_view is not None:
        created = properties.pop("timeCreated", None)
        properties["instanceView"] = instance_view
        if created is not None:
            properties["timeCreated"] = created
    body["properties"] = properties
    extensions = cloud.store.children(vm.id, EXTENSION)
    if extensions:
        body["resources"] = [EXTENSIONS.render(extension) for extension in extensions]
    return body
