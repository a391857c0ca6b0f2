# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind docker_vm_host. Private to this collection."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace
from pathlib import Path

from .._awx import is_discarded
from .._azure.clients import AzureSession
from .._azure.errors import AzureError, WaitTimeoutError
from .._azure.operations import run_parallel
from .._azure.resource_ids import same_id
from .._azure.tags import owner_of
from .._azure.wire import Json, dig, primary_nic_id, private_ip, properties_of
from .._backend import Backend, Request
from .._errors import DockerHostError, OptionError
from .apply import Execution, PlanExecutor
from .argument_spec import SPEC
from .bodies import virtual_machine as machine
from .current.ports import with_current_ports
from .current.reader import StateReader
from .current.state import HostState
from .desired.host_spec import HostSpec, read_host_spec
from .desired.ssh_keys import KeyPair, ensure_key_pair
from .desired.topology import HostResources, from_existing_nic, resolve_resources
from .plan.deletion import DeletionPlanner
from .plan.disks import disks_to_read, with_managed_disks
from .plan.model import Action, Plan, diff_of
from .plan.planner import Planner, label_to_get, plan_power
from .plan.vm_patch import SIZE_MATTERS
from .preflight.checks import check_answers, check_change, suggest_alternatives
from .preflight.permissions import check_permissions, required_permissions
from .preflight.queries import query_azure, query_dns_label, query_private_address, query_sizes, query_usages
from .preflight.references import check_references, references_of
from .preflight.resource_providers import register
from .result import KnownValues, describe_host, expected_state, predict_host


def run(request: Request) -> dict[str, t.Any]:
    """Bring one host to the state that is asked for."""
    begun = time.monotonic()
    desired = read_host_spec(request.params)
    timeout = float(request.params["wait_timeout"])
    with AzureSession.from_params(
        request.params, request.progress, timeout, request.concurrency, request.token_cache
    ) as session:
        resources = resolve_resources(desired, session.subscription_id)
        result = _Run(request, desired, session, resources).result()
        result["signed_in_with"] = session.signed_in_with
    result["timings"]["total"] = round(time.monotonic() - begun, 1)
    return result


