# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Push settings, and believe only what the program on the VM reports about this very push."""

from __future__ import annotations

import time

from .._azure.errors import AzureError, WaitTimeoutError
from .._azure.tags import tag_value
from .._diff import Differences
from .._digest import new_digest
from .._errors import DockerHostError
from .ca_guard import TAGS, desired_tags
from .certificates import ServerCertificates
from .handler_selection import is_in_the_way, other_handlers
from .handlers import CurrentSettings, Push
from .run import Run
from .setup_result import SetupError, SetupResult, failed, read_setup_result

CONFIGURED = ("firewall", "registries", "compose", "verify")
"""The program's stages in which the engine already runs with the new certificates."""
GUESSABLE = frozenset(("options", "daemon", "proxies", "logins", "compose"))
"""Sections that may contain short passwords: their digests are slow to compute."""
REPORT_SECONDS = 1.0
"""How long the agent's report may lag behind the end of an operation, at the first of several reads."""


def push_and_replace(run: Run, current: CurrentSettings | None, digest: str) -> SetupResult:
    """Push, and delete other resources of this collection that carried settings before.

    :raises SetupError: the program on the VM failed, or nothing proves that it ran.
    :raises AzureError: the push itself failed.
    """
    rest = other_handlers(run.session, run.vm, run.handler)
    for other in rest:
        if is_in_the_way(run.handler, other):
            other.delete()
    result = push(run, current, digest)
    for other in rest:
        if not is_in_the_way(run.handler, other):
            other.delete()
    return result


def push(run: Run, current: CurrentSettings | None, digest: str) -> SetupResult:
    """Push the settings once, and return what the program on the VM reports.

    :raises SetupError: the program failed, or nothing proves that it ran.
    :raises AzureError: the push itself failed.
    """
    stamp = max(int(time.time()), (current.stamp if current else 0) + 1)
    sections = _digests_of_sections(run, current)
    this = Push(run.settings, digest, run.params["setup_program"], run.params["replace_ca"], stamp, sections)
    try:
        result = _send(run, this)
    except SetupError as error:
        if error.details.get("stage") in CONFIGURED:
            _record_ca_after_failure(run)
        raise
    if not run.handler.reports_result:
        return result
    if not result.is_of(digest):
        raise SetupError(
            f"{run.vm.name}: the program on the VM reports other settings than those that were pushed, perhaps because"
            " another run pushed at the same time. Run again.",
            output=result.output,
        )
    for note in (result.report or {}).get("notes") or []:
        run.request.warn(f"{run.vm.name}: {note}")
    return result


def _digests_of_sections(run: Run, current: CurrentSettings | None) -> dict[str, str]:
    """Return the digests of the settings that the VM has after this push, as far as they are known.

    After a push that failed it is not known whether the VM has its settings or the earlier ones.
    """
    if run.settings.state == "absent":
        return {}
    kept = current.sections if current and _ended_well(run, current) else {}
    return {
        **{name: digest for name, digest in kept.items() if name in run.settings.keep},
        **{name: new_digest(content, guessable=name in GUESSABLE) for name, content in run.settings.sections().items()},
    }


def _ended_well(run: Run, current: CurrentSettings) -> bool:
    proven = not run.handler.reports_result or current.result.is_of(current.digest)
    return current.succeeded and proven


def _send(run: Run, this: Push) -> SetupResult:
    """Send the settings.

    :raises SetupError: the program reports that it failed.
    """
    try:
        run.handler.push(this)
    except WaitTimeoutError:
        raise
    except AzureError as error:
        _raise_programs_error(run, error, this)
        raise
    run.pushed = True
    result = _result_of(run, this)
    if run.handler.reports_result and not result.is_good:
        raise failed(run.vm.name, result)
    return result


def _result_of(run: Run, this: Push, attempts: int = 5) -> SetupResult:
    """Return the result of this very push: the agent's report can lag behind the operation's end."""
    result = SetupResult(None)
    for attempt in range(attempts):
        current = run.handler.read()
        result = current.result if current else result
        if not run.handler.reports_result or (result.report or {}).get("push") == str(this.stamp):
            break
        if attempt + 1 < attempts:
            time.sleep(REPORT_SECONDS * (1 + attempt))
    return result


def _raise_programs_error(run: Run, error: AzureError, this: Push) -> None:
    """Raise what the program itself reported about its failure, if it reported something.

    :raises SetupError: it did.
    """
    if not run.handler.reports_result or error.not_found:
        return
    try:
        current = run.handler.read()
    except DockerHostError:
        current = None
    results = [current.result] if current else []
    for result in (*results, read_setup_result(error.error.message)):
        report = result.report
        if report and report.get("push") == str(this.stamp) and not report.get("ok"):
            raise failed(run.vm.name, result) from error
    if current and current.digest == this.digest and current.result.output:
        error.details.update(output=current.result.output, exit_code=current.result.exit_code)
        if run.handler.kind == "run_command":  # Azure's own message does not contain it there
            error.message += f" The end of the output on the VM: {current.result.output[-1500:]}"


def record_ca(run: Run, certs: ServerCertificates | None) -> None:
    """Write the CA that the engine trusts to the VM's tags. A lack of permissions is a warning: the settings apply."""
    tags = run.vm.tags
    if run.settings.unknown_certs or "certs" in run.settings.keep or (run.kept_certs and not run.reasons):
        return
    desired = desired_tags(tags, certs)
    _compare_tags(run.changes, tags, desired)
    if desired == tags or run.check_mode:
        return
    try:
        run.vm.change_tags(lambda current: desired_tags(current, certs))
    except AzureError as error:
        if error.status != 403:
            raise
        _warn_about_tags(run, error)


def _compare_tags(changes: Differences, current: dict[str, str], desired: dict[str, str]) -> None:
    for name in TAGS:
        changes.compare(f"vm.tags.{name}", tag_value(current, name), tag_value(desired, name))


def _record_ca_after_failure(run: Run) -> None:
    """Record the CA of a push that failed after the engine got its certificates: the engine trusts it from now on."""
    if run.settings.state != "present":
        return
    try:
        record_ca(run, run.settings.certs)
    except DockerHostError as error:  # the push's own error matters more
        _warn_about_tags(run, error)


def _warn_about_tags(run: Run, error: DockerHostError) -> None:
    run.request.warn(
        f"{run.vm.name}: the VM's tags could not be written, so later runs with another CA are not stopped: {error}"
    )
