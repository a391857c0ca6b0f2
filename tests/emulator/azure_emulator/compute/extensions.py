# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VM extensions: settings for handlers that the agent runs in the machine."""

from __future__ import annotations

import asyncio
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin, found, started
from ..arm.resource import Json, Resource
from ..arm.routing import route
from ..errors import ApiError, conflict, invalid_parameter, operation_not_allowed
from ..machines.base import AgentUnreachable, ExtensionSettings, HandlerReference, HandlerResult, MachineError
from ..operations import Operation, OperationSpec, action
from ..schema import accept
from . import catalogue
from .common import child_of_vm, parent_vm, refuse_while_off, touch
from .instance_view import extension_view, status
from .names import EXTENSION, VM
from .power import agent_lost
from .vms import ONE as VM_PATH

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{VM_PATH}/extensions/{{name}}"
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


def render_extension(extension: Resource, instance_view: Json | None = None) -> Json:
    """The body of an extension. Protected settings are never shown."""
    body: Json = {
        "name": extension.name,
        "id": extension.id,
        "type": extension.type,
        "location": extension.location,
    }
    if extension.tags is not None:
        body["tags"] = extension.tags
    properties = {name: extension.properties[name] for name in SHOWN if name in extension.properties}
    if instance_view is not None:
        properties["instanceView"] = instance_view
    return {**body, "properties": properties}


def _id(request: ArmRequest) -> str:
    return f"{request.id_of(VM, request.params['vm'])}/extensions/{request.params['name']}"


@route("GET", ONE, EXTENSION)
async def get_extension(cloud: Cloud, request: ArmRequest) -> Reply:
    """One extension."""
    extension = child_of_vm(cloud, request, EXTENSION, _id(request))
    expand = request.query.get("$expand", "").lower() == "instanceview"
    return found(render_extension(extension, extension_view(extension) if expand else None))


@route("GET", f"{VM_PATH}/extensions", EXTENSION)
async def list_extensions(cloud: Cloud, request: ArmRequest) -> Reply:
    """The extensions of a VM."""
    vm = parent_vm(cloud, request, EXTENSION)
    expand = request.query.get("$expand", "").lower() == "instanceview"
    extensions = cloud.store.children(vm.id, EXTENSION)
    return found({"value": [render_extension(e, extension_view(e) if expand else None) for e in extensions]})


