# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task docker_vm_extension: push the settings when they are not there, and tell the truth about it.

Private to this collection.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .. import _digest as digests
from .._azure.clients import AzureSession
from .._azure.errors import AzureError, WaitTimeoutError
from .._azure.operations import OperationInfo, ProgressReporter, poll
from .._azure.tags import tag_value
from .._azure.wire import Json
from .._backend import Backend, Request
from .._diff import Differences
from .._docker.connection import Connection
from .._errors import DockerHostError, OptionError
from . import ca_guard as record
from . import payload
from .argument_spec import extension_argument_spec
from .certificates import ServerCertificates
from .handler_selection import carrier, in_the_way, others, select_handler
from .handlers import CurrentSettings, Handler, Push, docker_extension_settings
from .keep_certs import answers, read_endpoint
from .settings import Settings, read_settings
from .setup_result import SetupError, SetupResult, failed, read_setup_result
from .virtual_machine import VirtualMachine, VmReference, find_virtual_machine

CONFIGURED = ("firewall", "registries", "compose", "verify")
"""The program's stages in which the engine runs with the new certificates already."""
REPORT_SECONDS = 1.0
"""How long the agent's report may lag behind the end of an operation, in the first of several looks."""


@dataclass
class Run:
    """One run of the task on one VM."""

    request: Request
    settings: Settings
    target: VirtualMachine
    handler: Handler
    endpoint: Connection | None = None
    differences: Differences = field(default_factory=Differences)
    reasons: list[str] = field(default_factory=list)
    pushed: bool = False
    kept_certs: bool = False
    starts: bool = False

    @property
    def params(self) -> t.Mapping[str, t.Any]:
        """The options."""
        return self.request.params


def run(request: Request) -> dict[str, t.Any]:
    """Push the Docker settings to a VM, if they are not there."""
    settings, place = (
        read_settings(request.params, check_mode=request.check_mode),
        VmReference.from_params(request.params),
    )
    _refuse(request, settings)
    endpoint = read_endpoint(request.params, check_mode=request.check_mode)
    params = dict(request.params)
    if place.subscription_id:
        params["subscription_id"] = place.subscription_id
    patience = float(params["wait_timeout"])
    with AzureSession.from_params(params, request.progress, patience, request.concurrency) as session:
        result = _on_vm(request, settings, place, endpoint, session)
        return {**result, "signed_in_with": session.signed_in_with}


def _on_vm(
    request: Request, settings: Settings, place: VmReference, endpoint: Connection | None, session: AzureSession
) -> Json:
    target = find_virtual_machine(session, place)
    if target is None:
        return _without_vm(request, settings, place)
    target.refuse()
    handler = select_handler(session, target, request.params["handler"], request.params["name"])
    if settings.certs_only:
        handler = carrier(session, target, handler)
    replace_ca = request.params["replace_ca"]
    record.check_ca_unchanged(target.name, target.tags, settings.certs, replace_ca, guest_checks=handler.proves)
    this = Run(request, settings, target, handler, endpoint)
    return _absent(this) if settings.state == "absent" else _present(this)


def _refuse(request: Request, settings: Settings) -> None:
    """Stop at what no VM could mend: limits, and what the chosen handler has no place for."""
    program = request.params["setup_program"]
    if not program:
        raise OptionError("setup_program", "is missing; the action of this module gives it by itself")
    for name in ("agent_timeout", "wait_timeout"):
        if request.params[name] < 1:
            raise OptionError(name, f"{request.params[name]} is not a number of seconds")
    push = Push(settings, "x" * 128, program)
    handler = request.params["handler"]
    if handler == "docker_extension":
        docker_extension_settings(settings)
    elif handler == "run_command":
        payload.run_command_settings(push.document())
    else:
        payload.check_custom_script(program, push.document())


def _without_vm(request: Request, settings: Settings, place: VmReference) -> Json:
    nothing: Json = {"changed": False, "pushed": False, "extension": None, "engine": None, "output": "", "actions": []}
    nothing["power_state"] = None
    if settings.state == "absent":
        return nothing
    missing = f"There is no VM {place.name} in the resource group {place.resource_group}"
    if not request.check_mode:
        raise DockerHostError(f"{missing}.")
    differences = Differences()
    differences.add("extension", None, request.params["name"])
    return {**nothing, "changed": True, **({"diff": differences.as_diff()} if request.diff else {})}