class _Run:
    """One run for one host."""

    def __init__(self, request: Request, desired: HostSpec, session: AzureSession, resources: HostResources) -> None:
        self.request = request
        self.desired = desired
        self.session = session
        self.resources = resources
        self.reader = self._reader()
        self.outcome = Execution()
        self.key: KeyPair | None = None
        self.location = ""
        self.registered: tuple[str, ...] = ()

    def _reader(self) -> StateReader:
        settle = not self.request.check_mode and bool(self.request.params["wait"])
        return StateReader(self.session, self.resources, settle)

    def result(self) -> dict[str, t.Any]:
        """Look, plan and, unless in check mode, carry out."""
        try:
            current = self._with_its_interface(self.reader.read(everything=self.desired.state == "absent"))
        except WaitTimeoutError as error:
            self._tell_existing(error)
            raise
        self._check_case(current)
        self.desired = with_current_ports(self.desired, self.reader.resources, current)
        self.resources = self.reader.resources
        plan = self._plan(current)
        for note in plan.notes + (plan.outlook if self.request.check_mode else []):
            self.request.warn(note)
        if plan and not self.request.check_mode:
            self._carry_out(plan)
            if self.desired.state != "absent":
                current = self._look_again()
        return self._result(current, plan)

    def _look_again(self) -> HostState:
        """Look at what there is after everything was done."""
        try:
            return self.reader.read()
        except DockerHostError as error:
            self._tell_done(error)
            self._tell_existing(error)
            raise

    def _with_its_interface(self, current: HostState) -> HostState:
        """Who only stops or starts a host need not say again which interface it was given: the VM tells."""
        path = primary_nic_id(current.virtual_machine)
        only_power = self.desired.state in ("stopped", "deallocated", "restarted")
        if not only_power or not path or same_id(path, self.resources.network_interface):
            return current
        self.resources = from_existing_nic(self.resources.names, path)
        self.reader = self._reader()
        return self.reader.read()

    def _plan(self, current: HostState) -> Plan:
        if self.desired.state == "absent":
            neighbours: tuple[Json, ...] = ()
            if "resource_group" in self.desired.params["remove_on_absent"] and current.resource_group:
                neighbours = tuple(self.session.arm.list(f"{self.resources.names.group_id}/resources"))
            return DeletionPlanner(self.desired, self.resources, current, neighbours).plan()
        if not self.desired.creates:
            return plan_power(self.desired, self.resources, current)
        current = self._more_facts(current)
        planner = Planner(self.desired, self.resources, current)
        plan = planner.plan()
        self._check_address(current, plan)
        if current.virtual_machine:
            self._check_label(plan, planner.location())
            self._check_changes(current.virtual_machine, plan)
            return plan
        self._check_key_lasts()
        capabilities = self._preflight(planner, plan)
        # Nothing wrong was found: only now a key may be made.
        return Planner(self.desired, self.resources, current, self._ssh_keys(), capabilities).plan()

    def _check_address(self, current: HostState, plan: Plan) -> None:
        """Ask whether the private address is free, when the interface is to get it in a network that is there."""
        address, action = self.desired.params["private_ip_address"], plan.action("network_interface")
        network = self.resources.virtual_network
        if not (address and action and network and self.desired.params["preflight"]):
            return
        gets = action.verb == "create" or any(entry.path == "private_ip_address" for entry in action.differences)
        mine = current.network_interface and private_ip(current.network_interface) == address
        if gets and not mine and (current.virtual_network or current.complete):
            problem = query_private_address(self.session, network, address)
            if problem:
                raise OptionError("private_ip_address", problem)

    def _check_label(self, plan: Plan, location: str) -> None:
        """Ask whether the DNS label is free, when the address of a host that is there is to get it."""
        label = label_to_get(plan)
        if label and self.desired.params["preflight"]:
            problem = query_dns_label(self.session, location, label)
            if problem:
                raise OptionError("dns_label", problem)

    def _check_case(self, current: HostState) -> None:
        """Names of Azure's resources differ not by case ("Resource naming restrictions", learn.microsoft.com)."""
        owner, name = owner_of(current.virtual_machine), self.desired.name
        if owner and owner != name and owner.lower() == name.lower():
            raise OptionError("name", f"the host {owner} is there, and Azure tells no {name} from it: write {owner}.")

    def _check_changes(self, current: Json, plan: Plan) -> None:
        """Ask what sizes can do, and whether what is named exists, when a change depends on it."""
        asked = {
            entry.path for action in plan.actions for entry in action.differences if entry.after not in (False, None)
        }
        if not self.desired.params["preflight"]:
            return
        location = str(current.get("location"))
        named = references_of(self.desired, self.resources.names)
        check_references(self.session, [one for one in named if one.option.partition(".")[0] in asked], location)
        if asked & SIZE_MATTERS:
            sizes, usages = run_parallel(
                [
                    lambda: query_sizes(self.session, location),
                    lambda: query_usages(self.session, location) if "vm_size" in asked else None,
                ]
            )
            check_change(self.desired, location, sizes, current, usages)

    def _preflight(self, planner: Planner, plan: Plan) -> machine.ImageCapabilities:
        self.location = planner.location()
        if not self.request.check_mode:
            self.session.require_compute()
        if not self.desired.params["preflight"]:
            return machine.ImageCapabilities()
        names = self.resources.names
        scope = names.group_id if planner.current.resource_group else f"/subscriptions/{names.subscription_id}"
        label = label_to_get(plan)
        question = (self.session, self.desired, self.location, label)
        answers = query_azure(*question, scope)
        if answers.label_problem and self._has_label(label):
            answers = replace(answers, label_problem=None)
        check_permissions(required_permissions(plan, self.resources), answers.permissions, scope)
        capabilities = check_answers(self.desired, self.location, answers)
        self.registered = answers.unregistered
        if not self.registered:
            return capabilities
        if self.request.check_mode:
            self.request.warn(
                f"The subscription is not registered for {', '.join(self.registered)}: a run registers it first, and"
                " only then can tell whether size, image and quota can be had."
            )
            return capabilities
        return self._register_and_check(question)

    def _has_label(self, label: str | None) -> bool:
        """Tell whether the host's own address has it now: the last request of a run that was killed came late."""
        path = self.resources.public_ip_address
        found = self.reader.read_resource("public_ip_address", path) if path else None
        settings = properties_of(found).get("dnsSettings") or {}
        return owner_of(found) == self.desired.name and settings.get("domainNameLabel") == label

    def _register_and_check(self, question: t.Any) -> machine.ImageCapabilities:
        """Register what is missing, which is a change, and only then ask for the rest."""
        missing, self.registered = self.registered, ()
        register(self.session, self.resources.names.name, missing)
        self.registered = missing
        try:
            return check_answers(self.desired, self.location, query_azure(*question))
        except DockerHostError as error:
            self._tell_done(error)
            error.message += f" Registered before was: {', '.join(missing)}."
            raise

    def _more_facts(self, current: HostState) -> HostState:
        """What is only needed for some changes of a VM that is there."""
        virtual_machine = current.virtual_machine
        if not virtual_machine:
            return current
        disks = disks_to_read(self.desired, virtual_machine)
        if disks:
            # The VM may still show what its disks had when it was started.
            found = [self.session.arm.find(path) for path in disks]
            current = replace(
                current, virtual_machine=with_managed_disks(virtual_machine, [disk for disk in found if disk])
            )
        if self.desired.params["user_data"]:
            current = replace(current, user_data=self.reader.user_data())
        size = (properties_of(virtual_machine).get("hardwareProfile") or {}).get("vmSize")
        if self.desired.vm_size and str(size).lower() != self.desired.vm_size.lower():
            current = replace(current, available_sizes=self.reader.sizes_at_hand())
        if current.complete and self._needs_network(current):
            path = str(self.resources.virtual_network)
            current = replace(current, virtual_network=self.reader.read_resource("virtual_network", path))
        return current

    def _needs_network(self, current: HostState) -> bool:
        """Tell whether an option is about the network, which a host that is complete needs no look at otherwise."""
        params = self.desired.params
        address = params["private_ip_address"]
        moves = bool(address) and private_ip(current.network_interface or {}) != address
        asked = moves or params["adopt"] or params["virtual_network_prefix"] or params["subnet_prefix"]
        return bool(self.resources.virtual_network and asked)

    def _check_key_lasts(self) -> None:
        """Under AWX a key of our making goes away with the job, and nobody could ever use it.

        :raises OptionError: SSH is to be opened nevertheless.
        """
        path = self.desired.ssh_private_key_path
        if not self.desired.needs_generated_key or Path(path).expanduser().exists() or not is_discarded(path):
            return
        problem = (
            f"without any the only SSH key is made in {path}, which lies inside this job's own home and goes away with"
            " the job: nobody could ever sign in. Give the public keys of those who may."
        )
        if self.desired.params["ssh_allowed_sources"]:
            raise OptionError("ssh_public_keys", f"ssh_allowed_sources opens SSH, but {problem}")
        self.request.warn(f"ssh_public_keys: {problem}")

    def _ssh_keys(self) -> tuple[str, ...]:
        if not self.desired.needs_generated_key:
            return self.desired.ssh_public_keys
        self.key = ensure_key_pair(self.desired.ssh_private_key_path, self.request.check_mode)
        return (self.key.public,)

    def _carry_out(self, plan: Plan) -> None:
        if any(action.kind == "virtual_machine" for action in plan.actions):
            self.session.require_compute()
            self.session.load_compute()
        lifecycle = PlanExecutor(
            self.session, self.desired, self.resources, self.reader, bool(self.request.params["wait"])
        )
        try:
            lifecycle.carry_out(plan, self.outcome)
        except DockerHostError as error:
            self._explain(error, lifecycle)
            raise
        for note in self.outcome.notes:
            self.request.warn(note)

    def _explain(self, error: DockerHostError, lifecycle: PlanExecutor) -> None:
        """Say in the error what exists now and, when asked, remove what this run made."""
        more = suggest_alternatives(self.session, self.desired, self.location, error) if self.location else ""
        error.message = f"{error.message} {more}".rstrip()
        self._tell_done(error)
        made = self.outcome.made
        if self.request.params["on_failure"] != "remove" or not made:
            self._tell_existing(error)
            return
        left = lifecycle.remove(made)
        gone = [action.resource_id for action in made if action.resource_id not in left]
        error.details.update(removed=gone, exists=list(left))
        reasons = "; ".join(f"{path} ({reason})" for path, reason in left.items())
        text = f"Of what this run made is left: {reasons}." if left else "What this run made was removed again."
        error.message += f" {text}"

    def _tell_done(self, error: DockerHostError) -> None:
        error.details.update(actions=self._actions(self.outcome.done), timings=dict(self.outcome.timings))

    def _tell_existing(self, error: DockerHostError) -> None:
        exists = self._existing()
        error.details.update(exists=exists)
        error.message += f" Exists so far: {', '.join(exists) or 'nothing'}. Run again to go on from there."

    def _existing(self) -> list[str]:
        """The ids of the host's resources that are there, as far as Azure answers."""
        try:
            current = StateReader(self.session, self.resources, settle=False).read(everything=True)
        except AzureError:
            return [action.resource_id for action in self.outcome.done if action.verb != "delete"]
        kinds = (
            "resource_group",
            "virtual_network",
            "security_group",
            "public_ip_address",
            "network_interface",
            "virtual_machine",
        )
        return [str(found["id"]) for found in (getattr(current, kind) for kind in kinds) if found]

    def _result(self, current: HostState, plan: Plan) -> dict[str, t.Any]:
        done = plan.expected if self.request.check_mode else self._done(plan)
        actions = self._actions(done)
        result: dict[str, t.Any] = {
            "changed": bool(actions),
            "actions": actions,
            "timings": dict(self.outcome.timings),
            "host": None if self.desired.state == "absent" else self._host(current, plan),
        }
        if self.key:
            result["ssh_private_key_path"] = self.key.path
        if self.request.diff:
            result["diff"] = diff_of(done)
        return result

    def _done(self, plan: Plan) -> list[Action]:
        """The steps that were done: in the plan's order, then those that turned out to be needed."""
        done = self.outcome.done
        return [action for action in plan.actions if action in done] + [
            action for action in done if action not in plan.actions
        ]

    def _actions(self, done: list[Action]) -> list[str]:
        """One line for each change."""
        actions = [f"register resource provider {name}" for name in self.registered]
        if self.key and self.key.generated:
            actions.append(f"generate SSH key {self.key.path}")
        return actions + [action.line for action in done]

    def _host(self, current: HostState, plan: Plan) -> Json:
        known = KnownValues(
            location=self.desired.location or dig(current.resource_group, "location"),
            vm_size=machine.size_of(self.desired),
            admin_username=self.desired.user,
            docker_port=self.desired.docker_port,
            ssh_port=self.desired.ssh_port,
            names=self.desired.names,
        )
        if not self.request.check_mode:
            return describe_host(self.resources, current, known)
        host = describe_host(self.resources, expected_state(current, plan), known)
        planned = plan.action("virtual_machine")
        if planned and planned.body and planned.body.get("tags"):
            host["tags"] = planned.body["tags"]
        return predict_host(host, plan, known, self.desired.params["private_ip_address"])


BACKEND = Backend("docker_vm_host", SPEC, run)
