# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which handler delivers a VM's settings, and which other resources of this collection did so before."""

from __future__ import annotations

from .._azure.clients import AzureSession
from .._azure.tags import SETTINGS_DIGEST_TAG, is_from_collection, tag_of
from .._azure.wire import Json
from .._errors import DockerHostError, OptionError
from .handlers import (
    CUSTOM_SCRIPT,
    DOCKER_EXTENSION,
    HANDLERS,
    CustomScript,
    DockerExtension,
    Handler,
    RunCommand,
    is_of_type,
)
from .virtual_machine import VirtualMachine


def select_handler(session: AzureSession, vm: VirtualMachine, desired: str | None, name: str) -> Handler:
    """Return the handler to use.

    :param desired: the option ``handler``. ``auto`` is CustomScript, or Run Command if the VM has another CustomScript.
        None is the one that delivered the VM's settings, else ``auto``.
    :raises OptionError: this collection pushed settings to the VM under another name.
    :raises DockerHostError: CustomScript is desired, and the VM has somebody else's, which is never replaced.
    """
    if desired in ("run_command", "docker_extension"):
        return HANDLERS[desired](session, vm, name)
    custom_script = CustomScript(session, vm, name)
    if custom_script.is_installed():
        return custom_script
    former = _former_kind(session, vm, custom_script) if desired is None else None
    if former:
        return HANDLERS[former](session, vm, name)
    other = _other_custom_script(session, vm, name)
    if other is None:
        return custom_script
    if is_from_collection(other):
        raise OptionError("name", f"must be {other['name']}, the name under which this VM's settings were pushed")
    if desired in (None, "auto"):
        return RunCommand(session, vm, name)
    raise DockerHostError(
        f"{vm.name}: the VM has the CustomScript extension {other['name']}. A VM can have only one, and this collection"
        " never replaces somebody else's: use O(handler=run_command) or O(handler=auto)."
    )


def _former_kind(session: AzureSession, vm: VirtualMachine, custom_script: CustomScript) -> str | None:
    """Return the kind of the handler other than CustomScript that delivered the VM's settings, None without one."""
    others = (one.kind for one in other_handlers(session, vm, custom_script))
    return next((kind for kind in others if kind != custom_script.kind), None)


def other_handlers(session: AzureSession, vm: VirtualMachine, handler: Handler) -> list[Handler]:
    """Return the other resources of this collection that carry settings on this VM. A push replaces them."""
    resources: list[tuple[type[CustomScript | DockerExtension | RunCommand], Json]] = []
    for extension in session.arm.list(f"{vm.id}/extensions"):
        resources.append((DockerExtension if is_of_type(extension, DOCKER_EXTENSION) else CustomScript, extension))
    resources += [(RunCommand, command) for command in session.arm.list(f"{vm.id}/runCommands")]
    return [
        kind(session, vm, resource["name"])
        for kind, resource in resources
        if tag_of(resource, SETTINGS_DIGEST_TAG)
        and (kind.kind, resource["name"].lower()) != (handler.kind, handler.name.lower())
    ]


def check_replaceable(session: AzureSession, vm: VirtualMachine, handler: Handler) -> None:
    """Stop if the Docker extension would be pushed over settings of another handler.

    The Docker extension edits the engine's unit, which the configuration of the others overrides.

    :raises DockerHostError: another handler delivered the VM's settings.
    """
    if handler.reports_result:
        return
    for other in other_handlers(session, vm, handler):
        if other.reports_result:
            raise DockerHostError(
                f"{vm.name}: its settings were pushed with the handler {other.kind}, whose configuration the Docker"
                " extension cannot replace. Remove it first with O(state=absent), or use O(handler=auto)."
            )


def handler_in_use(session: AzureSession, vm: VirtualMachine, handler: Handler) -> Handler:
    """Return the handler that delivered the settings that are on the VM: this one, else another one.

    :raises DockerHostError: none did, or it is one that cannot deliver certificates alone.
    """
    for one in (handler, *other_handlers(session, vm, handler)):
        if one.read() is None:
            continue
        if not one.reports_result:
            raise DockerHostError(
                f"{vm.name}: its settings were pushed with the handler {one.kind}, which takes all settings at once, so"
                " O(certs_only=true) cannot be used: push all settings."
            )
        return one
    raise DockerHostError(
        f"{vm.name}: no settings were ever pushed to this VM, so O(certs_only=true) cannot be used: push all settings."
    )


def is_in_the_way(handler: Handler, other: Handler) -> bool:
    """Return whether another resource must be deleted before the push, not after it.

    Azure never changes an extension's type, so one of the same name must go first. So must a Docker extension, which
    stops the engine when it is deleted.
    """
    if other.kind == "docker_extension":
        return True
    return "run_command" not in (handler.kind, other.kind) and handler.name.lower() == other.name.lower()


def _other_custom_script(session: AzureSession, vm: VirtualMachine, name: str) -> Json | None:
    """Return the VM's CustomScript extension, unless it has this name."""
    for extension in session.arm.list(f"{vm.id}/extensions"):
        if is_of_type(extension, CUSTOM_SCRIPT):
            return None if extension.get("name", "").lower() == name.lower() else extension
    return None
