# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interfaces of a virtual machine, and the addresses that depend on its power state."""

from __future__ import annotations

import typing as t

from ..arm.resource import Resource
from ..network.names import NIC, PUBLIC_IP
from ..settings import new_guid

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def attach_interfaces(cloud: Cloud, vm: Resource) -> None:
    """Give the interfaces of a VM their MAC addresses and the link to it, and remove both from others."""
    references = vm.properties["networkProfile"]["networkInterfaces"]
    wanted = {reference["id"].lower() for reference in references}
    for nic in cloud.store.of_type(NIC, f"/subscriptions/{vm.subscription}"):
        if nic.hidden.get("virtualMachine", "").lower() == vm.key and nic.key not in wanted:
            detach(cloud, nic)
    for reference in references:
        nic_ = cloud.store.get(reference["id"])
        if nic_ is None:
            continue
        single = len(references) == 1
        nic_.hidden["virtualMachine"] = vm.id
        nic_.hidden["primary"] = bool((reference.get("properties") or {}).get("primary", single))
        nic_.hidden.setdefault("macAddress", _mac_address(nic_.properties["resourceGuid"]))
        nic_.etag = f'W/"{new_guid()}"'
        cloud.store.save(nic_)


def _mac_address(guid: str) -> str:
    """Return the same for the same interface, in the block of addresses that Azure uses."""
    digits = guid.replace("-", "").upper()
    return f"00-22-48-{digits[0:2]}-{digits[2:4]}-{digits[4:6]}"


def detach(cloud: Cloud, nic: Resource) -> None:
    """Take an interface from its VM."""
    for name in ("virtualMachine", "primary", "macAddress"):
        nic.hidden.pop(name, None)
    nic.etag = f'W/"{new_guid()}"'
    cloud.store.save(nic)


def dynamic_addresses(cloud: Cloud, vm: Resource, *, held: bool) -> None:
    """Set or remove the dynamic public addresses, which exist while the machine is allocated."""
    from ..network.public_ips import allocate

    for reference in vm.properties["networkProfile"]["networkInterfaces"]:
        nic = cloud.store.get(reference["id"])
        for target, _shown in nic.refs if nic is not None else []:
            address = cloud.store.get(target)
            if address is None or address.type != PUBLIC_IP:
                continue
            if held:
                allocate(cloud, address)
            elif address.properties["publicIPAllocationMethod"] == "Dynamic":
                address.properties.pop("ipAddress", None)
            cloud.store.save(address)
    cloud.hosts.update()