def _present(run: Run) -> Json:
    present = _settled(run)
    content = run.settings.canonical()
    _find_reasons(run, present, content)
    _make_ready(run)
    if not run.reasons and run.params["verify"] and present:
        _verify(run, present)
    outcome, digest = (present.outcome, present.digest) if present else (SetupResult(None), "")
    if run.reasons:
        run.differences.add("docker_settings", _described(present), "Succeeded: " + "; ".join(run.reasons))
        if not run.request.check_mode:
            digest = digests.new_digest(content, guessable=run.settings.guessable)
            outcome = _take_over(run, present, digest)
    _keep_record(run, run.settings.certs)
    state = "Succeeded" if run.pushed or not run.reasons else (present.state if present else None)
    extension_id = present.id if present else None
    return _result(run, outcome, digest, state, extension_id)


def _take_over(run: Run, present: CurrentSettings | None, digest: str) -> SetupResult:
    """Push, and take away what else of ours carried settings before."""
    rest = others(run.target.session, run.target, run.handler)
    for other in rest:
        if in_the_way(run.handler, other):
            other.delete()
    outcome = _push(run, present, digest)
    for other in rest:
        if not in_the_way(run.handler, other):
            other.delete()
    return outcome


def _settled(run: Run) -> CurrentSettings | None:
    """What was pushed last, after waiting for the end of a push that is still under way."""
    present = run.handler.read()
    if run.request.check_mode:
        return present
    name = run.params["name"]
    work = OperationInfo(
        run.target.name, "Docker settings", "Waiting for an earlier push", "wait for an earlier push", name
    )
    watch = ProgressReporter(work, run.request.progress)
    try:
        return poll(run.handler.read, _is_over, watch, run.target.session.deadline, current=present, state=_state)
    except WaitTimeoutError as error:
        raise DockerHostError(
            f"{run.target.name}: an earlier push of the settings is still in progress. {error.error.message}"
        ) from error


def _is_over(settings: CurrentSettings | None) -> bool:
    return settings is None or not settings.under_way


def _state(settings: CurrentSettings | None) -> str:
    return settings.state if settings else "Deleted"


def _find_reasons(run: Run, present: CurrentSettings | None, content: bytes) -> None:
    """Why to push; nothing when equal settings have been applied and the program said so.

    Of a VM that is off Azure shows no report of the agent: that the push has succeeded is what is known.
    """
    if present is None:
        run.reasons.append("never pushed")
    elif run.settings.unknown_certs or not (_is_there(run, present, content) or _keeps_certs(run, present)):
        run.reasons.append("other settings")
    elif present.state != "Succeeded":
        run.reasons.append(f"the last push ended as {present.state}")
    elif run.handler.proves and not run.target.is_off and not present.outcome.is_of(present.digest):
        run.reasons.append("the last push left no good result")
    elif run.params["force"]:
        run.reasons.append("forced")


def _is_there(run: Run, present: CurrentSettings, content: bytes) -> bool:
    """Tell whether what was pushed last is what is wanted, or was all there once certificates alone had followed."""
    certs = run.settings.canonical_certs()
    if run.settings.certs_only:
        return digests.matches(present.certs, certs)
    if not present.certs_only:
        return digests.matches(present.digest, content)
    return digests.matches(present.certs, certs) and digests.matches(
        present.digest_without_certs, run.settings.canonical_without_certs()
    )


def _keeps_certs(run: Run, present: CurrentSettings) -> bool:
    """Return whether only the certificate differs, and the host may keep the one that it has."""
    if not run.params["keep_certs"] or not record.certificate_still_valid(
        run.target.tags, run.settings.certs, datetime.now(timezone.utc)
    ):
        return False
    same = digests.matches(present.digest_without_certs, run.settings.canonical_without_certs())
    run.kept_certs = same and answers(run.endpoint)
    return run.kept_certs


