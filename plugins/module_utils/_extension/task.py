# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task docker_vm_extension: compare the settings with what was pushed last, push them if they differ."""

from __future__ import annotations

import re
import typing as t

from .._azure.clients import AzureSession
from .._azure.clock import check_clock
from .._azure.option_checks import check_azure_options
from .._azure.resource_ids import name_in
from .._azure.wire import Json
from .._backend import Backend, Request
from .._diff import Differences
from .._digest import matches, new_digest
from .._docker.connection import Connection
from .._errors import DockerHostError, OptionError
from . import payload
from .argument_spec import extension_argument_spec
from .ca_guard import check_ca_unchanged
from .docker_extension import docker_extension_settings
from .handler_selection import check_replaceable, handler_in_use, other_handlers, select_handler
from .handlers import CurrentSettings, Push
from .keep_certs import read_endpoint
from .push_reasons import find_reasons, predicted_actions, read_current, verify
from .pushing import push, push_and_replace, record_ca
from .run import Run
from .settings import NEEDS_CERTS, Settings, canonical, read_settings
from .setup_result import SetupResult
from .shown_settings import add_settings
from .virtual_machine import VmReference, find_virtual_machine

# Azure's names of extensions and managed Run Commands, narrowed to what needs no escaping in a URL.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class Desired(t.NamedTuple):
    """What the options ask for, checked before the first request.

    :param endpoint: how to reach the engine with ``keep_certs``.
    """

    settings: Settings
    reference: VmReference
    endpoint: Connection | None


def run(request: Request) -> dict[str, t.Any]:
    """Push the Docker settings to a VM, or remove them.

    :raises DockerHostError: an option cannot be used, or the push failed.
    """
    desired = _read(request)
    params = dict(request.params)
    if desired.reference.subscription_id:
        params["subscription_id"] = desired.reference.subscription_id
    wait_timeout = float(params["wait_timeout"])
    with AzureSession.from_params(
        params, request.progress, wait_timeout, request.concurrency, request.token_cache
    ) as session:
        result = _run_on_vm(request, desired, session)
        return {**result, "signed_in_with": session.signed_in_with}


def check_options(request: Request) -> Settings:
    """Return the settings, checked in everything that does not depend on the VM.

    :raises OptionError: an option is invalid.
    :raises DockerHostError: the handler cannot deliver the settings.
    """
    settings = read_settings(request.params, check_mode=request.check_mode)
    program = request.params["setup_program"]
    if not program:
        raise OptionError("setup_program", "is required; the action of this module sets it")
    for name in ("agent_timeout", "wait_timeout"):
        if request.params[name] < 1:
            raise OptionError(name, f"must be at least 1 second, got {request.params[name]}")
    _check_handler(request.params["handler"], Push(settings, "x" * 128, program))
    return settings


def _check_any_handler(this: Push) -> None:
    """Refuse settings that neither of the handlers can deliver between which the VM decides."""
    try:
        _check_handler("custom_script", this)
    except DockerHostError:
        _check_handler("run_command", this)


def _read(request: Request) -> Desired:
    check_azure_options(request.params)
    if not _NAME.fullmatch(request.params["name"]):
        raise OptionError(
            "name",
            "must be 1 to 80 letters, digits, underscores, periods and hyphens, starting with a letter or digit, got"
            f" {request.params['name']!r}",
        )
    return Desired(
        settings=check_options(request),
        reference=VmReference.from_params(request.params),
        endpoint=read_endpoint(request.params, check_mode=request.check_mode),
    )


def _check_handler(handler: str | None, this: Push) -> None:
    """Refuse settings that the handler cannot deliver.

    :raises DockerHostError: they are too large, or the handler has no such setting.
    """
    if handler is None:
        _check_any_handler(this)
    elif handler == "docker_extension":
        docker_extension_settings(this.settings)
    elif handler == "run_command":
        payload.run_command_settings(this.document())
    else:
        payload.check_custom_script(this.program, this.document())


def _run_on_vm(request: Request, desired: Desired, session: AzureSession) -> Json:
    vm = find_virtual_machine(session, desired.reference)
    if vm is None:
        return _without_vm(request, desired)
    vm.check_supported()
    if desired.settings.certs:
        check_clock(session.arm.clock_ahead, request.warn)
    handler = select_handler(session, vm, request.params["handler"], request.params["name"])
    if desired.settings.certs_only:
        handler = handler_in_use(session, vm, handler)
    if request.params["handler"] is None:
        _check_handler(handler.kind, Push(desired.settings, "x" * 128, request.params["setup_program"]))
    check_ca_unchanged(
        vm.name,
        vm.tags,
        desired.settings.certs,
        request.params["replace_ca"],
        guest_checks=handler.reports_result,
    )
    settings = desired.settings if handler.reports_result else desired.settings.in_full()
    this = Run(request, settings, vm, handler, desired.endpoint)
    return _absent(this) if desired.settings.state == "absent" else _present(this)


