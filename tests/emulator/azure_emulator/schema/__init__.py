# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The properties of the served types: their names and types, and which are read-only or required."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cache

from . import compute, galleries, network, resources
from .checking import Checker
from .grammar import Shape, parse

if t.TYPE_CHECKING:
    from ..arm.messages import ArmRequest
    from ..errors import Json

TABLES = {"network": network.TYPES, "compute": compute.TYPES + galleries.TYPES, "resources": resources.TYPES}


@dataclass(frozen=True)
class Body:
    """The body of a type's PUT and PATCH.

    :param newest: the api-version that the tables describe.
    """

    family: str
    put: str
    patch: str
    newest: str


BODIES: t.Mapping[str, Body] = {
    "Microsoft.Network/virtualNetworks": Body("network", "VirtualNetwork", "TagsObject", "2024-05-01"),
    "Microsoft.Network/virtualNetworks/subnets": Body("network", "Subnet", "Subnet", "2024-05-01"),
    "Microsoft.Network/networkSecurityGroups": Body("network", "NetworkSecurityGroup", "TagsObject", "2024-05-01"),
    "Microsoft.Network/networkSecurityGroups/securityRules": Body(
        "network", "SecurityRule", "SecurityRule", "2024-05-01"
    ),
    "Microsoft.Network/applicationSecurityGroups": Body(
        "network", "ApplicationSecurityGroup", "TagsObject", "2024-05-01"
    ),
    "Microsoft.Network/publicIPAddresses": Body("network", "PublicIPAddress", "TagsObject", "2024-05-01"),
    "Microsoft.Network/networkInterfaces": Body("network", "NetworkInterface", "TagsObject", "2024-05-01"),
    "Microsoft.Compute/virtualMachines": Body("compute", "VirtualMachine", "VirtualMachineUpdate", "2024-07-01"),
    "Microsoft.Compute/virtualMachines/extensions": Body(
        "compute", "VirtualMachineExtension", "VirtualMachineExtensionUpdate", "2024-07-01"
    ),
    "Microsoft.Compute/virtualMachines/runCommands": Body(
        "compute", "VirtualMachineRunCommand", "VirtualMachineRunCommandUpdate", "2024-07-01"
    ),
    "Microsoft.Compute/virtualMachines/runCommand": Body("compute", "RunCommandInput", "RunCommandInput", "2024-07-01"),
    "Microsoft.Compute/disks": Body("compute", "Disk", "DiskUpdate", "2024-03-02"),
    "Microsoft.Compute/snapshots": Body("compute", "Snapshot", "SnapshotUpdate", "2024-03-02"),
    "Microsoft.Compute/availabilitySets": Body("compute", "AvailabilitySet", "AvailabilitySetUpdate", "2024-07-01"),
    "Microsoft.Compute/proximityPlacementGroups": Body(
        "compute", "ProximityPlacementGroup", "ProximityPlacementGroupUpdate", "2024-07-01"
    ),
    "Microsoft.Compute/sshPublicKeys": Body(
        "compute", "SshPublicKeyResource", "SshPublicKeyUpdateResource", "2024-07-01"
    ),
    "Microsoft.Compute/virtualMachines/attachDetachDataDisks": Body(
        "compute", "AttachDetachDataDisksRequest", "AttachDetachDataDisksRequest", "2024-07-01"
    ),
    "Microsoft.Compute/images": Body("compute", "Image", "ImageUpdate", "2024-07-01"),
    "Microsoft.Compute/galleries": Body("compute", "Gallery", "Gallery", "2023-07-03"),
    "Microsoft.Compute/galleries/images": Body("compute", "GalleryImage", "GalleryImage", "2023-07-03"),
    "Microsoft.Compute/galleries/images/versions": Body(
        "compute", "GalleryImageVersion", "GalleryImageVersion", "2023-07-03"
    ),
    "Microsoft.Resources/tags": Body("resources", "TagsResource", "TagsPatchResource", "2024-07-01"),
    "Microsoft.Resources/deployments": Body("resources", "Deployment", "Deployment", "2024-07-01"),
    "Microsoft.Resources/resourceGroups": Body("resources", "ResourceGroup", "ResourceGroupPatchable", "2024-07-01"),
}


@cache
def shapes(family: str) -> dict[str, Shape]:
    """Return the types of a provider."""
    return parse(TABLES[family])


def accept(request: ArmRequest, type_: str, *, patch: bool = False) -> Json:
    """Return the body of a request: checked against the type's table, in canonical form, without what is read-only.

    :raises ApiError: 400.
    """
    described = BODIES[type_]
    checker = Checker(
        shapes(described.family),
        described.family,
        request.raw,
        request.problems,
        lenient=request.api_version > described.newest,
        patch=patch,
    )
    return checker.object(request.required_json(), described.patch if patch else described.put)
