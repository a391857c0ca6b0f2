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
from ..argument_spec import DEFAULT_SIZE
from ..desired.host_spec import DataDisk, HostSpec
from ..desired.image_reference import DEFAULT_IMAGE, Image, read_image
from ..desired.resource_names import ResourceNames
from ..desired.topology import HostResources

SECRET_KEYS = ("adminPassword", "customData", "userData")
DEFAULT_DISK = "StandardSSD_LRS"


@dataclass(frozen=True)
class ImageCapabilities:
    """What image and size allow.

    :param trusted_launch: both allow Trusted Launch.
    """

    trusted_launch: bool = False


def image_of(desired: HostSpec) -> Image:
    """The image of a new VM."""
    return desired.image or read_image("image", DEFAULT_IMAGE)


def size_of(desired: HostSpec) -> str:
    """The size of a new VM."""
    return desired.vm_size or DEFAULT_SIZE


def machine_body(
    desired: HostSpec,
    resources: HostResources,
    location: str,
    tags: Json,
    ssh_keys: t.Sequence[str],
    capabilities: ImageCapabilities,
) -> Json:
    """The body that creates the VM. It holds secrets."""
    params = desired.params
    kept = "Detach" if resources.is_given("network_interface") else "Delete"
    properties: Json = {
        "hardwareProfile": {"vmSize": size_of(desired)},
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
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": params["boot_diagnostics"] is not False}},
    }
    properties.update(_placement(desired, resources.names))
    security = _security(desired, capabilities)
    if security:
        properties["securityProfile"] = security
    if params["user_data"]:
        properties["userData"] = encoded(params["user_data"])
    body: Json = {"location": location, "tags": tags, "properties": properties}
    if desired.zone:
        body["zones"] = [desired.zone]
    if desired.plan:
        body["plan"] = dict(desired.plan)
    if params["vm_identity"]:
        body["identity"] = identity_body(desired, resources.names)
    return body


def _os_disk(desired: HostSpec) -> Json:
    disk: Json = {
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": desired.params["managed_disk_type"] or DEFAULT_DISK},
    }
    if desired.params["os_disk_size_gb"]:
        disk["diskSizeGB"] = desired.params["os_disk_size_gb"]
    if desired.params["ephemeral_os_disk"]:
        disk.update(caching="ReadOnly", diffDiskSettings={"option": "Local"})
        disk["managedDisk"] = {"storageAccountType": desired.params["managed_disk_type"] or "Standard_LRS"}
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


def _os_profile(desired: HostSpec, ssh_keys: t.Sequence[str]) -> Json:
    linux: Json = {
        "disablePasswordAuthentication": not desired.ssh_password_enabled,
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
    data = custom_data(desired)
    if data:
        profile["customData"] = encoded(data)
    return profile


def computer_name(name: str) -> str:
    """The host name inside the VM, made of what a host name may have."""
    return name.replace("_", "-").replace(".", "-")[:63].rstrip("-")


# A drop-in, since the image's own file may be replaced by an update. ssh.socket (Ubuntu) listens by itself on what its
# unit says; the drop-in moves it too, where it exists. Under SELinux (RHEL, AlmaLinux, Rocky, Fedora) sshd may listen
# on ports of its own type only (semanage-port(8)), so that the port gets it before sshd is restarted.
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
  - - sh
    - -c
    - |
      command -v selinuxenabled >/dev/null && selinuxenabled || exit 0
      command -v semanage >/dev/null || dnf -q -y install policycoreutils-python-utils
      semanage port -a -t ssh_port_t -p tcp {port} || semanage port -m -t ssh_port_t -p tcp {port}
  - - sh
    - -c
    - |
      command -v firewall-cmd >/dev/null && firewall-cmd -q --state || exit 0
      firewall-cmd -q --permanent --add-port={port}/tcp && firewall-cmd -q --reload
  - [sh, -c, "systemctl daemon-reload; if systemctl is-enabled -q ssh.socket; then systemctl restart ssh.socket; fi"]
  - [sh, -c, "systemctl restart ssh 2>/dev/null || systemctl restart sshd"]
"""


def custom_data(desired: HostSpec) -> str | None:
    """The user's custom data, and the move of sshd to another port when asked, as cloud-init reads them."""
    own = desired.params["custom_data"]
    if desired.ssh_port == 22:
        return t.cast("str | None", own)
    move = _SSH_PORT.format(port=desired.ssh_port)
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


def _placement(desired: HostSpec, names: ResourceNames) -> Json:
    params = desired.params
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
    if params["license_type"] and params["license_type"] != "None":
        properties["licenseType"] = params["license_type"]
    return properties


def _security(desired: HostSpec, capabilities: ImageCapabilities) -> Json:
    asked = desired.params["security_profile"] or {}
    profile: Json = {}
    firmware = asked.get("secure_boot_enabled") or asked.get("v_tpm_enabled")
    kind = asked.get("security_type") or ("TrustedLaunch" if capabilities.trusted_launch or firmware else None)
    if kind == "TrustedLaunch":
        profile["securityType"] = kind
        profile["uefiSettings"] = {
            "secureBootEnabled": asked.get("secure_boot_enabled") is not False,
            "vTpmEnabled": asked.get("v_tpm_enabled") is not False,
        }
    # Standard has no name of its own in this version of the API: it is what a VM has without one.
    if asked.get("encryption_at_host") is not None:
        profile["encryptionAtHost"] = asked["encryption_at_host"]
    return profile


def identity_body(desired: HostSpec, names: ResourceNames) -> Json:
    """The VM's identity."""
    asked = desired.params["vm_identity"]
    body: Json = {"type": asked["type"]}
    given = asked["user_assigned_identities"] or []
    if given:
        option = "vm_identity.user_assigned_identities"
        body["userAssignedIdentities"] = {names.resolve(option, "identity", text): {} for text in given}
    return body


def without_secrets(body: t.Any) -> t.Any:
    """A copy of a body with secret values replaced, to be shown in a diff."""
    if isinstance(body, t.Mapping):
        return {key: "(not shown)" if key in SECRET_KEYS else without_secrets(value) for key, value in body.items()}
    if isinstance(body, list):
        return [without_secrets(item) for item in body]
    return body
