# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each request of a create that goes wrong in each way: the first run says so, the second ends complete."""

from __future__ import annotations

import contextlib
import re
import typing as t

import pytest
from azure.core.pipeline.transport import RequestsTransport

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError, WaitTimeoutError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

from .conftest import Cloud

PUTS = {
    "group": r"/resourcegroups/[^/]+$",
    "network": r"/virtualNetworks/docker-vnet$",
    "security group": r"/networkSecurityGroups/web1-nsg$",
    "address": r"/publicIPAddresses/web1-ip$",
    "interface": r"/networkInterfaces/web1-nic$",
    "machine": r"/virtualMachines/web1$",
}
WAYS: dict[str, dict[str, t.Any]] = {
    "broken before": {"action": "reset", "times": 0},
    "broken once": {"action": "reset"},
    "broken after": {"action": "reset_after", "times": 0},
    "truncated": {"action": "truncate", "times": 0},
    "throttled": {"action": "throttle", "retry_after": 1, "times": 2},
    "throttled without end": {"action": "status", "status": 429, "times": 0},
    "unavailable once": {"action": "status", "status": 503},
    "unavailable": {"action": "status", "status": 503, "times": 0},
    "refused": {"action": "status", "status": 403, "times": 0},
    "conflict": {"action": "status", "status": 409, "code": "AnotherOperationInProgress", "times": 2},
    "failed": {"action": "operation", "ends": "Failed", "times": 0},
    "canceled": {"action": "operation", "ends": "Canceled", "times": 0},
    "lost": {"action": "lost_poll", "times": 0},
}
COMPLETE = sorted(
    (
        "docker-vnet",
        "web1",
        "web1-ip",
        "web1-nic",
        "web1-nsg",
    )
)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's and our own pauses before another try are none of these tests."""
    from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import lifecycle

    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, _seconds: None)
    monkeypatch.setattr(lifecycle, "_PATIENCE", 2.0)


def names(cloud: Cloud) -> list[str]:
    """What there is in the group, but for the OS disk, which has a name of Azure's making."""
    whole = [key for key in cloud.resources() if re.search(r"/providers/[^/]+/[^/]+/[^/]+$", key, re.IGNORECASE)]
    return sorted(key.rsplit("/", 1)[-1] for key in whole if "/disks/" not in key.lower())


def disks(cloud: Cloud) -> list[str]:
    """The disks in the group."""
    return [key for key in cloud.resources() if "/disks/" in key.lower()]


def matrix() -> list[t.Any]:
    """Every request with every way; those that are no representatives are slow in their number, not each."""
    often = ("broken after", "failed", "lost")
    cases = []
    for put in PUTS:
        for way in WAYS:
            marks = [] if put == "machine" or way in often else [pytest.mark.slow]
            cases.append(pytest.param(put, way, marks=marks, id=f"{put}-{way}"))
    return cases


@pytest.mark.parametrize(("put", "way"), matrix())
def test_a_create_that_fails_can_be_run_again(cloud: Cloud, put: str, way: str) -> None:
    cloud.azure.fault(method="PUT", path=PUTS[put], **WAYS[way])
    try:
        cloud.run()
    except AzureError as error:
        check_message(error, cloud)
    cloud.azure.faults_clear()
    cloud.azure.settle()
    done = cloud.run()
    assert done["host"]["power_state"] == "running"
    assert done["host"]["public_ip_address"]
    assert names(cloud) == COMPLETE
    assert len(disks(cloud)) == 1
    assert cloud.run()["changed"] is False


def check_message(error: AzureError, cloud: Cloud) -> None:
    """Operation, resource, Azure's code and message, the request id, and what exists."""
    found = error.details["azure_error"]
    assert found["resource"] in error.message
    assert f"Could not {found['operation']}" in error.message
    assert found["code"] in error.message
    if found["status"]:
        assert found["request_id"] in error.message
    assert isinstance(error.details["exists"], list)
    assert "Exists so far" in error.message


def test_operations_that_take_too_long_are_taken_up_again(cloud: Cloud) -> None:
    cloud.azure.hold()
    try:
        for _wave in ("network", "machine"):
            with pytest.raises(WaitTimeoutError, match="wait_timeout"):
                cloud.run(wait_timeout=1)
            with pytest.raises(WaitTimeoutError, match="goes on in Azure"):
                cloud.run(wait_timeout=1)
            for operation in cloud.azure.operations():
                if operation["status"] == "InProgress":
                    cloud.azure.release(operation["id"])
    finally:
        cloud.azure.hold(False)
    assert cloud.run(wait_timeout=20)["changed"] is False
    assert names(cloud) == COMPLETE
    assert len(disks(cloud)) == 1


@pytest.mark.parametrize("put", ["address", "interface", "machine"])
def test_what_a_failed_run_made_can_be_removed(cloud: Cloud, put: str) -> None:
    cloud.arm("PUT", "", {"location": "westeurope"})
    before = names(cloud)
    cloud.azure.fault("operation", method="PUT", path=PUTS[put], ends="Failed", times=0)
    with pytest.raises(DockerHostError, match="removed again") as caught:
        cloud.run(on_failure="remove")
    assert caught.value.details["exists"] == []
    assert names(cloud) == before
    assert disks(cloud) == []


def test_what_was_there_before_is_not_removed_after_a_failure(cloud: Cloud) -> None:
    cloud.run(name="web2")
    before = names(cloud)
    cloud.azure.fault("operation", method="PUT", path=PUTS["machine"], ends="Failed", times=0)
    with pytest.raises(DockerHostError):
        cloud.run(on_failure="remove")
    assert names(cloud) == before


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_delete_that_fails_can_be_run_again(cloud: Cloud, nth: int) -> None:
    cloud.arm("PUT", "", {"location": "westeurope"})
    cloud.run()
    cloud.azure.fault("status", method="DELETE", status=403, nth=nth)
    with contextlib.suppress(AzureError):
        cloud.run(state="absent")
    cloud.azure.faults_clear()
    cloud.run(state="absent")
    assert names(cloud) == []
    assert disks(cloud) == []


@pytest.mark.parametrize("action", ["reset", "reset_after", "truncate"])
def test_reading_is_tried_again(cloud: Cloud, action: str) -> None:
    cloud.run()
    cloud.azure.fault(action, method="GET", path=PUTS["machine"])
    assert cloud.run()["changed"] is False


@pytest.mark.parametrize("nth", [1, 2])
def test_polling_is_tried_again(cloud: Cloud, nth: int) -> None:
    cloud.azure.fault("status", method="GET", path="/operations/", status=503, nth=nth)
    assert cloud.run()["changed"]
    assert names(cloud) == COMPLETE


@pytest.mark.parametrize("code", ["Conflict", "ConflictingConcurrentWriteNotAllowed"])
def test_a_write_of_somebody_else_at_the_same_time_is_waited_for(cloud: Cloud, code: str) -> None:
    cloud.azure.fault("status", method="PUT", path=PUTS["machine"], status=409, code=code)
    assert cloud.run()["host"]["power_state"] == "running"
    assert [fault["struck"] for fault in cloud.azure.faults()] == [1]
