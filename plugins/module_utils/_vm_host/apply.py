# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from .._azure.clients import AzureSession
from .._azure.conflicts import CONCURRENT, conflict_patience, retry_on_conflict
from .._azure.errors import AzureError
from .._azure.operations import Operation, OperationInfo, run_parallel, watch_resource
from .._azure.resource_ids import group_in, name_in
from .._azure.tags import SHARED, owner_of
from .._azure.wire import Json, is_broken, properties_of
from .._diff import Difference
from .._errors import DockerHostError
from .bodies import network
from .current.reader import IN_PROGRESS, StateReader
from .current.state import HostState
from .desired.host_spec import HostSpec
from .desired.topology import HostResources
from .plan import subnets
from .plan.model import DOING, Action, OwnershipError, Plan
from .plan.shared_resources import is_part, must_be_recreated, users_of_network, users_of_subnet

# Azure's answers while another operation on the same resource, or on one that it depends on, is in progress.
_BUSY = CONCURRENT | frozenset(
    (
        "Canceled",
        "InUseRouteTableCannotBeDeleted",
        "NicReservedForAnotherVm",
        "ReferencedResourceNotProvisioned",
        "ResourceGroupBeingDeleted",
    )
)
# Right after a VM's deletion, network resources may still look used for some seconds.
_STILL_USED = frozenset(
    (
        "NicInUse",
        "PublicIPAddressCannotBeDeleted",
        "InUseNetworkSecurityGroupCannotBeDeleted",
        "InUseSubnetCannotBeDeleted",
    )
)
# Conflicts that do not end by waiting. Other conflicts on shared resources come from hosts that are created meanwhile.
_FINAL = frozenset(
    ("InvalidResourceGroupLocation", "MissingSubscriptionRegistration", "OperationNotAllowed", "ScopeLocked")
)
# Azure's parts learn of a new resource some seconds after each other.
_UNSEEN = frozenset(("InvalidResourceReference", "ParentResourceNotFound", "ResourceNotFound"))
UNSEEN_SECONDS = 60.0
# Another host created its subnet with the same addresses.
_TAKEN = "NetcfgSubnetRangesOverlap"
# NicReservedForAnotherVm lasts 180 s after a failed creation of a VM.
CONFLICT_SECONDS = 240.0

Replan = t.Callable[[Action, "Json | None"], "Action | None"]
"""Plans an action again from the resource as it is now; None if nothing is left to do."""


@dataclass
class Execution:
    """The actions that were carried out.

    :param done: the actions that changed something.
    :param made: the actions by which this run created something, in that order.
    :param timings: seconds by action.
    :param notes: warnings for the user.
    """

    done: list[Action] = field(default_factory=list)
    made: list[Action] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def in_order_of(self, plan: Plan) -> list[Action]:
        """Return the actions that were done in the plan's order, then those that turned out to be needed too."""
        planned = [action for action in plan.actions if action in self.done]
        return planned + [action for action in self.done if action not in plan.actions]


