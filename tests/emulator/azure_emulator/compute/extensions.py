# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VM extensions: settings for handlers that the agent runs in the machine."""

from __future__ import annotations

import asyncio
import typing as t

from ..arm.resource import Json, Resource
from ..errors import ApiError, conflict, invalid_parameter, location_required, operation_not_allowed
from ..machines.base import AgentUnreachable, ExtensionSettings, HandlerReference, HandlerResult, MachineError
from ..operations import Operation, action
from . import catalogue
from .children import ChildKind, RemoveChild, Write, child_routes, settle_vm
from .common import refuse_while_off, touch
from .instance_view import extension_view, status
from .names import EXTENSION
from .power import agent_lost

if t.TYPE_CHECKING:
    from ..cloud import Cloud

SHOWN = (
    "forceUpdateTag",
    "autoUpgradeMinorVersion",
    "enableAutomaticUpgrade",
    "provisioningState",
    "publisher",
    "type",
    "typeHandlerVersion",
    "settings",
    "suppressFailures",
    "provisionAfterExtensions",
)


def _shown(extension: Resource) -> Json:
    return {name: extension.properties[name] for name in SHOWN if name in extension.properties}


def _check(cloud: Cloud, write: Write) -> None:
    """Refuse what Azure refuses before anything starts."""
    properties, current = write.properties, write.current
    if current is not None:
        # An update that leaves the version out keeps it (.NET SDK record of 2017-09).
        properties.setdefault("typeHandlerVersion", current.properties["typeHandlerVersion"])
    for name in ("publisher", "type", "typeHandlerVersion"):
        if not properties.get(name):
            raise invalid_parameter(f"Required parameter '{name}' is missing (null).", name)
    if write.body.get("location") is None:
        raise location_required()
    _check_vm(write.vm)
    if current is not None:
        _check_change(cloud, current, properties)
    _check_others(cloud, write)


def _check_vm(vm: Resource) -> None:
    if vm.provisioning_state == "Deleting":
        raise operation_not_allowed(
            f"Operation is not allowed on VM '{vm.name}' since it is marked for deletion. You can only retry the "
            "Delete operation (or wait for an ongoing one to complete)."
        )
    refuse_while_off(vm, "extensions")
    if not (vm.properties.get("osProfile") or {}).get("allowExtensionOperations", True):
        raise operation_not_allowed(
            "This operation cannot be performed when extension operations are disallowed. To allow, please ensure VM "
            "Agent is installed on the VM and the osProfile.allowExtensionOperations property is true."
        )


def _check_change(cloud: Cloud, extension: Resource, properties: Json) -> None:
    if cloud.operations.under_way(extension.id):
        raise conflict()
    for part in ("publisher", "type"):
        if str(extension.properties[part]).lower() != str(properties[part]).lower():
            raise ApiError(409, "PropertyChangeNotAllowed", f"Changing property '{part}' is not allowed.", target=part)


def _check_others(cloud: Cloud, write: Write) -> None:
    """Refuse a second extension of the same handler."""
    handler = _handler(write.properties)
    for other in cloud.store.children(write.vm.id, EXTENSION):
        if _handler(other.properties).lower() == handler.lower() and other.name.lower() != write.name.lower():
            raise ApiError(
                400,
                "BadRequest",
                "Multiple VMExtensions per handler not supported for OS type 'Linux'. VMExtension "
                f"'{write.name}' with handler '{handler}' already added or specified in input.",
            )


def _handler(properties: Json) -> str:
    return f"{properties['publisher']}.{properties['type']}"


def _stored(properties: Json) -> Json:
    return {"autoUpgradeMinorVersion": False, **properties}


def _started(cloud: Cloud, write: Write) -> tuple[str, Json, str | None]:
    kind = catalogue.find_extension_type(cloud, write.properties["publisher"], write.properties["type"])
    version = _resolved(kind, write.properties) if kind is not None else None
    latency = "extension.patch" if write.is_patch else None if write.is_new else "extension.update"
    return "extension.create", {"version": version}, latency


def _reset(_extension: Resource) -> None:
    """Keep the last instance view until the handler reports again."""


def _resolved(kind: catalogue.ExtensionType, properties: Json) -> str | None:
    minor = properties.get("autoUpgradeMinorVersion") is True
    return catalogue.resolve_version(kind, str(properties["typeHandlerVersion"]), minor_upgrades=minor)


