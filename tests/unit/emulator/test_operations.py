# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long-running operations: their URLs, and both ways of following them."""

from __future__ import annotations

import asyncio
import re
import time
import typing as t

import pytest

from azure_emulator.cloud import Cloud
from azure_emulator.operations import ACTIONS, Operation
from azure_emulator.settings import Settings

if t.TYPE_CHECKING:
    from .conftest import Arm

VM = "Microsoft.Compute/virtualMachines/vm"
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_urls(ready: Arm) -> None:
    compute = ready.post(f"{VM}/restart").headers
    base = re.escape(f"{ready.azure.url}{ready.subscription}/providers/Microsoft.Compute/locations/eastus/operations/")
    query = r"api-version=2024-07-01&t=\d+&c=[\w-]+&s=[\w-]+&h=[\w-]+$"
    assert re.match(f"{base}{GUID}\\?p={GUID}&{query}", compute["azure-asyncoperation"])
    assert re.match(f"{base}{GUID}\\?p={GUID}&monitor=true&{query}", compute["location"])
    assert len(compute["azure-asyncoperation"]) > 2000
    network = ready.delete("Microsoft.Network/virtualNetworks/none").headers
    assert "azure-asyncoperation" not in network


@pytest.mark.parametrize(
    "change", [("&s=", "&s=x"), ("&t=", "&t=1"), ("api-version=2024-07-01", "api-version=2024-03-01")]
)
def test_urls_are_followed_verbatim(ready: Arm, change: tuple[str, str]) -> None:
    url = ready.post(f"{VM}/restart").headers["azure-asyncoperation"]
    assert ready.http.get(url).status_code == 200
    assert ready.code(ready.http.get(url.replace(*change))) == (400, "InvalidAsyncOperationToken")
    unknown = re.sub(f"operations/{GUID}", f"operations/{ready.azure.tenant}", url)
    assert ready.code(ready.http.get(unknown)) == (404, "NotFound")


def test_location_while_it_goes_on_and_after(ready: Arm) -> None:
    ready.azure.hold()
    response = ready.post(f"{VM}/restart")
    waiting = ready.http.get(response.headers["location"])
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert waiting.headers["location"] == response.headers["location"]
    assert int(waiting.headers["retry-after"]) >= 1
    id_ = ready.azure.operations()[-1]["id"]
    ready.azure.release(id_, "Failed", {"code": "InternalExecutionError", "message": "An internal error."})
    assert ready.code(ready.http.get(response.headers["location"]))[1] == "InternalExecutionError"
    failed = ready.http.get(response.headers["azure-asyncoperation"])
    assert failed.status_code == 200
    assert failed.json()["error"]["code"] == "InternalExecutionError"
    assert "retry-after" not in failed.headers


def test_network_results(arm: Arm) -> None:
    arm.done(arm.vnet())
    arm.azure.hold()
    response = arm.delete("Microsoft.Network/virtualNetworks/vnet")
    assert arm.http.get(response.headers["location"]).status_code == 202
    assert arm.http.get(response.headers["azure-asyncoperation"]).json() == {"status": "InProgress"}
    assert arm.get("Microsoft.Network/virtualNetworks/vnet").json()["properties"]["provisioningState"] == "Deleting"
    arm.azure.release(arm.azure.operations()[-1]["id"])
    assert arm.http.get(response.headers["location"]).status_code in (200, 204)
    assert arm.http.get(response.headers["azure-asyncoperation"]).json() == {"status": "Succeeded"}


def test_operations_end_also_when_nobody_asks(arm: Arm) -> None:
    arm.network()
    arm.put(VM, arm.vm_body())
    arm.azure.settle()
    assert arm.get(VM).json()["properties"]["provisioningState"] == "Succeeded"


def test_polls_need_a_token(ready: Arm) -> None:
    url = ready.post(f"{VM}/restart").headers["azure-asyncoperation"]
    assert ready.http.get(url, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("counts_from_end", [False, True])
def test_a_duration_counts_from_the_start_or_from_the_end_of_the_work(
    counts_from_end: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    took: list[float] = []

    class Work:
        async def work(self, _cloud: Cloud, operation: Operation) -> None:
            await asyncio.sleep(0.01)
            took.append(time.time() - operation.started)

        def done(self, _cloud: Cloud, _operation: Operation) -> None:
            """There is nothing to show."""

    async def run() -> Operation:
        cloud = Cloud(Settings(), None)
        operation = Operation(
            "1", "compute", "work", VM, "s", "eastus", "2024-07-01", duration=0.05, counts_from_end=counts_from_end
        )
        cloud.operations.begin(operation)
        await cloud.operations.settle()
        return operation

    monkeypatch.setitem(ACTIONS, "work", Work())
    ended = asyncio.run(run())
    assert ended.status == "Succeeded"
    assert ended.duration == 0.05 if not counts_from_end else ended.duration >= 0.05 + took[0]