class PlanExecutor:
    """The executor of plans for one host. Only the VM's own operations may still run at the end.

    :param replan: plans again what others changed after it was read.
    :ivar execution: what was carried out; it is filled meanwhile, so that it is true after a failure too.
    """

    def __init__(self, session: AzureSession, desired: HostSpec, reader: StateReader, replan: Replan) -> None:
        self._session = session
        self._desired = desired
        self._reader = reader
        self._replan = replan
        self.execution = Execution()

    @property
    def resources(self) -> HostResources:
        """The host's resources."""
        return self._reader.resources

    def carry_out(self, plan: Plan) -> None:
        """Carry out all actions, in parallel where they do not need each other.

        :raises DockerHostError: an action failed; those that ran at the same time were still finished.
        """
        waiting = list(plan.actions)
        while waiting:
            keys = {action.key for action in waiting}
            wave = [action for action in waiting if not keys.intersection(action.needs) - {action.key}]
            if not wave:
                raise DockerHostError(f"The actions wait for each other: {', '.join(sorted(keys))}.")
            run_parallel([partial(self._run, action, plan, self.execution) for action in wave])
            waiting = [action for action in waiting if action not in wave]

    def remove(self, made: t.Sequence[Action]) -> dict[str, str]:
        """Delete what a failed run created, the newest first, except for what others in the group use.

        It gets as much time as the run itself had, because that time may be over.

        :returns: the reasons, by the ids of resources that still exist.
        """
        self._session.deadline = self._session.deadline.restarted()
        undo = Plan([_undo(action) for action in reversed(made)])
        left: dict[str, str] = {}
        for action in undo.actions:
            execution = Execution()
            try:
                self._run(action, undo, execution)
                if self._session.arm.find(action.resource_id):
                    left[action.resource_id] = " ".join(execution.notes) or "It is in use by others."
            except DockerHostError as error:
                left[action.resource_id] = str(error)
        return left

    def _run(self, action: Action, plan: Plan, execution: Execution) -> None:
        begun = time.monotonic()
        try:
            if self._do(action, plan, execution):
                execution.done.append(action)
        finally:
            execution.timings[action.key] = round(time.monotonic() - begun, 1)

    def _do(self, action: Action, plan: Plan, execution: Execution) -> bool:
        """Carry out one action and return whether anything changed; retry it while Azure is busy with the resource."""
        attempts = count()
        try:
            return retry_on_conflict(
                lambda: self._try(action, plan, execution, is_first=next(attempts) == 0),
                self._work(action),
                self._session.deadline,
                self._session.progress,
                partial(self._retry_seconds, action),
            )
        except AzureError as error:
            if action.verb == "delete" and error.not_found and not self._exists(action):
                return False
            if action.if_unused and error.code in _STILL_USED:
                return False
            raise

    def _retry_seconds(self, action: Action, error: AzureError) -> float:
        """Return for how many seconds an error is worth another attempt."""
        if _is_passing(action, error) or self._finds_room(action, error):
            return conflict_patience(error) or CONFLICT_SECONDS
        made = (other for other in self.execution.made if other.resource_id != action.resource_id)
        return conflict_patience(error) or (UNSEEN_SECONDS if any(_is_unseen(other, error) for other in made) else 0.0)

    def _exists(self, action: Action) -> bool:
        """Return whether a resource exists: "not found" can also mean the operation that removes it."""
        return self._session.arm.find(action.resource_id) is not None

    def _try(self, action: Action, plan: Plan, execution: Execution, *, is_first: bool) -> bool:
        if action.if_left and not self._exists(action):
            return True
        if action.if_unused and not self._is_unused(action, plan, execution):
            return False
        if self._is_needless(action, execution):
            return False
        if action.verb == "create":
            _note_creation(action, execution)
        latest = self._latest(self._with_free_addresses(action), execution, is_first=is_first)
        if not latest:
            # Nothing is left to do: a request whose answer was lost, or that was sent twice, has taken effect.
            return True
        operation = self._begin(latest)
        last = not any(action.key in other.needs for other in plan.actions)
        if operation and (self._desired.behaviour.wait or action.kind != "virtual_machine" or not last):
            operation.wait()
        return True

    def _is_needless(self, action: Action, execution: Execution) -> bool:
        """Return whether Azure or another host's run has done already what an action is for."""
        if action.verb == "start" and action.needs == ("virtual_machine",):
            return self._runs_by_itself(action)
        if action.verb != "create":
            return False
        if action.kind == "virtual_network":
            return not self._network_is_missing(action, execution)
        return action.kind == "subnet" and not self._lacks_subnet()

    def _latest(self, action: Action, execution: Execution, *, is_first: bool) -> Action | None:
        """Return an action as the resource now needs it, if it may have changed since it was read.

        It may have after a refused attempt, and after earlier actions of this plan. Without that, what others wrote
        would be lost.
        """
        follows = any(done.key in action.needs for done in execution.done)
        if not action.conditions or action.kind == "subnet" or (is_first and not (action.etag and follows)):
            return action
        resource = self._reader.read_resource(action.kind, action.resource_id)
        if resource and owner_of(resource) != self._desired.name:
            # Others created it meanwhile, so a failed run does not remove it.
            execution.made = [made for made in execution.made if made.resource_id != action.resource_id]
        return self._replan(action, resource)

    def _is_unused(self, action: Action, plan: Plan, execution: Execution) -> bool:
        """Return whether nobody else uses what hosts share, now that this host is deleted."""
        if action.kind == "resource_group":
            listed = self._session.arm.list(f"{action.resource_id}/resources")
            inside = [str(entry["id"]) for entry in listed if self._stays(str(entry["id"]), plan)]
            if inside:
                execution.notes.append(
                    f"The resource group {name_in(action.resource_id)} stays, because it contains {', '.join(inside)}."
                )
            return not inside
        resource = self._session.arm.find(action.resource_id)
        if not resource:
            return False
        return not (users_of_subnet(resource) if action.kind == "subnet" else users_of_network(resource))

    def _stays(self, path: str, plan: Plan) -> bool:
        """Return whether a listed resource still exists. Lists are out of date for a while, also with a VM's disks."""
        left_by_us = any(is_part(path, own) for own in plan.going) or "/microsoft.compute/disks/" in path.lower()
        return not left_by_us or self._session.arm.find(path) is not None

    def _network_is_missing(self, action: Action, execution: Execution) -> bool:
        """Read the shared network again, because another host of the group may have created it meanwhile."""
        shared_network = self._reader.read_resource("virtual_network", action.resource_id)
        if not shared_network or (is_broken(shared_network) and not properties_of(shared_network).get("subnets")):
            return True
        self._check_is_shared(shared_network)
        if not network.find_subnet(shared_network, str(self.resources.subnet)):
            path = str(self.resources.subnet)
            entry = Difference("present", None, name_in(path))
            creation = Action("subnet", "subnet", "create", path, differences=(entry,))
            _note_creation(creation, execution)
            self._begin_arm(self._with_free_addresses(creation)).wait()
            execution.done.append(creation)
        return False

    def _check_is_shared(self, created_meanwhile: Json) -> None:
        """Refuse a network that others created after this host was planned.

        :raises OwnershipError: it does not belong to the collection.
        """
        if owner_of(created_meanwhile) != SHARED and not self._desired.behaviour.adopt:
            path = str(created_meanwhile.get("id"))
            raise OwnershipError(
                f"The virtual network {path} was created by others meanwhile, so it does not change. Choose another"
                " resource group or your own O(virtual_network), or take it over with O(adopt=true).",
                foreign=[path],
            )

    def _lacks_subnet(self) -> bool:
        """Read the shared network again, because another host may have created the same subnet meanwhile."""
        subnet = network.find_subnet(self._shared_network(), str(self.resources.subnet))
        return not subnet or must_be_recreated(subnet)

    def _with_free_addresses(self, action: Action) -> Action:
        """Choose the addresses of a new subnet again, because another host's subnet may have taken them."""
        if action.kind != "subnet" or action.verb != "create":
            return action
        shared = self._shared_network()
        failed = network.find_subnet(shared, action.resource_id)
        if failed:
            # It is created again with the addresses that it has.
            return replace(action, etag=str(failed.get("etag") or ""))
        prefix = subnets.subnet_prefix(self._desired, shared)
        return replace(action, body=network.subnet_body(str(prefix)))

    def _finds_room(self, action: Action, error: AzureError) -> bool:
        """Return whether a subnet may get other addresses, because another host's subnet has these now."""
        of_network = action.kind in ("virtual_network", "subnet") and action.verb == "create"
        return of_network and error.code == _TAKEN and not self._desired.network.subnet_prefix

    def _shared_network(self) -> Json | None:
        return self._reader.read_resource("virtual_network", str(self.resources.virtual_network))

    def _runs_by_itself(self, action: Action) -> bool:
        """Return whether a VM that was created again runs already."""
        machine = self._reader.read_resource("virtual_machine", action.resource_id)
        return HostState(virtual_machine=machine).power_state == "running"

    def _begin(self, action: Action) -> Operation | None:
        if action.kind == "resource_group" and action.verb == "create":
            self._session.arm.put(action.resource_id, t.cast("dict[str, t.Any]", action.body))
            return None
        if action.kind == "virtual_machine":
            return self._begin_machine(action)
        return self._begin_arm(action)

    def _begin_machine(self, action: Action) -> Operation:
        machines = self._session.compute.virtual_machines
        function = {
            "create": machines.begin_create_or_update,
            "update": machines.begin_update,
            "delete": machines.begin_delete,
            "start": machines.begin_start,
            "power off": machines.begin_power_off,
            "deallocate": machines.begin_deallocate,
            "restart": machines.begin_restart,
            "reapply": machines.begin_reapply,
        }[action.verb]
        arguments = [group_in(action.resource_id), name_in(action.resource_id)]
        if action.body is not None:
            arguments.append(t.cast("t.Any", action.body))
        headers = dict(action.conditions)
        return self._session.begin(
            self._work(action), function, *arguments, over=self._watcher(action), headers=headers
        )

    def _watcher(self, action: Action) -> t.Callable[[], bool] | None:
        """Return a function that reads the resource, and returns whether the operation on it has ended.

        A resource group needs none: it disappears before the resources in it, and its tags are written at once.
        """
        if action.kind == "resource_group":
            return None
        kind, path = action.kind, action.resource_id
        return watch_resource(lambda: self._reader.read_once(kind, path), deletes=action.verb == "delete")

    def _begin_arm(self, action: Action) -> Operation:
        method = {"create": "PUT", "update": "PUT", "delete": "DELETE"}.get(action.verb, "PATCH")
        return self._session.arm.begin(
            self._work(action), method, action.resource_id, action.body, self._watcher(action), action.conditions
        )

    def _work(self, action: Action) -> OperationInfo:
        only_tags = action.verb == "update" and {entry.path for entry in action.differences} == {"tags"}
        return OperationInfo(
            host=self.resources.names.name,
            kind=IN_PROGRESS.get(action.kind, action.kind),
            doing=DOING["tag" if only_tags else action.verb],
            operation=f"{action.verb} the {action.readable}",
            resource=action.resource_id,
            usual=action.usual,
        )


def _undo(action: Action) -> Action:
    """Return the deletion of what an action created."""
    shared = action.kind in ("virtual_network", "subnet", "resource_group")
    return Action(f"undo_{action.key}", action.kind, "delete", action.resource_id, if_left=True, if_unused=shared)


def _note_creation(action: Action, execution: Execution) -> None:
    """Note a creation before its request is sent, because a request that fails may have taken effect."""
    if action not in execution.made and action.differences and action.differences[0].path == "present":
        execution.made.append(action)


def _is_unseen(made: Action, error: AzureError) -> bool:
    """Return whether Azure does not find what this run created a moment ago."""
    text = error.error.message.lower()
    if made.kind == "resource_group":
        return error.code == "ResourceGroupNotFound" and f"'{name_in(made.resource_id).lower()}'" in text
    return error.code in _UNSEEN and made.resource_id.lower().rpartition("/providers/")[2] in text


def _is_passing(action: Action, error: AzureError) -> bool:
    """Return whether waiting may help against an error."""
    if error.code in _BUSY or (action.verb == "delete" and error.code in _STILL_USED):
        return True
    shared = action.kind in ("virtual_network", "subnet", "resource_group") and action.verb == "create"
    return shared and error.status in (409, 412, 429) and error.code not in _FINAL
