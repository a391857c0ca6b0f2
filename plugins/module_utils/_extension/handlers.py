# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three envelopes in which the settings reach the agent. Private to this collection."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._azure.clients import AzureSession
from .._azure.errors import AzureError
from .._azure.operations import Work
from .._errors import DockerHostError, OptionError
from . import payload
from .outcome import Outcome, read_outcome
from .settings import Settings
from .target import Target

Json = dict[str, t.Any]

COLLECTION_TAG, COLLECTION = "docker-host-collection", "dockerhost.azure"
DIGEST_TAG = "docker-host-settings"
FRAME_TAG = "docker-host-settings-frame"
CUSTOM_SCRIPT = ("Microsoft.Azure.Extensions", "CustomScript")
DOCKER_EXTENSION = ("Microsoft.Azure.Extensions", "DockerExtension")
RUN_COMMAND_SECONDS = 5400


@dataclass(frozen=True)
class Push:
    """One push: the settings, their digest, and what tells this push from the last one of the same settings."""

    settings: Settings
    digest: str
    program: str
    replace_ca: bool = False
    stamp: int = field(default_factory=lambda: int(time.time()))
    frame: str = ""

    def document(self) -> Json:
        """What the program gets."""
        marks: Json = {"digest": self.digest, "push": str(self.stamp)}
        if self.replace_ca:
            marks["replace-ca"] = True
        return {**self.settings.document(), **marks}

    def tags(self) -> Json:
        """The tags of the resource that carries the settings."""
        tags = {COLLECTION_TAG: COLLECTION, DIGEST_TAG: self.digest}
        return {**tags, FRAME_TAG: self.frame} if self.frame else tags


@dataclass(frozen=True)
class Present:
    """What was pushed last, as Azure shows it."""

    id: str
    state: str
    digest: str
    outcome: Outcome
    stamp: int = 0
    frame: str = ""

    @property
    def under_way(self) -> bool:
        """Tell whether an earlier push has not ended."""
        return self.state.lower() in ("creating", "updating", "deleting")


class Handler(t.Protocol):
    """One envelope, on one VM, under one name."""

    kind: str
    name: str
    proves: bool
    """Whether the program's result line is to be expected."""

    def read(self) -> Present | None:
        """What is there; None when nothing is.

        :raises OptionError: the name is taken by something that is not ours.
        """

    def push(self, push: Push) -> None:
        """Send the settings and wait until the agent is done.

        :raises AzureError: it did not succeed.
        """

    def delete(self) -> None:
        """Take the resource away."""


class _Extension:
    """What the two handlers that are VM extensions share."""

    kind = ""
    proves = True
    publisher_and_type = CUSTOM_SCRIPT

    def __init__(self, session: AzureSession, target: Target, name: str) -> None:
        self.session = session
        self.target = target
        self.name = name
        self._where = (target.resource_group, target.name, name)
        self._label = f"{target.name}/{name}"

    def read(self) -> Present | None:
        found = self.session.find(
            "read the VM extension",
            self._label,
            self.session.compute.virtual_machine_extensions.get,
            *self._where,
            expand="instanceView",
        )
        if found is None:
            return None
        properties = found["properties"]
        tags = found.get("tags") or {}
        kind = (properties.get("publisher"), properties.get("type"))
        if tags.get(COLLECTION_TAG) != COLLECTION:
            raise OptionError("name", f"{self.name} is an extension of the VM that is not ours ({kind[0]}.{kind[1]})")
        if _lower(kind) != _lower(self.publisher_and_type):
            return None  # ours, of another handler: see others()
        return Present(
            id=found["id"],
            state=properties.get("provisioningState") or "",
            digest=tags.get(DIGEST_TAG) or "",
            frame=tags.get(FRAME_TAG) or "",
            outcome=read_outcome(_messages(properties.get("instanceView") or {})),
            stamp=int((properties.get("settings") or {}).get("timestamp") or 0),
        )

    def push(self, push: Push) -> None:
        work = Work(
            host=self.target.name,
            kind="Docker settings",
            doing="Applying",
            operation="push the Docker settings",
            resource=self._label,
            usual=100,
        )
        body = {"location": self.target.location, "tags": push.tags(), "properties": self._properties(push)}
        extensions = self.session.compute.virtual_machine_extensions
        self.session.begin(work, extensions.begin_create_or_update, *self._where, body).wait()

    def _properties(self, push: Push) -> Json:
        raise NotImplementedError

    def delete(self) -> None:
        work = Work(
            host=self.target.name,
            kind="VM extension",
            doing="Deleting",
            operation="delete the VM extension",
            resource=self._label,
            usual=30,
        )
        self.session.begin(work, self.session.compute.virtual_machine_extensions.begin_delete, *self._where).wait()


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
    """Microsoft.Azure.Extensions/DockerExtension 1.x, where a cloud still has it: the same settings, mapped."""

    kind = "docker_extension"
    proves = False
    publisher_and_type = DOCKER_EXTENSION

    def push(self, push: Push) -> None:
        try:
            super().push(push)
        except AzureError as error:
            if error.not_found or error.code in ("ArtifactNotFound", "ArtifactVersionNotFound"):
                error.message += " The Docker extension was retired on public Azure in November 2018: use handler=auto."
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


