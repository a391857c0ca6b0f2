# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A size must support the disk controller of the image, and of a VM that exists."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.checks import check_answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.queries import Answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.size_checks import check_change

from ..conftest import desired
from .conftest import BOTH, SIZE, image, size

NVME = {"DiskControllerTypes": "NVMe"}


@pytest.mark.parametrize(
    ("capabilities", "features", "fits"),
    [
        ({}, [], True),
        ({}, BOTH, True),
        ({}, [{"name": "diskControllerTypes", "value": "nvme"}], False),
        (NVME, None, True),
        (NVME, [], False),
        (NVME, [{"name": "DiskControllerTypes", "value": "SCSI"}], False),
        (NVME, BOTH, True),
        ({"DiskControllerTypes": "NVMe,SCSI"}, [], True),
    ],
)
def test_size_and_image_have_a_disk_controller_in_common(
    capabilities: dict[str, str], features: list[t.Any] | None, fits: bool
) -> None:
    given, answers = desired(vm_size=SIZE["name"]), Answers(size(**capabilities), None, image(features=features))
    if fits:
        assert check_answers(given, "westeurope", answers).vm_size == SIZE["name"]
        return
    with pytest.raises(OptionError, match="supports only the disk controller") as caught:
        check_answers(given, "westeurope", answers)
    assert caught.value.option == "image"


def moved(before: dict[str, str], after: dict[str, str], **storage: str) -> None:
    """Judge a change to a size with other capabilities."""
    larger = {**size(**after)[0], "name": "Standard_B99s"}
    hardware = {"vmSize": "Standard_B2als_v2"}
    machine = {"properties": {"hardwareProfile": hardware, "storageProfile": storage}}
    check_change(desired(vm_size="Standard_B99s"), "westeurope", [*size(**before), larger], machine)


def test_a_new_size_must_boot_from_the_vms_disk() -> None:
    moved({}, {})
    moved(NVME, NVME, diskControllerType="NVMe")
    moved(NVME, NVME)
    moved({"CpuArchitectureType": "x64"}, {"CpuArchitectureType": "X64"})
    for before, after, present in (({}, NVME, {"diskControllerType": "SCSI"}), ({}, NVME, {}), (NVME, {}, {})):
        with pytest.raises(OptionError, match="must support the disk controller") as caught:
            moved(before, after, **present)
        assert caught.value.option == "vm_size"
    with pytest.raises(OptionError, match=r"must be a size for the architecture x64 of .*is arm64"):
        moved({"CpuArchitectureType": "x64"}, {"CpuArchitectureType": "Arm64"})
