# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role of docs/rights.md is enough for everything, and nothing in it is superfluous."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend, Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND as EXTENSION
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import image_info_task as image_info
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import info_task as host_info
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.listing import list_hosts
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle
from azure_emulator.launcher import LocalAzure

from .conftest import Cloud
from .support import IDENTITIES, PLACE, filled, others, surround

TEXT = (Path(__file__).parents[5] / "docs" / "rights.md").read_text()
ROLE: list[str] = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])["Actions"]
ROWS = re.findall(r"^\| (`(?:Microsoft|\*)[^|]*)\|", TEXT, re.MULTILINE)
TABLE = {action for row in ROWS for action in re.findall("`(.*?)`", row)}
# What a new VM refers to; of these the local Azure knows no rights. Taken from Microsoft's lists of operations.
NOT_HERE = [
    "Microsoft.Compute/availabilitySets/vmSizes/read",
    "Microsoft.Compute/availabilitySets/write",
    "Microsoft.Compute/proximityPlacementGroups/write",
]
# Azure does it together with the VM, on the operator's behalf.
WITH_THE_VM = {"Microsoft.Compute/disks/delete"}
DISK = {"lun": 0, "disk_size_gb": 8}


class Operator:
    """Somebody with a role, and the rights that they needed.

    :ivar used: those that they had.
    :ivar refused: those that they had not, and that nothing depended on.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.used: set[str] = set()
        self.refused: set[str] = set()

    def run(self, **given: t.Any) -> None:
        """docker_vm_host."""
        self.cloud.run(**given)
        self.note()

    def fail(self, **given: t.Any) -> None:
        """docker_vm_host, with what ends in an error that is not about rights."""
        with pytest.raises(DockerHostError) as caught:
            self.cloud.run(**given)
        assert "Authorization" not in str(caught.value)
        self.note()

    def query_azure(self, task: Backend, **given: t.Any) -> None:
        """Another task."""
        defaults = {name: option.get("default") for name, option in task.spec.argument_spec.items()}
        task.run(Request({**defaults, **given}))
        self.note()

    def note(self) -> None:
        """Keep what was needed since the last look."""
        for entry in self.cloud.azure.requests():
            (self.refused if entry["status"] == 403 else self.used).update(entry["rights"])
        self.cloud.azure.clear_requests()


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    """A local Azure whose machines run programs, as far as stand-ins do."""
    with LocalAzure(machines="stand-in") as local:
        yield local


@pytest.fixture
def operator(cloud: Cloud) -> t.Iterator[Operator]:
    """Somebody without any role yet."""
    yield Operator(cloud)
    for switch in ("role", "sold_images", "unregistered"):
        cloud.azure.switch(switch, [])


def test_the_role_is_enough_and_no_more(operator: Operator) -> None:
    cloud = operator.cloud
    cloud.arm("PUT", "", {"location": "westeurope"})
    cloud.azure.clear_requests()
    cloud.azure.switch("role", ROLE)
    every_change(operator)
    settings(operator)
    what_a_failure_leaves(operator)
    missing, superfluous = operator.refused - TABLE, set(ROLE) - operator.used - WITH_THE_VM
    assert not missing, missing
    assert not superfluous, superfluous


def every_change(operator: Operator) -> None:
    """What can be done to a host, and finding it."""
    operator.run(vm_size="Standard_B2s_v2", data_disks=[DISK])
    operator.run(vm_size="Standard_B2s_v2", data_disks=[DISK])
    operator.run(vm_size="Standard_B4s_v2", allow_stop=True, data_disks=[{**DISK, "disk_size_gb": 16}])
    operator.run(ssh_allowed_sources=["10.0.0.0/8"], dns_label="another-label-of-the-role", tags={"a": "b"})
    operator.cloud.azure.fault("operation", ends="Failed", method="PATCH", path="virtualMachines/web1$")
    operator.fail(tags={"a": "c"})
    operator.run(tags={"a": "c"})
    for state in ("restarted", "stopped", "deallocated", "started"):
        operator.run(state=state)
    operator.run(name="second", subnet_name="second", subnet_prefix="10.0.7.0/24")
    operator.query_azure(host_info.BACKEND, resource_group=operator.cloud.group)
    with AzureSession.from_params({}) as session:
        assert len(list_hosts(session, [operator.cloud.group], agent_state=True).hosts) == 2
    operator.note()


def settings(operator: Operator) -> None:
    """Both ways to deliver settings, to a stand-in for the machine, to verify them there, and to take them back."""
    vm = {"resource_group": operator.cloud.group, "virtual_machine_name": "web1", "setup_program": bundle()}
    for handler in ("custom_script", "run_command"):
        for state, verify in (("present", False), ("present", True), ("absent", False)):
            given = {"handler": handler, "state": state, "verify": verify, "engine": {"source": "distribution"}}
            operator.query_azure(EXTENSION, **vm, **given)


def what_a_failure_leaves(operator: Operator) -> None:
    """Deleting hosts, one of which never became whole."""
    operator.run(name="second", state="absent")
    cloud = operator.cloud
    cloud.azure.fault("status", method="PUT", path="/virtualMachines/half$", status=400, times=0)
    operator.fail(name="half")
    cloud.azure.faults_clear()
    operator.run(name="half", state="absent")
    operator.run(state="absent")


def test_what_some_options_need(operator: Operator) -> None:
    azure = operator.cloud.azure
    theirs = Cloud(azure, operator.cloud.key.parent)
    theirs.group = "x"
    theirs.arm("PUT", "", PLACE)
    theirs.arm("PUT", f"{IDENTITIES}/i", PLACE)
    surround(others(theirs))
    shared = [filled(theirs, {"image": f"gallery:{name}"}) for name in ("ours", "everybodys")]
    azure.clear_requests()
    azure.switch("unregistered", ["Microsoft.Network"])
    azure.switch("role", [*ROLE, *TABLE])
    identity = f"/subscriptions/{azure.subscription_id}/resourceGroups/x/providers/Microsoft.ManagedIdentity"
    operator.run(
        vm_identity={"type": "UserAssigned", "user_assigned_identities": [f"{identity}/userAssignedIdentities/i"]}
    )
    for schedule in ({"time": "19:00"}, {"enabled": False}):
        operator.run(auto_shutdown=schedule)
    for option in ("availability_set", "proximity_placement_group"):
        operator.fail(name="web2", **{option: "none"})
    own = f"/subscriptions/{azure.subscription_id}/resourceGroups/x/providers/Microsoft.Compute"
    operator.fail(name="web2", image=f"{own}/images/none")
    for image in shared:
        operator.run(name="web2", **image)
        operator.run(name="web2", state="absent")
    operator.run(name="web2", private_ip_address="10.0.0.77")
    operator.run(name="web2", state="absent")
    operator.fail(name="web2", image=f"{own}/galleries/g/images/none/versions/1.0.0")
    operator.query_azure(host_info.BACKEND)
    operator.fail(name="web2", image=f"{own}/galleries/g/images/none/versions/1.0.0", preflight=False)
    azure.switch("sold_images", ["Debian:debian-12:12-gen2"])
    plan = {"name": "12-gen2", "product": "debian-12", "publisher": "Debian"}
    operator.fail(name="web2", image="debian-12", plan=plan)
    azure.switch("sold_images", [])
    for given in ({}, {"publisher": "Debian"}, {"publisher": "Debian", "offer": "d*"}, {"family": "debian-12"}):
        operator.query_azure(image_info.BACKEND, location="westeurope", **given)
    operator.run(name="web2", state="absent")
    operator.run(state="absent", remove_on_absent=["all", "resource_group"])
    assert not operator.refused, operator.refused
    used = operator.used | {"*/register/action" for right in operator.used if right.endswith("/register/action")}
    # Azure compares actions without case.
    lowered = {right.lower() for right in used}
    superfluous = sorted(right for right in TABLE if right.lower() not in lowered)
    assert superfluous == NOT_HERE, superfluous


def test_the_images_of_a_family_need_no_list_of_publishers(operator: Operator) -> None:
    publishers = "Microsoft.Compute/locations/publishers/read"
    operator.cloud.azure.switch("role", [*ROLE, *(TABLE - {publishers})])
    operator.query_azure(image_info.BACKEND, location="westeurope", family="debian-12")
    assert operator.refused == set()
    with pytest.raises(DockerHostError, match=publishers):
        operator.query_azure(image_info.BACKEND, location="westeurope", publisher="Debian", offer="debian-12")


def test_nothing_is_listed_twice() -> None:
    assert len(ROLE) == len(set(ROLE))
    assert set(ROLE) & TABLE == set()
