# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines, deadlines, and work that is done side by side."""

from __future__ import annotations

import threading
import time
import typing as t
import uuid

import pytest
from azure.core.pipeline.transport import RequestsTransport

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import operations
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import (
    AzureError,
    ServiceError,
    WaitTimeoutError,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import (
    Deadline,
    Operation,
    OperationInfo,
    ProgressReporter,
    poll,
    run_parallel,
)
from azure_emulator.launcher import LocalAzure

WORK = OperationInfo("web1", "VM", "Creating", "create the VM", "web1", 95)


def test_a_line_for_each_change_of_state() -> None:
    lines: list[str] = []
    watch = ProgressReporter(WORK, lines.append)
    for state in ("Creating", "InProgress", "Updating", "Succeeded", "Succeeded"):
        watch.saw(state)
    assert lines == ["web1: VM Creating 0 s, usually 95 s", "web1: VM Succeeded 0 s"]


def test_lines_go_on_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert operations.HEARTBEAT_SECONDS == 30
    monkeypatch.setattr(operations, "HEARTBEAT_SECONDS", 0.1)
    lines: list[str] = []
    watch = ProgressReporter(WORK, lines.append)
    watch.saw("InProgress")
    watch.rest(0.5)
    assert len(lines) > 2
    assert set(lines) <= {f"web1: VM Creating {seconds} s, usually 95 s" for seconds in range(100)}


def test_looks_are_close_when_the_end_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(operations.time, "monotonic", lambda: clock[0])
    vm, network, unknown = (
        ProgressReporter(OperationInfo("web1", "VM", "Creating", "", "", usual)) for usual in (100, 5, None)
    )
    paces = {}
    for clock[0] in (1.0, 9.0, 11.0, 109.0, 111.0):
        paces[clock[0]] = (vm.pace, network.pace, unknown.pace)
    assert paces == {
        1.0: (2.0, 0.4, 2.5),
        9.0: (2.0, 0.4, 2.5),
        11.0: (1.1, 0.4, 2.5),
        109.0: (1.1, 2.5, 2.5),
        111.0: (2.0, 2.5, 2.5),
    }


def test_looks_at_a_vm_keep_within_its_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """36 at once and 36 a minute."""
    clock = [0.0]
    monkeypatch.setattr(operations.time, "monotonic", lambda: clock[0])
    watch = ProgressReporter(OperationInfo("web1", "VM", "Creating", "", "", 95))
    allowance = 36.0
    while clock[0] < 600:
        pace = watch.pace
        clock[0] += pace
        allowance = min(36.0, allowance + pace * 0.6) - 1
        assert allowance > 0, clock[0]


@pytest.mark.parametrize("hosts", [20, 50, 200])
def test_many_hosts_share_what_azure_answers(hosts: int) -> None:
    watch = ProgressReporter(OperationInfo("web1", "VM", "Creating", "", "", 95), concurrency=hosts)
    network = ProgressReporter(OperationInfo("web1", "public IP address", "Creating", "", "", 2), concurrency=hosts)
    assert hosts / watch.pace <= 20
    assert hosts / network.pace <= 20


def test_a_rest_ends_when_the_resource_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgressReporter, "pace", 0.05)
    looks: list[bool] = []

    def over() -> bool:
        looks.append(len(looks) == 2)
        return looks[-1]

    ProgressReporter(WORK).rest(3600, over)
    assert looks == [False, False, True]


