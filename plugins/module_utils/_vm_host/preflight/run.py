# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check with Azure before the first change that it will accept the plan."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from functools import partial

from ..._azure.clients import AzureSession
from ..._azure.operations import run_parallel
from ..._azure.tags import owner_of
from ..._azure.wire import Json, dig, private_ip
from ..._backend import Request
from ..._errors import DockerHostError, OptionError
from ..bodies.virtual_machine import Findings
from ..current.reader import StateReader
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from ..plan.model import Plan
from ..plan.planner import new_dns_label
from ..plan.vm_patch import SIZE_MATTERS
from .checks import check_answers
from .image_checks import check_registration
from .permissions import check_permissions, required_permissions
from .queries import Answers, query_azure, query_dns_label, query_private_address, query_sizes, query_usages
from .references import check_references, references_of
from .resource_providers import FOR_SCHEDULES, find_unregistered, register
from .size_checks import check_change


@dataclass
class Preflight:
    """The queries that one run sends to Azure before its first change.

    :param location: the current or future location of the host.
    :ivar registered: the resource providers that this run registers, or in check mode would register.
    """

    request: Request
    session: AzureSession
    desired: HostSpec
    resources: HostResources
    reader: StateReader
    location: str
    registered: tuple[str, ...] = ()

    def check(self, current: HostState, plan: Plan) -> Findings:
        """Refuse what Azure would refuse, and return what was found out for a new VM.

        :raises OptionError: the first option that Azure would refuse.
        :raises MissingPermissionError: the signed-in identity lacks permissions.
        """
        if not self.desired.behaviour.preflight:
            return Findings()
        self._check_private_address(current, plan)
        if not current.virtual_machine:
            return self._check_creation(current, plan)
        label = new_dns_label(plan)
        problem = query_dns_label(self.session, self.location, label) if label else None
        if problem:
            raise OptionError("dns_label", problem)
        findings = self._check_update(current.virtual_machine, plan)
        self._check_schedule(plan)
        return findings

    def _check_private_address(self, current: HostState, plan: Plan) -> None:
        """Check that the private address is free in an existing network."""
        address, network = self.desired.network.private_ip_address, self.resources.virtual_network
        action = plan.action("network_interface")
        if not (address and network and action):
            return
        is_set = action.verb == "create" or any(entry.path == "private_ip_address" for entry in action.differences)
        exists = current.virtual_network or current.complete
        if is_set and exists and private_ip(current.network_interface) != address:
            problem = query_private_address(self.session, network, address)
            if problem:
                raise OptionError("private_ip_address", problem)

    def _check_schedule(self, plan: Plan) -> None:
        """Register what a schedule for an existing VM needs; for a new VM that is done with all the rest."""
        action = plan.action("auto_shutdown")
        if not action or action.verb != "create":
            return
        missing = tuple(find_unregistered(self.session, FOR_SCHEDULES))
        if missing and not self.request.check_mode:
            register(self.session, self.resources.names.name, missing)
        self.registered = missing

    def _check_update(self, machine: Json, plan: Plan) -> Findings:
        """Check sizes and named resources if a change of an existing VM depends on them."""
        entries = [entry for action in plan.actions for entry in action.differences]
        changed = {entry.path for entry in entries if entry.after not in (False, None)}
        references = references_of(self.desired, self.resources.names)
        named = [reference for reference in references if reference.option.partition(".")[0] in changed]
        check_references(self.session, named, self.location)
        change = plan.action("virtual_machine")
        if change and change.verb == "create" and self._has_other_size(machine):
            changed.add("vm_size")
        if not changed & SIZE_MATTERS and "enable_accelerated_networking" not in self.desired.reset:
            return Findings()
        jobs: list[t.Callable[[], list[Json] | None]] = [partial(query_sizes, self.session, self.location)]
        if "vm_size" in changed:
            jobs.append(partial(query_usages, self.session, self.location))
        sizes, *usages = run_parallel(jobs)
        return check_change(self.desired, self.location, sizes, machine, usages[0] if usages else None)

    def _has_other_size(self, machine: Json) -> bool:
        """Return whether a VM whose creation failed was to have another size."""
        before = str(dig(machine, "properties", "hardwareProfile", "vmSize"))
        return bool(self.desired.vm_size) and str(self.desired.vm_size).lower() != before.lower()

    def _check_creation(self, current: HostState, plan: Plan) -> Findings:
        check_registration(self.desired)
        names = self.resources.names
        scope = names.group_id if current.resource_group else f"/subscriptions/{names.subscription_id}"
        label = new_dns_label(plan)
        query = partial(query_azure, self.session, self.desired, self.location, label)
        answers = query(scope)
        if answers.label_problem and self._has_label(label):
            answers = replace(answers, label_problem=None)
        check_permissions(required_permissions(plan, self.resources), answers.permissions, scope)
        findings = check_answers(self.desired, self.location, answers)
        for note in findings.notes:
            self.request.warn(note)
        if not answers.unregistered:
            return findings
        if self.request.check_mode:
            self.registered = answers.unregistered
            self.request.warn(
                f"The subscription is not registered for {', '.join(self.registered)}. A run registers it first; only"
                " then can size, image and quota be checked."
            )
            return findings
        return self._register(answers.unregistered, query)

    def _has_label(self, label: str | None) -> bool:
        """Return whether the host's own address has the label: a killed run's last request may take effect late."""
        resource_id = self.resources.public_ip_address
        address = self.reader.read_resource("public_ip_address", resource_id) if resource_id else None
        owned = owner_of(address) == self.desired.name
        return owned and dig(address, "properties", "dnsSettings", "domainNameLabel") == label

    def _register(self, namespaces: tuple[str, ...], query: t.Callable[[], Answers]) -> Findings:
        """Register resource providers, which is a change, and only then ask for the rest."""
        register(self.session, self.resources.names.name, namespaces)
        self.registered = namespaces
        try:
            return check_answers(self.desired, self.location, query())
        except DockerHostError as error:
            error.details.update(actions=registration_lines(self.registered), timings={})
            error.message += f" Registered before was: {', '.join(namespaces)}."
            raise


def registration_lines(namespaces: tuple[str, ...]) -> list[str]:
    """Return the result's line for each resource provider that is registered."""
    return [f"register resource provider {namespace}" for namespace in namespaces]