def _make_ready(run: Run) -> None:
    """See to it that the VM runs and its agent is ready, if it is needed."""
    if not (run.reasons or run.params["verify"]):
        return
    if run.target.must_start(run.params["start"]):
        run.differences.add("vm.power_state", run.target.power_state, "running")
        run.starts = True
        if run.request.check_mode:
            return
        run.target.start()
    if not run.request.check_mode:
        run.target.wait_for_agent(float(run.params["agent_timeout"]))


def _verify(run: Run, present: CurrentSettings) -> None:
    """Ask the VM itself whether it is still as the last push left it."""
    if run.differences:
        run.request.warn("The VM does not run, so its state cannot be verified in check mode.")
        return
    if not run.handler.proves:
        run.request.warn("verify: the handler docker_extension leaves nothing on the VM that could be verified.")
        return
    outcome = read_setup_result(run.target.run_shell(payload.verify_script(run.params["setup_program"])))
    result = outcome.result
    if not result or not result.get("verify"):
        raise failed(run.target.name, outcome)
    found = [str(entry) for entry in result.get("differences") or []]
    if not found and result.get("digest") != present.digest:
        found.append("other settings were applied on the VM")
    run.reasons.extend(found)


def _push(run: Run, present: CurrentSettings | None, digest: str) -> SetupResult:
    stamp = max(int(time.time()), (present.stamp if present else 0) + 1)
    certs = digests.new_digest(run.settings.canonical_certs(), guessable=False) if run.settings.certs else ""
    digest_without_certs = _new_digest_without_certs(run, present)
    push = Push(
        run.settings, digest, run.params["setup_program"], run.params["replace_ca"], stamp, digest_without_certs, certs
    )
    try:
        outcome = _send(run, push)
    except SetupError as error:
        if error.details.get("stage") in CONFIGURED:
            _keep_record_of_failure(run)
        raise
    if not run.handler.proves:
        return outcome
    if not outcome.is_of(digest):
        raise SetupError(
            f"{run.target.name}: the program on the VM reports other settings than those that were pushed: somebody"
            " else may have pushed at the same time. Run again.",
            output=outcome.output,
        )
    for note in (outcome.result or {}).get("notes") or []:
        run.request.warn(f"{run.target.name}: {note}")
    return outcome


def _new_digest_without_certs(run: Run, present: CurrentSettings | None) -> str:
    """The digest of all settings but the certificates that the VM has after this push; empty when it is not known."""
    if run.settings.state == "absent":
        return ""
    if not run.settings.certs_only:
        return digests.new_digest(run.settings.canonical_without_certs())
    if present is None or not (present.certs_only or _ended_well(run, present)):
        return ""
    return present.digest_without_certs


def _ended_well(run: Run, present: CurrentSettings) -> bool:
    proven = not run.handler.proves or present.outcome.is_of(present.digest)
    return present.state == "Succeeded" and proven


def _send(run: Run, push: Push) -> SetupResult:
    """Send the settings.

    :raises SetupError: the program says that it failed.
    """
    try:
        run.handler.push(push)
    except WaitTimeoutError:
        raise
    except AzureError as error:
        _explain(run, error, push)
        raise
    run.pushed = True
    outcome = _outcome(run, push)
    if run.handler.proves and not outcome.good:
        raise failed(run.target.name, outcome)
    return outcome


def _outcome(run: Run, push: Push, attempts: int = 5) -> SetupResult:
    """The outcome of this very push: the agent's report can come a little later than the operation's end."""
    outcome = SetupResult(None)
    for attempt in range(attempts):
        present = run.handler.read()
        outcome = present.outcome if present else outcome
        if not run.handler.proves or (outcome.result or {}).get("push") == str(push.stamp):
            break
        if attempt + 1 < attempts:
            time.sleep(REPORT_SECONDS * (1 + attempt))
    return outcome


def _explain(run: Run, error: AzureError, push: Push) -> None:
    """Raise what the program itself said about its failure, if it said something."""
    if not run.handler.proves or error.not_found:
        return
    try:
        present = run.handler.read()
    except DockerHostError:
        present = None
    for outcome in (present.outcome if present else SetupResult(None), read_setup_result(error.error.message)):
        result = outcome.result
        if result and result.get("push") == str(push.stamp) and not result.get("ok"):
            raise failed(run.target.name, outcome) from error
    if present and present.digest == push.digest and present.outcome.output:
        error.details.update(output=present.outcome.output, exit_code=present.outcome.exit_code)
        if run.handler.kind == "run_command":  # Azure's own message lacks it there
            error.message += f" The end of the output on the VM: {present.outcome.output[-1500:]}"


