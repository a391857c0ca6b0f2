# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the actions from the current to the desired state of a host.

Pure: nothing here talks to Azure or to the file system.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..._azure.resource_ids import name_in, same_id
from ..._azure.tags import (
    CUSTOM_DATA_TAG,
    DNS_LABEL_TAG,
    NO_LABEL,
    PORT_TAG,
    RESERVED_PREFIX,
    SHARED,
    SSH_PORT_TAG,
    merged_tags,
    owner_of,
    owner_tags,
    tags_without,
)
from ..._azure.wire import Json, is_broken, picked, primary_ip_configuration, properties_of, provisioning_state
from ..._diff import Difference, Differences
from ..._digest import new_digest
from ..._errors import DockerHostError, OptionError
from ..._ports import DEFAULT_SSH_PORT
from ..bodies import network, schedule
from ..bodies.virtual_machine import Findings, machine_body, without_secrets
from ..current.ports import current_port, known_ports
from ..current.reader import READABLE
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from . import subnets
from .access import notes_on_access, widened_access
from .existing_resources import check_existing_resources, notes_on_existing_resources
from .foreign_rules import notes_on_foreign_rules
from .immutable import custom_data_digest, immutable_differences
from .model import Action, ImmutableError, OwnershipError, Plan, with_etags
from .power import start_action
from .shared_resources import must_be_recreated
from .vm_recreate import recreated_body, was_provisioned
from .vm_update import plan_vm_update, with_networking_last


