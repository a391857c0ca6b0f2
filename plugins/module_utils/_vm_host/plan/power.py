# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the power state of a host: start, stop, restart, deallocate. Pure."""

from __future__ import annotations

from ..._azure.tags import owner_of
from ..._azure.wire import properties_of
from ..._errors import DockerHostError, OptionError
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from .disks import is_ephemeral
from .model import Action, OwnershipError, Plan, power_change


def plan_power(desired: HostSpec, resources: HostResources, current: HostState) -> Plan:
    """Return the actions that start, stop or deallocate a host.

    :raises DockerHostError: the host does not exist, or the collection did not create it.
    """
    path = resources.virtual_machine
    if not current.virtual_machine:
        raise DockerHostError(
            f"The host {desired.name} does not exist in the resource group {desired.resource_group}. Create it with the"
            " playbook dockerhost.azure.create_docker_host, or with O(state=present)."
        )
    if not desired.behaviour.adopt and owner_of(current.virtual_machine) != desired.name:
        raise OwnershipError(
            f"The virtual machine {path} was not created by this collection, so it does not change. To take it"
            " over, set O(adopt=true).",
            foreign=[path],
        )
    power = str(current.power_state)
    running = power not in ("stopped", "deallocated")
    verb, after = {
        "stopped": ("power off", "stopped"),
        "deallocated": ("deallocate", "deallocated"),
        "restarted": ("restart" if running else "start", "running"),
        "running": ("start", "running"),
    }[desired.state]
    if desired.state == "deallocated" and is_ephemeral(properties_of(current.virtual_machine)):
        # "Ephemeral OS disks" (learn.microsoft.com): stop-deallocate is not supported.
        raise OptionError(
            "state",
            f"must not be deallocated for {desired.name}, because Azure cannot deallocate a VM with an ephemeral OS"
            " disk; O(state=stopped) powers it off",
        )
    reached = {"stopped": not running, "deallocated": power == "deallocated", "running": running}
    if reached.get(desired.state):
        return Plan()
    return Plan([Action("power", "virtual_machine", verb, path, differences=power_change(power, after))])


def start_action(resources: HostResources, current: HostState, *needs: str) -> Action:
    """Return the action that starts the VM once the actions that it needs are done."""
    entries = power_change(str(current.power_state), "running")
    return Action("start", "virtual_machine", "start", resources.virtual_machine, needs=needs, differences=entries)
