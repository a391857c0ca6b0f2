# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of a host, and which of them the options name."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ..._azure.resource_ids import group_in, same_id
from ..._azure.tags import DNS_LABEL_TAG, NO_LABEL, has_tag
from ..._azure.wire import Json
from ..._errors import OptionError
from ..argument_spec import DEFAULT_ACCESS, RESET
from .host_spec import HostSpec
from .options import NetworkOptions
from .resource_names import SHARED_SUBNET, ResourceNames

NIL = "00000000-0000-0000-0000-000000000000"
"""A subscription's ID that stands for an unknown one."""


@dataclass(frozen=True)
class HostResources:
    """The ids of a host's resources. None if the host has no such resource, or if its interface decides.

    :param given: the kinds for which the user named an existing resource, which is never changed or deleted.
    :param subnet_named: whether the user named the subnet; otherwise an existing host stays in its own.
    :param group_named: whether the user named the security group, or set its rules; otherwise an existing host keeps
        the one that it has.
    :param address_named: whether the user decided about the public address; otherwise an existing host keeps the one
        that it has, or stays without one.
    :param label_named: whether the user decided about the DNS label; otherwise an address without one stays without.
    :param auto_shutdown: the schedule that deallocates the VM; None if the options do not set it.
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
    group_named: bool = False
    address_named: bool = False
    label_named: bool = False
    auto_shutdown: str | None = None

    def is_given(self, kind: str) -> bool:
        """Return whether a resource of the kind was named by the user."""
        return kind in self.given

    def spelled_as(self, ids: t.Sequence[str]) -> HostResources:
        """Return the resources with those ids, the first of each, where they are the same but for their case."""
        spellings = {one.rstrip("/").lower(): one for one in reversed(ids)}
        kinds = ("network_interface", "security_group", "public_ip_address", "virtual_network", "subnet")
        given = {kind: str(getattr(self, kind) or "").rstrip("/").lower() for kind in kinds}
        shown: dict[str, t.Any] = {kind: spellings[path] for kind, path in given.items() if path in spellings}
        return replace(self, **shown)

    def with_current_subnet(self, subnet: str | None) -> HostResources:
        """Return the resources with the current subnet, in which the host stays unless the options name another.

        :param subnet: the id of the subnet that the host's interface is in.
        """
        if self.subnet is None or self.subnet_named or not subnet or same_id(subnet, self.subnet):
            return self
        network = subnet.rpartition("/subnets/")[0]
        if same_id(network, self.virtual_network):
            return replace(self, subnet=subnet)
        # An existing network that the options named when the host was created.
        return replace(self, subnet=subnet, virtual_network=network, given=self.given | {"virtual_network"})

    def with_current_group(self, group: str | None) -> HostResources:
        """Return the resources with the current security group, which stays unless the options name one or set rules.

        :param group: the id of the security group of the host's interface; None if it was detached, so that the host's
            own one is attached again.
        """
        if self.security_group is None or self.group_named or not group or same_id(group, self.security_group):
            return self
        return replace(self, security_group=group, given=self.given | {"security_group"})

    def with_current_address(self, address: str | None, own: Json | None) -> HostResources:
        """Return the resources with the current public address, which stays unless the options decide about it.

        :param address: the id of the address of the host's interface.
        :param own: the host's own address. If it exists and was detached, it is attached again.
        """
        if self.public_ip_address is None or self.address_named:
            return self
        if address and not same_id(address, self.public_ip_address):
            given = self.given | {"public_ip_address"}
            return replace(self, public_ip_address=address, dns_label=None, given=given)
        if not own:
            return replace(self, public_ip_address=None, dns_label=None)
        if has_tag(own, DNS_LABEL_TAG, NO_LABEL) and not self.label_named:
            return replace(self, dns_label=None)
        return self


def from_existing_nic(names: ResourceNames, network_interface: str) -> HostResources:
    """Return the resources of a host whose interface exists: the interface decides the rest."""
    given = frozenset({"network_interface"})
    return HostResources(names, names.virtual_machine, network_interface, None, None, None, None, None, given)


def check_references(desired: HostSpec) -> None:
    """Check every name and ID of another resource, before the first request.

    :raises OptionError: one is neither a name nor an ID of the right type, or an identity is given twice.
    """
    # Which subscription the names belong to is known only after signing in.
    names = resolve_resources(desired, NIL).names
    if desired.proximity_placement_group:
        names.resolve("proximity_placement_group", "proximity_placement_group", desired.proximity_placement_group)
    seen: set[str] = set()
    for index, text in enumerate(desired.identity.user_assigned if desired.identity else ()):
        option = f"vm_identity.user_assigned_identities[{index}]"
        resource_id = names.resolve(option, "identity", text).lower()
        if resource_id in seen:
            raise OptionError(option, f"must be given once, got {text!r} twice (Azure ignores the case of names)")
        seen.add(resource_id)


def resolve_resources(desired: HostSpec, subscription_id: str) -> HostResources:
    """Return the resources that the options describe.

    :raises OptionError: a reference is neither a name nor an id of the right type.
    """
    names = ResourceNames(subscription_id, desired.resource_group, desired.name)
    options = desired.network
    given = {kind: names.resolve(kind, kind, text) for kind, text in options.references.items()}
    _check_availability_set(names, desired.availability_set)
    schedule = names.auto_shutdown if desired.creates and desired.auto_shutdown else None
    if "network_interface" in given:
        return replace(from_existing_nic(names, given["network_interface"]), auto_shutdown=schedule)
    network = given.get("virtual_network", names.virtual_network)
    if "virtual_network" in given and not options.subnet_name:
        raise OptionError("subnet_name", "must name the subnet to use in the existing O(virtual_network)")
    is_private = options.assign_public_ip is False
    public = None if is_private else given.get("public_ip_address", names.public_ip_address)
    return HostResources(
        names=names,
        virtual_machine=names.virtual_machine,
        network_interface=names.network_interface,
        security_group=given.get("security_group", names.security_group),
        public_ip_address=public,
        virtual_network=network,
        subnet=f"{network}/subnets/{options.subnet_name or SHARED_SUBNET}",
        dns_label=_dns_label(names, options) if public and "public_ip_address" not in given else None,
        given=frozenset(given),
        subnet_named=bool(options.subnet_name or "virtual_network" in given),
        group_named=bool("security_group" in given or DEFAULT_ACCESS.keys() - desired.ports.kept),
        address_named=bool(options.assign_public_ip or options.dns_label or "public_ip_address" in given),
        label_named=options.assign_dns_label is not None or bool(options.dns_label),
        auto_shutdown=schedule,
    )


def _check_availability_set(names: ResourceNames, reference: str | None) -> None:
    """Check that the VM is in the group of its availability set (VirtualMachineProperties of the Compute API)."""
    if not reference:
        return
    resource_id = names.resolve("availability_set", "availability_set", reference)
    if group_in(resource_id).lower() != names.resource_group.lower():
        raise OptionError(
            "availability_set", f"must be in the resource group of the host, {names.resource_group}, got {resource_id}"
        )


def _dns_label(names: ResourceNames, options: NetworkOptions) -> str | None:
    if options.assign_dns_label is False:
        return None
    return names.default_dns_label if options.dns_label in (None, RESET) else options.dns_label
