# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual machine in wire format, and how the one that is there differs from what is wanted.

Private to this collection. Nothing here talks to Azure.
"""

from __future__ import annotations

import base64
import copy
import typing as t
from dataclasses import dataclass

from .._differences import Difference, Differences
from .facts import Json
from .images import DEFAULT_IMAGE, Image, read_image
from .layout import Layout
from .names import Names, name_in, same_id
from .network import picked, properties_of
from .options import DEFAULT_SIZE
from .wanted import DataDisk, Wanted

SECRET_KEYS = ("adminPassword", "customData", "userData")
DEFAULT_DISK = "StandardSSD_LRS"


@dataclass(frozen=True)
class Trust:
    """What image and size allow.

    :param trusted_launch: both allow Trusted Launch.
    """

    trusted_launch: bool = False


def image_of(wanted: Wanted) -> Image:
    """The image of a new VM."""
    return wanted.image or read_image("image", DEFAULT_IMAGE)


def size_of(wanted: Wanted) -> str:
    """The size of a new VM."""
    return wanted.vm_size or DEFAULT_SIZE


def machine_body(
    wanted: Wanted, layout: Layout, location: str, tags: Json, ssh_keys: t.Sequence[str], trust: Trust
) -> Json:
    """The body that creates the VM. It holds secrets."""
    params = wanted.params
    kept = "Detach" if layout.is_given("network_interface") else "Delete"
    properties: Json = {
        "hardwareProfile": {"vmSize": size_of(wanted)},
        "storageProfile": {
            "imageReference": dict(image_of(wanted).reference),
            "osDisk": _os_disk(wanted),
            "dataDisks": [new_disk(disk) for disk in wanted.data_disks],
        },
        "osProfile": _os_profile(wanted, ssh_keys),
        "networkProfile": {
            "networkInterfaces": [
                {"id": layout.network_interface, "properties": {"primary": True, "deleteOption": kept}}
            ]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": params["boot_diagnostics"] is not False}},
    }
    properties.update(_placement(wanted, layout.names))
    security = _security(wanted, trust)
    if security:
        properties["securityProfile"] = security
    if params["user_data"]:
        properties["userData"] = encoded(params["user_data"])
    body: Json = {"location": location, "tags": tags, "properties": properties}
    if wanted.zone:
        body["zones"] = [wanted.zone]
    if wanted.plan:
        body["plan"] = dict(wanted.plan)
    if params["vm_identity"]:
        body["identity"] = identity_body(wanted, layout.names)
    return body


def _os_disk(wanted: Wanted) -> Json:
    disk: Json = {
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": wanted.params["managed_disk_type"] or DEFAULT_DISK},
    }
    if wanted.params["os_disk_size_gb"]:
        disk["diskSizeGB"] = wanted.params["os_disk_size_gb"]
    if wanted.params["ephemeral_os_disk"]:
        disk.update(caching="ReadOnly", diffDiskSettings={"option": "Local"})
        disk["managedDisk"] = {"storageAccountType": wanted.params["managed_disk_type"] or "Standard_LRS"}
    return disk


def new_disk(disk: DataDisk) -> Json:
    """An empty data disk that goes with the VM."""
    return {
        "lun": disk.lun,
        "createOption": "Empty",
        "diskSizeGB": disk.size_gb,
        "caching": disk.caching or "None",
        "managedDisk": {"storageAccountType": disk.kind or DEFAULT_DISK},
        "deleteOption": "Delete",
    }


def _os_profile(wanted: Wanted, ssh_keys: t.Sequence[str]) -> Json:
    linux: Json = {
        "disablePasswordAuthentication": not wanted.ssh_password_enabled,
        "provisionVMAgent": True,
    }
    if ssh_keys:
        path = f"/home/{wanted.user}/.ssh/authorized_keys"
        linux["ssh"] = {"publicKeys": [{"path": path, "keyData": key} for key in ssh_keys]}
    profile: Json = {
        "computerName": computer_name(wanted.name),
        "adminUsername": wanted.user,
        "linuxConfiguration": linux,
    }
    if wanted.admin_password:
        profile["adminPassword"] = wanted.admin_password
    data = custom_data(wanted)
    if data:
        profile["customData"] = encoded(data)
    return profile


def computer_name(name: str) -> str:
    """The host name inside the VM, made of what a host name may have."""
    return name.replace("_", "-").replace(".", "-")[:63].rstrip("-")


# A drop-in, since the image's own file may be replaced by an update. ssh.socket (Ubuntu) listens by itself on what its
# unit says; the drop-in moves it too, where it exists.
_SSH_PORT = """\
#cloud-config
write_files:
  - path: /etc/ssh/sshd_config.d/10-docker-host.conf
    content: |
      Port {port}
  - path: /etc/systemd/system/ssh.socket.d/10-docker-host.conf
    content: |
      [Socket]
      ListenStream=
      ListenStream={port}
