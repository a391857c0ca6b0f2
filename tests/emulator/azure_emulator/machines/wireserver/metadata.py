# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instance metadata service: what a machine is told about itself.

Served is ``/metadata/instance`` with every path below it, as "Azure Instance Metadata Service for virtual machines"
(learn.microsoft.com) describes it; neither identity tokens nor attested data nor scheduled events.
"""

from __future__ import annotations

import base64
import typing as t

from azure_emulator.machines.base import Interface, MachineSpec

Json = dict[str, t.Any]


def instance(spec: MachineSpec) -> Json:
    """Return the metadata of a machine."""
    return {"compute": _compute(spec), "network": {"interface": [_interface(nic) for nic in spec.interfaces]}}


def _compute(spec: MachineSpec) -> Json:
    parts = spec.id.strip("/").split("/")
    named = dict(zip(map(str.lower, parts[::2]), parts[1::2], strict=False))
    image = {key: spec.image.get(key, "") for key in ("publisher", "offer", "sku", "version")}
    disks = [{"lun": str(disk.lun), "name": disk.name} for disk in spec.data_disks]
    user = spec.admin_username
    return {
        "azEnvironment": "AzurePublicCloud",
        "customData": "",
        "location": spec.location,
        "name": spec.name,
        "offer": image["offer"],
        "osProfile": {
            "adminUsername": user,
            "computerName": spec.computer_name,
            "disablePasswordAuthentication": str(spec.disable_password_authentication).lower(),
        },
        "osType": "Linux",
        "provider": "Microsoft.Compute",
        "publicKeys": [
            {"keyData": key, "path": f"/home/{user}/.ssh/authorized_keys"} for key in spec.ssh_public_keys
        ],
        "publisher": image["publisher"],
        "resourceGroupName": named.get("resourcegroups", ""),
        "resourceId": spec.id,
        "sku": image["sku"],
        "storageProfile": {"imageReference": image, "dataDisks": disks},
        "subscriptionId": named.get("subscriptions", ""),
        "userData": base64.b64encode(spec.user_data).decode("ascii") if spec.user_data else "",
        "version": image["version"],
        "vmId": spec.vm_id,
        "vmSize": spec.size,
    }  # fmt: skip


def _interface(nic: Interface) -> Json:
    network, _slash, prefix = nic.subnet_prefix.partition("/")
    addresses = [{"privateIpAddress": nic.private_address, "publicIpAddress": nic.public_address or ""}]
    return {
        "ipv4": {"ipAddress": addresses, "subnet": [{"address": network, "prefix": prefix}]},
        "ipv6": {"ipAddress": []},
        "macAddress": nic.mac_address.replace(":", "").replace("-", "").upper(),
    }


def answer(
    document: Json, method: str, path: str, query: t.Mapping[str, str], headers: t.Mapping[str, str]
) -> tuple[int, t.Any]:
    """Return status and body: JSON of a node, text of a leaf."""
    if headers.get("metadata", "").lower() != "true" or "x-forwarded-for" in headers:
        return 400, {"error": "Bad request. Required metadata header not specified or not correct"}
    if method != "GET":
        return 405, {"error": "Method not allowed"}
    if not query.get("api-version"):
        return 400, {"error": "Bad request. api-version was not specified in the request"}
    words = [word for word in path.split("/") if word]
    if words[:2] != ["metadata", "instance"]:
        return 404, {"error": "Not found"}
    found = _below(document, words[2:])
    if found is None:
        return 404, {"error": "Not found"}
    return 200, found


def _below(node: t.Any, words: list[str]) -> t.Any:
    for word in words:
        if isinstance(node, list):
            node = node[int(word)] if word.isdigit() and int(word) < len(node) else None
        else:
            node = node.get(word) if isinstance(node, dict) else None
    return node
