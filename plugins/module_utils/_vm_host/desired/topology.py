# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which resources a host consists of, and which of them were given. Private to this collection."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ..._azure.resource_ids import group_in, same_id
from ..._errors import OptionError
from .host_spec import HostSpec
from .resource_names import SHARED_SUBNET, ResourceNames


@dataclass(frozen=True)
class HostResources:
    """The ids of a host's resources. None where the host has no such resource, or where its interface decides.

    :param given: the kinds that exist already and that the user named: never changed, never deleted.
    :param subnet_named: the user said which subnet; else a host that is there stays in its own.
    """

    names: ResourceNames
    virtual_machine: str
    network_interface: str
    security_group: str | None
    public_ip_address: str | None
    virtual_network: str | None
    subnet: str | None
    dns_label: str | None
    given: frozenset[str]
    subnet_named: bool = False

    def is_given(self, kind: str) -> bool:
        """Tell whether a resource of the kind was named by the user."""
        return kind in self.given

    def with_current_subnet(self, subnet: str | None) -> HostResources:
        """The layout of a host that is in a subnet: where no other is asked for, it stays there.

        :param subnet: the id of the subnet that the host's interface is in.
        """
        if self.subnet is None or self.subnet_named or not subnet or same_id(subnet, self.subnet):
            return self
        network = subnet.rpartition("/subnets/")[0]
        if same_id(network, self.virtual_network):
            return replace(self, subnet=subnet)
        # A network that was given when the host was made.
        return replace(self, subnet=subnet, virtual_network=network, given=self.given | {"virtual_network"})


def from_existing_nic(names: ResourceNames, network_interface: str) -> HostResources:
    """The resources of a host whose interface was given: that one decides the rest."""
    given = frozenset({"network_interface"})
    return HostResources(names, names.virtual_machine, network_interface, None, None, None, None, None, given)


def resolve_resources(desired: HostSpec, subscription_id: str) -> HostResources:
    """The resources that the options ask for.

    :raises OptionError: a reference is neither a name nor an id of the right type.
    """
    names = ResourceNames(subscription_id, desired.resource_group, desired.name)
    params = desired.params
    kinds = ("network_interface", "security_group", "public_ip_address", "virtual_network")
    refs = {kind: names.resolve(kind, kind, params[kind]) for kind in kinds if params[kind]}
    _check_set(names, params)
    if "network_interface" in refs:
        return from_existing_nic(names, refs["network_interface"])
    network = refs.get("virtual_network", names.virtual_network)
    if "virtual_network" in refs and not params["subnet_name"]:
        raise OptionError("subnet_name", "an existing virtual network needs the name of the subnet to use.")
    public = (refs.get("public_ip_address") or names.public_ip_address) if params["assign_public_ip"] else None
    return HostResources(
        names=names,
        virtual_machine=names.virtual_machine,
        network_interface=names.network_interface,
        security_group=refs.get("security_group", names.security_group),
        public_ip_address=public,
        virtual_network=network,
        subnet=f"{network}/subnets/{params['subnet_name'] or SHARED_SUBNET}",
        dns_label=_dns_label(names, params) if public and "public_ip_address" not in refs else None,
        given=frozenset(refs),
        subnet_named=bool(params["subnet_name"] or params["virtual_network"]),
    )


def _check_set(names: ResourceNames, params: t.Mapping[str, t.Any]) -> None:
    """VirtualMachineProperties.availabilitySet of the Compute API: the VM is in the group of its availability set."""
    asked = params["availability_set"]
    if not asked:
        return
    path = names.resolve("availability_set", "availability_set", asked)
    if group_in(path).lower() != names.resource_group.lower():
        raise OptionError("availability_set", f"{path} is not in the group of the host, {names.resource_group}.")


def _dns_label(names: ResourceNames, params: t.Mapping[str, t.Any]) -> str | None:
    if not params["assign_dns_label"]:
        return None
    return str(params["dns_label"] or names.default_dns_label)