runcmd:
  - [sh, -c, "systemctl daemon-reload; if systemctl is-enabled -q ssh.socket; then systemctl restart ssh.socket; fi"]
  - [sh, -c, "systemctl restart ssh 2>/dev/null || systemctl restart sshd"]
"""


def custom_data(wanted: Wanted) -> str | None:
    """The user's custom data, and the move of sshd to another port when asked, as cloud-init reads them."""
    own = wanted.params["custom_data"]
    if wanted.ssh_port == 22:
        return t.cast("str | None", own)
    move = _SSH_PORT.format(port=wanted.ssh_port)
    return move if not own else _multipart(move, own)


def _multipart(first: str, second: str) -> str:
    """Two parts in the MIME format that cloud-init takes. The same parts give the same text."""
    boundary = "==docker-host-part=="
    kind = "text/cloud-config" if second.lstrip().startswith("#cloud-config") else "text/x-shellscript"
    lines = [f'Content-Type: multipart/mixed; boundary="{boundary}"', "MIME-Version: 1.0", ""]
    for subtype, text in (("text/cloud-config", first), (kind, second)):
        lines += [f"--{boundary}", f'Content-Type: {subtype}; charset="utf-8"', ""]
        if subtype == "text/cloud-config":
            lines[-1:] = ["Merge-Type: list(append)+dict(no_replace,recurse_list)+str()", ""]
        lines.append(text.rstrip("\n"))
    lines += [f"--{boundary}--", ""]
    return "\n".join(lines)


def encoded(text: str) -> str:
    """Base64, as Azure wants custom data and user data."""
    return base64.b64encode(text.encode()).decode("ascii")


def _placement(wanted: Wanted, names: Names) -> Json:
    params = wanted.params
    properties: Json = {}
    for option, key in (
        ("availability_set", "availabilitySet"),
        ("proximity_placement_group", "proximityPlacementGroup"),
    ):
        if params[option]:
            properties[key] = {"id": names.resolve(option, option, params[option])}
    if params["priority"] == "Spot":
        properties["priority"] = "Spot"
        properties["evictionPolicy"] = params["eviction_policy"] or (
            "Delete" if params["ephemeral_os_disk"] else "Deallocate"
        )
        properties["billingProfile"] = {"maxPrice": -1 if params["max_price"] is None else params["max_price"]}
    if params["license_type"]:
        properties["licenseType"] = params["license_type"]
    return properties


def _security(wanted: Wanted, trust: Trust) -> Json:
    asked = wanted.params["security_profile"] or {}
    profile: Json = {}
    kind = asked.get("security_type") or ("TrustedLaunch" if trust.trusted_launch else None)
    if kind == "TrustedLaunch":
        profile["securityType"] = kind
        profile["uefiSettings"] = {
            "secureBootEnabled": asked.get("secure_boot_enabled", True),
            "vTpmEnabled": asked.get("v_tpm_enabled", True),
        }
    elif kind:
        profile["securityType"] = kind
    if asked.get("encryption_at_host") is not None:
        profile["encryptionAtHost"] = asked["encryption_at_host"]
    return profile


def identity_body(wanted: Wanted, names: Names) -> Json:
    """The VM's identity."""
    asked = wanted.params["vm_identity"]
    body: Json = {"type": asked["type"]}
    given = asked["user_assigned_identities"] or []
    if given:
        option = "vm_identity.user_assigned_identities"
        body["userAssignedIdentities"] = {names.resolve(option, "identity", text): {} for text in given}
    return body


