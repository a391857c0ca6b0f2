# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the resources of a host are called, and whose they are. Private to this collection."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from .._errors import OptionError
from . import rules

OWNER_TAG = "docker-host"
COLLECTION_TAG = "docker-host-collection"
COLLECTION = "dockerhost.azure"
PORT_TAG = "docker-host-port"
SSH_PORT_TAG = "docker-host-ssh-port"
CUSTOM_DATA_TAG = "docker-host-custom-data"
SHARED = "shared"
# Tags with this beginning are the collection's record; some are written by other modules of it.
RESERVED_PREFIX = "docker-host"

SHARED_NETWORK = "docker-vnet"
SHARED_SUBNET = "docker"

KINDS: t.Mapping[str, str] = {
    "virtual_machine": "Microsoft.Compute/virtualMachines",
    "network_interface": "Microsoft.Network/networkInterfaces",
    "public_ip_address": "Microsoft.Network/publicIPAddresses",
    "security_group": "Microsoft.Network/networkSecurityGroups",
    "virtual_network": "Microsoft.Network/virtualNetworks",
    "availability_set": "Microsoft.Compute/availabilitySets",
    "proximity_placement_group": "Microsoft.Compute/proximityPlacementGroups",
    "image": "Microsoft.Compute/images",
    "identity": "Microsoft.ManagedIdentity/userAssignedIdentities",
}

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[A-Za-z0-9-]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<type>[^/]+/[^/]+)"
    r"/(?P<name>[^/]+)",
    re.IGNORECASE,
)
# "Resource naming restrictions" (learn.microsoft.com): what these types take; identities have up to 128.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Names:
    """The ids that a host's resources have, or would have."""

    subscription_id: str
    resource_group: str
    name: str

    @property
    def group_id(self) -> str:
        """The resource group's id."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"

    def id_of(self, kind: str, name: str) -> str:
        """The id of a resource in the host's group."""
        return f"{self.group_id}/providers/{KINDS[kind]}/{name}"

    @property
    def virtual_machine(self) -> str:
        """The VM's id."""
        return self.id_of("virtual_machine", self.name)

    @property
    def network_interface(self) -> str:
        """The id that the host's own interface has."""
        return self.id_of("network_interface", f"{self.name}-nic")

    @property
    def public_ip_address(self) -> str:
        """The id that the host's own public address has."""
        return self.id_of("public_ip_address", f"{self.name}-ip")

    @property
    def security_group(self) -> str:
        """The id that the host's own network security group has."""
        return self.id_of("security_group", f"{self.name}-nsg")

    @property
    def virtual_network(self) -> str:
        """The id that the group's shared network has."""
        return self.id_of("virtual_network", SHARED_NETWORK)

    @property
    def default_dns_label(self) -> str:
        """The name with a short hash of subscription, group and name: plain names are taken in most regions."""
        key = f"{self.subscription_id}/{self.resource_group}/{self.name}".lower()
        suffix = hashlib.sha256(key.encode()).hexdigest()[:8]
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        if not plain[:1].isalpha():
            plain = f"host-{plain}".rstrip("-")
        return f"{plain[:54].rstrip('-')}-{suffix}"

    def resolve(self, option: str, kind: str, text: str) -> str:
        """The id that an option refers to.

        :param text: a name in the host's group, ``group:name``, or an id.
        :raises OptionError: it is none of these, or the id of something else.
        """
        if text.startswith("/"):
            match = _ID.fullmatch(text.rstrip("/"))
            if not match or match["type"].lower() != KINDS[kind].lower() or not _NAME.fullmatch(match["name"]):
                raise OptionError(option, f"{text!r} is not the id of a resource of type {KINDS[kind]}.")
            rules.check_group_name(option, match["group"])
            return text.rstrip("/")
        group, colon, name = text.rpartition(":")
        if not _NAME.fullmatch(name):
            raise OptionError(option, f"{text!r} is not a name, group:name or an id that starts with /subscriptions/.")
        if colon:
            rules.check_group_name(option, group)
        own = Names(self.subscription_id, group or self.resource_group, self.name)
        return own.id_of(kind, name)


def owner_tags(owner: str) -> dict[str, str]:
    """The tags of what we make.

    :param owner: the host's name, or :data:`SHARED`.
    """
    return {OWNER_TAG: owner, COLLECTION_TAG: COLLECTION}


def owner_of(resource: t.Mapping[str, t.Any] | None) -> str | None:
    """The host that a resource was made for, :data:`SHARED` for shared ones, None when it is not ours."""
    return (tag_of(resource, OWNER_TAG) or None) if tag_of(resource, COLLECTION_TAG) == COLLECTION else None


def tag_of(resource: t.Mapping[str, t.Any] | None, name: str) -> str | None:
    """The value of a tag.

    "Use tags to organize your Azure resources" (learn.microsoft.com): names are case-insensitive, and a resource
    provider may keep the case or not.
    """
    tags = (resource or {}).get("tags") or {}
    return next((str(value) for key, value in tags.items() if key.lower() == name.lower()), None)


def merged_tags(before: t.Mapping[str, str], more: t.Mapping[str, str]) -> dict[str, str]:
    """Tags with others set: a name that is there in another case is the same tag, and keeps its case."""
    known = {name.lower(): name for name in before}
    return {**before, **{known.get(name.lower(), name): value for name, value in more.items()}}


def same_id(one: str | None, other: str | None) -> bool:
    """Compare ids as Azure does, regardless of case."""
    return (one or "").rstrip("/").lower() == (other or "").rstrip("/").lower()


def name_in(resource_id: str) -> str:
    """The last part of an id."""
    return resource_id.rstrip("/").rsplit("/", 1)[-1]


def group_in(resource_id: str) -> str:
    """The resource group of an id."""
    match = re.search(r"/resourceGroups/([^/]+)", resource_id, re.IGNORECASE)
    return match[1] if match else ""


def subscription_in(resource_id: str) -> str:
    """The subscription of an id."""
    match = re.match(r"/subscriptions/([^/]+)", resource_id, re.IGNORECASE)
    return match[1] if match else ""
