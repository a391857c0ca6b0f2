# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add to an error what a failed run changed, and what exists now."""

from __future__ import annotations

from .._azure.clients import AzureSession
from .._azure.errors import AzureError
from .._errors import DockerHostError
from .apply import Execution, PlanExecutor
from .current.reader import READABLE, StateReader
from .desired.host_spec import HostSpec
from .desired.topology import HostResources
from .preflight.alternatives import suggest_alternatives


def report_failure(
    error: DockerHostError, session: AzureSession, desired: HostSpec, executor: PlanExecutor, location: str
) -> None:
    """Explain why a plan failed and, if the options ask for it, remove what the run created.

    :param location: where a new host was to be created; empty for an existing one.
    """
    alternatives = suggest_alternatives(session, desired, location, error) if location else ""
    error.message = f"{error.message} {alternatives}".rstrip()
    created = executor.execution.made
    if not desired.behaviour.undo_on_failure or not created:
        report_existing(error, session, executor.resources, executor.execution)
        return
    left = executor.remove(created)
    removed = [action.resource_id for action in created if action.resource_id not in left]
    error.details.update(removed=removed, exists=list(left))
    reasons = "; ".join(f"{resource_id} ({reason})" for resource_id, reason in left.items())
    error.message += (
        f" Resources that this run created and could not remove: {reasons}."
        if left
        else (" All resources that this run created were removed.")
    )


def report_existing(
    error: DockerHostError, session: AzureSession, resources: HostResources, execution: Execution
) -> None:
    """Add the list of the host's existing resources to an error."""
    exists = _existing(session, resources, execution)
    error.details.update(exists=exists)
    error.message += f" Exists so far: {', '.join(exists) or 'nothing'}. Run again to resume."


def _existing(session: AzureSession, resources: HostResources, execution: Execution) -> list[str]:
    """Return the ids of the host's resources, as far as Azure answers."""
    try:
        current = StateReader(session, resources, settle=False).read(everything=True)
    except AzureError:
        return [action.resource_id for action in execution.done if action.verb != "delete"]
    return [str(resource["id"]) for resource in (getattr(current, kind) for kind in READABLE) if resource]