def immutable_differences(wanted: Wanted, layout: Layout, actual: Json) -> list[Difference]:
    """What Azure cannot change in place: each property, what is, and what was asked."""
    found = Differences()
    params = wanted.params
    properties = properties_of(actual)
    os_profile = properties.get("osProfile") or {}
    if wanted.location:
        found.compare("location", actual.get("location"), wanted.location)
    if wanted.zone:
        found.compare("zone", next(iter(actual.get("zones") or []), None), wanted.zone)
    reference = (properties.get("storageProfile") or {}).get("imageReference") or {}
    if wanted.image and not wanted.image.matches(reference):
        found.add("image", shown_image(reference), str(wanted.image))
    if wanted.admin_username:
        found.compare("admin_username", os_profile.get("adminUsername"), wanted.admin_username)
    if wanted.ssh_public_keys:
        _compare_keys(found, wanted, os_profile)
    if params["ssh_password_enabled"] is not None:
        linux = os_profile.get("linuxConfiguration") or {}
        actual_enabled = not linux.get("disablePasswordAuthentication", False)
        found.compare("ssh_password_enabled", actual_enabled, params["ssh_password_enabled"])
    _compare_placement(found, wanted, layout, properties)
    _compare_security(found, wanted, properties)
    _compare_disks(found, wanted, properties)
    return found.entries


