# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Request bodies that a record lacks: wildcards, dropped bodies, and resources that existed before it began."""

from __future__ import annotations

import base64
import copy
import re
import typing as t

from azure_emulator.schema import BODIES, shapes
from azure_emulator.schema.grammar import Shape

from .paths import GROUP_TYPE, Target, parse_target, short_type
from .resource_history import ResourceHistory

Json = dict[str, t.Any]

PASSWORD = "Replay-2017-Replay"
SSH_KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDGgIuDj4RPuhT3Y3A6u2W0zpBNJNCpaE0+AZwAUv6f6LsQlpXjDFh83njt48lxlZzK2"
    "eDX2yNkYvVCTiugkA+4CqzFjHAP9wc7wMkB7V24wxnF3QpEFwWTT5rAxJQPRhlg4j8dtDDo7nW9Y3qyuIo4ZZBWXjYJoFcy34J0E3+ZvJ"
    "mK94ZSOh2PqNpE5rtuhfdiRmYZ2cif1VcxC9+/pc8umaUBJdFZ79dCc1XD6LM1g6wOFrJIQNuWvqCfb67KR02fDnxCGxHua3AMqUgdbR6"
    "F6i4R5w15/40tOUk3BSxuQGcxX2EkzBdRWTqy+YXvJgYJQpPKYOGG71Mds5Z1gtdT replay"
)
_TOP = ("location", "tags", "sku", "zones", "identity", "plan", "properties", "kind", "managedBy", "extendedLocation")


def from_response(target: Target, body: Json) -> Json:
    """Return the request that created a resource, as far as its recorded body shows it."""
    request = {key: copy.deepcopy(body[key]) for key in _TOP if body.get(key) is not None}
    properties = request.get("properties")
    if not isinstance(properties, dict):
        properties = request["properties"] = {}
    properties.pop("provisioningState", None)
    request.pop("kind", None) if target.kind != "compute/disks" else None
    shape = _SHAPES.get(target.kind)
    if shape is not None:
        shape(properties)
    return known_members(target, request)


def known_members(target: Target, request: Json) -> Json:
    """Return a request without the members that Microsoft's specifications do not have: answers show some."""
    described = next((body for type_, body in BODIES.items() if short_type(type_) == target.kind), None)
    if described is None:
        return request
    table = shapes(described.family)
    return t.cast("Json", _known(request, described.put, table))


def _known(value: t.Any, kind: str, table: t.Mapping[str, Shape]) -> t.Any:
    if kind.startswith("[") and isinstance(value, list):
        return [_known(item, kind[1:-1], table) for item in value]
    shape = table.get(kind)
    if shape is None or not isinstance(value, dict):
        return value
    return {
        name: _known(item, shape.members[name.lower()].kind, table)
        for name, item in value.items()
        if name.lower() in shape.members
    }


def _virtual_machine(properties: Json) -> None:
    for name in ("vmId", "timeCreated", "instanceView"):
        properties.pop(name, None)
    storage = properties.get("storageProfile") or {}
    image = storage.get("imageReference")
    if isinstance(image, dict):
        image.pop("exactVersion", None)
    disk = storage.get("osDisk")
    if isinstance(disk, dict) and str(disk.get("createOption", "")).lower() == "fromimage":
        managed = disk.get("managedDisk")
        if isinstance(managed, dict):
            managed.pop("id", None)
        if "vhd" not in disk:
            disk.pop("name", None)
        disk.pop("osType", None) if "vhd" not in disk else None
    complete_machine(properties)


def complete_machine(properties: Json) -> None:
    """Fill in what answers never show, or show in a form that is no longer accepted: password and SSH keys."""
    profile = properties.get("osProfile")
    if not isinstance(profile, dict):
        return
    linux = profile.get("linuxConfiguration")
    keys = ((linux or {}).get("ssh") or {}).get("publicKeys") or []
    for key in keys:
        _usable(key)
    closed = isinstance(linux, dict) and linux.get("disablePasswordAuthentication")
    if isinstance(linux, dict) and closed and not keys:
        path = f"/home/{profile.get('adminUsername', 'azureuser')}/.ssh/authorized_keys"
        linux["ssh"] = {"publicKeys": [{"path": path, "keyData": SSH_KEY}]}
    if not closed:
        profile.setdefault("adminPassword", PASSWORD)
    for name in ("requireGuestProvisionSignal",):
        profile.pop(name, None)


