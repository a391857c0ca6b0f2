# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that Azure throttles for longer than the SDK repeats them."""

from __future__ import annotations

import typing as t

import pytest
from azure.core.pipeline.transport import RequestsTransport

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import KeyVault
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import OperationInfo
from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault, resolved

WORK = OperationInfo("web1", "VM", "Starting", "start the VM", "web1")
GROUP = "/subscriptions/{0.subscription_id}/resourceGroups/throttled"
# The SDK alone repeats the first three kinds three times, the others not at all.
REQUESTS: dict[str, t.Callable[[AzureSession], t.Any]] = {
    "GET": lambda session: session.arm.find(GROUP.format(session)),
    "PUT": lambda session: session.arm.put(GROUP.format(session), {"location": "westeurope"}),
    "DELETE": lambda session: session.arm.begin(WORK, "DELETE", GROUP.format(session)),
    "PATCH": lambda session: session.arm.patch(GROUP.format(session), {"tags": {}}),
    "POST": lambda session: session.begin(WORK, session.compute.virtual_machines.begin_start, "throttled", "web1"),
}


@pytest.fixture
def shown() -> list[str]:
    """The lines for the user."""
    return []


@pytest.fixture
def session(principal: LocalAzure, shown: list[str]) -> t.Iterator[AzureSession]:
    with AzureSession.from_params({}, shown.append) as signed_in:
        signed_in.arm.put(GROUP.format(signed_in), {"location": "westeurope"})
        yield signed_in
    principal.faults_clear()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were requested, none of which is taken."""
    requested: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, seconds: requested.append(seconds))
    return requested


def send(session: AzureSession, method: str) -> str:
    """Send a request and return the code of Azure's error, empty without one."""
    try:
        REQUESTS[method](session)
    except AzureError as error:
        return error.code
    return ""


@pytest.mark.parametrize("method", list(REQUESTS))
def test_a_throttled_request_is_repeated_for_minutes(
    principal: LocalAzure, session: AzureSession, pauses: list[float], shown: list[str], method: str
) -> None:
    untroubled = send(session, method) if method not in ("DELETE", "PUT") else ""
    principal.fault("throttle", method=method, path="/resourcegroups/throttled", times=8)
    assert send(session, method) == untroubled
    assert [fault["struck"] for fault in principal.faults()] == [8]
    # Longer than the 3 minutes over which Compute counts, if 429 goes on for so long.
    assert 100 < sum(pauses) < 300
    assert max(pauses) <= 60
    assert shown.count("Waiting, because Azure limits the number of requests") == 8


@pytest.mark.parametrize("method", list(REQUESTS))
def test_a_request_that_stays_throttled_ends_with_the_error(
    principal: LocalAzure, session: AzureSession, pauses: list[float], method: str
) -> None:
    principal.fault("throttle", method=method, path="/resourcegroups/throttled", times=0)
    assert send(session, method) == "OperationNotAllowed"
    assert 180 < sum(pauses) < 400


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_a_request_that_may_have_taken_effect_is_not_repeated(
    principal: LocalAzure, session: AzureSession, method: str
) -> None:
    principal.fault("reset_after", method=method, path="/resourcegroups/throttled", times=0)
    assert send(session, method)
    assert [fault["struck"] for fault in principal.faults()] == [1]


def test_a_throttled_key_vault_is_read_again_for_minutes(principal: LocalAzure, pauses: list[float]) -> None:
    name = make_vault(principal)
    principal.fault("status", status=429, path="^/secrets/", times=8)
    with resolved(), KeyVault.from_params({}, name) as vault:
        assert vault.versions("docker-ca") == []
    struck = [fault["struck"] for fault in principal.faults()]
    principal.faults_clear()
    assert struck == [8]
    assert 100 < sum(pauses) < 300
