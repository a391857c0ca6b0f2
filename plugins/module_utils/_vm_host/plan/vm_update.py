# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the actions that change a VM in place, with a stop only where Azure needs one. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ..._azure.resource_ids import name_in
from ..._azure.wire import Json, dig, properties_of
from ..._diff import Difference, Differences
from ..._errors import OptionError
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from .disks import DiskChange, check_disk_owners, disk_changes, is_ephemeral
from .model import Action, ImmutableError, power_change
from .vm_patch import DEALLOCATED, RECACHED, RESTARTED, update_body

# "Expand virtual hard disks on a Linux VM" (learn.microsoft.com): a data disk grows while the VM runs, but not across
# this size (GiB).
_GROWS_ONLINE = 4095


@dataclass(frozen=True)
class VmUpdate:
    """The changes to an existing VM.

    :param body: the PATCH.
    :param changes: the differences that require the PATCH.
    :param online: disks that change while the VM runs.
    :param offline: disks that change while it is deallocated.
    """

    desired: HostSpec
    resources: HostResources
    current: HostState
    body: Json
    changes: Differences
    online: tuple[DiskChange, ...]
    offline: tuple[DiskChange, ...]

    @property
    def runs(self) -> bool:
        """Return whether the VM is on, or starting."""
        return self.current.power_state not in ("stopped", "deallocated")

    def actions(self) -> list[Action]:
        """Return the actions.

        :raises OptionError: the host would have to stop, and may not.
        :raises ImmutableError: it would have to be deallocated, and cannot be.
        """
        path, reasons = self.resources.virtual_machine, self._reasons()
        restarts = [entry.path for entry in self.changes.entries if entry.path in RESTARTED]
        stop = bool(reasons) and self.current.power_state != "deallocated"
        if reasons and is_ephemeral(properties_of(self.current.virtual_machine)):
            raise ImmutableError(
                f"The virtual machine {self.desired.name}, whose ephemeral OS disk rules out deallocation,",
                [entry for entry in self._all_differences() if entry.path in reasons],
            )
        if self.runs and (reasons or restarts) and not self.desired.behaviour.allow_stop:
            raise OptionError(
                [*reasons, *restarts][0],
                f"changing it stops the running host {self.desired.name} for a while: allow that with"
                " O(allow_stop=true)",
            )
        actions = [_disk_step(change) for change in self.online]
        if stop:
            power = power_change(str(self.current.power_state), "deallocated")
            actions.append(Action("stop", "virtual_machine", "deallocate", path, differences=power))
        for change in self.offline:
            actions.append(_disk_step(change, "stop", *(("virtual_machine",) if change.after_caching else ())))
        if self.changes:
            note = " (restarts it)" if restarts and self.runs and not stop else ""
            needs = ("network_interface", "stop")
            entries = tuple(self.changes.entries)
            actions.append(
                Action("virtual_machine", "virtual_machine", "update", path, self.body, needs, entries, note=note)
            )
        if stop and self.runs:
            before = ("stop", "virtual_machine", "network_interface", *(s.key for s in actions if s.kind == "disk"))
            power = power_change("deallocated", "running")
            actions.append(Action("start", "virtual_machine", "start", path, needs=before, differences=power))
        return actions

    def _reasons(self) -> list[str]:
        """Return the options whose changes require the VM to be deallocated."""
        reasons = [change.option for change in self.offline]
        for entry in self.changes.entries:
            reasons += [entry.path] if entry.path in DEALLOCATED or RECACHED.fullmatch(entry.path) else []
        resized = any(entry.path == "vm_size" for entry in self.changes.entries)
        if resized and (self._loses_acceleration() or not self._is_available()):
            reasons.append("vm_size")
        return reasons

    def _loses_acceleration(self) -> bool:
        """Return whether accelerated networking is turned off, for which the VM is deallocated.

        So asks "Create an Azure Virtual Machine with Accelerated Networking" (learn.microsoft.com).
        """
        has = dig(self.current.network_interface, "properties", "enableAcceleratedNetworking")
        return bool(has) and self.desired.network.accelerated_networking is False

    def _is_available(self) -> bool:
        """Return whether Azure can give the VM the desired size on its current cluster."""
        sizes = self.current.available_sizes
        return sizes is not None and str(self.desired.vm_size).lower() in {size.lower() for size in sizes}

    def _all_differences(self) -> list[Difference]:
        of_disks = [replace(entry, path=change.option) for change in self.offline for entry in _disk_entries(change)]
        return [*self.changes.entries, *of_disks]


def plan_vm_update(desired: HostSpec, resources: HostResources, current: HostState, tags: Json) -> list[Action]:
    """Return the actions that bring an existing VM to the desired state, as far as Azure changes it in place.

    :raises OptionError: the host would have to stop, and may not.
    :raises OwnershipError: a disk that would change is somebody else's.
    :raises ImmutableError: it would have to be deallocated, and cannot be.
    """
    machine = t.cast("Json", current.virtual_machine)
    check_disk_owners(desired, machine)
    body, changes = update_body(desired, resources, tags, machine, current.user_data)
    main, others = disk_changes(desired, machine)
    online = tuple(change for change in others if _is_online(change))
    offline = tuple(change for change in [main, *others] if change and change not in online)
    return VmUpdate(desired, resources, current, body, changes, online, offline).actions()


def with_networking_last(actions: list[Action]) -> list[Action]:
    """Return the actions in an order in which no interface has accelerated networking with a size that lacks it.

    It is turned on after the VM got its new size, and turned off before, while the VM is deallocated.
    """
    asked = [entry for action in actions if action.key == "network_interface" for entry in action.differences]
    turned = next((entry.after for entry in asked if entry.path == "enable_accelerated_networking"), None)
    resized = any(entry.path == "vm_size" for action in actions for entry in action.differences)
    if not resized or turned is None:
        return actions
    if not turned:
        return _with_needs(actions, "network_interface", "stop")
    result = []
    for action in actions:
        if action.key == "network_interface":
            result.append(replace(action, needs=(*action.needs, "virtual_machine")))
        elif action.key == "virtual_machine":
            result.append(replace(action, needs=tuple(key for key in action.needs if key != "network_interface")))
        else:
            result.append(action)
    return result


def _with_needs(actions: list[Action], key: str, *needs: str) -> list[Action]:
    """Return the actions with further ones that one of them needs."""
    return [replace(action, needs=(*action.needs, *needs)) if action.key == key else action for action in actions]


def _is_online(change: DiskChange) -> bool:
    if change.kinds or change.sizes is None:
        return False
    before, after = change.sizes
    return not before <= _GROWS_ONLINE < after


def _disk_step(change: DiskChange, *needs: str) -> Action:
    verb = "convert" if change.kinds else "grow"
    key, entries = f"disk {name_in(change.disk_id)}", tuple(_disk_entries(change))
    return Action(key, "disk", verb, change.disk_id, change.body, needs, entries)


def _disk_entries(change: DiskChange) -> list[Difference]:
    pairs = (("disk_size_gb", change.sizes), ("managed_disk_type", change.kinds))
    return [Difference(path, pair[0], pair[1]) for path, pair in pairs if pair]
