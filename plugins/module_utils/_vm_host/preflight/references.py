# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The existing resources that the options of a VM name: sets, placement groups and identities."""

from __future__ import annotations

import typing as t
from functools import partial

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.operations import run_parallel
from ..._azure.resource_ids import normalize_location
from ..._azure.wire import Json
from ..._errors import OptionError
from ..desired.host_spec import HostSpec
from ..desired.resource_names import ResourceNames

IDENTITIES = "vm_identity.user_assigned_identities"


class Reference(t.NamedTuple):
    """An option that names a resource, and the resource's id."""

    option: str
    path: str


def references_of(desired: HostSpec, names: ResourceNames) -> list[Reference]:
    """Return the resources that the options of a host's machine name.

    :raises OptionError: an option is neither a name nor an id of the right type.
    """
    places = {
        "availability_set": desired.availability_set,
        "proximity_placement_group": desired.proximity_placement_group,
    }
    references = [Reference(kind, names.resolve(kind, kind, text)) for kind, text in places.items() if text]
    identities = desired.identity.user_assigned if desired.identity else ()
    return references + [Reference(IDENTITIES, names.resolve(IDENTITIES, "identity", text)) for text in identities]


def query_reference(session: AzureSession, reference: Reference, location: str) -> str | None:
    """Return why a resource cannot be used, in words; None if it can, or if the identity may not read it."""
    try:
        resource = session.arm.find(reference.path)
    except AzureError as error:
        if error.status == 403:
            return None
        raise
    if resource is None:
        return f"{reference.path} does not exist, or may not be read: use an existing one, or leave it out."
    return None if reference.option == IDENTITIES else _misplaced(reference, resource, location)


def _misplaced(reference: Reference, resource: Json, location: str) -> str | None:
    """Return why a set or group does not fit, in words; None if it does.

    VirtualMachineProperties of the Compute API: both must be in the VM's region. AvailabilitySet.sku: ``Aligned`` is
    for VMs with managed disks, such as the hosts.
    """
    place = normalize_location(resource.get("location"))
    if place != location:
        return f"{reference.path} is in {place}, but the host would be in {location}: both must be in one location."
    kind = str((resource.get("sku") or {}).get("name") or "Classic")
    if reference.option == "availability_set" and kind.lower() != "aligned":
        return f"{reference.path} is of the SKU {kind}; VMs with managed disks need a set of the SKU Aligned."
    return None


def check_references(session: AzureSession, references: t.Sequence[Reference], location: str) -> None:
    """Check all references in parallel.

    :raises OptionError: the first one that cannot be used.
    """
    problems = run_parallel([partial(query_reference, session, one, location) for one in references])
    for reference, problem in zip(references, problems, strict=True):
        if problem:
            raise OptionError(reference.option, problem)