@pytest.fixture
def session(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[tuple[AzureSession, list[str]]]:
    """A session, and the lines that it shows."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    lines: list[str] = []
    with AzureSession.from_params({}, lines.append) as one:
        yield one, lines
    azure.hold(False)


def begin(session: AzureSession) -> Operation:
    """Begin to make a security group in a group of its own."""
    group = session.group_id(f"rg-{uuid.uuid4().hex[:8]}")
    session.arm.put(group, {"location": "westeurope"})
    path = f"{group}/providers/Microsoft.Network/networkSecurityGroups/web1-nsg"
    work = OperationInfo("web1", "network security group", "Creating", "create the network security group", path)
    return session.arm.begin(work, "PUT", path, {"location": "westeurope"})


def test_an_operation_that_is_held_speaks_until_it_ends(
    azure: LocalAzure, session: tuple[AzureSession, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "HEARTBEAT_SECONDS", 0.1)
    one, lines = session
    azure.hold()
    operation = begin(one)
    while len(lines) < 4:
        time.sleep(0.02)
    assert all(line.startswith("web1: network security group Creating ") for line in lines)
    (held,) = [entry["id"] for entry in azure.operations() if entry["status"] == "InProgress"]
    azure.release(held)
    assert operation.wait()["properties"]["provisioningState"] == "Succeeded"
    assert lines[-1].startswith("web1: network security group Succeeded ")


def test_waiting_ends_and_the_operation_goes_on(azure: LocalAzure, session: tuple[AzureSession, list[str]]) -> None:
    one, _lines = session
    one.deadline = operations.Deadline(0.3)
    azure.hold()
    operation = begin(one)
    with pytest.raises(WaitTimeoutError, match="operation continues in Azure"):
        operation.wait()
    (held,) = [entry["id"] for entry in azure.operations() if entry["status"] == "InProgress"]
    azure.release(held)


def test_all_that_is_done_side_by_side_ends() -> None:
    ended: list[int] = []
    together = threading.Barrier(3)

    def job(number: int) -> int:
        together.wait(30)
        ended.append(number)
        if number:
            raise AzureError(f"do {number}", "it", ServiceError(409, "Conflict", "No."))
        return number

    with pytest.raises(AzureError) as caught:
        run_parallel([lambda number=number: job(number) for number in (0, 1, 2)])  # type: ignore[misc]
    assert sorted(ended) == [0, 1, 2]
    assert "do 1" in str(caught.value)
    assert ["do 2" in text for text in caught.value.details["also"]] == [True]


def test_a_service_that_asks_to_wait_is_not_waited_for_longer_than_the_user_wants(
    place: LocalAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, seconds: pauses.append(seconds))
    place.fault("status", path="/resourcegroups/nowhere$", status=429, retry_after=3600, times=0)
    given = {"client_id": place.client_id, "tenant": place.tenant, "secret": place.secret}
    with AzureSession.from_params(given, wait_timeout=5) as session, pytest.raises(AzureError) as caught:
        session.arm.get(session.group_id("nowhere"))
    place.faults_clear()
    assert caught.value.status == 429
    assert pauses
    assert max(pauses) <= 5


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for, none of which is taken; they make the clock advance."""
    taken: list[float] = []
    # Microseconds: a rest of the pause smaller than the clock's own rounding would never end it.
    monkeypatch.setattr(operations.time, "monotonic", lambda: round(sum(taken), 6))
    monkeypatch.setattr(operations.time, "sleep", taken.append)
    return taken


def test_polling_reads_until_the_condition_holds(naps: list[float]) -> None:
    states = iter(("updating", "updating", "succeeded", "never read"))
    lines: list[str] = []
    watch = ProgressReporter(WORK, lines.append)
    last = poll(
        lambda: next(states), lambda state: state == "succeeded", watch, Deadline(60), current="creating", state=str
    )
    assert last == "succeeded"
    assert next(states) == "never read"
    assert sum(naps) == pytest.approx(1 + 1.5 + 2.25)
    assert lines[0] == "web1: VM Creating 0 s, usually 95 s"


@pytest.mark.usefixtures("naps")
def test_polling_reads_nothing_when_the_condition_holds_already() -> None:
    watch = ProgressReporter(WORK)
    assert poll(lambda: pytest.fail("read"), bool, watch, Deadline(0), current="there", state=str) == "there"


def test_polling_ends_with_the_deadline(naps: list[float]) -> None:
    watch = ProgressReporter(WORK)
    with pytest.raises(WaitTimeoutError, match=r"still creating when wait_timeout \(60 s\) was over"):
        poll(lambda: "creating", lambda state: state != "creating", watch, Deadline(60), current="creating", state=str)
    assert sum(naps) == pytest.approx(60)