@action("extension.create")
class Enable:
    """The handler runs in the machine, and its status decides how the operation ends."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Find the handler, give it its settings, wait for its status."""
        extension, vm = _both(cloud, operation)
        properties = extension.properties
        kind = catalogue.find_extension_type(cloud, properties["publisher"], properties["type"])
        if kind is None:
            raise ApiError(
                404,
                "ArtifactNotFound",
                f"The VM extension with publisher '{properties['publisher']}' and type '{properties['type']}' could "
                "not "
                "be found.",
            )
        version = operation.args.get("version")
        if version is None:
            raise ApiError(
                404,
                "ArtifactVersionNotFound",
                "No version found in the artifact repository that satisfies the requested version "
                f"'{properties['typeHandlerVersion']}' for VM extension with publisher '{properties['publisher']}' and "
                f"type '{properties['type']}'.",
            )
        await _agent_reports(cloud, vm, operation)
        result = await _enable(cloud, vm, extension, version)
        _note(extension, result)
        cloud.store.save(extension)
        if result.status != "success" and not properties.get("suppressFailures"):
            raise _failure(extension, kind, result)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the state of the extension. The VM is Succeeded again, even if the extension failed."""
        extension = cloud.store.get(operation.target)
        if extension is None:
            return
        ok = operation.status == "Succeeded"
        if not ok and "statuses" not in extension.hidden and operation.error is not None:
            code = f"ProvisioningState/failed/{operation.error.get('code', '')}"
            extension.hidden["statuses"] = [
                status(code, "Provisioning failed", operation.error.get("message"), level="Error")
            ]
        touch(extension, operation.status)
        cloud.store.save(extension)
        settle_vm(cloud, extension, operation)


def _both(cloud: Cloud, operation: Operation) -> tuple[Resource, Resource]:
    extension = cloud.store.get(operation.target)
    vm = cloud.store.get(extension.container) if extension is not None else None
    if extension is None or vm is None:
        raise ApiError(409, "OperationNotAllowed", "The VM or the extension was deleted while the operation went on.")
    return extension, vm


async def _agent_reports(cloud: Cloud, vm: Resource, operation: Operation) -> None:
    """Wait for the VM's creation, then for its agent; in the end the provider gives up.

    :raises ApiError: VMAgentStatusCommunicationError.
    """
    while any(o.kind == "vm.create" for o in cloud.operations.ending(vm.id)):
        await asyncio.sleep(0.05)
    agent = await cloud.machines.agent_status(vm)
    if agent.state != "ready":
        operation.duration = cloud.latencies.draw("agent.lost")
        raise agent_lost(vm)


async def _enable(cloud: Cloud, vm: Resource, extension: Resource, version: str) -> HandlerResult:
    properties = extension.properties
    try:
        async with cloud.machines.lock(vm):
            machine = await cloud.machines.machine(vm)
            return await machine.enable_extension(
                ExtensionSettings(
                    name=extension.name,
                    publisher=properties["publisher"],
                    type=properties["type"],
                    version=version,
                    settings=properties.get("settings") or {},
                    protected=extension.hidden.get("protectedSettings") or {},
                )
            )
    except AgentUnreachable as error:
        raise agent_lost(vm) from error
    except MachineError as error:
        return HandlerResult("error", str(error), version, 1)


def _note(extension: Resource, result: HandlerResult) -> None:
    """Store what the instance view shows."""
    extension.hidden["handlerVersion"] = result.handler_version
    ok = result.status == "success"
    code = "ProvisioningState/succeeded" if ok else f"ProvisioningState/failed/{result.code}"
    display = "Provisioning succeeded" if ok else "Provisioning failed"
    extension.hidden["statuses"] = [status(code, display, result.message, level="Info" if ok else "Error")]
    extension.hidden["substatuses"] = [_substatus(item) for item in result.substatus]


def _substatus(item: t.Mapping[str, t.Any]) -> Json:
    """Return a substatus of the handler's status file, as the instance view shows it."""
    state = "succeeded" if item.get("status") == "success" else "failed"
    message = (item.get("formattedMessage") or {}).get("message") or ""
    return {
        "code": f"ComponentStatus/{item.get('name', '')}/{state}",
        "level": "Info" if state == "succeeded" else "Error",
        "displayStatus": f"Provisioning {state}",
        "message": message,
    }


def _failure(extension: Resource, kind: catalogue.ExtensionType, result: HandlerResult) -> ApiError:
    return ApiError(
        409,
        "VMExtensionProvisioningError",
        f"VM has reported a failure when processing extension '{extension.name}' (publisher '{kind.publisher}' and "
        "type "
        f"'{kind.type}'). Error message: \"{result.message}\". More information on troubleshooting is available at "
        f"https://aka.ms/{kind.troubleshoot}. ",
    )


@action("extension.delete")
class Remove(RemoveChild):
    """The handler is disabled and uninstalled."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Remove the handler through the agent, if the agent ever had it."""
        extension, vm = _both(cloud, operation)
        if not extension.hidden.get("handlerVersion"):
            return
        async with cloud.machines.lock(vm):
            machine = await cloud.machines.machine(vm)
            handler = extension.properties
            await machine.remove_extension(HandlerReference(extension.name, handler["publisher"], handler["type"]))


EXTENSIONS = ChildKind(
    type=EXTENSION,
    operation="extension",
    secrets=("protectedSettings",),
    shown=_shown,
    view=extension_view,
    check=_check,
    stored=_stored,
    started=_started,
    reset=_reset,
)
child_routes(EXTENSIONS)