def with_secrets(target: Target, body: t.Any) -> t.Any:
    """Return a recorded request that was accepted, with valid secrets in place of the recorder's placeholders."""
    properties = body.get("properties") if isinstance(body, dict) else None
    profile = properties.get("osProfile") if isinstance(properties, dict) else None
    if target.kind != "compute/virtualmachines" or not isinstance(profile, dict):
        return body
    body = copy.deepcopy(body)
    profile = body["properties"]["osProfile"]
    if profile.get("adminPassword") is not None:
        profile["adminPassword"] = PASSWORD
    for key in ((profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []:
        _usable(key)
    return body


def _usable(key: Json) -> None:
    """Replace a value that is not, or no longer, a valid key."""
    kind, *rest = str(key.get("keyData", "")).split() or [""]
    try:
        real = kind.startswith(("ssh-", "ecdsa-")) and len(base64.b64decode(rest[0], validate=True)) > 30
    except (IndexError, ValueError):
        real = False
    if not real:
        key["keyData"] = SSH_KEY


def _public_ip(properties: Json) -> None:
    for name in ("resourceGuid", "ipConfiguration", "ipAddress"):
        properties.pop(name, None)
    if isinstance(properties.get("dnsSettings"), dict):
        properties["dnsSettings"].pop("fqdn", None)


def _interface(properties: Json) -> None:
    for name in ("resourceGuid", "virtualMachine", "macAddress", "primary", "hostedWorkloads", "tapConfigurations"):
        properties.pop(name, None)
    for name in ("vnetEncryptionSupported", "allowPort25Out", "privateEndpoint", "privateLinkService"):
        properties.pop(name, None)
    settings = properties.get("dnsSettings")
    if isinstance(settings, dict):
        for name in ("appliedDnsServers", "internalDomainNameSuffix", "internalFqdn"):
            settings.pop(name, None)
    for item in properties.get("ipConfigurations") or []:
        inner = item.get("properties") or {}
        for name in ("provisioningState", "privateLinkConnectionProperties"):
            inner.pop(name, None)
        for name in ("id", "etag", "type"):
            item.pop(name, None)
        for name in ("subnet", "publicIPAddress"):
            if isinstance(inner.get(name), dict) and "id" in inner[name]:
                inner[name] = {"id": inner[name]["id"]}
        if str(inner.get("privateIPAllocationMethod", "")).lower() == "dynamic":
            inner.pop("privateIPAddress", None)


def _network(properties: Json) -> None:
    for name in ("resourceGuid", "virtualNetworkPeerings", "enableVmProtection"):
        properties.pop(name, None)
    properties["subnets"] = [_inner(item, _subnet) for item in properties.get("subnets") or []]


def _subnet(properties: Json) -> None:
    for name in ("provisioningState", "ipConfigurations", "ipConfigurationProfiles", "privateEndpoints", "purpose"):
        properties.pop(name, None)
    for name in ("resourceNavigationLinks", "serviceAssociationLinks"):
        properties.pop(name, None)
    for name in ("networkSecurityGroup", "routeTable", "natGateway"):
        if isinstance(properties.get(name), dict) and "id" in properties[name]:
            properties[name] = {"id": properties[name]["id"]}


def _security_group(properties: Json) -> None:
    for name in ("resourceGuid", "defaultSecurityRules", "networkInterfaces", "subnets", "flowLogs"):
        properties.pop(name, None)
    properties["securityRules"] = [_inner(item, _rule) for item in properties.get("securityRules") or []]


def _rule(properties: Json) -> None:
    properties.pop("provisioningState", None)


def _inner(item: Json, shape: t.Callable[[Json], None]) -> Json:
    """Return a child as its parent's body carries it."""
    properties = copy.deepcopy(item.get("properties") or {})
    shape(properties)
    return {"name": item.get("name"), "properties": properties}


def _extension(properties: Json) -> None:
    properties.pop("instanceView", None)


def _disk(properties: Json) -> None:
    for name in ("timeCreated", "uniqueId", "diskState", "diskSizeBytes", "LastOwnershipUpdateTime"):
        properties.pop(name, None)


_SHAPES: t.Mapping[str, t.Callable[[Json], None]] = {
    "compute/virtualmachines": _virtual_machine,
    "compute/virtualmachines/extensions": _extension,
    "compute/virtualmachines/runcommands": _extension,
    "compute/disks": _disk,
    "compute/snapshots": _disk,
    "network/publicipaddresses": _public_ip,
    "network/networkinterfaces": _interface,
    "network/virtualnetworks": _network,
    "network/virtualnetworks/subnets": _subnet,
    "network/networksecuritygroups": _security_group,
    "network/networksecuritygroups/securityrules": _rule,
}


class Defaults:
    """Bodies of resources of which a flow shows only the name and the users."""

    def __init__(self, history: ResourceHistory) -> None:
        self._history = history

    def make(self, target: Target) -> Json | None:
        """Return a body to PUT; None for types that have no default body."""
        makers: dict[str, t.Callable[[Target], Json]] = {
            "resources/resourcegroups": lambda _target: {},
            "network/virtualnetworks": self._network,
            "network/virtualnetworks/subnets": lambda at: {"properties": {"addressPrefix": self._prefix(at)}},
            "network/networksecuritygroups": lambda _target: {"properties": {}},
            "network/applicationsecuritygroups": lambda _target: {"properties": {}},
            "network/networksecuritygroups/securityrules": lambda _target: {"properties": dict(_RULE)},
            "network/publicipaddresses": lambda _target: dict(_PUBLIC_IP),
            "network/networkinterfaces": self._interface,
            "compute/virtualmachines": self._machine,
            "compute/virtualmachines/extensions": lambda _target: {"properties": dict(_EXTENSION)},
            "compute/virtualmachines/runcommands": lambda _target: {"properties": {"source": {"script": "true"}}},
            "compute/availabilitysets": lambda _target: {"sku": {"name": "Aligned"}},
            "compute/proximityplacementgroups": lambda _target: {"properties": {}},
            "managedidentity/userassignedidentities": lambda _target: {},
            "compute/disks": lambda _target: {
                "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}
            },
            "compute/snapshots": lambda _target: {
                "properties": {"creationData": {"createOption": "Import", "sourceUri": "https://a.invalid/b.vhd"}}
            },
        }
        maker = makers.get(target.kind)
        if maker is None:
            return None
        body = maker(target)
        if target.kind in _LOCATED:
            body["location"] = self._history.location_of(target.group)
        return body

    def _network(self, target: Target) -> Json:
        subnets = self._history.children(target.key, "subnets")
        prefixes = [self._prefix(s, number) for number, s in enumerate(subnets)]
        spaces = {f"{prefix.split('.')[0]}.0.0.0/8" for prefix in prefixes} or {"10.0.0.0/8"}
        return {
            "properties": {
                "addressSpace": {"addressPrefixes": sorted(spaces)},
                "subnets": [
                    {"name": s.name, "properties": {"addressPrefix": prefix}}
                    for s, prefix in zip(subnets, prefixes, strict=True)
                ],
            }
        }

    def _prefix(self, subnet: Target, number: int = 0) -> str:
        """Return a prefix that contains the private addresses that the flow shows in a subnet."""
        known = self._history.body(subnet.key, 0)
        given = ((known or {}).get("properties") or {}).get("addressPrefix")
        if isinstance(given, str):
            return given
        for user in self._history.users(subnet.key):
            address = self._private_address(user, subnet)
            if address:
                return f"{address.rpartition('.')[0]}.0/24"
        return f"10.0.{number}.0/24"

    def _private_address(self, user: Target, subnet: Target) -> str | None:
        body = self._history.body(user.key, 0) or {}
        for item in (body.get("properties") or {}).get("ipConfigurations") or []:
            inner = item.get("properties") or {}
            address = inner.get("privateIPAddress")
            used = (inner.get("subnet") or {}).get("id", "")
            if used.lower() == subnet.key and re.fullmatch(r"\d+\.\d+\.\d+\.\d+", str(address)):
                return str(address)
        return None

    def _interface(self, target: Target) -> Json:
        used = {u.kind: u.id for u in self._history.used_by(target.key)}
        configurations = self._history.children(target.key, "ipconfigurations")
        base = target.id.rpartition("/providers/")[0]
        network = f"{base}/providers/Microsoft.Network/virtualNetworks/replay-network/subnets/replay-subnet"
        subnet = used.get("network/virtualnetworks/subnets", network)
        inner: Json = {"privateIPAllocationMethod": "Dynamic", "subnet": {"id": subnet}}
        if "network/publicipaddresses" in used:
            inner["publicIPAddress"] = {"id": used["network/publicipaddresses"]}
        names = [c.name for c in configurations[:1]] or ["ipconfig1"]
        properties: Json = {"ipConfigurations": [{"name": name, "properties": inner} for name in names]}
        if "network/networksecuritygroups" in used:
            properties["networkSecurityGroup"] = {"id": used["network/networksecuritygroups"]}
        return {"properties": properties}

    def _machine(self, target: Target) -> Json:
        interfaces = [u for u in self._history.used_by(target.key) if u.kind == "network/networkinterfaces"]
        interfaces += [
            u
            for u in self._history.users(target.key)
            if u.kind == "network/networkinterfaces" and u.key not in {i.key for i in interfaces}
        ]
        base = target.id.rpartition("/providers/")[0]
        ids = [i.id for i in interfaces] or [
            f"{base}/providers/Microsoft.Network/networkInterfaces/{target.name}-replay"
        ]
        properties: Json = {
            "hardwareProfile": {"vmSize": "Standard_DS1_v2"},
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical",
                    "offer": "0001-com-ubuntu-server-jammy",
                    "sku": "22_04-lts-gen2",
                    "version": "latest",
                },
                "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}},
            },
            "osProfile": {"computerName": target.name[:60], "adminUsername": "azureuser", "adminPassword": PASSWORD},
            "networkProfile": {
                "networkInterfaces": [
                    {"id": id_, **({"properties": {"primary": n == 0}} if len(ids) > 1 else {})}
                    for n, id_ in enumerate(ids)
                ]
            },
        }
        return {"properties": properties}


