# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backend of docker_vm_host: read, plan, check, and unless in check mode apply."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace

from .._awx import is_discarded
from .._azure.clients import AzureSession
from .._azure.clock import check_clock
from .._azure.errors import WaitTimeoutError
from .._azure.operations import UNSEEN_PAUSES, OperationInfo, ProgressReporter
from .._azure.resource_ids import same_id
from .._azure.tags import owner_of
from .._azure.wire import Json, dig, is_broken, primary_nic_id
from .._backend import Backend, Request
from .._errors import DockerHostError, OptionError
from .apply import PlanExecutor
from .argument_spec import SPEC
from .bodies.virtual_machine import size_of
from .current.ports import with_current_ports
from .current.reader import StateReader
from .current.sources import with_current_sources
from .current.state import HostState
from .desired.host_spec import HostSpec, read_host_spec
from .desired.inbound_rules import shown_port
from .desired.ssh_keys import KeyPair, ensure_key_pair
from .desired.topology import HostResources, check_references, from_existing_nic, resolve_resources
from .failure_report import report_existing, report_failure
from .own_address import with_own_address
from .plan.accelerated_networking import with_accelerated_networking
from .plan.deletion import DeletionPlanner
from .plan.model import Action, Plan, diff_of
from .plan.planner import Planner
from .plan.power import plan_power
from .plan.vm_recreate import was_provisioned
from .plan.wording import describe
from .preflight.details import read_details
from .preflight.run import Preflight, registration_lines
from .result import KnownValues, describe_host, expected_state, predict_host

SSH_CLOSED = (
    "must be set, because SSH would be closed and O(require_ssh=true), which in the role is"
    " docker_host_context_transport=ssh, needs it. It is not needed with O(security_group) or O(network_interface),"
    " without a public IP address (O(assign_public_ip=false)), or with O(address)"
)
SHOWN = ("virtual_machine", "network_interface", "security_group", "public_ip_address")
"""The kinds of resources that are read again after a run."""
OFF = ("stopped", "stopping", "deallocated", "deallocating")


def run(request: Request) -> dict[str, t.Any]:
    """Bring one host to the desired state.

    :raises DockerHostError: an option cannot be used, Azure would refuse the plan, or an action failed.
    """
    begun = time.monotonic()
    desired = read_host_spec(request.params)
    check_references(desired)
    if desired.creates:
        desired = read_host_spec(with_own_address(request.params))
    timeout = float(request.params["wait_timeout"])
    with AzureSession.from_params(
        request.params, request.progress, timeout, request.concurrency, request.token_cache
    ) as session:
        resources = resolve_resources(desired, session.subscription_id)
        result = _HostRun(request, desired, session, resources).result()
        result["signed_in_with"] = session.signed_in_with
    result["timings"]["total"] = round(time.monotonic() - begun, 1)
    return result