def docker_extension_settings(settings: Settings) -> tuple[Json, Json]:
    """The settings in the Docker extension's own schema: public and protected.

    :raises OptionError: the extension has nothing for one of them.
    """
    if settings.state == "absent":
        return {}, {}
    beyond = {
        "docker.daemon": settings.docker.get("daemon"),
        "docker.live_restore": settings.docker.get("live-restore") is not None,
        "docker.users": settings.docker.get("users"),
        "docker.data_disk": settings.docker.get("data-disk"),
        "docker.proxies": settings.proxies,
        "engine": set(settings.docker["engine"]) - {"source"} or settings.docker["engine"]["source"] != "docker",
        "compose": len(settings.projects) > 1 and "more than one project",
        "logins": len(settings.logins) > 1 and "more than one registry",
        "compose_purge": settings.purge,
    }
    for option, given in beyond.items():
        if given:
            raise OptionError(option, "the handler docker_extension has no such setting; use another handler")
    public: Json = {"docker": {key: settings.docker[key] for key in ("port", "options") if settings.docker.get(key)}}
    protected: Json = {}
    if settings.certs:
        protected["certs"] = settings.certs.settings()
    for login in settings.logins:
        protected["login"] = {key: value for key, value in login.items() if key != "ca"}
    for project in settings.projects:
        public["compose"] = dict(project.definition)
        if project.environment:
            public["compose-environment"] = dict(project.environment)
        if project.secrets:
            protected["environment"] = dict(project.secrets)
    return public, protected


class RunCommand:
    """A managed Run Command, for VMs whose one CustomScript is somebody else's."""

    kind = "run_command"
    proves = True

    def __init__(self, session: AzureSession, target: Target, name: str) -> None:
        self.session = session
        self.target = target
        self.name = name
        self._where = (target.resource_group, target.name, name)
        self._label = f"{target.name}/{name}"

    def read(self) -> Present | None:
        found = self.session.find(
            "read the Run Command",
            self._label,
            self.session.compute.virtual_machine_run_commands.get_by_virtual_machine,
            *self._where,
            expand="instanceView",
        )
        if found is None:
            return None
        tags = found.get("tags") or {}
        if tags.get(COLLECTION_TAG) != COLLECTION:
            raise OptionError("name", f"{self.name} is a Run Command of the VM that is not ours")
        properties = found["properties"]
        view = properties.get("instanceView") or {}
        text = "\n".join(str(view[key]) for key in ("output", "error", "executionMessage") if view.get(key))
        state = properties.get("provisioningState") or ""
        if state == "Succeeded" and view.get("executionState") in ("Running", "Pending"):
            state = "Updating"
        return Present(
            id=found["id"],
            state=state,
            digest=tags.get(DIGEST_TAG) or "",
            frame=tags.get(FRAME_TAG) or "",
            outcome=read_outcome(text, view.get("exitCode")),
            stamp=_stamp(properties.get("parameters") or []),
        )

    def push(self, push: Push) -> None:
        work = Work(
            host=self.target.name,
            kind="Docker settings",
            doing="Applying",
            operation="push the Docker settings",
            resource=self._label,
            usual=100,
        )
        properties = {
            "source": {"script": payload.run_command_script(push.program)},
            "parameters": [{"name": "DOCKER_SETUP_PUSH", "value": str(push.stamp)}],
            "protectedParameters": [
                {"name": payload.SETTINGS_VARIABLE, "value": payload.run_command_settings(push.document())}
            ],
            "asyncExecution": False,
            "timeoutInSeconds": RUN_COMMAND_SECONDS,
            "treatFailureAsDeploymentFailure": True,
        }
        body = {"location": self.target.location, "tags": push.tags(), "properties": properties}
        commands = self.session.compute.virtual_machine_run_commands
        self.session.begin(work, commands.begin_create_or_update, *self._where, body).wait()

    def delete(self) -> None:
        work = Work(
            host=self.target.name,
            kind="Run Command",
            doing="Deleting",
            operation="delete the Run Command",
            resource=self._label,
            usual=30,
        )
        self.session.begin(work, self.session.compute.virtual_machine_run_commands.begin_delete, *self._where).wait()


