# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether settings have to be pushed: the desired ones compared with what was pushed last."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from .._azure.errors import WaitTimeoutError
from .._azure.operations import OperationInfo, ProgressReporter, poll
from .._digest import matches
from .._errors import DockerHostError
from .argument_spec import DOCKER_SECTIONS
from .ca_guard import certificate_still_valid
from .handlers import CurrentSettings
from .keep_certs import answers
from .payload import verify_script
from .run import Run
from .setup_result import failed, read_setup_result

RESTART = "restart the engine"
RESTARTING = frozenset(("certs", "port", "options", "data-disk"))
"""Sections of the settings that the engine reads only when it starts."""


def read_current(run: Run) -> CurrentSettings | None:
    """Return what was pushed last, after waiting for the end of a push that is still in progress.

    :raises DockerHostError: it does not end in time.
    """
    current = run.handler.read()
    if run.check_mode:
        return current
    work = OperationInfo(
        host=run.vm.name,
        kind="Docker settings",
        doing="Waiting for an earlier push",
        operation="wait for an earlier push",
        resource=run.params["name"],
    )
    reporter = ProgressReporter(work, run.request.progress)
    try:
        return poll(run.handler.read, _is_over, reporter, run.session.deadline, current=current, state=_state)
    except WaitTimeoutError as error:
        raise DockerHostError(
            f"{run.vm.name}: an earlier push of the settings is still in progress. {error.error.message}"
        ) from error


def _is_over(current: CurrentSettings | None) -> bool:
    return current is None or not current.in_progress


def _state(current: CurrentSettings | None) -> str:
    return current.state if current else "Deleted"


def find_reasons(run: Run, current: CurrentSettings | None) -> None:
    """Add to the run why to push. There is no reason if equal settings were applied and the program reported so."""
    if current is None:
        run.reasons.append("never pushed")
    elif run.settings.unknown_certs or not (_is_current(run, current) or _keeps_certs(run, current)):
        run.reasons.append(_difference(run, current))
    elif not current.succeeded:
        run.reasons.append(f"the last push ended as {current.state}")
    elif not _has_good_result(run, current):
        run.reasons.append("the last push left no good result")
    elif run.params["force"]:
        run.reasons.append("forced")


def _has_good_result(run: Run, current: CurrentSettings) -> bool:
    """Return whether the program applied these settings, or whether nobody can know better.

    Of a VM that is off Azure shows no report of the agent. An update of the handler overwrites the program's result.
    """
    if not run.handler.reports_result or run.vm.is_off or current.result.was_overwritten:
        return True
    return current.result.is_of(current.digest)


def _is_current(run: Run, current: CurrentSettings) -> bool:
    """Return whether the VM has the desired settings; those that are left out count as what it has.

    The digest of the last push is compared first, because that is fast where the settings contain a private key.
    """
    return matches(current.digest, run.settings.canonical()) or _has_sections(run, current)


def _has_sections(run: Run, current: CurrentSettings, *, but: str = "") -> bool:
    """Return whether each section that is not left out is as the VM has it.

    :param but: a section that is not compared.
    """
    return not any(_differing_sections(run, current, but=but))


def _differing_sections(run: Run, current: CurrentSettings, *, but: str = "") -> t.Iterator[str]:
    """Yield each section that is not as the VM has it. Comparing some of them is slow.

    :param but: a section that is not compared.
    """
    for name, content in run.settings.sections().items():
        is_same = name == but or matches(current.sections.get(name, ""), content)
        if not is_same and not (name == "port" and _has_port(run, current)):
            yield name


def _has_port(run: Run, current: CurrentSettings) -> bool:
    """Return whether the program reported the desired port, which an earlier push may have left to the VM."""
    return run.settings.port is not None and (current.result.report or {}).get("port") == run.settings.port


def _difference(run: Run, current: CurrentSettings) -> str:
    """Return which settings differ, by their options; Azure never returns the values of protected settings."""
    if run.settings.certs_only:
        run.differing = ["certs"]
        return "other certificates"
    if not current.sections:
        return "other settings"
    names = run.differing = list(_differing_sections(run, current))
    if names == ["certs"]:
        return "other certificates"
    options = {section: f"docker.{option}" for option, section in DOCKER_SECTIONS.items()}
    return f"other settings: {', '.join(sorted(options.get(name, name) for name in names))}"


def predicted_actions(run: Run) -> list[str]:
    """Return what is known in check mode of what the program will do on the VM, in its words."""
    return [RESTART] if run.check_mode and not RESTARTING.isdisjoint(run.differing) else []


def _keeps_certs(run: Run, current: CurrentSettings) -> bool:
    """Return whether only the certificate differs, and the host may keep the one that it has."""
    if not run.params["keep_certs"]:
        return False
    if not certificate_still_valid(run.vm.tags, run.settings.certs, datetime.now(timezone.utc)):
        return False
    run.kept_certs = _has_sections(run, current, but="certs") and answers(run.endpoint)
    return run.kept_certs


def verify(run: Run, current: CurrentSettings) -> None:
    """Ask the VM itself, and add to the run what is not as the last push left it.

    :raises SetupError: the program on the VM did not answer.
    """
    if run.changes:
        run.request.warn(f"{run.vm.name} does not run, so check mode cannot verify its state.")
        return
    if not run.handler.reports_result:
        run.request.warn(
            f"{run.vm.name}: O(verify=true) has no effect with O(handler=docker_extension), which leaves nothing to"
            " verify."
        )
        return
    answer = read_setup_result(run.vm.run_shell(verify_script(run.params["setup_program"])))
    report = answer.report
    if not report or not report.get("verify"):
        raise failed(run.vm.name, answer)
    differences = [str(entry) for entry in report.get("differences") or []]
    if not differences and report.get("digest") != current.digest:
        differences.append("other settings were applied on the VM")
    run.reasons.extend(differences)
