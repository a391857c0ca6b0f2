# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the host's resources from Azure."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from functools import partial

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.operations import OperationInfo, ProgressReporter, poll, run_parallel
from ..._azure.resource_ids import same_id
from ..._azure.wire import UNSETTLED, Json, dig, provisioning_state, public_ip_id, security_group_id, subnet_id
from ..desired.topology import HostResources
from .state import HostState

READABLE = {
    "resource_group": "resource group",
    "virtual_network": "virtual network",
    "security_group": "network security group",
    "public_ip_address": "public IP address",
    "network_interface": "network interface",
    "virtual_machine": "virtual machine",
    "auto_shutdown": "auto-shutdown schedule",
}
IN_PROGRESS: t.Mapping[str, str] = {**READABLE, "virtual_machine": "VM"}
"""Kinds as progress lines name them."""


class StateReader:
    """Read a host's resources.

    :param settle: whether to wait for operations of an earlier run, or of another one, that are still in progress.
    """

    def __init__(self, session: AzureSession, resources: HostResources, settle: bool) -> None:
        self._session = session
        self._resources = resources
        self._settle = settle

    def read(self, everything: bool = False) -> HostState:
        """Read the existing resources in parallel. From then on, their ids have Azure's spelling.

        :param everything: whether to read group and network too, although the host seems complete.
        """
        current = self._read_all(everything)
        self._resources = self._resources.spelled_as(_ids_in(current))
        return current

    def _read_all(self, everything: bool) -> HostState:
        resources = self._resources
        kinds = ("virtual_machine", "network_interface", "security_group", "public_ip_address", "auto_shutdown")
        current = self._read(
            {kind: getattr(resources, kind) for kind in kinds if getattr(resources, kind)}, HostState()
        )
        if current.network_interface and not everything:
            current = self._with_current_references(current, current.network_interface)
            resources = self._resources
        if current.network_interface and not current.public_ip_address:
            address = public_ip_id(current.network_interface)
            if address and same_id(resources.public_ip_address or address, address):
                current = self._read({"public_ip_address": address}, current)
        current = replace(current, complete=self._is_complete(current))
        if everything or not current.complete:
            desired = {"resource_group": resources.names.group_id, "virtual_network": resources.virtual_network}
            current = self._read({kind: path for kind, path in desired.items() if path}, current)
        if not everything:
            return current
        return replace(current, former=self._former(current), auto_shutdown=self._schedule_if_readable())

    def _with_current_references(self, current: HostState, interface: Json) -> HostState:
        """Take the resources that the interface has, where the options do not name others, and read them."""
        before = self._resources
        self._resources = (
            before.with_current_subnet(subnet_id(interface))
            .with_current_group(security_group_id(interface))
            .with_current_address(public_ip_id(interface), current.public_ip_address)
        )
        paths = {kind: getattr(self._resources, kind) for kind in ("security_group", "public_ip_address")}
        return self._read(
            {kind: path for kind, path in paths.items() if path and path != getattr(before, kind)}, current
        )

    def _schedule_if_readable(self) -> Json | None:
        """Read the schedule of a host that is deleted; an identity that may not read schedules never created one."""
        try:
            return self.read_resource("auto_shutdown", self._resources.names.auto_shutdown)
        except AzureError as error:
            if error.status != 403:
                raise
            return None

    def _former(self, current: HostState) -> dict[str, Json]:
        """Read what an earlier run may have created before the options named existing resources instead."""
        kinds = ("network_interface", "security_group", "public_ip_address", "virtual_network")
        own = {kind: str(getattr(self._resources.names, kind)) for kind in kinds}
        seen = [getattr(self._resources, kind) for kind in kinds] + [(current.public_ip_address or {}).get("id")]
        paths = {kind: path for kind, path in own.items() if not any(same_id(path, other) for other in seen)}
        if not paths or not current.resource_group:
            return {}
        former = run_parallel([partial(self.read_resource, kind, path) for kind, path in paths.items()])
        return {kind: resource for kind, resource in zip(paths, former, strict=True) if resource}

    @property
    def resources(self) -> HostResources:
        """The host's resources, with those that it keeps once the host was read."""
        return self._resources

    def read_resource(self, kind: str, path: str) -> Json | None:
        """Read one resource and, with ``settle``, wait for the operation on it."""
        current = self.read_once(kind, path)
        if not self._settle or provisioning_state(current) not in UNSETTLED:
            return current
        watch = ProgressReporter(
            OperationInfo(
                self._resources.names.name,
                IN_PROGRESS[kind],
                provisioning_state(current).capitalize(),
                f"wait for the {READABLE[kind]}",
                path,
            ),
            self._session.progress,
        )
        return poll(
            partial(self.read_once, kind, path),
            lambda resource: provisioning_state(resource) not in UNSETTLED,
            watch,
            self._session.deadline,
            current=current,
            state=lambda resource: provisioning_state(resource).capitalize(),
        )

    def available_sizes(self) -> frozenset[str]:
        """Return the sizes that Azure can give the VM on its current cluster."""
        listed = self._session.pages(
            "list the sizes that the VM can have",
            self._resources.virtual_machine,
            self._session.compute.virtual_machines.list_available_sizes,
            self._resources.names.resource_group,
            self._resources.names.name,
        )
        return frozenset(str(size.get("name")) for size in listed)

    def user_data(self) -> str | None:
        """Return the VM's user data, which Azure returns only on request."""
        machine = self._vm(self._resources.virtual_machine, "userData")
        return ((machine or {}).get("properties") or {}).get("userData")

    def _read(self, desired: t.Mapping[str, str], current: HostState) -> HostState:
        kinds = list(desired)
        read = run_parallel([partial(self.read_resource, kind, desired[kind]) for kind in kinds])
        return replace(current, **t.cast("dict[str, t.Any]", dict(zip(kinds, read, strict=True))))

    def read_once(self, kind: str, path: str) -> Json | None:
        """Read the current state of one resource."""
        if kind == "virtual_machine":
            return self._vm(path, "instanceView")
        try:
            return self._session.arm.find(path)
        except AzureError as error:
            # Without the provider, which few other resources need, a subscription has no schedules.
            if kind == "auto_shutdown" and error.code == "MissingSubscriptionRegistration":
                return None
            raise

    def _vm(self, path: str, expand: str) -> Json | None:
        # By the ARM client: a run without change then loads no azure-mgmt-compute (0.2 s of processor time).
        return self._session.arm.find(path, **{"$expand": expand})

    def _is_complete(self, current: HostState) -> bool:
        """Return whether group and network need not be read, because the interface is in the desired subnet."""
        resources = self._resources
        nic = current.network_interface
        if not current.virtual_machine or not nic:
            return False
        if (resources.public_ip_address and not current.public_ip_address) or (
            resources.security_group and not current.security_group
        ):
            return False
        return resources.subnet is None or same_id(subnet_id(nic), resources.subnet)


def _ids_in(current: HostState) -> list[str]:
    """Return the ids that Azure shows of the host's network: of resources, then of what only is referred to."""
    network = current.virtual_network
    shown = [
        *(dig(network, "properties", "subnets") or []),
        current.security_group,
        current.public_ip_address,
        current.network_interface,
        network,
    ]
    subnet = subnet_id(current.network_interface) or ""
    ids = [*(dig(resource, "id") for resource in shown), subnet, subnet.rpartition("/subnets/")[0]]
    return [str(one) for one in ids if one]
