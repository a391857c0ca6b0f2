# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three handlers that deliver the settings to the VM's agent."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._azure.clients import AzureSession
from .._azure.conflicts import retry_on_conflict
from .._azure.errors import AzureError
from .._azure.operations import OperationInfo, never, watch_resource
from .._azure.tags import (
    COLLECTION,
    COLLECTION_TAG,
    SETTINGS_DIGEST_TAG,
    SETTINGS_SECTION_TAG,
    is_from_collection,
    tag_value,
)
from .._azure.wire import UNSETTLED, Json, properties_of
from .._errors import DockerHostError, OptionError
from . import payload
from .docker_extension import docker_extension_settings
from .sections import SECTIONS
from .settings import Settings
from .setup_result import SetupResult, read_setup_result
from .virtual_machine import EXPANDED, VirtualMachine

CUSTOM_SCRIPT = ("Microsoft.Azure.Extensions", "CustomScript")
DOCKER_EXTENSION = ("Microsoft.Azure.Extensions", "DockerExtension")
RUN_COMMAND_SECONDS = 5400
"""Provisioning states of a resource that Azure has not finished with."""


@dataclass(frozen=True)
class Push:
    """One push.

    :param digest: the digest of the settings.
    :param program: the source of the program that applies them on the VM.
    :param stamp: tells this push from an earlier one of the same settings.
    :param sections: the digests of the sections of the settings after this push, as far as they are known.
    """

    settings: Settings
    digest: str
    program: str
    replace_ca: bool = False
    stamp: int = field(default_factory=lambda: int(time.time()))
    sections: t.Mapping[str, str] = field(default_factory=dict)

    def document(self) -> Json:
        """Return the input of the program on the VM."""
        marks: Json = {"digest": self.digest, "push": str(self.stamp)}
        if self.replace_ca:
            marks["replace-ca"] = True
        return {**self.settings.document(), **marks}

    def tags(self) -> Json:
        """Return the tags of the resource that carries the settings."""
        sections = {SETTINGS_SECTION_TAG + name: digest for name, digest in self.sections.items()}
        return {COLLECTION_TAG: COLLECTION, SETTINGS_DIGEST_TAG: self.digest, **sections}


@dataclass(frozen=True)
class CurrentSettings:
    """What was pushed last, as Azure shows it.

    :param sections: the digests of the sections of the settings that the VM has.
    """

    id: str
    state: str
    digest: str
    result: SetupResult
    stamp: int = 0
    sections: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def in_progress(self) -> bool:
        """Whether that push has not ended: neither for Azure, nor for the program on the VM."""
        return self.state.lower() in UNSETTLED and not self.result.is_of(self.digest)

    @property
    def succeeded(self) -> bool:
        """Whether that push succeeded. The program on the VM may report it before Azure ends its own operation."""
        return self.state == "Succeeded" or (self.state.lower() in UNSETTLED and not self.in_progress)


class _AwaitedResult:
    """The result of one push, watched for in the resource that carries its settings."""

    def __init__(self, read: t.Callable[[], CurrentSettings | None], push: Push) -> None:
        self._read = read
        self._stamp = str(push.stamp)
        self._is_good = False

    def is_over(self) -> bool:
        """Read the resource, and return whether the program has reported success, or the operation has ended.

        A failure that the program reports is waited for: the next push would meet Azure's operation.
        """
        try:
            current = self._read()
        except DockerHostError:
            return False
        result = current.result if current else SetupResult(None)
        self._is_good = result.is_good and (result.report or {}).get("push") == self._stamp
        return self._is_good or current is None or current.state.lower() not in UNSETTLED

    def is_good(self) -> bool:
        """Return whether the program was seen to report success."""
        return self._is_good


class Handler(t.Protocol):
    """One way to deliver settings to one VM, with the name of the resource that carries them."""

    kind: str
    name: str
    collection: str
    reports_result: bool
    """Whether Azure shows what the program on the VM reports."""

    def read(self) -> CurrentSettings | None:
        """Return what was pushed last; None if there is no such resource.

        :raises OptionError: a resource of that name exists that this collection did not create.
        """

    def push(self, push: Push) -> None:
        """Send the settings and wait until the agent has finished, or the program on the VM reports success.

        :raises AzureError: it did not succeed.
        """

    def delete(self) -> None:
        """Delete the resource."""


