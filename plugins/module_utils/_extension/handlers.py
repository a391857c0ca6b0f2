# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three envelopes in which the settings reach the agent. Private to this collection."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._azure.clients import AzureSession
from .._azure.conflicts import retry_on_conflict
from .._azure.errors import AzureError
from .._azure.operations import OperationInfo
from .._azure.tags import (
    COLLECTION,
    COLLECTION_TAG,
    SETTINGS_CERTS_TAG,
    SETTINGS_DIGEST_TAG,
    SETTINGS_DIGEST_WITHOUT_CERTS_TAG,
    SETTINGS_SCOPE_TAG,
    is_from_collection,
    tag_value,
)
from .._azure.wire import Json
from .._errors import OptionError
from . import payload
from .settings import Settings
from .setup_result import SetupResult, read_setup_result
from .virtual_machine import EXPANDED, VirtualMachine

CERTS_ONLY = "certs"
CUSTOM_SCRIPT = ("Microsoft.Azure.Extensions", "CustomScript")
DOCKER_EXTENSION = ("Microsoft.Azure.Extensions", "DockerExtension")
RUN_COMMAND_SECONDS = 5400
UNDER_WAY = ("creating", "updating", "deleting")


@dataclass(frozen=True)
class Push:
    """One push: the settings, their digest, and what tells this push from the last one of the same settings.

    :param frame: the digest of all but the certificates, as far as it is known.
    :param certs: the digest of the certificates.
    """

    settings: Settings
    digest: str
    program: str
    replace_ca: bool = False
    stamp: int = field(default_factory=lambda: int(time.time()))
    digest_without_certs: str = ""
    certs: str = ""

    def document(self) -> Json:
        """What the program gets."""
        marks: Json = {"digest": self.digest, "push": str(self.stamp)}
        if self.replace_ca:
            marks["replace-ca"] = True
        return {**self.settings.document(), **marks}

    def tags(self) -> Json:
        """The tags of the resource that carries the settings."""
        tags = {
            COLLECTION_TAG: COLLECTION,
            SETTINGS_DIGEST_TAG: self.digest,
            SETTINGS_DIGEST_WITHOUT_CERTS_TAG: self.digest_without_certs,
            SETTINGS_CERTS_TAG: self.certs,
        }
        tags[SETTINGS_SCOPE_TAG] = CERTS_ONLY if self.settings.certs_only else ""
        return {name: value for name, value in tags.items() if value}


@dataclass(frozen=True)
class CurrentSettings:
    """What was pushed last, as Azure shows it."""

    id: str
    state: str
    digest: str
    outcome: SetupResult
    stamp: int = 0
    digest_without_certs: str = ""
    certs: str = ""
    certs_only: bool = False

    @property
    def under_way(self) -> bool:
        """Tell whether an earlier push has not ended."""
        return self.state.lower() in UNDER_WAY


class Handler(t.Protocol):
    """One envelope, on one VM, under one name."""

    kind: str
    name: str
    collection: str
    proves: bool
    """Whether the program's result line is to be expected."""

    def read(self) -> CurrentSettings | None:
        """What is there; None when nothing is.

        :raises OptionError: the name is taken by something that is not ours.
        """

    def push(self, push: Push) -> None:
        """Send the settings and wait until the agent is done.

        :raises AzureError: it did not succeed.
        """

    def delete(self) -> None:
        """Take the resource away."""