_RULE: Json = {
    "protocol": "Tcp",
    "access": "Allow",
    "direction": "Inbound",
    "priority": 1000,
    "sourceAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "22",
}
_PUBLIC_IP: Json = {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
_EXTENSION: Json = {
    "publisher": "Microsoft.Azure.Extensions",
    "type": "CustomScript",
    "typeHandlerVersion": "2.1",
    "autoUpgradeMinorVersion": True,
    "settings": {"commandToExecute": "true"},
}
_LOCATED = frozenset(
    {
        "resources/resourcegroups",
        "network/virtualnetworks",
        "network/networksecuritygroups",
        "network/applicationsecuritygroups",
        "network/publicipaddresses",
        "network/networkinterfaces",
        "compute/virtualmachines",
        "compute/virtualmachines/extensions",
        "compute/virtualmachines/runcommands",
        "compute/disks",
        "compute/snapshots",
        "compute/availabilitysets",
        "compute/proximityplacementgroups",
        "managedidentity/userassignedidentities",
    }
)
LOCATED_TYPES = _LOCATED


def is_group(target: Target) -> bool:
    """Return whether a target is a resource group."""
    return target.type == GROUP_TYPE


SEED_VERSIONS: t.Mapping[str, str] = {
    "resources/resourcegroups": "2022-09-01",
    "managedidentity": "2023-01-31",
    "keyvault": "2023-07-01",
    "compute/disks": "2024-03-02",
    "compute/snapshots": "2024-03-02",
    "compute/galleries": "2023-07-03",
    "compute": "2024-07-01",
    "network": "2024-05-01",
}
"""By type, or by provider, the api-version that creates the resources that existed before a record began."""


def seed_version(target: Target) -> str:
    """Return the api-version that creates a resource that existed before a record began."""
    kind = "resources/resourcegroups" if is_group(target) else target.kind
    fitting = [name for name in SEED_VERSIONS if kind == name or kind.startswith(f"{name}/")]
    return SEED_VERSIONS[max(fitting, key=len)] if fitting else "2022-09-01"


def parent_of(target: Target) -> Target | None:
    """Return the parent of a child resource."""
    if target.type.count("/") < 2:
        return None
    return parse_target(target.id.rsplit("/", 2)[0])
