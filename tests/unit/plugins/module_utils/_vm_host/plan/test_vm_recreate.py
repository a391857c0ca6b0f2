# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual machine whose last operation failed comes back as it was, with what is asked and nothing else changed."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState

from ..conftest import Cloud, created, desired, plan_of

RICH = {
    "vm_size": "Standard_D8s_v5",
    "image": "debian-12",
    "managed_disk_type": "Premium_LRS",
    "os_disk_size_gb": 64,
    "data_disks": [{"lun": 0, "disk_size_gb": 512}],
    "zone": "1",
    "priority": "Spot",
    "max_price": 0.5,
    "vm_identity": {"type": "SystemAssigned, UserAssigned", "user_assigned_identities": ["me"]},
    "boot_diagnostics": False,
    "license_type": "RHEL_BYOS",
}
READY = {"vmAgent": {"statuses": [{"code": "ProvisioningState/succeeded"}]}}
Json = dict[str, t.Any]


def failed(view: Json | None = None, power: str = "running", disk: bool = True) -> HostState:
    """A host with many options, as Azure shows it when the last operation on its VM failed."""
    current = created(desired(**RICH))
    vm = copy.deepcopy(t.cast("Json", current.virtual_machine))
    vm["properties"].update(
        provisioningState="Failed",
        vmId="0000",
        instanceView={"statuses": [{"code": f"PowerState/{power}"}], **(view or {})},
    )
    if disk:
        vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] = "/disks/os"
        vm["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"]["id"] = "/disks/data"
    vm["identity"].update(principalId="p", userAssignedIdentities={"/me": {"clientId": "c"}})
    return replace(current, virtual_machine=vm)


def test_a_host_that_worked_is_only_repaired() -> None:
    plan = plan_of(desired(), failed(READY))
    assert plan.lines == ["reapply virtual machine web1"]
    assert plan.actions[0].body is None
    assert plan.diff["before"] == {"virtual machine web1: provisioning_state": "Failed"}


def test_a_host_that_could_not_be_started_is_repaired_and_then_started() -> None:
    off = failed(power="deallocated")
    assert plan_of(desired(), off).lines == ["reapply virtual machine web1"]
    plan = plan_of(desired(state="started"), off)
    assert plan.lines == ["reapply virtual machine web1", "start virtual machine web1"]
    assert "reapply" in plan.actions[1].needs


def test_what_is_asked_comes_after_the_mending() -> None:
    current = replace(failed(READY), available_sizes=frozenset(("Standard_D4s_v5",)))
    with pytest.raises(OptionError, match="allow_stop"):
        plan_of(desired(vm_size="Standard_D4s_v5"), current)
    plan = plan_of(desired(vm_size="Standard_D4s_v5", allow_stop=True), current)
    assert plan.lines == ["reapply virtual machine web1", "update virtual machine web1 (restarts it)"]
    assert "reapply" in plan.actions[1].needs


@pytest.mark.parametrize("disk", [True, False])
def test_a_creation_is_repeated_with_what_it_was_to_have(disk: bool) -> None:
    current = failed(disk=disk)
    plan = plan_of(desired(), current)
    assert plan.lines == ["create virtual machine web1 again, since it failed"]
    body, before = t.cast("Json", plan.actions[0].body), t.cast("Json", current.virtual_machine)
    sent, there = body["properties"], before["properties"]
    for name in ("hardwareProfile", "storageProfile", "priority", "evictionPolicy", "billingProfile", "licenseType"):
        assert sent[name] == there[name], name
    assert sent["diagnosticsProfile"] == {"bootDiagnostics": {"enabled": False}}
    assert body["zones"] == ["1"]
    assert body["identity"] == {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/me": {}}}
    assert not {"vmId", "provisioningState", "instanceView"} & set(sent)


def test_a_creation_is_repeated_with_what_is_asked_now() -> None:
    asked = {
        "vm_size": "Standard_D4s_v5",
        "data_disks": [{"lun": 0, "disk_size_gb": 512}, {"lun": 1, "disk_size_gb": 8}],
    }
    body = t.cast("Json", plan_of(desired(**asked), failed()).actions[0].body)
    assert body["properties"]["hardwareProfile"] == {"vmSize": "Standard_D4s_v5"}
    disks = body["properties"]["storageProfile"]["dataDisks"]
    assert [(disk["lun"], disk["managedDisk"].get("id")) for disk in disks] == [(0, "/disks/data"), (1, None)]


def machine(cloud: Cloud) -> Json:
    """The VM without what every operation changes."""
    found = t.cast("Json", cloud.arm("GET", "/providers/Microsoft.Compute/virtualMachines/web1"))
    return {key: value for key, value in found.items() if key != "etag"}


def test_a_resize_that_failed_leaves_a_host_that_is_repaired(cloud: Cloud) -> None:
    disk = {"lun": 0, "disk_size_gb": 8}
    cloud.run(location="westeurope", image="debian-12", vm_size="Standard_D2s_v5", data_disks=[disk], zone="1")
    before = machine(cloud)
    cloud.azure.fault("operation", ends="Failed", method="PATCH", path="virtualMachines/web1$")
    with pytest.raises(DockerHostError, match="update the virtual machine"):
        cloud.run(tags={"a": "b"})
    assert machine(cloud)["properties"]["provisioningState"] == "Failed"
    predicted = cloud.run(check=True)
    assert cloud.writes == []
    done = cloud.run()
    assert done["actions"] == predicted["actions"] == ["reapply virtual machine web1"]
    assert cloud.writes == ["POST reapply"]
    after = machine(cloud)
    assert {**after, "tags": before["tags"]} == before
    assert cloud.run()["changed"] is False


def test_a_failed_creation_is_repeated_by_a_run_that_names_the_host_only(cloud: Cloud) -> None:
    disk = {"lun": 0, "disk_size_gb": 8}
    cloud.azure.fault("operation", ends="Failed", method="PUT", path="virtualMachines/web1$")
    with pytest.raises(DockerHostError):
        cloud.run(location="westeurope", image="debian-12", vm_size="Standard_D2s_v5", data_disks=[disk], zone="1")
    cloud.run()
    assert cloud.refused == []
    found = machine(cloud)
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert found["properties"]["hardwareProfile"]["vmSize"] == "Standard_D2s_v5"
    assert [entry["lun"] for entry in found["properties"]["storageProfile"]["dataDisks"]] == [0]
    assert found["zones"] == ["1"]
    assert cloud.run()["changed"] is False


def test_the_installation_at_boot_of_the_first_attempt_stays(cloud: Cloud) -> None:
    cloud.azure.fault("operation", ends="Failed", method="PUT", path="virtualMachines/web1$")
    given = {"engine": {"at_boot": True}, "custom_data": "#!/bin/sh\n"}
    with pytest.raises(DockerHostError):
        cloud.run(**given, setup_program="print('old')")
    result = cloud.run(**given, setup_program="print('new')")
    assert any("again, since it failed" in line for line in result["actions"])
    assert machine(cloud)["properties"]["provisioningState"] == "Succeeded"