HANDLERS: t.Mapping[str, type[CustomScript | DockerExtension | RunCommand]] = {
    "custom_script": CustomScript,
    "docker_extension": DockerExtension,
    "run_command": RunCommand,
}


def choose(session: AzureSession, target: Target, asked: str, name: str) -> Handler:
    """The handler to use: the one asked for; by itself CustomScript, or Run Command where that slot is taken.

    :raises DockerHostError: CustomScript is asked for and somebody else's is on the VM, which is never replaced.
    """
    if asked in ("run_command", "docker_extension"):
        return HANDLERS[asked](session, target, name)
    foreign = _other_custom_script(session, target, name)
    if foreign is None:
        return CustomScript(session, target, name)
    theirs, ours = foreign
    if ours:
        raise OptionError("name", f"the settings of this VM were pushed under the name {theirs}: give that name")
    if asked == "auto":
        return RunCommand(session, target, name)
    raise DockerHostError(
        f"{target.name}: the CustomScript extension {theirs} is on this VM. A VM takes only one, and somebody else's is"
        " never replaced: use handler=run_command (or auto)."
    )


def others(session: AzureSession, target: Target, handler: Handler) -> list[Handler]:
    """What else of ours carries settings on this VM: a later push through another handler or name takes their place."""
    compute = session.compute
    where = (target.resource_group, target.name)
    answer = session.call("list the VM's extensions", target.name, compute.virtual_machine_extensions.list, *where)
    found: list[tuple[type[CustomScript | DockerExtension | RunCommand], Json]] = []
    for extension in (answer or {}).get("value") or []:
        properties = extension.get("properties") or {}
        docker = _lower((properties.get("publisher"), properties.get("type"))) == _lower(DOCKER_EXTENSION)
        found.append((DockerExtension if docker else CustomScript, extension))
    commands = session.pages(
        "list the VM's Run Commands", target.name, compute.virtual_machine_run_commands.list_by_virtual_machine, *where
    )
    found += [(RunCommand, command) for command in commands]
    return [
        kind(session, target, resource["name"])
        for kind, resource in found
        if (resource.get("tags") or {}).get(DIGEST_TAG)
        and (kind.kind, resource["name"].lower()) != (handler.kind, handler.name.lower())
    ]


def in_the_way(handler: Handler, other: Handler) -> bool:
    """Tell whether another resource of ours has the very place of this one: Azure never changes an extension's type."""
    return "run_command" not in (handler.kind, other.kind) and handler.name.lower() == other.name.lower()


def _other_custom_script(session: AzureSession, target: Target, name: str) -> tuple[str, bool] | None:
    """The name of a CustomScript extension other than the one called ``name``, and whether it is ours."""
    answer = session.call(
        "list the VM's extensions",
        target.name,
        session.compute.virtual_machine_extensions.list,
        target.resource_group,
        target.name,
    )
    for extension in (answer or {}).get("value") or []:
        properties = extension.get("properties") or {}
        if _lower((properties.get("publisher"), properties.get("type"))) != _lower(CUSTOM_SCRIPT):
            continue
        if extension.get("name", "").lower() == name.lower():
            return None
        return extension["name"], (extension.get("tags") or {}).get(COLLECTION_TAG) == COLLECTION
    return None


def _lower(kind: tuple[t.Any, t.Any]) -> tuple[str, str]:
    return str(kind[0]).lower(), str(kind[1]).lower()


def _messages(view: t.Mapping[str, t.Any]) -> str:
    return "\n".join(str(status["message"]) for status in view.get("statuses") or [] if status.get("message"))


def _stamp(parameters: t.Sequence[t.Mapping[str, t.Any]]) -> int:
    for parameter in parameters:
        if parameter.get("name") == "DOCKER_SETUP_PUSH" and str(parameter.get("value")).isdigit():
            return int(parameter["value"])
    return 0