@dataclass(frozen=True)
class Planner:
    """The planner of one host."""

    desired: HostSpec
    resources: HostResources
    current: HostState

    def plan(self) -> Plan:
        """Return the actions that bring the host to its desired state.

        :raises OptionError: a resource that the options name does not exist, or does not fit.
        :raises OwnershipError: other resources have the names of the host's own.
        :raises ImmutableError: Azure cannot make the changes in place.
        """
        self._check_owners()
        check_existing_resources(self.desired, self.resources, self.current, self.location())
        plan = Plan()
        location = self.location()
        for make in (self._group, self._network, self._security_group, self._address, self._interface, self._machine):
            plan.actions.extend(make(location))
        plan.actions = with_networking_last(plan.actions)
        plan.actions.extend(self._power(plan))
        plan.actions.extend(self._left_over())
        plan.actions.extend(self._auto_shutdown(location))
        plan.actions = with_etags(plan.actions, self.current)
        plan.notes += notes_on_existing_resources(self.desired, self.resources, self.current)
        plan.notes += notes_on_access(self.desired, self.resources, self.current)
        plan.notes += notes_on_foreign_rules(self.desired, self.resources, self.current)
        plan.widened_access = widened_access(self.desired, self.resources, self.current)
        current = self.current.virtual_machine
        if current and self.desired.custom_data and not custom_data_digest(current):
            plan.notes.append(
                f"The collection cannot check that {self.desired.name} was created with this custom_data: Azure does"
                " not return it, and the virtual machine has no tag with its digest."
            )
        if self._cannot_reach_out():
            plan.notes.append(
                f"The host has no public address, and the subnet {name_in(str(self.resources.subnet))} has neither a"
                " NAT gateway nor default outbound access: the host cannot download packages."
            )
        return plan

    def with_findings(self, plan: Plan, ssh_keys: tuple[str, ...], findings: Findings) -> Plan:
        """Return the plan with what only the preflight finds out about a new VM.

        :param ssh_keys: the public keys that the VM gets.
        :param findings: its size, and what image and size allow.
        """
        creation = plan.action("virtual_machine")
        if not creation or self.current.virtual_machine:
            return plan
        tags = (creation.body or {})["tags"]
        body = machine_body(self.desired, self.resources, self.location(), tags, ssh_keys, findings)
        complete = self._machine_creation(body, *creation.needs)
        actions = [complete if action is creation else action for action in plan.actions]
        return replace(plan, actions=actions)

    def _cannot_reach_out(self) -> bool:
        """Return whether a host without a public address is in a subnet without outbound access."""
        if self.resources.public_ip_address or not self.resources.subnet:
            return False
        subnet = network.find_subnet(self.current.virtual_network, self.resources.subnet)
        properties = properties_of(subnet)
        closed = properties.get("defaultOutboundAccess") is False
        # A route table may lead to a firewall, which has rules of its own.
        return closed and not properties.get("natGateway") and not properties.get("routeTable")

    def location(self) -> str:
        """Return the current or future location of the host."""
        for known in (self.current.virtual_machine, self.current.network_interface):
            if known:
                return str(known["location"])
        if self.desired.location:
            return self.desired.location
        for near in (self.current.virtual_network, self.current.resource_group):
            if near:
                return str(near["location"])
        raise OptionError(
            "location",
            f"the resource group {self.desired.resource_group} does not exist yet: set O(location) to create it.",
        )

    # Checks before the first change

    def _check_owners(self) -> None:
        if self.desired.behaviour.adopt:
            return
        owners = dict.fromkeys(READABLE, self.desired.name)
        owners["virtual_network"] = SHARED
        del owners["resource_group"]
        foreign = []
        for kind, owner in owners.items():
            resource = getattr(self.current, kind)
            if kind == "public_ip_address" and not self.resources.public_ip_address:
                continue
            if resource and not self.resources.is_given(kind) and owner_of(resource) != owner:
                foreign.append((kind, resource, owner_of(resource)))
        if not foreign:
            return
        shown = "; ".join(
            f"{READABLE[kind]} {resource.get('id') or resource.get('name')}"
            + (f" (created for {owner})" if owner else " (not created by this collection)")
            for kind, resource, owner in foreign
        )
        raise OwnershipError(
            f"{shown}: these resources were not created for the host {self.desired.name}, so they do"
            " not change. Choose another name, or take them over with O(adopt=true).",
            foreign=[str(resource.get("id")) for _kind, resource, _owner in foreign],
        )

    # The resources

    def _group(self, location: str) -> list[Action]:
        if self.current.resource_group or self.current.complete:
            return []
        body = {"location": location, "tags": owner_tags(SHARED)}
        return [_creation("resource_group", self.resources.names.group_id, body)]

    def _network(self, location: str) -> list[Action]:
        resources, current = self.resources, self.current.virtual_network
        if resources.virtual_network is None or (self.current.complete and not current):
            return []
        if current and is_broken(current) and not properties_of(current).get("subnets"):
            current = None
        if current:
            subnets.check_prefixes(self.desired, resources, current)
        subnets.check_private_address(self.desired, resources, current)
        if resources.is_given("virtual_network"):
            return []
        if not current:
            prefixes = str(subnets.network_prefix(self.desired)), str(subnets.subnet_prefix(self.desired, None))
            body = network.network_body(resources, location, owner_tags(SHARED), *prefixes)
            return [_creation("virtual_network", resources.virtual_network, body, "resource_group")]
        if current.get("location") != location:
            raise DockerHostError(
                f"The shared network {current.get('id')} is in {current.get('location')}, but the host would be"
                f" in {location}. Use that location, another group, or your own O(virtual_network)."
            )
        return [*self._adopted_network(current), *self._subnet(current)]

    def _subnet(self, current: Json) -> list[Action]:
        path = str(self.resources.subnet)
        subnet = network.find_subnet(current, path)
        if subnet and must_be_recreated(subnet):
            entry = Difference("provisioning_state", provisioning_state(subnet).capitalize(), "Succeeded")
            body = {
                "properties": picked(
                    properties_of(subnet), ("addressPrefix", "addressPrefixes", "defaultOutboundAccess")
                )
            }
            again = _creation("subnet", path, body, "virtual_network")
            return [replace(again, differences=(entry,), note=" again, since it failed")]
        if subnet:
            return []
        body = network.subnet_body(str(subnets.subnet_prefix(self.desired, current)))
        return [_creation("subnet", path, body, "virtual_network")]

    def _adopted_network(self, current: Json) -> list[Action]:
        """Change only the tags of an existing network: a PUT would also replace what others have in it."""
        if owner_of(current) == SHARED:
            return []
        before = current.get("tags") or {}
        tags = merged_tags(before, owner_tags(SHARED))
        entry = Difference("tags", before, tags)
        path = str(self.resources.virtual_network)
        return [Action("virtual_network", "virtual_network", "tag", path, {"tags": tags}, differences=(entry,))]

    def _security_group(self, location: str) -> list[Action]:
        resources = self.resources
        if not resources.security_group or resources.is_given("security_group"):
            return []
        current = self.current.security_group
        tags = self._tags(current)
        body = network.security_group_body(self.desired, location, tags, current)
        if not current:
            return [_creation("security_group", resources.security_group, body, "resource_group")]
        changes = _changes(current, tags)
        network.compare_rules(changes, self.desired, current)
        return _update("security_group", resources.security_group, body, changes)

    def _address(self, location: str) -> list[Action]:
        resources = self.resources
        if not resources.public_ip_address or resources.is_given("public_ip_address"):
            return []
        current = self.current.public_ip_address
        tags = self._tags(current, None if resources.dns_label else {DNS_LABEL_TAG: NO_LABEL})
        if resources.dns_label:
            tags = tags_without(tags, (DNS_LABEL_TAG,))
        body = network.address_body(self.desired, resources, location, tags, current)
        if not current:
            return [_creation("public_ip_address", resources.public_ip_address, body, "resource_group")]
        changes = _changes(current, tags)
        network.compare_address(changes, self.desired, resources, current)
        return _update("public_ip_address", resources.public_ip_address, body, changes)

    def _interface(self, location: str) -> list[Action]:
        resources = self.resources
        if resources.is_given("network_interface"):
            return []
        current = self.current.network_interface
        tags = self._tags(current)
        body = network.interface_body(self.desired, resources, location, tags, current)
        needs = ("resource_group", "virtual_network", "subnet", "security_group", "public_ip_address")
        if not current:
            return [_creation("network_interface", resources.network_interface, body, *needs)]
        subnet = properties_of(primary_ip_configuration(current)).get("subnet") or {}
        changes = _changes(current, tags)
        if not same_id(subnet.get("id"), resources.subnet):
            # "Change subnet assignment" (learn.microsoft.com): within the virtual network, and no further.
            if not same_id(str(subnet.get("id")).rpartition("/subnets/")[0], resources.virtual_network):
                entry = Difference("subnet", subnet.get("id"), resources.subnet)
                raise ImmutableError(f"The network interface {name_in(resources.network_interface)}", [entry])
            changes.add("subnet", subnet.get("id"), resources.subnet)
        network.compare_interface(changes, self.desired, resources, current)
        return _update("network_interface", resources.network_interface, body, changes, *needs)

    def _machine(self, location: str) -> list[Action]:
        resources, current = self.resources, self.current.virtual_machine
        extra = {PORT_TAG: str(self.desired.docker_port)}
        if self.desired.ssh_port != DEFAULT_SSH_PORT:
            extra[SSH_PORT_TAG] = str(self.desired.ssh_port)
        if not current and self.desired.custom_data:
            extra[CUSTOM_DATA_TAG] = new_digest(self.desired.custom_data.encode(), owner=resources.virtual_machine)
        tags = self._tags(current, extra)
        if not current:
            body = machine_body(self.desired, resources, location, tags, (), Findings())
            return [self._machine_creation(body, "network_interface")]
        self._check_immutable(current)
        if is_broken(current):
            if was_provisioned(self.current):
                return self._repair(tags, current)
            again = self._machine_recreation(location, tags, current)
            # Azure may leave a VM off that was stopped before.
            return [again] if self._runs else [again, start_action(resources, self.current, "virtual_machine")]
        return plan_vm_update(self.desired, resources, self.current, tags)

    def _machine_creation(self, body: Json, *needs: str) -> Action:
        creation = _creation("virtual_machine", self.resources.virtual_machine, body, *needs)
        return replace(creation, also="engine at first boot" if self.desired.boot_script else "")

    def _auto_shutdown(self, location: str) -> list[Action]:
        path, desired, current = self.resources.auto_shutdown, self.desired.auto_shutdown, self.current.auto_shutdown
        if not path or not desired:
            return []
        if not desired.enabled:
            return [_deletion("auto_shutdown", path)] if current else []
        tags = self._tags(current)
        body = schedule.schedule_body(desired, self.resources.virtual_machine, location, tags, current)
        if not current:
            return [_creation("auto_shutdown", path, body, "virtual_machine")]
        changes = _changes(current, tags)
        schedule.compare_schedule(changes, body, current)
        return _update("auto_shutdown", path, body, changes, "virtual_machine")

    def _check_immutable(self, current: Json) -> None:
        entries = immutable_differences(self.desired, self.resources, current)
        if self.desired.ssh_port not in known_ports("ssh_port", self.current):
            before = current_port("ssh_port", self.current)
            entries.append(Difference("ssh_port", before, self.desired.ssh_port))
        if entries:
            raise ImmutableError(f"The virtual machine {self.desired.name}", entries)

    def _machine_recreation(self, location: str, tags: Json, current: Json) -> Action:
        """Create a VM again whose creation failed, with its former settings where the options do not set others."""
        profile = properties_of(current).get("osProfile") or {}
        keys = ((profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []
        known = tuple(str(key["keyData"]) for key in keys)
        # Its security type cannot change any more.
        security = properties_of(current).get("securityProfile") or {}
        findings = Findings(trusted_launch=security.get("securityType") == "TrustedLaunch")
        body = machine_body(self.desired, self.resources, location, tags, known, findings)
        body = recreated_body(self.desired, body, current)
        state = Difference("provisioning_state", provisioning_state(current).capitalize(), "Succeeded")
        return Action(
            "virtual_machine",
            "virtual_machine",
            "create",
            self.resources.virtual_machine,
            body,
            needs=("network_interface",),
            differences=(state,),
            note=" again, since it failed",
        )

    def _repair(self, tags: Json, current: Json) -> list[Action]:
        """Reapply the state of a VM that was provisioned before, and only then make the other changes."""
        state = Difference("provisioning_state", provisioning_state(current).capitalize(), "Succeeded")
        path = self.resources.virtual_machine
        repair = Action("reapply", "virtual_machine", "reapply", path, differences=(state,))
        rest = plan_vm_update(self.desired, self.resources, self.current, tags)
        return [repair, *(replace(action, needs=(*action.needs, "reapply")) for action in rest)]

    @property
    def _runs(self) -> bool:
        return self.current.power_state not in (None, "stopped", "deallocated")

    def _power(self, plan: Plan) -> list[Action]:
        current = self.current.virtual_machine
        if self.desired.state != "started" or not current or self._runs:
            return []
        if is_broken(current) and not was_provisioned(self.current):
            return []
        return [start_action(self.resources, self.current, *(action.key for action in plan.actions))]

    def _left_over(self) -> list[Action]:
        """Delete the host's own public address if the options require none any more."""
        current = self.current.public_ip_address
        if self.resources.public_ip_address or self.resources.is_given("network_interface") or not current:
            return []
        if owner_of(current) != self.desired.name:
            return []
        return [_deletion("public_ip_address", str(current["id"]), "network_interface")]

    def _tags(self, current: Json | None, extra: Json | None = None) -> Json:
        """Return the desired tags of a resource, in the case in which it has them."""
        before = (current or {}).get("tags") or {}
        after = {**self.desired.tags, **owner_tags(self.desired.name), **(extra or {})}
        merged = merged_tags(before, after)
        if self.desired.append_tags:
            return merged
        kept = {name.lower() for name in after}
        return {
            name: value
            for name, value in merged.items()
            if name.lower() in kept or name.lower().startswith(RESERVED_PREFIX)
        }


def new_dns_label(plan: Plan) -> str | None:
    """Return the DNS label that a plan gives to the host's public address, None if the label does not change."""
    action = plan.action("public_ip_address")
    if not action or not (action.verb == "create" or any(entry.path == "dns_label" for entry in action.differences)):
        return None
    dns = properties_of(action.body).get("dnsSettings") or {}
    # With a scope, Azure adds a hash to the name, so that its availability cannot be queried.
    return None if dns.get("domainNameLabelScope") else dns.get("domainNameLabel")


def _creation(kind: str, path: str, body: Json, *needs: str) -> Action:
    entry = Difference("present", None, without_secrets(body))
    return Action(kind, kind, "create", path, body, needs, (entry,))


def _deletion(kind: str, path: str, *needs: str) -> Action:
    return Action(f"delete_{kind}", kind, "delete", path, needs=needs, differences=(Difference("present", path, None),))


def _changes(current: Json, tags: Json) -> Differences:
    changes = Differences()
    changes.compare("tags", current.get("tags") or {}, tags)
    if is_broken(current):
        changes.add("provisioning_state", provisioning_state(current).capitalize(), "Succeeded")
    return changes


def _update(kind: str, path: str, body: Json, changes: Differences, *needs: str) -> list[Action]:
    if not changes:
        return []
    return [Action(kind, kind, "update", path, body, needs, tuple(changes.entries))]
