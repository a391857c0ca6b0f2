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
from .._azure.wire import Json, primary_nic_id, private_ip, properties_of
from .._backend import Backend, Request
from .._errors import DockerHostError, OptionError
from .apply import Execution, PlanExecutor
from .argument_spec import SPEC
from .bodies import virtual_machine as machine
from .current.reader import StateReader
from .current.state import HostState
from .desired.host_spec import HostSpec, read_host_spec
from .desired.ssh_keys import KeyPair, ensure_key_pair
from .desired.topology import HostResources, from_existing_nic, resolve_resources
from .plan.deletion import DeletionPlanner
from .plan.disks import disks_to_look_at, with_disk_facts
from .plan.model import Action, Plan, diff_of
from .plan.planner import Planner, label_to_get, plan_power
from .plan.vm_patch import SIZE_MATTERS
from .preflight.checks import check_answers, check_change, suggest_alternatives
from .preflight.permissions import check_permissions, required_permissions
from .preflight.queries import query_azure, query_dns_label, query_private_address, query_sizes, query_usages
from .preflight.references import check_references, references_of
from .preflight.resource_providers import register
from .result import describe_host, expected_facts, predict_host


def run(request: Request) -> dict[str, t.Any]:
    """Bring one host to the state that is asked for."""
    begun = time.monotonic()
    wanted = read_host_spec(request.params)
    patience = float(request.params["wait_timeout"])
    with AzureSession.from_params(request.params, request.progress, patience, request.concurrency) as session:
        layout = resolve_resources(wanted, session.subscription_id)
        result = _Run(request, wanted, session, layout).result()
        result["signed_in_with"] = session.signed_in_with
    result["timings"]["total"] = round(time.monotonic() - begun, 1)
    return result


