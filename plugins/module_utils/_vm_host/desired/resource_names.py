# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of a host's resources."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from ..._errors import OptionError
from . import validators

SHARED_NETWORK = "docker-vnet"
SHARED_SUBNET = "docker"

KINDS: t.Mapping[str, str] = {
    "virtual_machine": "Microsoft.Compute/virtualMachines",
    "network_interface": "Microsoft.Network/networkInterfaces",
    "public_ip_address": "Microsoft.Network/publicIPAddresses",
    "security_group": "Microsoft.Network/networkSecurityGroups",
    "virtual_network": "Microsoft.Network/virtualNetworks",
    "auto_shutdown": "Microsoft.DevTestLab/schedules",
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
# "Resource naming restrictions" (learn.microsoft.com): the rule of these types; identities have up to 128 characters.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class ResourceNames:
    """The ids of a host's resources, whether they exist or not."""

    subscription_id: str
    resource_group: str
    name: str

    @property
    def group_id(self) -> str:
        """The resource group's id."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"

    def id_of(self, kind: str, name: str) -> str:
        """Return the id of a resource in the host's group."""
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
    def auto_shutdown(self) -> str:
        """The id of the schedule that deallocates the VM: Azure finds it by this name."""
        return self.id_of("auto_shutdown", f"shutdown-computevm-{self.name}")

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
        """Return the id that an option refers to.

        :param text: a name in the host's group, ``group:name``, or an id.
        :raises OptionError: the text is something else, or the id of another type of resource.
        """
        if text.startswith("/"):
            match = _ID.fullmatch(text.rstrip("/"))
            if not match or match["type"].lower() != KINDS[kind].lower() or not _NAME.fullmatch(match["name"]):
                raise OptionError(option, f"must be the ID of a resource of type {KINDS[kind]}, got {text!r}")
            validators.check_group_name(option, match["group"])
            return text.rstrip("/")
        group, colon, name = text.rpartition(":")
        if not _NAME.fullmatch(name):
            raise OptionError(option, f"must be a name, GROUP:NAME or a resource ID (/subscriptions/...), got {text!r}")
        if colon:
            validators.check_group_name(option, group)
        own = ResourceNames(self.subscription_id, group or self.resource_group, self.name)
        return own.id_of(kind, name)
