# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's own client: azure-mgmt-compute against the local Azure."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

VERSION = "2024-07-01"


def test_a_machine_by_the_sdk(arm: Arm, compute: t.Any) -> None:
    arm.azure.switch("cores_quota", 10_000)
    arm.network()
    vms, version = compute.virtual_machines, {"api_version": VERSION}
    vm = vms.begin_create_or_update(arm.name, "vm", arm.vm_body(), **version).result()
    assert (vm.provisioning_state, vm.storage_profile.os_disk.os_type) == ("Succeeded", "Linux")
    view = vms.instance_view(arm.name, "vm", **version)
    assert [status.code for status in view.statuses] == ["ProvisioningState/succeeded", "PowerState/running"]
    extensions = compute.virtual_machine_extensions
    extension = extensions.begin_create_or_update(arm.name, "vm", "e", arm.extension_body(), **version).result()
    assert extension.provisioning_state == "Succeeded"
    assert extension.protected_settings is None
    vms.begin_deallocate(arm.name, "vm", **version).result()
    assert vms.instance_view(arm.name, "vm", **version).statuses[-1].code == "PowerState/deallocated"
    with pytest.raises(Exception, match="not running") as caught:
        extensions.begin_delete(arm.name, "vm", "e", **version)
    assert t.cast(t.Any, caught.value).status_code == 409
    vms.begin_start(arm.name, "vm", **version).result()
    result = vms.begin_run_command(
        arm.name, "vm", {"commandId": "RunShellScript", "script": ["true"]}, **version
    ).result()
    assert "[stdout]" in result.value[0].message
    assert [item.name for item in vms.list(arm.name, **version)] == ["vm"]
    vms.begin_delete(arm.name, "vm", **version).result()
    with pytest.raises(Exception, match="ResourceNotFound"):
        vms.get(arm.name, "vm", **version)


def test_failures_by_the_sdk(ready: Arm, compute: t.Any) -> None:
    ready.azure.switch("agent", "absent")
    poller = compute.virtual_machine_extensions.begin_create_or_update(
        ready.name, "vm", "e", ready.extension_body(), api_version=VERSION
    )
    with pytest.raises(Exception, match="has not reported status") as caught:
        poller.result()
    error = t.cast(t.Any, caught.value)
    assert (error.status_code, error.error.code) == (200, "VMAgentStatusCommunicationError")


def test_the_default_version_of_the_sdk(ready: Arm, compute: t.Any) -> None:
    """Versions that are newer than the tables are served, and what they brought is ignored."""
    vm = compute.virtual_machines.get(ready.name, "vm", expand="instanceView")
    assert vm.instance_view.vm_agent.statuses[0].display_status == "Ready"
    sizes = list(compute.virtual_machine_sizes.list("eastus", api_version=VERSION))
    assert "Standard_B2s_v2" in [size.name for size in sizes]
    images = compute.virtual_machine_images.list("eastus", "Debian", "debian-12", "12-gen2", api_version=VERSION)
    assert len(images) == 2
    disks = list(compute.disks.list_by_resource_group(ready.name))
    assert [disk.disk_state for disk in disks] == ["Attached"]


def test_throttled_requests_are_repeated_by_the_sdk(ready: Arm, compute: t.Any) -> None:
    ready.azure.fault("throttle", method="GET", path="virtualMachines/vm$", retry_after=1, times=2)
    assert compute.virtual_machines.get(ready.name, "vm", api_version=VERSION).name == "vm"
    assert [fault["struck"] for fault in ready.azure.faults()] == [2]