class _Resource:
    """What the handlers share: a child resource of the VM that carries the settings."""

    kind = ""
    noun = ""
    collection = ""
    reports_result = True

    def __init__(self, session: AzureSession, vm: VirtualMachine, name: str) -> None:
        self.session = session
        self.vm = vm
        self.name = name
        self._label = f"{vm.name}/{name}"
        self._resource_id = f"{vm.id}/{self.collection}/{name}"
        self._kept: tuple[Json | None, ...] = ()

    def read(self) -> CurrentSettings | None:
        """Return what was pushed last."""
        resource = self._take()
        if resource is None:
            return None
        if not is_from_collection(resource):
            kind = self._described(properties_of(resource))
            raise OptionError(
                "name", f"{self.name} is {kind} of the VM that this collection did not create; choose another name"
            )
        return self._current(resource)

    def _take(self) -> Json | None:
        """Return the resource, None if it does not exist: what was kept, once, else what Azure has."""
        kept, self._kept = self._kept, ()
        return kept[0] if kept else self.session.arm.find(self._resource_id, **EXPANDED)

    def _described(self, properties: Json) -> str:
        raise NotImplementedError

    def _current(self, resource: Json) -> CurrentSettings | None:
        raise NotImplementedError

    def push(self, push: Push) -> None:
        """Send the settings and wait until the agent has finished, or the program on the VM reports success.

        Azure shows that report while its operation on the resource continues. Nothing that follows needs the end of
        that operation: writes of the VM are accepted meanwhile, and both end well (recorded with ``az vm update``,
        azure-cli 2023-12). A resource that the task deletes next is waited for.
        """
        body = {"location": self.vm.location, "tags": push.tags(), "properties": self._properties(push)}
        work = OperationInfo(
            host=self.vm.name,
            kind="Docker settings",
            doing="Applying",
            operation="push the Docker settings",
            resource=self._label,
            usual=100,
        )
        if push.settings.state == "absent" or not self.reports_result:
            self._do(work, "PUT", body, watch_resource(self._find))
            return
        result = _AwaitedResult(self.read, push)
        self._do(work, "PUT", body, result.is_over, enough=result.is_good)

    def _do(
        self,
        work: OperationInfo,
        method: str,
        body: Json | None,
        over: t.Callable[[], bool],
        enough: t.Callable[[], bool] = never,
    ) -> None:
        """Send a request and wait for its end. Loading azure-mgmt-compute for this one would delay each push."""
        begin = self.session.arm.begin
        retry_on_conflict(
            lambda: begin(work, method, self._resource_id, body, over=over, enough=enough).wait(),
            work,
            self.session.deadline,
            self.session.progress,
        )

    def _find(self) -> Json | None:
        return self.session.arm.find(self._resource_id)

    def _properties(self, push: Push) -> Json:
        raise NotImplementedError

    def delete(self) -> None:
        """Delete the resource."""
        work = OperationInfo(
            host=self.vm.name,
            kind=self.noun,
            doing="Deleting",
            operation=f"delete the {self.noun}",
            resource=self._label,
            usual=30,
        )
        self._do(work, "DELETE", None, watch_resource(self._find, deletes=True))


class _Extension(_Resource):
    """What the two handlers that are VM extensions share."""

    noun = "VM extension"
    collection = "extensions"
    publisher_and_type = CUSTOM_SCRIPT

    def is_installed(self) -> bool:
        """Return whether the VM has an extension of this name and type. The next :meth:`read` does not ask again."""
        resource = self._take()
        self._kept = (resource,)
        return resource is not None and is_of_type(resource, self.publisher_and_type)

    def _described(self, properties: Json) -> str:
        return f"an extension ({properties.get('publisher')}.{properties.get('type')})"

    def _current(self, resource: Json) -> CurrentSettings | None:
        properties, tags = properties_of(resource), resource.get("tags") or {}
        if not is_of_type(resource, self.publisher_and_type):
            return None  # of another handler of this collection: see other_handlers()
        return CurrentSettings(
            id=resource["id"],
            state=properties.get("provisioningState") or "",
            digest=tag_value(tags, SETTINGS_DIGEST_TAG) or "",
            sections=_sections(tags),
            result=read_setup_result(_messages(properties.get("instanceView") or {})),
            stamp=int((properties.get("settings") or {}).get("timestamp") or 0),
        )


