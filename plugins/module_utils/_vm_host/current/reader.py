# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the host's resources from Azure."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from functools import partial

from ..._azure.clients import AzureSession
from ..._azure.operations import OperationInfo, ProgressReporter, poll, run_parallel
from ..._azure.resource_ids import same_id
from ..._azure.wire import Json, provisioning_state, public_ip_id, subnet_id
from ..desired.topology import HostResources
from .state import HostState

UNSETTLED = ("creating", "updating", "deleting")


READABLE = {
    "resource_group": "resource group",
    "virtual_network": "virtual network",
    "security_group": "network security group",
    "public_ip_address": "public IP address",
    "network_interface": "network interface",
    "virtual_machine": "virtual machine",
}


class StateReader:
    """Looks at a host's resources.

    :param settle: wait until what Azure still works on (left by an earlier run, or another one) is finished.
    """

    def __init__(self, session: AzureSession, layout: HostResources, settle: bool) -> None:
        self._session = session
        self._layout = layout
        self._settle = settle

    def look(self, everything: bool = False) -> HostState:
        """Read what there is, side by side.

        :param everything: read group and network too, although the host seems complete.
        """
        layout = self._layout
        kinds = ("virtual_machine", "network_interface", "security_group", "public_ip_address")
        facts = self._read({kind: getattr(layout, kind) for kind in kinds if getattr(layout, kind)}, HostState())
        if facts.network_interface and not everything:
            layout = self._layout = layout.with_current_subnet(subnet_id(facts.network_interface))
        if facts.network_interface and not layout.public_ip_address:
            address = public_ip_id(facts.network_interface)
            if address:
                facts = self._read({"public_ip_address": address}, facts)
        facts = replace(facts, complete=self._is_complete(facts))
        if everything or not facts.complete:
            wanted = {"resource_group": layout.names.group_id, "virtual_network": layout.virtual_network}
            facts = self._read({kind: path for kind, path in wanted.items() if path}, facts)
        return replace(facts, former=self._former(facts)) if everything else facts

    def _former(self, facts: HostState) -> dict[str, Json]:
        """What an earlier run may have made, before the options named something else in its place."""
        kinds = ("network_interface", "security_group", "public_ip_address", "virtual_network")
        own = {kind: str(getattr(self._layout.names, kind)) for kind in kinds}
        seen = [getattr(self._layout, kind) for kind in kinds] + [(facts.public_ip_address or {}).get("id")]
        paths = {kind: path for kind, path in own.items() if not any(same_id(path, other) for other in seen)}
        if not paths or not facts.resource_group:
            return {}
        found = run_parallel([partial(self.look_at, kind, path) for kind, path in paths.items()])
        return {kind: resource for kind, resource in zip(paths, found, strict=True) if resource}

    @property
    def layout(self) -> HostResources:
        """The host's layout; once the host was looked at, with the subnet that it stays in."""
        return self._layout

    def look_at(self, kind: str, path: str) -> Json | None:
        """Read one resource and, if wished, wait until Azure has finished with it."""
        found = self.glance(kind, path)
        if not self._settle or provisioning_state(found) not in UNSETTLED:
            return found
        watch = ProgressReporter(
            OperationInfo(
                self._layout.names.name,
                READABLE[kind],
                provisioning_state(found).capitalize(),
                f"wait for the {READABLE[kind]}",
                path,
            ),
            self._session.progress,
        )
        return poll(
            partial(self.glance, kind, path),
            lambda resource: provisioning_state(resource) not in UNSETTLED,
            watch,
            self._session.deadline,
            current=found,
            state=lambda resource: provisioning_state(resource).capitalize(),
        )

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

    def _read(self, wanted: t.Mapping[str, str], facts: HostState) -> HostState:
        kinds = list(wanted)
        found = run_parallel([partial(self.look_at, kind, wanted[kind]) for kind in kinds])
        return replace(facts, **t.cast("dict[str, t.Any]", dict(zip(kinds, found, strict=True))))

    def glance(self, kind: str, path: str) -> Json | None:
        """Read one resource as it is now."""
        if kind == "virtual_machine":
            return self._vm(path, "instanceView")
        return self._session.arm.find(path)

    def _vm(self, path: str, expand: str) -> Json | None:
        # By the ARM client: a run without change then loads no azure-mgmt-compute (0.2 s of processor time).
        return self._session.arm.find(path, **{"$expand": expand})

    def _is_complete(self, facts: HostState) -> bool:
        """Tell whether group and network need no look, because the interface stands in the wanted subnet."""
        layout = self._layout
        nic = facts.network_interface
        if not facts.virtual_machine or not nic:
            return False
        if (layout.public_ip_address and not facts.public_ip_address) or (
            layout.security_group and not facts.security_group
        ):
            return False
        return layout.subnet is None or same_id(subnet_id(nic), layout.subnet)
