# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which VM the options name, and whether it can take settings."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.virtual_machine import (
    VirtualMachine,
    VirtualMachineError,
    VmReference,
)

from .conftest import options

VM_ID = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V"


def reference(**given: t.Any) -> VmReference:
    """The VM that the options name."""
    nothing = {"virtual_machine_name": None, "resource_group": None}
    return VmReference.from_params(options(**({**nothing, **given} if "virtual_machine" in given else given)))


def test_the_virtual_machine_is_named_by_id_by_host_or_by_name() -> None:
    assert reference(virtual_machine=VM_ID) == VmReference("G", "V", "S")
    assert reference(virtual_machine={"id": VM_ID, "docker_host": None, "tags": {}}) == VmReference("G", "V", "S")
    assert reference(virtual_machine={"name": "V", "resource_group": "G"}) == VmReference("G", "V")
    assert reference() == VmReference("rg", "web1")


@pytest.mark.parametrize(
    ("given", "option", "problem"),
    [
        ({"virtual_machine": "/subscriptions/S"}, "virtual_machine", "must be the resource id of a VM"),
        ({"virtual_machine": [VM_ID]}, "virtual_machine", "must be the resource id of a VM"),
        ({"virtual_machine": {"id": "/vm"}}, "virtual_machine.id", "must be the resource id of a VM"),
        ({"virtual_machine": {}}, "virtual_machine.id", "must be the resource id of a VM"),
        ({"virtual_machine": {"name": "web1"}}, "virtual_machine.resource_group", "must be 1 to 90 letters"),
        ({"virtual_machine": {"id": VM_ID, "docker_hots": ""}}, "virtual_machine.docker_hots", "mean docker_host"),
        ({"virtual_machine_name": "a/b"}, "virtual_machine_name", "must be 1 to 90 letters"),
    ],
)
def test_a_virtual_machine_that_cannot_be_one(given: dict[str, t.Any], option: str, problem: str) -> None:
    with pytest.raises(OptionError, match=problem) as caught:
        reference(**given)
    assert caught.value.option == option


def vm(**properties: t.Any) -> VirtualMachine:
    """A VM as Azure describes it."""
    shown = {"id": "/vm", "location": "westeurope", "properties": properties}
    return VirtualMachine(t.cast(AzureSession, None), "rg", "web1", shown)


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"storageProfile": {"osDisk": {"osType": "Windows"}}}, "runs Windows"),
        ({"osProfile": {"linuxConfiguration": {"provisionVMAgent": False}}}, "without the Azure Linux agent"),
        ({"osProfile": {"allowExtensionOperations": False}}, "extension operations are disallowed"),
    ],
)
def test_vms_that_no_settings_can_be_pushed_to(properties: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(VirtualMachineError, match=problem):
        vm(**properties).check_supported()
    vm(osProfile={"linuxConfiguration": {"provisionVMAgent": True}}).check_supported()