class CustomScript(_Extension):
    """Microsoft.Azure.Extensions/CustomScript 2.1: everything in the protected script."""

    kind = "custom_script"

    def _properties(self, push: Push) -> Json:
        return {
            "publisher": CUSTOM_SCRIPT[0],
            "type": CUSTOM_SCRIPT[1],
            "typeHandlerVersion": "2.1",
            "autoUpgradeMinorVersion": True,
            "settings": {"timestamp": push.stamp},
            "protectedSettings": {"script": payload.custom_script(push.program, push.document())},
        }


class DockerExtension(_Extension):
    """Microsoft.Azure.Extensions/DockerExtension 1.x, in clouds that still have it: the same settings, mapped."""

    kind = "docker_extension"
    reports_result = False
    publisher_and_type = DOCKER_EXTENSION

    def push(self, push: Push) -> None:
        try:
            super().push(push)
        except AzureError as error:
            if error.not_found or error.code in ("ArtifactNotFound", "ArtifactVersionNotFound"):
                error.message += (
                    " The Docker extension was retired on public Azure in November 2018: use O(handler=auto)."
                )
            raise

    def _properties(self, push: Push) -> Json:
        public, protected = docker_extension_settings(push.settings)
        return {
            "publisher": DOCKER_EXTENSION[0],
            "type": DOCKER_EXTENSION[1],
            "typeHandlerVersion": "1.2",
            "autoUpgradeMinorVersion": True,
            "forceUpdateTag": str(push.stamp),
            "settings": public,
            "protectedSettings": protected,
        }


class RunCommand(_Resource):
    """A managed Run Command, for VMs whose only CustomScript extension is somebody else's."""

    kind = "run_command"
    noun = "Run Command"
    collection = "runCommands"

    def _described(self, _properties: Json) -> str:
        return "a Run Command"

    def _current(self, resource: Json) -> CurrentSettings | None:
        properties, tags = properties_of(resource), resource.get("tags") or {}
        view = properties.get("instanceView") or {}
        text = "\n".join(str(view[key]) for key in ("output", "error", "executionMessage") if view.get(key))
        state = properties.get("provisioningState") or ""
        if state == "Succeeded" and view.get("executionState") in ("Running", "Pending"):
            state = "Updating"
        return CurrentSettings(
            id=resource["id"],
            state=state,
            digest=tag_value(tags, SETTINGS_DIGEST_TAG) or "",
            sections=_sections(tags),
            result=read_setup_result(text, view.get("exitCode")),
            stamp=_stamp(properties.get("parameters") or []),
        )

    def _properties(self, push: Push) -> Json:
        return {
            "source": {"script": payload.run_command_script(push.program)},
            "parameters": [{"name": "DOCKER_SETUP_PUSH", "value": str(push.stamp)}],
            "protectedParameters": [
                {"name": payload.SETTINGS_VARIABLE, "value": payload.run_command_settings(push.document())}
            ],
            "asyncExecution": False,
            "timeoutInSeconds": RUN_COMMAND_SECONDS,
            "treatFailureAsDeploymentFailure": True,
        }


HANDLERS: t.Mapping[str, type[CustomScript | DockerExtension | RunCommand]] = {
    "custom_script": CustomScript,
    "docker_extension": DockerExtension,
    "run_command": RunCommand,
}


def is_of_type(extension: Json, publisher_and_type: tuple[str, str]) -> bool:
    """Return whether an extension is of a type. Azure keeps the case that was sent, and ignores it."""
    properties = properties_of(extension)
    kind = (str(properties.get("publisher")), str(properties.get("type")))
    return [text.lower() for text in kind] == [text.lower() for text in publisher_and_type]


def _sections(tags: t.Mapping[str, str]) -> dict[str, str]:
    """Return the digests of the sections, as the tags of a push record them."""
    found = {name: tag_value(tags, SETTINGS_SECTION_TAG + name) for name in SECTIONS}
    return {name: digest for name, digest in found.items() if digest}


def _messages(view: t.Mapping[str, t.Any]) -> str:
    return "\n".join(str(status["message"]) for status in view.get("statuses") or [] if status.get("message"))


def _stamp(parameters: t.Sequence[t.Mapping[str, t.Any]]) -> int:
    for parameter in parameters:
        if parameter.get("name") == "DOCKER_SETUP_PUSH" and str(parameter.get("value")).isdigit():
            return int(parameter["value"])
    return 0
