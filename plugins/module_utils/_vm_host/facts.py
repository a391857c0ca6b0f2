# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is in Azure, looked at before anything is planned. Private to this collection."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._azure.clients import AzureSession
from .._azure.operations import Watch, Work, side_by_side, timed_out
from .layout import Layout
from .names import same_id

Json = dict[str, t.Any]
UNSETTLED = ("creating", "updating", "deleting")
READABLE = {
    "resource_group": "resource group",
    "virtual_network": "virtual network",
    "security_group": "network security group",
    "public_ip_address": "public IP address",
    "network_interface": "network interface",
    "virtual_machine": "virtual machine",
}


@dataclass(frozen=True)
class Facts:
    """A host's resources in wire format; None for what does not exist or was not looked at.

    :param complete: the host stands as its layout says, so that group and network were not looked at.
    :param available_sizes: the sizes that the running VM can change to without being deallocated, if asked for.
    :param user_data: the VM's user data (base64), if asked for.
    :param former: by kind, what stands under the name of the host's own resource, where another was given instead.
    """

    resource_group: Json | None = None
    virtual_network: Json | None = None
    security_group: Json | None = None
    public_ip_address: Json | None = None
    network_interface: Json | None = None
    virtual_machine: Json | None = None
    complete: bool = False
    available_sizes: frozenset[str] | None = None
    user_data: str | None = None
    former: t.Mapping[str, Json] = field(default_factory=dict)

    @property
    def power_state(self) -> str | None:
        """The VM's power state: running, stopped, deallocated, starting ...; None without a VM."""
        if not self.virtual_machine:
            return None
        view = self.virtual_machine.get("properties", {}).get("instanceView") or {}
        states = [str(status.get("code", "")) for status in view.get("statuses") or []]
        found = [state.split("/", 1)[1] for state in states if state.startswith("PowerState/")]
        return found[0] if found else "unknown"


def state_of(resource: Json | None) -> str:
    """A resource's provisioning state in lower case, empty without one."""
    return str(((resource or {}).get("properties") or {}).get("provisioningState") or "").lower()


def is_broken(resource: Json | None) -> bool:
    """Tell whether Azure's last operation on a resource did not succeed."""
    return state_of(resource) in ("failed", "canceled")


