# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VM, and whether its agent can take a push. Azure itself would report that only after 25 minutes."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._azure.clients import AzureSession
from .._azure.conflicts import retry_on_conflict
from .._azure.errors import WaitTimeoutError
from .._azure.operations import Deadline, OperationInfo, ProgressReporter, poll, watch_resource
from .._azure.resource_ids import ResourceId
from .._azure.wire import Json, dig, instance_view, power_state
from .._errors import DockerHostError, OptionError
from .._host_keys import check_host_keys

Params = t.Mapping[str, t.Any]

# Without azure-mgmt-compute: loading it costs more than a run that has nothing to push, and would delay a push.
EXPANDED: t.Mapping[str, str] = {"$expand": "instanceView"}
VIRTUAL_MACHINES = "Microsoft.Compute/virtualMachines"


class VirtualMachineError(DockerHostError):
    """Settings cannot be pushed to the VM, or not now."""


@dataclass(frozen=True)
class VmReference:
    """The VM that the options name.

    :param subscription_id: None means the session's.
    """

    resource_group: str
    name: str
    subscription_id: str | None = None

    @classmethod
    def from_params(cls, params: Params) -> VmReference:
        """Return the VM that ``virtual_machine``, or ``resource_group`` and ``virtual_machine_name``, name.

        :raises OptionError: the value is not a VM's id, not a host as docker_vm_host returns it, or not a usable name.
        """
        value = params["virtual_machine"]
        if isinstance(value, t.Mapping):
            check_host_keys("virtual_machine", value)
            if value.get("id") is None and value.get("name"):
                return cls._by_name("virtual_machine.", value["name"], value.get("resource_group"))
            return cls.from_id("virtual_machine.id", value.get("id"))
        if value is not None:
            return cls.from_id("virtual_machine", value)
        return cls._by_name("", params["virtual_machine_name"], params["resource_group"], "virtual_machine_name")

    @classmethod
    def _by_name(cls, prefix: str, name: t.Any, group: t.Any, name_option: str = "name") -> VmReference:
        for option, value in ((name_option, name), ("resource_group", group)):
            if not isinstance(value, str) or not re.fullmatch(r"[\w().-]{1,90}", value):
                raise OptionError(prefix + option, f"must be 1 to 90 letters, digits, _ ( ) . and -, got {value!r}")
        return cls(group, name)

    @classmethod
    def from_id(cls, option: str, resource_id: t.Any) -> VmReference:
        """Return the VM of a resource id.

        :raises OptionError: it is not a VM's id.
        """
        parsed = ResourceId.parse(resource_id, VIRTUAL_MACHINES) if isinstance(resource_id, str) else None
        if not parsed:
            raise OptionError(
                option,
                "must be the resource id of a VM, such as"
                " /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/virtualMachines/NAME,"
                f" or the host that docker_vm_host returns, got {resource_id!r}",
            )
        return cls(parsed.group, parsed.name, parsed.subscription)


