# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which handler carries a VM's settings, and what else of ours is there. Private to this collection."""

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
    lower,
)
from .virtual_machine import VirtualMachine


def select_handler(session: AzureSession, target: VirtualMachine, asked: str, name: str) -> Handler:
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


def others(session: AzureSession, target: VirtualMachine, handler: Handler) -> list[Handler]:
    """What else of ours carries settings on this VM: a later push through another handler or name takes their place."""
    found: list[tuple[type[CustomScript | DockerExtension | RunCommand], Json]] = []
    for extension in session.arm.list(f"{target.id}/extensions"):
        properties = extension.get("properties") or {}
        docker = lower((properties.get("publisher"), properties.get("type"))) == lower(DOCKER_EXTENSION)
        found.append((DockerExtension if docker else CustomScript, extension))
    found += [(RunCommand, command) for command in session.arm.list(f"{target.id}/runCommands")]
    return [
        kind(session, target, resource["name"])
        for kind, resource in found
        if tag_of(resource, SETTINGS_DIGEST_TAG)
        and (kind.kind, resource["name"].lower()) != (handler.kind, handler.name.lower())
    ]


def carrier(session: AzureSession, target: VirtualMachine, handler: Handler) -> Handler:
    """The handler that brought the settings that are on the VM: this one, else another of ours.

    :raises DockerHostError: none did, or it is one that cannot bring certificates alone.
    """
    for one in (handler, *others(session, target, handler)):
        if one.read() is None:
            continue
        if not one.proves:
            raise DockerHostError(
                f"{target.name}: its settings were brought by the handler {one.kind}, which takes all of them at once:"
                " certs_only cannot be used."
            )
        return one
    raise DockerHostError(
        f"{target.name}: no settings were ever pushed to this VM, so there is nothing that certs_only could leave as it"
        " is: push all settings."
    )


def in_the_way(handler: Handler, other: Handler) -> bool:
    """Tell whether another resource of ours has the very place of this one: Azure never changes an extension's type."""
    return "run_command" not in (handler.kind, other.kind) and handler.name.lower() == other.name.lower()


def _other_custom_script(session: AzureSession, target: VirtualMachine, name: str) -> tuple[str, bool] | None:
    """The name of a CustomScript extension other than the one called ``name``, and whether it is ours."""
    for extension in session.arm.list(f"{target.id}/extensions"):
        properties = extension.get("properties") or {}
        if lower((properties.get("publisher"), properties.get("type"))) != lower(CUSTOM_SCRIPT):
            continue
        if extension.get("name", "").lower() == name.lower():
            return None
        return extension["name"], is_from_collection(extension)
    return None