@route("PUT", ONE, EXTENSION)
async def put_extension(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or replace an extension; its handler gets the settings."""
    body = accept(request, EXTENSION)
    vm = parent_vm(cloud, request, EXTENSION)
    extension = cloud.store.get(_id(request))
    properties: Json = dict(body.get("properties") or {})
    if extension is not None:
        # An update that leaves the version out keeps it (.NET SDK record of 2017-09).
        properties.setdefault("typeHandlerVersion", extension.properties["typeHandlerVersion"])
    for name in ("publisher", "type", "typeHandlerVersion"):
        if not properties.get(name):
            raise invalid_parameter(f"Required parameter '{name}' is missing (null).", name)
    if body.get("location") is None:
        raise ApiError(400, "LocationRequired", "The location property is required for this definition.")
    return _write(cloud, request, vm, extension, body, properties)


@route("PATCH", ONE, EXTENSION)
async def patch_extension(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change parts of an extension."""
    body = accept(request, EXTENSION, patch=True)
    extension = child_of_vm(cloud, request, EXTENSION, _id(request))
    vm = parent_vm(cloud, request, EXTENSION)
    kept = {name: value for name, value in extension.properties.items() if name != "provisioningState"}
    properties = {**kept, **(body.get("properties") or {})}
    if "protectedSettings" not in properties:
        properties["protectedSettings"] = extension.hidden.get("protectedSettings")
    merged = {"location": extension.location, "tags": extension.tags, **body}
    return _write(cloud, request, vm, extension, merged, properties)


def _write(
    cloud: Cloud, request: ArmRequest, vm: Resource, extension: Resource | None, body: Json, properties: Json
) -> Reply:
    created = extension is None
    _check(cloud, vm, extension, properties, request.params["name"])
    kind = catalogue.find_extension_type(cloud, properties["publisher"], properties["type"])
    version = _resolved(kind, properties) if kind is not None else None
    if extension is None:
        extension = Resource(_id(request), EXTENSION, request.params["name"], vm.group, vm.subscription)
    extension.location = str(body["location"]).replace(" ", "").lower()
    extension.tags = body.get("tags")
    extension.hidden["protectedSettings"] = properties.pop("protectedSettings", None)
    state = "Creating" if created else "Updating"
    shown = {name: value for name, value in properties.items() if value is not None and name != "instanceView"}
    extension.properties = {"autoUpgradeMinorVersion": False, **shown, "provisioningState": state}
    touch(extension, state)
    cloud.store.save(extension)
    if vm.provisioning_state == "Succeeded":
        touch(vm, "Updating")
        cloud.store.save(vm)
    patch = request.method == "PATCH"
    latency = "extension.patch" if patch else None if created else "extension.update"
    spec = OperationSpec(
        "compute", "extension.create", extension.id, vm.location or "", {"version": version}, latency=latency
    )
    operation = begin(cloud, request, spec)
    return started(cloud, request, operation, 201 if created else 200, render_extension(extension))


def _check(cloud: Cloud, vm: Resource, extension: Resource | None, properties: Json, name: str) -> None:
    """What is refused before anything starts."""
    if vm.provisioning_state == "Deleting":
        raise operation_not_allowed(
            f"Operation is not allowed on VM '{vm.name}' since it is marked for deletion. You can only retry the "
            "Delete "
            "operation (or wait for an ongoing one to complete)."
        )
    refuse_while_off(vm, "extensions")
    if not (vm.properties.get("osProfile") or {}).get("allowExtensionOperations", True):
        raise operation_not_allowed(
            "This operation cannot be performed when extension operations are disallowed. To allow, please ensure VM "
            "Agent is installed on the VM and the osProfile.allowExtensionOperations property is true."
        )
    if extension is not None:
        if cloud.operations.under_way(extension.id):
            raise conflict()
        for part in ("publisher", "type"):
            if str(extension.properties[part]).lower() != str(properties[part]).lower():
                raise ApiError(
                    409, "PropertyChangeNotAllowed", f"Changing property '{part}' is not allowed.", target=part
                )
    for other in cloud.store.children(vm.id, EXTENSION):
        same = all(str(other.properties[p]).lower() == str(properties[p]).lower() for p in ("publisher", "type"))
        if same and other.name.lower() != name.lower():
            handler = f"{properties['publisher']}.{properties['type']}"
            raise ApiError(
                400,
                "BadRequest",
                f"Multiple VMExtensions per handler not supported for OS type 'Linux'. VMExtension '{name}' with "
                "handler "
                f"'{handler}' already added or specified in input.",
            )


def _resolved(kind: catalogue.ExtensionType, properties: Json) -> str | None:
    minor = properties.get("autoUpgradeMinorVersion") is True
    return catalogue.resolve_version(kind, str(properties["typeHandlerVersion"]), minor_upgrades=minor)


@action("extension.create")
class Enable:
    """The handler runs in the machine; what it says is how the operation ends."""

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
        """The extension has its state; the VM is Succeeded again, also when the extension failed."""
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


def settle_vm(cloud: Cloud, child: Resource, operation: Operation) -> None:
    """The VM of a child is Succeeded again when nothing else goes on."""
    vm = cloud.store.get(child.container)
    if vm is None or vm.provisioning_state != "Updating":
        return
    busy = cloud.operations.under_way(vm.id)
    for other in cloud.store.children(vm.id):
        busy += [o for o in cloud.operations.under_way(other.id) if o.id != operation.id]
    if not busy:
        touch(vm, "Succeeded")
        cloud.store.save(vm)


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
    """Keep what the instance view shows."""
    extension.hidden["handlerVersion"] = result.handler_version
    ok = result.status == "success"
    code = "ProvisioningState/succeeded" if ok else f"ProvisioningState/failed/{result.code}"
    display = "Provisioning succeeded" if ok else "Provisioning failed"
    extension.hidden["statuses"] = [status(code, display, result.message, level="Info" if ok else "Error")]
    extension.hidden["substatuses"] = [_substatus(item) for item in result.substatus]


def _substatus(item: t.Mapping[str, t.Any]) -> Json:
    """A substatus of the handler's status file, as the instance view shows it."""
    state = "succeeded" if item.get("status") == "success" else "failed"
    message = item.get("formattedMessage", {}).get("message", "")
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


@route("DELETE", ONE, EXTENSION)
async def delete_extension(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove an extension; its handler is disabled and uninstalled."""
    extension = cloud.store.get(_id(request))
    vm = parent_vm(cloud, request, EXTENSION)
    if extension is None:
        return Reply(204)
    refuse_while_off(vm, "extensions")
    if cloud.operations.under_way(extension.id):
        raise conflict()
    touch(extension, "Deleting")
    cloud.store.save(extension)
    spec = OperationSpec("compute", "extension.delete", extension.id, vm.location or "", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


@action("extension.delete")
class Remove:
    """Disable and uninstall."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Tell the machine."""
        extension, vm = _both(cloud, operation)
        if not extension.hidden.get("handlerVersion"):
            return
        async with cloud.machines.lock(vm):
            machine = await cloud.machines.machine(vm)
            handler = extension.properties
            await machine.remove_extension(HandlerReference(extension.name, handler["publisher"], handler["type"]))

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget it."""
        extension = cloud.store.get(operation.target)
        if extension is None:
            return
        if operation.status == "Succeeded":
            cloud.store.remove(extension)
        else:
            touch(extension, "Failed")
            cloud.store.save(extension)
        settle_vm(cloud, extension, operation)