class _HostRun:
    """One run for one host."""

    def __init__(self, request: Request, desired: HostSpec, session: AzureSession, resources: HostResources) -> None:
        self.request = request
        self.desired = desired
        self.session = session
        self.asked = desired
        self.planned_from = HostState()
        self.widened_access: list[str] = []
        self.reader = self._reader(resources)
        self.executor = PlanExecutor(session, desired, self.reader, self._replan)
        self.preflight: Preflight | None = None
        self.key: KeyPair | None = None
        self.new_location = ""

    def _reader(self, resources: HostResources) -> StateReader:
        settle = not self.request.check_mode and self.desired.behaviour.wait
        return StateReader(self.session, resources, settle)

    @property
    def resources(self) -> HostResources:
        """The host's resources, with the subnet in which it stays once the host was read."""
        return self.reader.resources

    def result(self) -> dict[str, t.Any]:
        """Read, plan and, unless in check mode, apply."""
        current = self._read()
        plan = self._plan(current)
        for note in plan.notes + (plan.outlook if self.request.check_mode else []):
            self.request.warn(note)
        self.widened_access = list(plan.widened_access)
        if plan and not self.request.check_mode:
            self._apply(plan)
            if self.desired.state != "absent":
                current = self._read_again()
        return self._result(current, plan)

    def _read(self) -> HostState:
        try:
            current = self._with_its_interface(self.reader.read(everything=self.desired.state == "absent"))
        except WaitTimeoutError as error:
            report_existing(error, self.session, self.resources, self.executor.execution)
            raise
        owner, name = owner_of(current.virtual_machine), self.desired.name
        # "Resource naming restrictions" (learn.microsoft.com): names are case-insensitive.
        if owner and owner != name and owner.lower() == name.lower():
            raise OptionError("name", f"Azure names are case-insensitive and {owner} already exists: use that spelling")
        if self.desired.creates:
            check_clock(self.session.arm.clock_ahead, self.request.warn)
        self.desired = self._with_current_access(current)
        self.executor = PlanExecutor(self.session, self.desired, self.reader, self._replan)
        return current

    def _with_current_access(self, current: HostState) -> HostSpec:
        """Return the desired host with the names, ports and sources that it has, where the options leave them open."""
        asked, known = self.asked, self.asked.known_names
        if current.virtual_machine and known and same_id(known.id, self.resources.virtual_machine):
            asked = replace(asked, names=known.names)
        return with_current_ports(with_current_sources(asked, current), self.resources, current)

    def _with_its_interface(self, current: HostState) -> HostState:
        """Take the interface from the VM if only the power state changes, or if the options leave its network out."""
        nic_id, resources = primary_nic_id(current.virtual_machine), self.resources
        changes_power = self.desired.state in ("running", "stopped", "deallocated", "restarted")
        keeps_network = self.desired.creates and not self.desired.decides_about_network
        if not (changes_power or keeps_network) or not nic_id or same_id(nic_id, resources.network_interface):
            return current
        existing = from_existing_nic(resources.names, nic_id)
        self.reader = self._reader(replace(existing, auto_shutdown=resources.auto_shutdown))
        return self.reader.read()

    def _plan(self, current: HostState) -> Plan:
        if self.desired.state == "absent":
            neighbours: tuple[Json, ...] = ()
            if "resource_group" in self.desired.deletion_scope and current.resource_group:
                neighbours = tuple(self.session.arm.list(f"{self.resources.names.group_id}/resources"))
            self.planned_from = current
            return DeletionPlanner(self.desired, self.resources, current, neighbours).plan()
        if not self.desired.creates:
            return plan_power(self.desired, self.resources, current)
        self._check_runs(current)
        self._check_ssh()
        current = read_details(self.session, self.desired, self.resources, self.reader, current)
        self.planned_from = current
        planner = Planner(self.desired, self.resources, current)
        plan = planner.plan()
        exists = current.virtual_machine is not None
        if not exists:
            self.new_location = planner.location()
            self._check_key_is_kept()
            if not self.request.check_mode:
                self.session.require_compute()
        self.preflight = Preflight(
            self.request, self.session, self.desired, self.resources, self.reader, planner.location()
        )
        findings = self.preflight.check(current, plan)
        supported = findings.accelerated_networking
        desired = with_accelerated_networking(self.desired, self.resources, current, supported)
        if desired is not self.desired:
            self.desired, self.asked = desired, replace(self.asked, network=desired.network)
            planner = Planner(desired, self.resources, current)
            plan = planner.plan()
        if exists:
            return plan
        self.desired = replace(self.desired, vm_size=findings.vm_size or self.desired.vm_size)
        # Azure refuses nothing: only now may a key be generated.
        return planner.with_findings(plan, self._ssh_keys(), findings)

    def _check_runs(self, current: HostState) -> None:
        """Check that an existing host is on, if the caller also makes changes that only a running host accepts.

        :raises DockerHostError: the host is off.
        """
        power = current.power_state
        if not self.desired.behaviour.require_running or self.desired.state != "present":
            return
        # Azure starts a VM that it creates again.
        if power in OFF and (was_provisioned(current) or not is_broken(current.virtual_machine)):
            raise DockerHostError(
                f"{self.desired.name} is {power}, so it cannot take all changes, and nothing was changed. Start it with"
                " the playbook dockerhost.azure.start_docker_host, or let this run start it, with O(state=started) in"
                " the module and docker_host_start=true in the role.",
                power_state=power,
            )

    def _check_ssh(self) -> None:
        """Check that somebody can connect to SSH after the run, if the caller needs that.

        :raises OptionError: the host's own rules let nobody in.
        """
        if not self.desired.behaviour.require_ssh or self.desired.ports.ssh_allowed_sources:
            return
        # With these, something else than the host's own rules decides, or clients come another way.
        resources = self.resources
        others_decide = resources.is_given("security_group") or resources.is_given("network_interface")
        if others_decide or not resources.public_ip_address or self.desired.names.address:
            return
        raise OptionError("ssh_allowed_sources", SSH_CLOSED)

    def _replan(self, action: Action, resource: Json | None) -> Action | None:
        """Return an action planned from the resource as it is now, None if nothing is left to do.

        :raises OptionError: the options do not fit the changed resource.
        :raises OwnershipError: the resource belongs to others by now.
        :raises ImmutableError: the resource was changed to what Azure cannot change back in place.
        """
        if resource is None and action.kind == "virtual_machine":
            return action  # Azure's own error says that it does not exist any more
        current = replace(self.planned_from, **t.cast("dict[str, t.Any]", {action.kind: resource}))
        if self.desired.state == "absent":
            plan = DeletionPlanner(self.desired, self.resources, current).plan()
        else:
            desired = self._with_current_access(current)
            current = read_details(self.session, desired, self.resources, self.reader, current)
            plan = Planner(desired, self.resources, current).plan()
        for line in plan.widened_access:
            if line not in self.widened_access:
                self.widened_access.append(line)
                self.request.warn(line)
        latest = plan.action(action.key)
        return latest and replace(action, verb=latest.verb, body=latest.body, etag=latest.etag)

    def _check_key_is_kept(self) -> None:
        """Check that a key that this run generates is not discarded with an AWX job.

        :raises OptionError: the SSH port is opened, but nobody could sign in.
        """
        path = self.desired.ssh_private_key_path
        if not self.desired.needs_generated_key or os.path.exists(os.path.expanduser(path)) or not is_discarded(path):
            return
        problem = (
            f"must be set here: otherwise the only SSH key is generated in {path}, which is discarded with this job, so"
            " that nobody could ever sign in. Give the public keys of those who may"
        )
        if self.desired.ports.ssh_allowed_sources:
            raise OptionError("ssh_public_keys", f"{problem}, or close SSH, which O(ssh_allowed_sources) opens")
        self.request.warn(f"O(ssh_public_keys): {problem}.")

    def _ssh_keys(self) -> tuple[str, ...]:
        if not self.desired.needs_generated_key:
            return self.desired.ssh_public_keys
        self.key = ensure_key_pair(self.desired.ssh_private_key_path, self.request.check_mode)
        return (self.key.public,)

    def _apply(self, plan: Plan) -> None:
        if any(action.kind == "virtual_machine" for action in plan.actions):
            self.session.require_compute()
            self.session.load_compute()
        try:
            self.executor.carry_out(plan)
        except DockerHostError as error:
            self._add_done(error)
            report_failure(error, self.session, self.desired, self.executor, self.new_location)
            raise
        for note in self.executor.execution.notes:
            self.request.warn(note)

    def _read_again(self) -> HostState:
        """Read the host again after everything was done."""
        try:
            return self._with_new_resources(self.reader.read())
        except DockerHostError as error:
            self._add_done(error)
            report_existing(error, self.session, self.resources, self.executor.execution)
            raise

    def _with_new_resources(self, current: HostState) -> HostState:
        """Return the host once Azure shows what this run made: without it, addresses would be missing."""
        made = {action.kind for action in self.executor.execution.made}.intersection(SHOWN)
        work = OperationInfo(self.desired.name, "VM", "Reading", "read the VM", self.resources.virtual_machine)
        for pause in UNSEEN_PAUSES:
            if all(getattr(current, kind) for kind in made):
                break
            ProgressReporter(work, self.request.progress).rest(pause)
            current = self.reader.read()
        return current

    def _add_done(self, error: DockerHostError) -> None:
        execution = self.executor.execution
        error.details.update(actions=self._lines(execution.done), timings=dict(execution.timings))

    def _lines(self, done: list[Action]) -> list[str]:
        """Return one line for each change."""
        return self._preparations() + [action.line for action in done]

    def _preparations(self) -> list[str]:
        """Return one line for each change other than those of the host's resources."""
        lines = registration_lines(self.preflight.registered if self.preflight else ())
        if self.key and self.key.generated:
            lines.append(f"generate SSH key {self.key.path}")
        return lines

    def _result(self, current: HostState, plan: Plan) -> dict[str, t.Any]:
        execution = self.executor.execution
        done = plan.expected if self.request.check_mode else execution.in_order_of(plan)
        lines = self._lines(done)
        result: dict[str, t.Any] = {
            "changed": bool(lines),
            "actions": lines,
            "changes": self._preparations() + describe(done),
            "timings": dict(execution.timings),
            "host": None if self.desired.state == "absent" else self._host(current, plan),
        }
        if self.desired.creates:
            result["widened_access"] = self.widened_access
            if not self.resources.is_given("security_group") and not self.resources.is_given("network_interface"):
                result["allowed_sources"] = list(self.desired.ports.allowed_sources)
                result["ssh_allowed_sources"] = list(self.desired.ports.ssh_allowed_sources)
                result["open_ports"] = [shown_port(rule) for rule in self.desired.ports.open_ports]
        if self.key:
            result["ssh_private_key_path"] = self.key.path
        if self.request.diff:
            result["diff"] = diff_of(done)
        return result

    def _host(self, current: HostState, plan: Plan) -> Json:
        known = KnownValues(
            location=self.desired.location or dig(current.resource_group, "location"),
            vm_size=size_of(self.desired),
            admin_username=self.desired.user,
            docker_port=self.desired.docker_port,
            ssh_port=self.desired.ssh_port,
            names=self.desired.names if self.desired.creates else None,
        )
        if not self.request.check_mode:
            return describe_host(self.resources, current, known)
        host = describe_host(self.resources, expected_state(current, plan), known)
        machine = plan.action("virtual_machine")
        host["tags"] = dig(machine.body if machine else None, "tags") or host["tags"]
        return predict_host(host, plan, known, self.desired.network.private_ip_address)


BACKEND = Backend("docker_vm_host", SPEC, run)