class _Resource:
    """What the handlers share: a child resource of the VM that carries the settings."""

    kind = ""
    noun = ""
    collection = ""
    proves = True

    def __init__(self, session: AzureSession, target: VirtualMachine, name: str) -> None:
        self.session = session
        self.target = target
        self.name = name
        self._where = (target.resource_group, target.name, name)
        self._label = f"{target.name}/{name}"
        self._path = f"{target.id}/{self.collection}/{name}"

    @property
    def _client(self) -> t.Any:
        """The SDK's operations on this kind of resource."""
        raise NotImplementedError

    def read(self) -> CurrentSettings | None:
        """What is there."""
        found = self.session.arm.find(self._path, **EXPANDED)
        if found is None:
            return None
        if not is_from_collection(found):
            raise OptionError(
                "name", f"{self.name} is {self._described(found['properties'])} of the VM that is not ours"
            )
        return self._present(found)

    def _described(self, properties: Json) -> str:
        raise NotImplementedError

    def _present(self, found: Json) -> CurrentSettings | None:
        raise NotImplementedError

    def push(self, push: Push) -> None:
        """Send the settings and wait until the agent is done."""
        body = {"location": self.target.location, "tags": push.tags(), "properties": self._properties(push)}
        work = OperationInfo(
            host=self.target.name,
            kind="Docker settings",
            doing="Applying",
            operation="push the Docker settings",
            resource=self._label,
            usual=100,
        )
        begin = self._client.begin_create_or_update
        retry_on_conflict(
            lambda: self.session.begin(work, begin, *self._where, body, over=self._is_over).wait(),
            work,
            self.session.deadline,
            self.session.progress,
        )

    def _is_over(self) -> bool:
        """Tell by the resource itself whether Azure has done with it."""
        try:
            found = self.session.arm.find(self._path)
        except AzureError:
            return False
        return not found or str(found["properties"].get("provisioningState")).lower() not in UNDER_WAY

    def _properties(self, push: Push) -> Json:
        raise NotImplementedError

    def delete(self) -> None:
        """Take the resource away."""
        work = OperationInfo(
            host=self.target.name,
            kind=self.noun,
            doing="Deleting",
            operation=f"delete the {self.noun}",
            resource=self._label,
            usual=30,
        )
        begin = self._client.begin_delete
        retry_on_conflict(
            lambda: self.session.begin(work, begin, *self._where).wait(),
            work,
            self.session.deadline,
            self.session.progress,
        )


class _Extension(_Resource):
    """What the two handlers that are VM extensions share."""

    noun = "VM extension"
    collection = "extensions"
    publisher_and_type = CUSTOM_SCRIPT

    @property
    def _client(self) -> t.Any:
        return self.session.compute.virtual_machine_extensions

    def _described(self, properties: Json) -> str:
        return f"an extension ({properties.get('publisher')}.{properties.get('type')})"

    def _present(self, found: Json) -> CurrentSettings | None:
        properties, tags = found["properties"], found.get("tags") or {}
        if lower((properties.get("publisher"), properties.get("type"))) != lower(self.publisher_and_type):
            return None  # ours, of another handler: see others()
        return CurrentSettings(
            id=found["id"],
            state=properties.get("provisioningState") or "",
            digest=tag_value(tags, SETTINGS_DIGEST_TAG) or "",
            **_parts(tags),
            outcome=read_setup_result(_messages(properties.get("instanceView") or {})),
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


class RunCommand(_Resource):
    """A managed Run Command, for VMs whose one CustomScript is somebody else's."""

    kind = "run_command"
    noun = "Run Command"
    collection = "runCommands"

    @property
    def _client(self) -> t.Any:
        return self.session.compute.virtual_machine_run_commands

    def _described(self, _properties: Json) -> str:
        return "a Run Command"

    def _present(self, found: Json) -> CurrentSettings | None:
        properties, tags = found["properties"], found.get("tags") or {}
        view = properties.get("instanceView") or {}
        text = "\n".join(str(view[key]) for key in ("output", "error", "executionMessage") if view.get(key))
        state = properties.get("provisioningState") or ""
        if state == "Succeeded" and view.get("executionState") in ("Running", "Pending"):
            state = "Updating"
        return CurrentSettings(
            id=found["id"],
            state=state,
            digest=tag_value(tags, SETTINGS_DIGEST_TAG) or "",
            **_parts(tags),
            outcome=read_setup_result(text, view.get("exitCode")),
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


def lower(kind: tuple[t.Any, t.Any]) -> tuple[str, str]:
    """Publisher and type in a form that compares: Azure keeps whatever case was sent."""
    return str(kind[0]).lower(), str(kind[1]).lower()


def _parts(tags: t.Mapping[str, str]) -> Json:
    """What the tags tell of a push besides the digest of all of it."""
    return {
        "digest_without_certs": tag_value(tags, SETTINGS_DIGEST_WITHOUT_CERTS_TAG) or "",
        "certs": tag_value(tags, SETTINGS_CERTS_TAG) or "",
        "certs_only": tag_value(tags, SETTINGS_SCOPE_TAG) == CERTS_ONLY,
    }


def _messages(view: t.Mapping[str, t.Any]) -> str:
    return "\n".join(str(status["message"]) for status in view.get("statuses") or [] if status.get("message"))


def _stamp(parameters: t.Sequence[t.Mapping[str, t.Any]]) -> int:
    for parameter in parameters:
        if parameter.get("name") == "DOCKER_SETUP_PUSH" and str(parameter.get("value")).isdigit():
            return int(parameter["value"])
    return 0