@dataclass
class VirtualMachine:
    """One VM."""

    session: AzureSession
    resource_group: str
    name: str
    vm: Json = field(repr=False)

    @property
    def id(self) -> str:
        """Its resource id."""
        return str(self.vm["id"])

    @property
    def location(self) -> str:
        """Its region."""
        return str(self.vm["location"])

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self.vm.get("tags") or {})

    @property
    def is_off(self) -> bool:
        """Whether it does not run, so that its agent reports nothing."""
        return self.power_state not in ("running", "starting", "unknown")

    @property
    def power_state(self) -> str:
        """``running``, ``stopped``, ``deallocated``, ``starting`` ... or ``unknown``."""
        return power_state(instance_view(self.vm))

    def check_supported(self) -> None:
        """Stop at properties of the VM that no waiting changes.

        :raises VirtualMachineError: the VM is not Linux, has no agent, or its extensions are disallowed.
        """
        system = dig(self.vm, "properties", "storageProfile", "osDisk", "osType") or "Linux"
        if system != "Linux":
            raise VirtualMachineError(f"{self.name}: the VM runs {system}; the Docker settings need Linux.")
        profile = dig(self.vm, "properties", "osProfile")
        if dig(profile, "linuxConfiguration", "provisionVMAgent") is False:
            raise VirtualMachineError(
                f"{self.name}: the VM was created without the Azure Linux agent (provisionVMAgent is false), so nothing"
                " can be pushed to it. Azure accepts that property only when a VM is created."
            )
        if dig(profile, "allowExtensionOperations") is False:
            raise VirtualMachineError(
                f"{self.name}: extension operations are disallowed on this VM (osProfile.allowExtensionOperations is"
                " false). Allow them, for example with"
                f" `az vm update --ids {self.id} --set osProfile.allowExtensionOperations=true`."
            )

    def must_start(self, may_start: bool) -> bool:
        """Return whether the VM must be started first.

        :raises VirtualMachineError: it must, and ``start`` does not allow it.
        """
        if not self.is_off:
            return False
        if not may_start:
            raise VirtualMachineError(
                f"{self.name}: the VM is {self.power_state}, and settings can only be pushed while it runs. Start it,"
                " or set O(start=true)."
            )
        return True

    def start(self) -> None:
        """Start the VM and wait until it runs."""
        work = OperationInfo(
            host=self.name, kind="VM", doing="Starting", operation="start the VM", resource=self.name, usual=30
        )
        self._do(work, self.session.compute.virtual_machines.begin_start)
        self.refresh()

    def _do(self, work: OperationInfo, begin: t.Callable[..., t.Any], *body: t.Any) -> t.Any:
        """Change the VM, and retry while another operation on it is in progress."""
        return retry_on_conflict(
            lambda: self.session.begin(
                work,
                begin,
                self.resource_group,
                self.name,
                *body,
                over=watch_resource(lambda: self.session.arm.find(self.id)),
            ).wait(),
            work,
            self.session.deadline,
            self.session.progress,
        )

    def refresh(self) -> None:
        """Read the VM again."""
        self.vm = self.session.arm.get(self.id, **EXPANDED)

    def agent_state(self) -> tuple[bool, str]:
        """Return whether the agent is Ready, and its own status."""
        statuses = dig(instance_view(self.vm), "vmAgent", "statuses") or []
        if not statuses:
            return False, "it has not reported yet"
        first = statuses[0]
        said = " ".join(str(first[key]) for key in ("displayStatus", "message") if first.get(key))
        return first.get("displayStatus") == "Ready", said or "it has not reported yet"

    def wait_for_agent(self, seconds: float) -> None:
        """Wait until the agent is Ready.

        :raises VirtualMachineError: it is not after that many seconds.
        """
        deadline = Deadline(seconds)
        work = OperationInfo(
            self.name, "VM agent", "Waiting until it is ready", "wait for the VM agent", self.name, usual=30
        )
        reporter = ProgressReporter(work, self.session.progress)

        def read() -> tuple[bool, str]:
            self.refresh()
            return self.agent_state()

        try:
            poll(
                read,
                lambda agent: agent[0],
                reporter,
                deadline,
                current=self.agent_state(),
                state=lambda _agent: "Waiting",
            )
        except WaitTimeoutError as error:
            raise VirtualMachineError(
                f"{self.name}: the Azure Linux agent was not ready after {seconds:.0f} s ({self.agent_state()[1]})."
                " Check that waagent (walinuxagent.service) runs on the VM and that it reaches 168.63.129.16."
            ) from error

    def run_shell(self, script: str) -> str:
        """Run a script through the agent (action Run Command) and return its message."""
        work = OperationInfo(
            host=self.name,
            kind="Docker settings",
            doing="Verifying",
            operation="verify the Docker settings",
            resource=self.name,
            usual=20,
        )
        body = {"commandId": "RunShellScript", "script": script.splitlines()}
        answer = self._do(work, self.session.compute.virtual_machines.begin_run_command, body)
        return "\n".join(str(entry.get("message") or "") for entry in _values(answer))

    def change_tags(self, change: t.Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Change the VM's tags and keep those that others write at the same time.

        Nobody waits for the end of the operation: Azure shows the new tags as soon as it has accepted them, and the
        next run compares them again.

        :param change: returns the new tags for the current ones.
        :raises AzureError: Azure refused them.
        """
        work = OperationInfo(
            host=self.name, kind="VM", doing="Tagging", operation="write the VM's tags", resource=self.name, usual=5
        )
        retry_on_conflict(lambda: self._change_tags(work, change), work, self.session.deadline, self.session.progress)

    def _change_tags(self, work: OperationInfo, change: t.Callable[[dict[str, str]], dict[str, str]]) -> None:
        # Azure replaces all tags, and refuses to (412) if the VM changed after it was read.
        self.refresh()
        tags = change(self.tags)
        if tags == self.tags:
            return
        etag = self.vm.get("etag")
        headers = {"If-Match": str(etag)} if etag else {}
        self.session.arm.patch(self.id, {"tags": tags}, headers=headers, operation=work.operation)
        self.vm["tags"] = tags


def _values(answer: Json | None) -> list[Json]:
    """Return the streams of a Run Command's answer, which Azure wraps in two ways."""
    return list(dig(answer, "value") or dig(answer, "properties", "output", "value") or [])


def find_virtual_machine(session: AzureSession, reference: VmReference) -> VirtualMachine | None:
    """Return the VM, None if there is none."""
    resource_id = f"{session.group_id(reference.resource_group)}/providers/{VIRTUAL_MACHINES}/{reference.name}"
    vm = session.arm.find(resource_id, **EXPANDED)
    return None if vm is None else VirtualMachine(session, reference.resource_group, reference.name, vm)