class _Run:
    """One run for one host."""

    def __init__(self, request: Request, wanted: HostSpec, session: AzureSession, layout: HostResources) -> None:
        self.request = request
        self.wanted = wanted
        self.session = session
        self.layout = layout
        self.lookout = self._lookout()
        self.outcome = Execution()
        self.key: KeyPair | None = None
        self.location = ""
        self.registered: tuple[str, ...] = ()

    def _lookout(self) -> StateReader:
        settle = not self.request.check_mode and bool(self.request.params["wait"])
        return StateReader(self.session, self.layout, settle)

    def result(self) -> dict[str, t.Any]:
        """Look, plan and, unless in check mode, carry out."""
        try:
            facts = self._with_its_interface(self.lookout.look(everything=self.wanted.state == "absent"))
        except WaitTimeoutError as error:
            self._tell_existing(error)
            raise
        self._check_case(facts)
        self.layout = self.lookout.layout
        plan = self._plan(facts)
        for note in plan.notes + (plan.outlook if self.request.check_mode else []):
            self.request.warn(note)
        if plan and not self.request.check_mode:
            self._carry_out(plan)
            if self.wanted.state != "absent":
                facts = self._look_again()
        return self._result(facts, plan)

    def _look_again(self) -> HostState:
        """Look at what there is after everything was done."""
        try:
            return self.lookout.look()
        except DockerHostError as error:
            self._tell_done(error)
            self._tell_existing(error)
            raise

    def _with_its_interface(self, facts: HostState) -> HostState:
        """Who only stops or starts a host need not say again which interface it was given: the VM tells."""
        path = primary_nic_id(facts.virtual_machine)
        only_power = self.wanted.state in ("stopped", "deallocated", "restarted")
        if not only_power or not path or same_id(path, self.layout.network_interface):
            return facts
        self.layout = from_existing_nic(self.layout.names, path)
        self.lookout = self._lookout()
        return self.lookout.look()

    def _plan(self, facts: HostState) -> Plan:
        if self.wanted.state == "absent":
            neighbours: tuple[Json, ...] = ()
            if "resource_group" in self.wanted.params["remove_on_absent"] and facts.resource_group:
                neighbours = tuple(self.session.arm.list(f"{self.layout.names.group_id}/resources"))
            return DeletionPlanner(self.wanted, self.layout, facts, neighbours).plan()
        if not self.wanted.creates:
            return plan_power(self.wanted, self.layout, facts)
        facts = self._more_facts(facts)
        planner = Planner(self.wanted, self.layout, facts)
        plan = planner.present()
        self._check_address(facts, plan)
        if facts.virtual_machine:
            self._check_label(plan, planner.location())
            self._check_changes(facts.virtual_machine, plan)
            return plan
        self._check_key_lasts()
        trust = self._preflight(planner, plan)
        # Nothing wrong was found: only now a key may be made.
        return Planner(self.wanted, self.layout, facts, self._ssh_keys(), trust).present()

    def _check_address(self, facts: HostState, plan: Plan) -> None:
        """Ask whether the private address is free, when the interface is to get it in a network that is there."""
        address, step = self.wanted.params["private_ip_address"], plan.step("network_interface")
        network = self.layout.virtual_network
        if not (address and step and network and self.wanted.params["preflight"]):
            return
        gets = step.verb == "create" or any(entry.path == "private_ip_address" for entry in step.differences)
        mine = facts.network_interface and private_ip(facts.network_interface) == address
        if gets and not mine and (facts.virtual_network or facts.complete):
            problem = query_private_address(self.session, network, address)
            if problem:
                raise OptionError("private_ip_address", problem)

    def _check_label(self, plan: Plan, location: str) -> None:
        """Ask whether the DNS label is free, when the address of a host that is there is to get it."""
        label = label_to_get(plan)
        if label and self.wanted.params["preflight"]:
            problem = query_dns_label(self.session, location, label)
            if problem:
                raise OptionError("dns_label", problem)

    def _check_case(self, facts: HostState) -> None:
        """Names of Azure's resources differ not by case ("Resource naming restrictions", learn.microsoft.com)."""
        owner, name = owner_of(facts.virtual_machine), self.wanted.name
        if owner and owner != name and owner.lower() == name.lower():
            raise OptionError("name", f"the host {owner} is there, and Azure tells no {name} from it: write {owner}.")

    def _check_changes(self, present: Json, plan: Plan) -> None:
        """Ask what sizes can do, and whether what is named exists, when a change depends on it."""
        asked = {entry.path for step in plan.steps for entry in step.differences if entry.after not in (False, None)}
        if not self.wanted.params["preflight"]:
            return
        location = str(present.get("location"))
        named = references_of(self.wanted, self.layout.names)
        check_references(self.session, [one for one in named if one.option.partition(".")[0] in asked], location)
        if asked & SIZE_MATTERS:
            sizes, usages = run_parallel(
                [
                    lambda: query_sizes(self.session, location),
                    lambda: query_usages(self.session, location) if "vm_size" in asked else None,
                ]
            )
            check_change(self.wanted, location, sizes, present, usages)

    def _preflight(self, planner: Planner, plan: Plan) -> machine.ImageCapabilities:
        self.location = planner.location()
        if not self.request.check_mode:
            self.session.require_compute()
        if not self.wanted.params["preflight"]:
            return machine.ImageCapabilities()
        names = self.layout.names
        scope = names.group_id if planner.facts.resource_group else f"/subscriptions/{names.subscription_id}"
        label = label_to_get(plan)
        question = (self.session, self.wanted, self.location, label)
        answers = query_azure(*question, scope)
        if answers.label_problem and self._has_label(label):
            answers = replace(answers, label_problem=None)
        check_permissions(required_permissions(plan, self.layout), answers.permissions, scope)
        trust = check_answers(self.wanted, self.location, answers)
        self.registered = answers.unregistered
        if not self.registered:
            return trust
        if self.request.check_mode:
            self.request.warn(
                f"The subscription is not registered for {', '.join(self.registered)}: a run registers it first, and"
                " only then can tell whether size, image and quota can be had."
            )
            return trust
        return self._register_and_check(question)

    def _has_label(self, label: str | None) -> bool:
        """Tell whether the host's own address has it now: the last request of a run that was killed came late."""
        path = self.layout.public_ip_address
        found = self.lookout.look_at("public_ip_address", path) if path else None
        settings = properties_of(found).get("dnsSettings") or {}
        return owner_of(found) == self.wanted.name and settings.get("domainNameLabel") == label

    def _register_and_check(self, question: t.Any) -> machine.ImageCapabilities:
        """Register what is missing, which is a change, and only then ask for the rest."""
        missing, self.registered = self.registered, ()
        register(self.session, self.layout.names.name, missing)
        self.registered = missing
        try:
            return check_answers(self.wanted, self.location, query_azure(*question))
        except DockerHostError as error:
            self._tell_done(error)
            error.message += f" Registered before was: {', '.join(missing)}."
            raise

    def _more_facts(self, facts: HostState) -> HostState:
        """What is only needed for some changes of a VM that is there."""
        actual = facts.virtual_machine
        if not actual:
            return facts
        disks = disks_to_look_at(self.wanted, actual)
        if disks:
            # The VM may still show what its disks had when it was started.
            found = [self.session.arm.find(path) for path in disks]
            facts = replace(facts, virtual_machine=with_disk_facts(actual, [disk for disk in found if disk]))
        if self.wanted.params["user_data"]:
            facts = replace(facts, user_data=self.lookout.user_data())
        size = (properties_of(actual).get("hardwareProfile") or {}).get("vmSize")
        if self.wanted.vm_size and str(size).lower() != self.wanted.vm_size.lower():
            facts = replace(facts, available_sizes=self.lookout.sizes_at_hand())
        if facts.complete and self._needs_network(facts):
            path = str(self.layout.virtual_network)
            facts = replace(facts, virtual_network=self.lookout.look_at("virtual_network", path))
        return facts

    def _needs_network(self, facts: HostState) -> bool:
        """Tell whether an option is about the network, which a host that is complete needs no look at otherwise."""
        params = self.wanted.params
        address = params["private_ip_address"]
        moves = bool(address) and private_ip(facts.network_interface or {}) != address
        asked = moves or params["adopt"] or params["virtual_network_prefix"] or params["subnet_prefix"]
        return bool(self.layout.virtual_network and asked)

    def _check_key_lasts(self) -> None:
        """Under AWX a key of our making goes away with the job, and nobody could ever use it.

        :raises OptionError: SSH is to be opened nevertheless.
        """
        path = self.wanted.ssh_private_key_path
        if not self.wanted.needs_generated_key or Path(path).expanduser().exists() or not is_discarded(path):
            return
        problem = (
            f"without any the only SSH key is made in {path}, which lies inside this job's own home and goes away with"
            " the job: nobody could ever sign in. Give the public keys of those who may."
        )
        if self.wanted.params["ssh_allowed_sources"]:
            raise OptionError("ssh_public_keys", f"ssh_allowed_sources opens SSH, but {problem}")
        self.request.warn(f"ssh_public_keys: {problem}")

    def _ssh_keys(self) -> tuple[str, ...]:
        if not self.wanted.needs_generated_key:
            return self.wanted.ssh_public_keys
        self.key = ensure_key_pair(self.wanted.ssh_private_key_path, self.request.check_mode)
        return (self.key.public,)

    def _carry_out(self, plan: Plan) -> None:
        if any(step.kind == "virtual_machine" for step in plan.steps):
            self.session.require_compute()
            self.session.load_compute()
        lifecycle = PlanExecutor(
            self.session, self.wanted, self.layout, self.lookout, bool(self.request.params["wait"])
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
        more = suggest_alternatives(self.session, self.wanted, self.location, error) if self.location else ""
        error.message = f"{error.message} {more}".rstrip()
        self._tell_done(error)
        made = self.outcome.made
        if self.request.params["on_failure"] != "remove" or not made:
            self._tell_existing(error)
            return
        left = lifecycle.remove(made)
        gone = [step.resource_id for step in made if step.resource_id not in left]
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
            facts = StateReader(self.session, self.layout, settle=False).look(everything=True)
        except AzureError:
            return [step.resource_id for step in self.outcome.done if step.verb != "delete"]
        kinds = (
            "resource_group",
            "virtual_network",
            "security_group",
            "public_ip_address",
            "network_interface",
            "virtual_machine",
        )
        return [str(found["id"]) for found in (getattr(facts, kind) for kind in kinds) if found]

    def _result(self, facts: HostState, plan: Plan) -> dict[str, t.Any]:
        done = plan.expected if self.request.check_mode else self._done(plan)
        actions = self._actions(done)
        result: dict[str, t.Any] = {
            "changed": bool(actions),
            "actions": actions,
            "timings": dict(self.outcome.timings),
            "host": None if self.wanted.state == "absent" else self._host(facts, plan),
        }
        if self.key:
            result["ssh_private_key_path"] = self.key.path
        if self.request.diff:
            result["diff"] = diff_of(done)
        return result

    def _done(self, plan: Plan) -> list[Action]:
        """The steps that were done: in the plan's order, then those that turned out to be needed."""
        done = self.outcome.done
        return [step for step in plan.steps if step in done] + [step for step in done if step not in plan.steps]

    def _actions(self, done: list[Action]) -> list[str]:
        """One line for each change."""
        actions = [f"register resource provider {name}" for name in self.registered]
        if self.key and self.key.generated:
            actions.append(f"generate SSH key {self.key.path}")
        return actions + [step.line for step in done]

    def _host(self, facts: HostState, plan: Plan) -> Json:
        planned = plan.step("virtual_machine")
        defaults = {
            "location": self.wanted.location or (facts.resource_group or {}).get("location"),
            "vm_size": machine.size_of(self.wanted),
            "docker_port": self.wanted.docker_port,
            "ssh_port": self.wanted.ssh_port,
            "admin_username": self.wanted.user,
        }
        if not self.request.check_mode:
            return describe_host(self.layout, facts, defaults)
        host = describe_host(self.layout, expected_facts(facts, plan), defaults)
        if planned and planned.body and planned.body.get("tags"):
            host = {**host, "tags": planned.body["tags"], "docker_port": self.wanted.docker_port}
        return predict_host(host, self.layout, plan, self.wanted.params["private_ip_address"])


BACKEND = Backend("docker_vm_host", SPEC, run)
