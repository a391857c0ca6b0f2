# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accelerated networking where the options leave it open."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.accelerated_networking import (
    with_accelerated_networking,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.size_checks import check_change

from ..conftest import SUBSCRIPTION, Cloud, created, desired, plan_of

NETWORK = "/providers/Microsoft.Network"


def decided(current: HostState, supported: bool | None, **given: t.Any) -> bool | None:
    """Return what the interface gets."""
    host = desired(**given)
    found = with_accelerated_networking(host, resolve_resources(host, SUBSCRIPTION), current, supported)
    return found.network.accelerated_networking


def with_interface(accelerated: bool) -> HostState:
    """Return a host's interface."""
    return HostState(
        network_interface={"id": "/x/web1-nic", "properties": {"enableAcceleratedNetworking": accelerated}}
    )


@pytest.mark.parametrize(
    ("current", "supported", "result"),
    [
        (HostState(), True, True),
        (HostState(), False, None),
        (HostState(), None, None),
        (with_interface(False), True, None),
        (with_interface(False), False, None),
        (with_interface(True), True, None),
        (with_interface(True), None, None),
        (with_interface(True), False, False),
    ],
)
def test_a_new_interface_gets_what_the_size_allows_and_others_keep_what_they_have(
    current: HostState, supported: bool | None, result: bool | None
) -> None:
    assert decided(current, supported) is result
    for said in (True, False):
        assert decided(current, supported, enable_accelerated_networking=said) is said


def test_an_interface_that_the_options_name_is_not_changed() -> None:
    assert decided(with_interface(False), True, network_interface="nic") is None
    assert decided(HostState(), True, network_interface="nic") is None
    with pytest.raises(OptionError, match="nic has accelerated networking") as caught:
        decided(with_interface(True), False, network_interface="nic")
    assert caught.value.option == "network_interface"


def test_it_is_turned_off_while_the_host_is_deallocated_for_its_new_size() -> None:
    before = desired(vm_size="Standard_D2s_v5", enable_accelerated_networking=True)
    current = replace(created(before), available_sizes=("Standard_B2s",))
    host = desired(vm_size="Standard_B2s", enable_accelerated_networking=False, allow_stop=True)
    needs = {action.key: action.needs for action in plan_of(host, current).actions}
    assert "stop" in needs["network_interface"]
    assert {"stop", "network_interface"} <= set(needs["virtual_machine"])
    assert {"network_interface", "virtual_machine"} <= set(needs["start"])


def accelerated(cloud: Cloud) -> t.Any:
    """Return what Azure says of the host's interface."""
    return cloud.arm("GET", f"{NETWORK}/networkInterfaces/web1-nic")["properties"].get("enableAcceleratedNetworking")


@pytest.fixture
def previous_sizes(cloud: Cloud) -> t.Iterator[Cloud]:
    """A subscription that can still deploy sizes of previous generations."""
    cloud.azure.switch("previous_sizes", True)
    yield cloud
    cloud.azure.switch("previous_sizes", False)


def test_a_host_moves_to_a_size_without_it_and_back(previous_sizes: Cloud) -> None:
    cloud = previous_sizes
    cloud.run()
    assert accelerated(cloud) is True
    small = {"vm_size": "Standard_B2s", "allow_stop": True}
    with pytest.raises(OptionError, match="enable_accelerated_networking"):
        cloud.run(**small, enable_accelerated_networking=True)
    predicted = cloud.run(check=True, **small)
    assert cloud.run(**small)["actions"] == predicted["actions"]
    assert "update network interface web1-nic" in predicted["actions"]
    assert accelerated(cloud) is False
    assert cloud.run(**small)["changed"] is False
    cloud.run(vm_size="Standard_D2s_v5", allow_stop=True)
    assert accelerated(cloud) is False
    assert cloud.run(enable_accelerated_networking=True)["changed"] is True
    assert accelerated(cloud) is True


def test_a_new_host_has_none_where_the_size_lacks_it_or_the_options_forbid_it(previous_sizes: Cloud) -> None:
    cloud = previous_sizes
    cloud.run(vm_size="Standard_B2s")
    assert not accelerated(cloud)
    cloud.run(state="absent")
    cloud.run(enable_accelerated_networking=False)
    assert accelerated(cloud) is False


def test_azure_refuses_it_with_a_size_that_lacks_it(previous_sizes: Cloud) -> None:
    with pytest.raises(DockerHostError, match="not compatible with enabling accelerated networking") as caught:
        previous_sizes.run(vm_size="Standard_B2s", enable_accelerated_networking=True, preflight=False)
    assert "enable_accelerated_networking" in str(caught.value)


def test_it_survives_a_conflict_while_the_interface_is_created(cloud: Cloud) -> None:
    fault = {"action": "status", "status": 409, "code": "AnotherOperationInProgress", "times": 2}
    cloud.azure.fault(method="PUT", path=r"/networkInterfaces/web1-nic$", **fault)
    cloud.run()
    assert accelerated(cloud) is True


def test_a_host_whose_creation_failed_can_be_created_with_a_size_without_it(previous_sizes: Cloud) -> None:
    cloud = previous_sizes
    cloud.azure.fault(method="PUT", path=r"/virtualMachines/web1$", action="operation", ends="Failed")
    with pytest.raises(DockerHostError):
        cloud.run()
    assert accelerated(cloud) is True
    cloud.azure.faults_clear()
    assert cloud.run(vm_size="Standard_B2s")["host"]["vm_size"] == "Standard_B2s"
    assert accelerated(cloud) is False


def test_a_size_that_stays_decides_nothing() -> None:
    """Azure's list may deny what a VM has had all along (Azure/azure-cli#19182)."""
    size = {
        "resourceType": "virtualMachines",
        "name": "Standard_ND6s",
        "capabilities": [{"name": "AcceleratedNetworkingEnabled", "value": "False"}],
    }
    machine = {"properties": {"hardwareProfile": {"vmSize": "Standard_ND6s"}}}
    for given in ({}, {"vm_size": "standard_nd6s"}):
        host = desired(managed_disk_type="Premium_LRS", **given)
        assert check_change(host, "westeurope", [size], machine).accelerated_networking is None
    assert check_change(desired(vm_size=size["name"]), "westeurope", [size], {}).accelerated_networking is False