def _without_vm(request: Request, desired: Desired) -> Json:
    result: Json = {
        "changed": False,
        "pushed": False,
        "extension": None,
        "engine": None,
        "actions": [],
        "power_state": None,
        "output": "",
    }
    if desired.settings.state == "absent":
        return result
    _check_port(desired.settings, None)
    if not request.check_mode:
        reference = desired.reference
        raise DockerHostError(f"There is no VM {reference.name} in the resource group {reference.resource_group}.")
    changes = Differences()
    changes.add("extension", None, request.params["name"])
    return {**result, "changed": True, **({"diff": changes.as_diff()} if request.diff else {})}


def _present(this: Run) -> Json:
    check_replaceable(this.session, this.vm, this.handler)
    current = read_current(this)
    _check_port(this.settings, current)
    find_reasons(this, current)
    if this.reasons or this.params["verify"]:
        this.make_ready()
    if not this.reasons and this.params["verify"] and current:
        verify(this, current)
    result, digest = (current.result, current.digest) if current else (SetupResult(None), "")
    if this.reasons:
        this.changes.add("docker_settings", _state(current), "Succeeded: " + "; ".join(this.reasons))
        add_settings(this, current)
        if not this.check_mode:
            digest = new_digest(this.settings.canonical(), guessable=this.settings.guessable)
            result = push_and_replace(this, current, digest)
    record_ca(this, this.settings.certs)
    return _result(this, result, _extension(this, current, digest))


def _check_port(settings: Settings, current: CurrentSettings | None) -> None:
    """Refuse a port without certificates, where the options have none and the VM has none to keep.

    :raises OptionError: it is refused.
    """
    if not settings.port or settings.certs or settings.unknown_certs:
        return
    digest = current.sections.get("certs") if current else None
    if "certs" not in settings.keep or not digest or matches(digest, canonical({})):
        raise OptionError("docker.port", NEEDS_CERTS)


def _absent(this: Run) -> Json:
    """Let the program remove its configuration, then delete every resource of this collection and the CA's record."""
    handlers = [this.handler, *other_handlers(this.session, this.vm, this.handler)]
    # The handler that last brought settings removes them; a Docker extension can only be deleted.
    handlers.sort(key=lambda handler: not handler.reports_result)
    result, existing = SetupResult(None), []
    for this.handler in handlers:
        current = read_current(this)
        if current is None:
            continue
        existing.append(this.handler)
        this.changes.add(f"extension {this.handler.name}", current.state, None)
        if this.handler.reports_result and not this.pushed:
            result = _unset(this, current)
    if not this.check_mode:
        for handler in existing:
            handler.delete()
    record_ca(this, None)
    return _result(this, result, None)


def _unset(this: Run, current: CurrentSettings) -> SetupResult:
    """Push that no settings are desired, unless that was done and only the resource was left."""
    content = this.settings.canonical()
    if matches(current.digest, content) and current.result.is_of(current.digest):
        return current.result
    this.reasons.append("state=absent")
    this.make_ready()
    if this.check_mode:
        return current.result
    return push(this, current, new_digest(content, guessable=this.settings.guessable))


def _state(current: CurrentSettings | None) -> str | None:
    return None if current is None else current.state


def _extension(this: Run, current: CurrentSettings | None, digest: str) -> Json:
    """Describe the resource that carries the settings."""
    resource_id = current.id if current else f"{this.vm.id}/{this.handler.collection}/{this.params['name']}"
    return {
        "id": resource_id,
        "name": name_in(resource_id),
        "handler": this.handler.kind,
        "provisioning_state": "Succeeded" if this.pushed or not this.reasons else _state(current),
        "digest": digest or None,
    }


def _result(this: Run, setup: SetupResult, extension: Json | None) -> Json:
    report = setup.report or {}
    port = report.get("port") if "port" in this.settings.keep else this.settings.port
    result: Json = {
        "changed": bool(this.changes),
        "pushed": this.pushed,
        "reasons": this.reasons,
        "kept_certs": this.kept_certs and not this.reasons,
        "extension": extension,
        "engine": {**(report.get("engine") or {}), "port": port} if extension else None,
        "actions": list(setup.actions) if this.pushed else predicted_actions(this),
        "power_state": "running" if this.started else this.vm.power_state,
        "output": setup.output if this.pushed else "",
    }
    if this.request.diff:
        result["diff"] = this.changes.as_diff()
    return result


BACKEND = Backend(name="docker_vm_extension", spec=extension_argument_spec(), run=run)
