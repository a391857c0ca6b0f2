# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the details that only some changes of an existing host need."""

from __future__ import annotations

from dataclasses import replace

from ..._azure.clients import AzureSession
from ..._azure.wire import dig, private_ip
from ..current.reader import StateReader
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from ..plan.disks import disks_to_read, with_managed_disks


def read_details(
    session: AzureSession, desired: HostSpec, resources: HostResources, reader: StateReader, current: HostState
) -> HostState:
    """Return the state with its disks, user data, available sizes and network, where a change depends on them."""
    machine = current.virtual_machine
    if not machine:
        return current
    disk_ids = disks_to_read(desired, machine)
    if disk_ids:
        # The VM may still show what its disks had when it was started.
        disks = [session.arm.find(disk_id) for disk_id in disk_ids]
        current = replace(current, virtual_machine=with_managed_disks(machine, [disk for disk in disks if disk]))
    if desired.user_data or "user_data" in desired.reset:
        current = replace(current, user_data=reader.user_data())
    size = str(dig(machine, "properties", "hardwareProfile", "vmSize"))
    if desired.vm_size and size.lower() != desired.vm_size.lower():
        current = replace(current, available_sizes=reader.available_sizes())
    if current.complete and resources.virtual_network and _concerns_network(desired, current):
        network = reader.read_resource("virtual_network", resources.virtual_network)
        current = replace(current, virtual_network=network)
    return current


def _concerns_network(desired: HostSpec, current: HostState) -> bool:
    """Return whether an option concerns the network, which a complete host does not need otherwise."""
    options = desired.network
    moves = bool(options.private_ip_address) and private_ip(current.network_interface) != options.private_ip_address
    return bool(moves or desired.behaviour.adopt or options.virtual_network_prefix or options.subnet_prefix)