class Lookout:
    """Looks at a host's resources.

    :param settle: wait until what Azure still works on (left by an earlier run, or another one) is finished.
    """

    def __init__(self, session: AzureSession, layout: Layout, settle: bool) -> None:
        self._session = session
        self._layout = layout
        self._settle = settle

    def look(self, everything: bool = False) -> Facts:
        """Read what there is, side by side.

        :param everything: read group and network too, although the host seems complete.
        """
        layout = self._layout
        kinds = ("virtual_machine", "network_interface", "security_group", "public_ip_address")
        facts = self._read({kind: getattr(layout, kind) for kind in kinds if getattr(layout, kind)}, Facts())
        if facts.network_interface and not everything:
            layout = self._layout = layout.staying(attached_subnet(facts.network_interface))
        if facts.network_interface and not layout.public_ip_address:
            address = attached_address(facts.network_interface)
            if address:
                facts = self._read({"public_ip_address": address}, facts)
        facts = replace(facts, complete=self._is_complete(facts))
        if everything or not facts.complete:
            wanted = {"resource_group": layout.names.group_id, "virtual_network": layout.virtual_network}
            facts = self._read({kind: path for kind, path in wanted.items() if path}, facts)
        return replace(facts, former=self._former(facts)) if everything else facts

    def _former(self, facts: Facts) -> dict[str, Json]:
        """What an earlier run may have made, before the options named something else in its place."""
        kinds = ("network_interface", "security_group", "public_ip_address", "virtual_network")
        own = {kind: str(getattr(self._layout.names, kind)) for kind in kinds}
        seen = [getattr(self._layout, kind) for kind in kinds] + [(facts.public_ip_address or {}).get("id")]
        paths = {kind: path for kind, path in own.items() if not any(same_id(path, other) for other in seen)}
        if not paths or not facts.resource_group:
            return {}
        found = side_by_side([lambda kind=kind: self.look_at(kind, paths[kind]) for kind in paths])  # type: ignore[misc]
        return {kind: resource for kind, resource in zip(paths, found, strict=True) if resource}

    @property
    def layout(self) -> Layout:
        """The host's layout; once the host was looked at, with the subnet that it stays in."""
        return self._layout

    def look_at(self, kind: str, path: str) -> Json | None:
        """Read one resource and, if wished, wait until Azure has finished with it."""
        found = self.glance(kind, path)
        if not self._settle or state_of(found) not in UNSETTLED:
            return found
        watch = Watch(
            Work(
                self._layout.names.name,
                READABLE[kind],
                state_of(found).capitalize(),
                f"wait for the {READABLE[kind]}",
                path,
            ),
            self._session.progress,
        )
        pace = 1.0
        while found and state_of(found) in UNSETTLED:
            watch.saw(state_of(found).capitalize())
            if self._session.deadline.over:
                raise timed_out(watch.work, self._session.deadline, state_of(found))
            watch.rest(min(pace, self._session.deadline.left or pace))
            pace = min(5.0, pace * 1.5)
            found = self.glance(kind, path)
        return found

    def sizes_at_hand(self) -> frozenset[str]:
        """The sizes that the VM can be given where it runs now."""
        found = self._session.pages(
            "list the sizes that the VM can have",
            self._layout.virtual_machine,
            self._session.compute.virtual_machines.list_available_sizes,
            self._layout.names.resource_group,
            self._layout.names.name,
        )
        return frozenset(str(size.get("name")) for size in found)

    def user_data(self) -> str | None:
        """The VM's user data, which is returned on demand only."""
        found = self._vm(self._layout.virtual_machine, "userData")
        return ((found or {}).get("properties") or {}).get("userData")

    def _read(self, wanted: t.Mapping[str, str], facts: Facts) -> Facts:
        kinds = list(wanted)
        found = side_by_side([lambda kind=kind: self.look_at(kind, wanted[kind]) for kind in kinds])  # type: ignore[misc]
        return replace(facts, **t.cast("dict[str, t.Any]", dict(zip(kinds, found, strict=True))))

    def glance(self, kind: str, path: str) -> Json | None:
        """Read one resource as it is now."""
        if kind == "virtual_machine":
            return self._vm(path, "instanceView")
        return self._session.arm.find(path)

    def _vm(self, path: str, expand: str) -> Json | None:
        # By the ARM client: a run without change then loads no azure-mgmt-compute (0.2 s of processor time).
        return self._session.arm.find(path, **{"$expand": expand})

    def _is_complete(self, facts: Facts) -> bool:
        """Tell whether group and network need no look, because the interface stands in the wanted subnet."""
        layout = self._layout
        nic = facts.network_interface
        if not facts.virtual_machine or not nic:
            return False
        if (layout.public_ip_address and not facts.public_ip_address) or (
            layout.security_group and not facts.security_group
        ):
            return False
        return layout.subnet is None or same_id(attached_subnet(nic), layout.subnet)


def interface_of(machine: Json | None) -> str | None:
    """The id of a VM's primary interface, or of its only one."""
    profile = ((machine or {}).get("properties") or {}).get("networkProfile") or {}
    entries = profile.get("networkInterfaces") or []
    primary = [entry for entry in entries if (entry.get("properties") or {}).get("primary")]
    return next((str(entry["id"]) for entry in [*primary, *entries] if entry.get("id")), None)


def primary_configuration(nic: Json) -> Json:
    """The interface's primary IP configuration, or its first."""
    found = nic.get("properties", {}).get("ipConfigurations") or [{}]
    primary = [entry for entry in found if (entry.get("properties") or {}).get("primary")]
    return t.cast("Json", (primary or found)[0])


def attached_subnet(nic: Json) -> str | None:
    """The id of the subnet that an interface stands in."""
    return ((primary_configuration(nic).get("properties") or {}).get("subnet") or {}).get("id")


def attached_address(nic: Json) -> str | None:
    """The id of the public address that an interface has."""
    return ((primary_configuration(nic).get("properties") or {}).get("publicIPAddress") or {}).get("id")


def private_address(nic: Json) -> str | None:
    """The private address of an interface's primary configuration."""
    return (primary_configuration(nic).get("properties") or {}).get("privateIPAddress")
