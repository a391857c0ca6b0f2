# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is there to the steps that remove what is ours. Private to this collection. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._differences import Difference
from .facts import Facts, Json
from .layout import Layout
from .names import SHARED, name_in, owner_of, same_id
from .network import properties_of
from .steps import OwnershipError, Plan, Step
from .wanted import Wanted


@dataclass(frozen=True)
class Remover:
    """Plans the end of one host.

    :param neighbours: the resources of the group (id, type, tags), if its deletion was asked for.
    """

    wanted: Wanted
    layout: Layout
    facts: Facts
    neighbours: tuple[Json, ...] = ()

    def plan(self) -> Plan:
        """The steps, in an order that Azure accepts.

        :raises OwnershipError: the VM of that name is not ours.
        """
        machine = self.facts.virtual_machine
        if machine and owner_of(machine) != self.wanted.name and not self.wanted.params["adopt"]:
            raise OwnershipError(
                f"The virtual machine {machine.get('id')} was not made by this collection, and is left alone"
                " (or delete it all the same with adopt: true).",
                foreign=[str(machine.get("id"))],
            )
        plan = Plan()
        if machine and self._in_scope("virtual_machine"):
            plan.steps += self._keep(machine)
            plan.steps.append(self._deletion("virtual_machine", machine, "keep"))
        for kind, needs in (
            ("network_interface", ("delete_virtual_machine",)),
            ("public_ip_address", ("delete_virtual_machine", "delete_network_interface")),
            ("security_group", ("delete_virtual_machine", "delete_network_interface")),
        ):
            plan.steps += self._own(kind, needs, plan)
        plan.steps += self._shared_network(plan)
        plan.steps += self._group(plan)
        return plan

    def _in_scope(self, kind: str) -> bool:
        scope = self.wanted.params["remove_on_absent"]
        return kind in scope or ("all" in scope and kind != "resource_group")

    def _keep(self, machine: Json) -> list[Step]:
        """What is not to go with the VM is taken out of its care first."""
        properties = properties_of(machine)
        storage = properties.get("storageProfile") or {}
        change: Json = {}
        if not self._in_scope("disks"):
            os_disk = storage.get("osDisk") or {}
            disks = storage.get("dataDisks") or []
            # An ephemeral OS disk goes with its VM in any case.
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
        return [Step("keep", "virtual_machine", "update", path, {"properties": change}, differences=(entry,))]

    def _own(self, kind: str, needs: tuple[str, ...], plan: Plan) -> list[Step]:
        resource = getattr(self.facts, kind)
        if not resource or self.layout.is_given(kind) or not self._in_scope(kind):
            return []
        if owner_of(resource) != self.wanted.name:
            return []
        users = self._other_users(kind, resource, plan)
        if users:
            plan.notes.append(f"{resource['id']} is kept, since it is in use by {', '.join(users)}.")
            return []
        return [self._deletion(kind, resource, *needs)]

    def _other_users(self, kind: str, resource: Json, plan: Plan) -> list[str]:
        """Who else needs a resource, apart from what goes as well."""
        properties = properties_of(resource)
        going = [step.resource_id for step in plan.steps if step.verb == "delete"]
        users: list[str] = []
        if kind == "network_interface":
            users = [str((properties.get("virtualMachine") or {}).get("id") or "")]
        elif kind == "public_ip_address":
            users = [str((properties.get("ipConfiguration") or {}).get("id") or "")]
        elif kind == "security_group":
            used = [*(properties.get("networkInterfaces") or []), *(properties.get("subnets") or [])]
            users = [str(entry.get("id") or "") for entry in used]
        return [user for user in users if user and not any(_is_part(user, path) for path in going)]

    def _shared_network(self, plan: Plan) -> list[Step]:
        network = self.facts.virtual_network
        if not network or self.layout.is_given("virtual_network") or not self._in_scope("virtual_network"):
            return []
        if owner_of(network) != SHARED:
            return []
        going = [step.resource_id for step in plan.steps if step.verb == "delete"]
        for subnet in properties_of(network).get("subnets") or []:
            properties = subnet.get("properties") or {}
            for entry in properties.get("ipConfigurations") or []:
                if not any(_is_part(str(entry.get("id")), path) for path in going):
                    return []
        needs = ("delete_network_interface", "delete_virtual_machine")
        return [self._deletion("virtual_network", network, *needs)]

    def _group(self, plan: Plan) -> list[Step]:
        group = self.facts.resource_group
        if not group or "resource_group" not in self.wanted.params["remove_on_absent"]:
            return []
        if owner_of(group) != SHARED:
            plan.notes.append(f"The resource group {group['name']} was not made by this collection, and is kept.")
            return []
        going = [step.resource_id for step in plan.steps if step.verb == "delete"] + self._disks()
        left = [str(entry.get("id")) for entry in self.neighbours if not any(same_id(entry["id"], p) for p in going)]
        left = [path for path in left if not any(_is_part(path, own) for own in going)]
        if left:
            plan.notes.append(f"The resource group {group['name']} is kept, since it holds {', '.join(left)}.")
            return []
        needs = tuple(step.key for step in plan.steps)
        return [self._deletion("resource_group", group, *needs)]

    def _disks(self) -> list[str]:
        if not self._in_scope("disks"):
            return []
        storage = properties_of(self.facts.virtual_machine).get("storageProfile") or {}
        disks = [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]
        going = [disk for disk in disks if disk.get("deleteOption") == "Delete"]
        return [str(disk["managedDisk"]["id"]) for disk in going if (disk.get("managedDisk") or {}).get("id")]

    def _deletion(self, kind: str, resource: Json, *needs: str) -> Step:
        path = str(resource["id"])
        # Azure deletes interface and address with the VM where their delete option says so.
        follows = kind in ("network_interface", "public_ip_address") and self.facts.virtual_machine is not None
        entry = Difference("present", name_in(path), None)
        return Step(f"delete_{kind}", kind, "delete", path, needs=needs, differences=(entry,), if_left=bool(follows))


def _is_part(path: str, of: str) -> bool:
    """Tell whether an id is another or lies below it."""
    return same_id(path, of) or path.lower().startswith(of.lower().rstrip("/") + "/")


def all_disks(machine: t.Mapping[str, t.Any] | None) -> list[str]:
    """The ids of a VM's disks."""
    storage = properties_of(dict(machine or {})).get("storageProfile") or {}
    disks = [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]
    return [str(disk["managedDisk"]["id"]) for disk in disks if (disk.get("managedDisk") or {}).get("id")]
