# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the deletion of a host's own resources. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..._azure.resource_ids import name_in
from ..._azure.tags import SHARED, owner_of
from ..._azure.wire import Json, properties_of, subnet_id
from ..._diff import Difference
from ..bodies.network import find_subnet
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from .model import Action, OwnershipError, Plan, with_etags
from .shared_resources import is_further, is_part, is_plain, outsiders, users_of_network, users_of_subnet


@dataclass(frozen=True)
class DeletionPlanner:
    """The planner of one host's deletion.

    :param neighbours: the resources of the group (id, type, tags), if it should be deleted.
    """

    desired: HostSpec
    resources: HostResources
    current: HostState
    neighbours: tuple[Json, ...] = ()

    def plan(self) -> Plan:
        """Return the actions in an order that Azure accepts.

        :raises OwnershipError: the collection did not create the VM of that name.
        """
        machine = self.current.virtual_machine
        if machine and owner_of(machine) != self.desired.name and not self.desired.behaviour.adopt:
            raise OwnershipError(
                f"The virtual machine {machine.get('id')} was not created by this collection, so it stays. To delete it"
                " nevertheless, set O(adopt=true).",
                foreign=[str(machine.get("id"))],
            )
        plan = Plan()
        if machine and self._in_scope("virtual_machine"):
            plan.actions += self._keep(machine)
            plan.actions.append(self._deletion("virtual_machine", machine, "keep"))
        if self._in_scope("virtual_machine"):
            plan.actions += self._schedule()
        for kind, needs in (
            ("network_interface", ("virtual_machine",)),
            ("public_ip_address", ("virtual_machine", "network_interface")),
            ("security_group", ("virtual_machine", "network_interface")),
        ):
            first = tuple(action.key for action in plan.actions if action.kind in needs)
            plan.actions += self._own(kind, first, plan)
        self._shared_network(plan)
        self._group(plan)
        plan.actions = with_etags(plan.actions, self.current)
        return plan

    def _in_scope(self, kind: str) -> bool:
        return kind in self.desired.deletion_scope

    def _keep(self, machine: Json) -> list[Action]:
        """Return the action that keeps Azure from deleting with the VM what must stay."""
        properties = properties_of(machine)
        storage = properties.get("storageProfile") or {}
        change: Json = {}
        if not self._in_scope("disks"):
            os_disk = storage.get("osDisk") or {}
            disks = storage.get("dataDisks") or []
            # An ephemeral OS disk is always deleted with its VM.
            main = [] if os_disk.get("diffDiskSettings") else [os_disk]
            if any(disk.get("deleteOption") == "Delete" for disk in [*main, *disks]):
                kept = {"osDisk": {"createOption": os_disk.get("createOption"), "deleteOption": "Detach"}}
                change["storageProfile"] = {
                    **(kept if main else {}),
                    "dataDisks": [
                        {
                            "lun": disk["lun"],
                            "createOption": "Attach",
                            "caching": disk.get("caching"),
                            "managedDisk": {"id": (disk.get("managedDisk") or {}).get("id")},
                            "deleteOption": "Detach",
                        }
                        for disk in disks
                    ],
                }
        if not self._in_scope("network_interface"):
            interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
            if any((entry.get("properties") or {}).get("deleteOption") == "Delete" for entry in interfaces):
                change["networkProfile"] = {
                    "networkInterfaces": [
                        {"id": entry["id"], "properties": {**(entry.get("properties") or {}), "deleteOption": "Detach"}}
                        for entry in interfaces
                    ]
                }
        if not change:
            return []
        entry = Difference("delete_options", "Delete", "Detach")
        path = str(machine["id"])
        return [Action("keep", "virtual_machine", "update", path, {"properties": change}, differences=(entry,))]

    def _own(self, kind: str, needs: tuple[str, ...], plan: Plan) -> list[Action]:
        """Return the deletions of the host's own resources of a kind: the one in use, and one that another replaced."""
        if not self._in_scope(kind):
            return []
        current = None if self.resources.is_given(kind) else getattr(self.current, kind)
        actions = []
        for resource in (current, self.current.former.get(kind)):
            if not resource or owner_of(resource) != self.desired.name:
                continue
            users = self._other_users(kind, resource, plan)
            if users:
                plan.notes.append(f"{resource['id']} stays, because it is in use by {', '.join(users)}.")
                continue
            key = f"delete_{kind}" if resource is current else f"delete_former_{kind}"
            actions.append(self._deletion(kind, resource, *needs, key=key))
        return actions

    def _schedule(self) -> list[Action]:
        """Return the deletion of the schedule that deallocates the VM: Azure would keep it without a VM."""
        schedule = self.current.auto_shutdown
        if not schedule or owner_of(schedule) != self.desired.name:
            return []
        return [self._deletion("auto_shutdown", schedule, "delete_virtual_machine")]

    def _other_users(self, kind: str, resource: Json, plan: Plan) -> list[str]:
        """Return the other users of a resource, without those that are deleted too."""
        properties = properties_of(resource)
        going = plan.going
        users: list[str] = []
        if kind == "network_interface":
            users = [str((properties.get("virtualMachine") or {}).get("id") or "")]
        elif kind == "public_ip_address":
            users = [str((properties.get("ipConfiguration") or {}).get("id") or "")]
        elif kind == "security_group":
            used = [*(properties.get("networkInterfaces") or []), *(properties.get("subnets") or [])]
            users = [str(entry.get("id") or "") for entry in used]
        return [user for user in users if user and not any(is_part(user, path) for path in going)]

    def _shared_network(self, plan: Plan) -> None:
        """Delete the group's own network if nothing else is in it, else the subnets that only this host used.

        Other hosts may be deleted at the same time, so their use is read again after this deletion.
        """
        given = self.resources.is_given("virtual_network") or not self.resources.virtual_network
        network = self.current.former.get("virtual_network") if given else self.current.virtual_network
        if not network or not self._in_scope("virtual_network") or owner_of(network) != SHARED:
            return
        goes = not users_of_network(network, plan.going)
        subnets = self._further_subnets(network, plan)
        if goes or plan:
            plan.actions.append(self._shared("virtual_network", network, plan, goes))
        for place, subnet in enumerate(subnets):
            alone = not users_of_subnet(subnet, plan.going)
            if alone or plan:
                action = self._shared("subnet", subnet, plan, alone and not goes, f"delete_subnet_{place}")
                plan.actions.append(action)

    def _further_subnets(self, network: Json, plan: Plan) -> list[Json]:
        """Return the subnets besides the common one that the host uses, or would have used."""
        interface = self.current.network_interface
        paths = {str(self.resources.subnet).lower(): self.resources.subnet}
        if interface and owner_of(interface) == self.desired.name:
            path = subnet_id(interface)
            paths[str(path).lower()] = path
        further = [find_subnet(network, str(path)) for path in paths.values() if is_further(path, network)]
        plain = []
        for subnet in (subnet for subnet in further if subnet):
            if is_plain(subnet):
                plain.append(subnet)
            elif not users_of_subnet(subnet, plan.going):
                plan.notes.append(f"The subnet {subnet['id']} stays, because it has more than an address range.")
        return plain

    def _group(self, plan: Plan) -> None:
        group = self.current.resource_group
        if not group or not self._in_scope("resource_group"):
            return
        if owner_of(group) != SHARED:
            plan.notes.append(f"The resource group {group['name']} stays, because this collection did not create it.")
            return
        left = outsiders(self.neighbours, [*plan.going, *self._disks()])
        if left:
            note = f"The resource group {group['name']} stays, because it contains {', '.join(left)}."
            (plan.outlook if plan else plan.notes).append(note)
        if plan or not left:
            plan.actions.append(self._shared("resource_group", group, plan, not left))

    def _disks(self) -> list[str]:
        if not self._in_scope("disks"):
            return []
        storage = properties_of(self.current.virtual_machine).get("storageProfile") or {}
        disks = [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]
        going = [disk for disk in disks if disk.get("deleteOption") == "Delete"]
        return [str(disk["managedDisk"]["id"]) for disk in going if (disk.get("managedDisk") or {}).get("id")]

    def _deletion(self, kind: str, resource: Json, *needs: str, key: str = "") -> Action:
        path = str(resource["id"])
        # Azure deletes interface and address with the VM where their delete option says so.
        follows = kind in ("network_interface", "public_ip_address") and self.current.virtual_machine is not None
        entry = Difference("present", name_in(path), None)
        return Action(key or f"delete_{kind}", kind, "delete", path, needs=needs, differences=(entry,), if_left=follows)

    def _shared(self, kind: str, resource: Json, plan: Plan, expected: bool, key: str = "") -> Action:
        """Return the deletion of a shared resource, which comes after everything else."""
        action = self._deletion(kind, resource, *(action.key for action in plan.actions), key=key)
        return replace(action, if_unused=True, expected=expected)