def _keep_record(run: Run, certs: ServerCertificates | None) -> None:
    """Bring the VM's tags to the record. A record that cannot be written is a warning: the settings do apply."""
    tags = run.target.tags
    if run.settings.unknown_certs or (run.kept_certs and not run.reasons):
        return
    wanted = record.wanted_tags(tags, certs)
    for name in record.TAGS:
        run.differences.compare(f"vm.tags.{name}", tag_value(tags, name), tag_value(wanted, name))
    if wanted == tags or run.request.check_mode:
        return
    try:
        # A push takes minutes: tags that somebody else wrote meanwhile must stay.
        run.target.refresh()
        run.target.set_tags(record.wanted_tags(run.target.tags, certs))
    except AzureError as error:
        if error.status != 403:
            raise
        run.request.warn(f"The host's record was not written, so the fence against another CA does not hold: {error}")


def _keep_record_of_failure(run: Run) -> None:
    """After a push that failed when the engine had its certificates already: it trusts their CA from now on."""
    if run.settings.state != "present":
        return
    try:
        _keep_record(run, run.settings.certs)
    except DockerHostError as error:  # the push's own error matters more
        run.request.warn(f"The host's record was not written, so the fence against another CA does not hold: {error}")


def _absent(run: Run) -> Json:
    """Have the program take its configuration away, then take every resource of ours and the record away."""
    ours = [run.handler, *others(run.target.session, run.target, run.handler)]
    # The program is told through what last brought settings; a Docker extension can only be deleted.
    ours.sort(key=lambda handler: not handler.proves)
    outcome, digest, left = SetupResult(None), "", []
    for run.handler in ours:
        present = _settled(run)
        if present is None:
            continue
        left.append(run.handler)
        run.differences.add(f"extension {run.handler.name}", present.state, None)
        if run.handler.proves and not run.pushed:
            outcome, digest = _unset(run, present)
    if not run.request.check_mode:
        for handler in left:
            handler.delete()
    _keep_record(run, None)
    return _result(run, outcome, digest, None, None)


def _unset(run: Run, present: CurrentSettings) -> tuple[SetupResult, str]:
    """Push that nothing is wanted any more, unless that was done and only the resource was left."""
    content = run.settings.canonical()
    if digests.matches(present.digest, content) and present.outcome.is_of(present.digest):
        return present.outcome, present.digest
    run.reasons.append("state=absent")
    _make_ready(run)
    if run.request.check_mode:
        return present.outcome, present.digest
    digest = digests.new_digest(content, guessable=run.settings.guessable)
    return _push(run, present, digest), digest


def _described(present: CurrentSettings | None) -> str | None:
    return None if present is None else present.state


def _result(run: Run, outcome: SetupResult, digest: str, state: str | None, extension_id: str | None) -> Json:
    said = outcome.result or {}
    extension = {
        "id": extension_id or f"{run.target.id}/{run.handler.collection}/{run.params['name']}",
        "name": run.params["name"],
        "handler": run.handler.kind,
        "provisioning_state": state,
        "digest": digest or None,
    }
    port = said.get("port") if run.settings.certs_only else run.settings.port
    engine = {**(said.get("engine") or {}), "port": port} if run.settings.state == "present" else None
    result: Json = {
        "changed": bool(run.differences),
        "pushed": run.pushed,
        "reasons": run.reasons,
        "kept_certs": run.kept_certs and not run.reasons,
        "extension": extension if run.settings.state == "present" else None,
        "engine": engine,
        "actions": list(outcome.actions) if run.pushed else [],
        "power_state": "running" if run.starts else run.target.power_state,
        "output": outcome.output if run.pushed else "",
    }
    if run.request.diff:
        result["diff"] = run.differences.as_diff()
    return result


BACKEND = Backend(name="docker_vm_extension", spec=extension_argument_spec(), run=run)
