# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults strike where they were told to, and the request log says so."""

from __future__ import annotations

import typing as t

import httpx
import pytest

from azure_emulator.faults import Fault, Faults

if t.TYPE_CHECKING:
    from .conftest import Arm

NSG = "Microsoft.Network/networkSecurityGroups/nsg"
VM = "Microsoft.Compute/virtualMachines/vm"


def test_a_reset_before_the_effect(arm: Arm) -> None:
    arm.azure.fault("reset", method="PUT", path="networkSecurityGroups")
    with pytest.raises(httpx.TransportError):
        arm.nsg()
    assert arm.get(NSG).status_code == 404
    assert arm.nsg().status_code == 201


def test_a_reset_after_the_effect(arm: Arm) -> None:
    arm.azure.fault("reset_after", method="PUT", path="networkSecurityGroups")
    with pytest.raises(httpx.TransportError):
        arm.nsg()
    assert arm.get(NSG).status_code == 200
    entry = next(e for e in reversed(arm.azure.requests()) if e["fault"] == "reset_after")
    assert (entry["method"], entry["status"], entry["writing"]) == ("PUT", 201, True)


def test_half_an_answer(arm: Arm) -> None:
    arm.done(arm.nsg())
    arm.azure.fault("truncate", method="GET", path="nsg$")
    with pytest.raises(httpx.TransportError):
        arm.get(NSG)
    assert arm.get(NSG).status_code == 200


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 502, 503, 504])
def test_statuses(arm: Arm, status: int) -> None:
    arm.azure.fault("status", status=status, retry_after=3, path="nsg$")
    response = arm.get(NSG)
    assert response.status_code == status
    assert response.headers["retry-after"] == "3"
    assert response.json()["error"]["code"]
    assert ("www-authenticate" in response.headers) == (status == 401)


def test_throttling_without_retry_after(arm: Arm) -> None:
    arm.azure.fault("throttle", path="virtualMachines")
    response = arm.get(VM)
    assert arm.code(response) == (429, "OperationNotAllowed")
    assert "retry-after" not in response.headers


def test_which_requests_are_struck(arm: Arm) -> None:
    arm.azure.fault("status", status=500, path="nsg$", nth=2, times=2)
    assert [arm.get(NSG).status_code for _time in range(5)] == [404, 500, 500, 404, 404]
    arm.azure.fault("status", status=503, method="GET", path="nsg$", times=0)
    assert [arm.get(NSG).status_code for _time in range(3)] == [503, 503, 503]
    assert [fault["struck"] for fault in arm.azure.faults()] == [2, 3]
    arm.azure.faults_clear()
    assert arm.get(NSG).status_code == 404


@pytest.mark.parametrize(("ends", "code"), [("Failed", "InternalExecutionError"), ("Canceled", "OperationCanceled")])
def test_operations_that_end_badly(arm: Arm, ends: str, code: str) -> None:
    arm.network()
    arm.azure.fault("operation", ends=ends, method="PUT", path="virtualMachines/vm$")
    ended = arm.follow(arm.put(VM, arm.vm_body()))
    assert (ended["status"], ended["error"]["code"]) == (ends, code)
    assert arm.get(VM).json()["properties"]["provisioningState"] == ends
    arm.done(arm.delete(VM))


def test_an_error_of_ones_own(ready: Arm) -> None:
    ready.azure.fault("operation", code="VMExtensionProvisioningError", message="It broke.", path="extensions")
    ended = ready.follow(ready.put(f"{VM}/extensions/e", ready.extension_body()))
    assert ended["error"] == {"code": "VMExtensionProvisioningError", "message": "It broke."}


def test_an_operation_that_never_ends(arm: Arm) -> None:
    arm.network()
    arm.azure.fault("operation", ends="never", path="virtualMachines/vm$")
    created = arm.put(VM, arm.vm_body())
    url = created.headers["azure-asyncoperation"]
    assert {arm.http.get(url).json()["status"] for _time in range(5)} == {"InProgress"}
    arm.azure.settle()
    assert arm.get(VM).json()["properties"]["provisioningState"] == "Creating"
    arm.done(arm.delete(VM))
    assert arm.get(VM).status_code == 404


def test_a_poll_url_that_is_lost(arm: Arm) -> None:
    arm.network()
    arm.azure.fault("lost_poll", path="virtualMachines/vm$")
    created = arm.put(VM, arm.vm_body())
    assert arm.http.get(created.headers["azure-asyncoperation"]).status_code == 404
    arm.azure.settle()
    assert arm.get(VM).json()["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    "fields", [{"action": "explode"}, {"action": "status", "colour": 1}, {"action": "operation", "ends": "well"}]
)
def test_faults_that_cannot_be(arm: Arm, fields: dict[str, t.Any]) -> None:
    with pytest.raises(RuntimeError, match=r"unknown|expected"):
        arm.azure.control("POST", "faults", fields)
    with pytest.raises(ValueError):
        Faults().add(fields)


def test_the_first_that_matches_strikes() -> None:
    faults = Faults(['{"action": "reset", "path": "a"}', '{"action": "slow", "path": "b", "seconds": 0.1}'])
    struck = faults.match("GET", "/b")
    assert isinstance(struck, Fault)
    assert struck.action == "slow"
    assert faults.match("GET", "/c") is None


def test_the_control_interface_needs_its_token(arm: Arm) -> None:
    assert arm.http.get("/_control/switches").status_code == 401
    with pytest.raises(RuntimeError, match="unknown switch"):
        arm.azure.switch("nothing", 1)
    with pytest.raises(RuntimeError, match="expected int"):
        arm.azure.switch("cores_quota", [])


def test_a_failed_creation_is_repeated_by_the_same_request(arm: Arm) -> None:
    arm.network()
    arm.azure.fault("operation", ends="Failed", method="PUT", path="virtualMachines/vm$")
    arm.follow(arm.put(VM, arm.vm_body()))
    assert arm.get(f"{VM}/instanceView").json()["statuses"][-1]["code"] == "PowerState/stopped"
    again = arm.put(VM, arm.vm_body())
    assert again.status_code == 200
    arm.done(again)
    assert arm.get(VM).json()["properties"]["provisioningState"] == "Succeeded"
    assert arm.get(f"{VM}/instanceView").json()["statuses"][-1]["code"] == "PowerState/running"
