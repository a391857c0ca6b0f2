# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is tried again while other requests on a resource are in progress, and for how long."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import operations
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.conflicts import CONCURRENT, retry_on_conflict
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError, ServiceError
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import Deadline, OperationInfo

WORK = OperationInfo("web1", "VM", "Tagging", "write the VM's tags", "web1", 5)


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for, none of which is taken; they make the clock advance."""
    taken: list[float] = []
    # Microseconds: a rest of the pause smaller than the clock's own rounding would never end it.
    monkeypatch.setattr(operations.time, "monotonic", lambda: round(sum(taken), 6))
    monkeypatch.setattr(operations.time, "sleep", taken.append)
    return taken


def refusing(code: str, times: float = float("inf")) -> t.Callable[[], str]:
    """Return what is refused some times and then succeeds."""
    left = [times]

    def act() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise AzureError("write", "web1", ServiceError(409, code, "Busy."))
        return "done"

    return act


@pytest.mark.parametrize("code", sorted(CONCURRENT))
def test_a_conflict_is_tried_again(code: str) -> None:
    assert retry_on_conflict(refusing(code, 5), WORK, Deadline(None)) == "done"


def test_another_error_is_not_tried_again(naps: list[float]) -> None:
    with pytest.raises(AzureError):
        retry_on_conflict(refusing("OperationNotAllowed", 1), WORK, Deadline(None))
    assert naps == []


def test_a_conflict_is_waited_for_until_the_deadline(naps: list[float]) -> None:
    # A Run Command keeps a VM busy for up to 90 minutes.
    with pytest.raises(AzureError):
        retry_on_conflict(refusing("Conflict"), WORK, Deadline(5400))
    assert sum(naps) == pytest.approx(5400)


def test_patience_ends_before_the_deadline(naps: list[float]) -> None:
    with pytest.raises(AzureError):
        retry_on_conflict(refusing("NicInUse"), WORK, Deadline(5400), patience=lambda _error: 240.0)
    assert sum(naps) == pytest.approx(240)


def test_a_long_wait_is_told() -> None:
    lines: list[str] = []
    retry_on_conflict(refusing("Conflict", 20), WORK, Deadline(None), lines.append)
    assert lines
    assert all(line.startswith("web1: VM Waiting for another operation to end") for line in lines)