def shown_image(reference: t.Mapping[str, t.Any]) -> str:
    """An image reference as a URN or id."""
    if reference.get("publisher"):
        return ":".join(str(reference.get(key, "")) for key in ("publisher", "offer", "sku", "version"))
    return str(reference.get("id") or reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId"))


def _compare_keys(found: Differences, wanted: Wanted, os_profile: Json) -> None:
    keys = ((os_profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []
    # The comment at a key's end does not matter.
    present = {" ".join(str(key.get("keyData", "")).split()[:2]) for key in keys}
    asked = {" ".join(key.split()[:2]) for key in wanted.ssh_public_keys}
    if present and present != asked:
        found.add("ssh_public_keys", sorted(present), sorted(asked))


def _compare_placement(found: Differences, wanted: Wanted, layout: Layout, properties: Json) -> None:
    params = wanted.params
    for option, key in (
        ("availability_set", "availabilitySet"),
        ("proximity_placement_group", "proximityPlacementGroup"),
    ):
        if params[option]:
            asked = layout.names.resolve(option, option, params[option])
            present = (properties.get(key) or {}).get("id")
            if not same_id(present, asked):
                found.add(option, present, asked)
    if params["priority"]:
        found.compare("priority", properties.get("priority") or "Regular", params["priority"])
    if params["eviction_policy"]:
        found.compare("eviction_policy", properties.get("evictionPolicy"), params["eviction_policy"])
    if params["max_price"] is not None:
        present = (properties.get("billingProfile") or {}).get("maxPrice")
        if present is None or float(present) != float(params["max_price"]):
            found.add("max_price", present, params["max_price"])
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
    present_ids = [entry.get("id") for entry in interfaces]
    if not any(same_id(entry, layout.network_interface) for entry in present_ids):
        found.add("network_interface", present_ids, layout.network_interface)


def _compare_security(found: Differences, wanted: Wanted, properties: Json) -> None:
    asked = wanted.params["security_profile"] or {}
    present = properties.get("securityProfile") or {}
    if asked.get("security_type"):
        found.compare(
            "security_profile.security_type", present.get("securityType") or "Standard", asked["security_type"]
        )
    if asked.get("encryption_at_host") is not None:
        found.compare(
            "security_profile.encryption_at_host", bool(present.get("encryptionAtHost")), asked["encryption_at_host"]
        )


def _compare_disks(found: Differences, wanted: Wanted, properties: Json) -> None:
    storage = properties.get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    if wanted.params["managed_disk_type"]:
        kind = (os_disk.get("managedDisk") or {}).get("storageAccountType")
        if kind:
            found.compare("managed_disk_type", kind, wanted.params["managed_disk_type"])
    if wanted.params["ephemeral_os_disk"] is not None:
        found.compare("ephemeral_os_disk", bool(os_disk.get("diffDiskSettings")), wanted.params["ephemeral_os_disk"])
    size, asked = os_disk.get("diskSizeGB"), wanted.params["os_disk_size_gb"]
    if size and asked and asked < size:
        found.add("os_disk_size_gb", size, asked)
    present = {int(disk.get("lun", -1)): disk for disk in storage.get("dataDisks") or []}
    for disk in wanted.data_disks:
        before = present.get(disk.lun)
        if before is None:
            continue
        if before.get("diskSizeGB") and before["diskSizeGB"] > disk.size_gb:
            found.add(f"data_disks[lun {disk.lun}].disk_size_gb", before["diskSizeGB"], disk.size_gb)
        kind = (before.get("managedDisk") or {}).get("storageAccountType")
        if disk.kind and kind and kind != disk.kind:
            found.add(f"data_disks[lun {disk.lun}].managed_disk_type", kind, disk.kind)


@dataclass(frozen=True)
class Growth:
    """A managed disk that is to become larger (GiB)."""

    disk_id: str
    before: int
    after: int


def growths(wanted: Wanted, actual: Json) -> tuple[list[Growth], list[Growth]]:
    """The OS disk, and the data disks, that are to grow."""
    storage = properties_of(actual).get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    wishes = [(os_disk, wanted.params["os_disk_size_gb"] or 0)]
    present = {int(disk.get("lun", -1)): disk for disk in storage.get("dataDisks") or []}
    wishes += [(present[disk.lun], disk.size_gb) for disk in wanted.data_disks if disk.lun in present]
    grown: list[list[Growth]] = [[], []]
    for place, (disk, size) in enumerate(wishes):
        disk_id, before = (disk.get("managedDisk") or {}).get("id"), disk.get("diskSizeGB")
        if disk_id and before and size > before:
            grown[min(place, 1)].append(Growth(str(disk_id), int(before), size))
    return grown[0], grown[1]


def with_disk_sizes(actual: Json, disks: t.Sequence[Json]) -> Json:
    """The VM with the sizes that its managed disks really have."""
    sizes = {str(disk.get("id")).lower(): properties_of(disk).get("diskSizeGB") for disk in disks}
    found = copy.deepcopy(actual)
    storage = properties_of(found).get("storageProfile") or {}
    for disk in [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]:
        size = sizes.get(str((disk.get("managedDisk") or {}).get("id")).lower())
        if size:
            disk["diskSizeGB"] = size
    return found


def update_body(
    wanted: Wanted, layout: Layout, tags: Json, actual: Json, user_data: str | None
) -> tuple[Json, Differences]:
    """The PATCH that changes what can be changed in place, and the differences that ask for it."""
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
    if params["license_type"] and found.compare("license_type", present.get("licenseType"), params["license_type"]):
        properties["licenseType"] = params["license_type"]
    if params["user_data"] and user_data != encoded(params["user_data"]):
        found.add("user_data", "(not shown)", "(not shown)")
        properties["userData"] = encoded(params["user_data"])
    if params["vm_identity"]:
        _update_identity(found, body, wanted, layout.names, actual)
    _update_disks(found, properties, wanted, present)
    if properties:
        body["properties"] = properties
    return body, found


def _update_identity(found: Differences, body: Json, wanted: Wanted, names: Names, actual: Json) -> None:
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


def _update_disks(found: Differences, properties: Json, wanted: Wanted, present: Json) -> None:
    attached = (present.get("storageProfile") or {}).get("dataDisks") or []
    luns = {int(disk.get("lun", -1)) for disk in attached}
    added = [disk for disk in wanted.data_disks if disk.lun not in luns]
    for disk in added:
        found.add(f"data_disks[lun {disk.lun}]", None, f"{disk.size_gb} GiB")
    if added:
        kept = [
            {
                **picked(disk, ("lun", "name", "caching", "deleteOption", "writeAcceleratorEnabled")),
                "lun": disk["lun"],
                "createOption": "Attach",
                "managedDisk": picked(disk.get("managedDisk") or {}, ("id",)),
            }
            for disk in attached
        ]
        properties["storageProfile"] = {"dataDisks": kept + [new_disk(disk) for disk in added]}


def without_secrets(body: t.Any) -> t.Any:
    """A copy of a body with secret values replaced, to be shown in a diff."""
    if isinstance(body, t.Mapping):
        return {key: "(not shown)" if key in SECRET_KEYS else without_secrets(value) for key, value in body.items()}
    if isinstance(body, list):
        return [without_secrets(item) for item in body]
    return body


def disk_name(growth: Growth) -> str:
    """A disk's name."""
    return name_in(growth.disk_id)
