# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host whose options name no size gets the first default size that suits."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.vm_sizes import (
    DEFAULT_ARM_SIZES,
    DEFAULT_SIZES,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.checks import check_answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.queries import Answers

from ..conftest import Cloud, desired
from .conftest import IMAGE, image, offered

ARM_IMAGE = "Canonical:ubuntu-24_04-lts:server-arm64:latest"
NO_BURST = {"LowPriorityCapable": "False", "EphemeralOSDiskSupported": "False", "MaxDataDiskCount": "4"}
DEFAULTS_OFFERED = [
    *(offered(name, family="standardBasv2Family", **NO_BURST) for name in DEFAULT_SIZES[:2]),
    offered(DEFAULT_SIZES[2], zones="3", family="standardBsv2Family", **NO_BURST),
    offered(DEFAULT_SIZES[4], HyperVGenerations="V2", EphemeralOSDiskSupported="False"),
    offered(DEFAULT_SIZES[5], EphemeralOSDiskSupported="False"),
    offered(DEFAULT_SIZES[6]),
    *(offered(name, CpuArchitectureType="Arm64") for name in DEFAULT_ARM_SIZES),
]
NVME_ONLY = [
    offered(DEFAULT_SIZES[4], DiskControllerTypes="NVMe") if entry["name"] == DEFAULT_SIZES[4] else entry
    for entry in DEFAULTS_OFFERED
]
FULL = [{"name": {"value": "standardBasv2Family"}, "currentValue": 9, "limit": 10}]


def blocked_first(**restriction: t.Any) -> list[dict[str, t.Any]]:
    """The default sizes, of which the first is restricted."""
    return [{**DEFAULTS_OFFERED[0], "restrictions": [restriction]}, *DEFAULTS_OFFERED[1:]]


@pytest.mark.parametrize(
    ("given", "answers", "chosen"),
    [
        ({}, Answers(DEFAULTS_OFFERED), DEFAULT_SIZES[0]),
        ({}, Answers(blocked_first(type="Location", values=["westeurope"])), DEFAULT_SIZES[1]),
        (
            {"zone": "2"},
            Answers(blocked_first(type="Zone", restrictionInfo={"zones": ["2"]})),
            DEFAULT_SIZES[1],
        ),
        ({}, Answers(DEFAULTS_OFFERED[1:]), DEFAULT_SIZES[1]),
        ({}, Answers(DEFAULTS_OFFERED, FULL), DEFAULT_SIZES[2]),
        ({"zone": "1"}, Answers(DEFAULTS_OFFERED, FULL), DEFAULT_SIZES[4]),
        ({"priority": "Spot"}, Answers(DEFAULTS_OFFERED), DEFAULT_SIZES[4]),
        ({"priority": "Spot"}, Answers(NVME_ONLY, None, IMAGE), DEFAULT_SIZES[5]),
        ({"priority": "Spot"}, Answers(DEFAULTS_OFFERED, None, image(hyperVGeneration="V1")), DEFAULT_SIZES[5]),
        ({"ephemeral_os_disk": True}, Answers(DEFAULTS_OFFERED), DEFAULT_SIZES[6]),
        ({}, Answers(DEFAULTS_OFFERED, None, image(architecture="Arm64")), DEFAULT_ARM_SIZES[0]),
        ({"image": ARM_IMAGE}, Answers(DEFAULTS_OFFERED), DEFAULT_ARM_SIZES[0]),
        ({"image": ARM_IMAGE}, Answers(DEFAULTS_OFFERED, None, image(architecture="x64")), DEFAULT_SIZES[0]),
        ({"image": ARM_IMAGE}, Answers(), DEFAULT_ARM_SIZES[0]),
        ({"image": "acme:alarm-charm:swarm:latest"}, Answers(), DEFAULT_SIZES[0]),
        ({"vm_size": "Standard_X9"}, Answers(), "Standard_X9"),
    ],
)
def test_a_new_host_gets_the_first_default_size_that_suits(
    given: dict[str, t.Any], answers: Answers, chosen: str
) -> None:
    assert check_answers(desired(**given), "westeurope", answers).vm_size == chosen


def test_why_no_default_size_suits() -> None:
    with pytest.raises(OptionError, match=r"B2als_v2, Standard_B2ls_v2: needs 2 vCPUs") as caught:
        check_answers(desired(), "westeurope", Answers([*DEFAULTS_OFFERED[:2], offered("Standard_D2s_v5")], FULL))
    assert caught.value.option == "vm_size"
    assert "Standard_B2as_v2, Standard_B2s_v2" in caught.value.problem
    assert "Available are Standard_D2s_v5." in caught.value.problem


def test_the_chosen_size_is_predicted_made_and_kept(cloud: Cloud) -> None:
    cloud.azure.switch("sku_not_available", [*DEFAULT_SIZES[:1]])
    assert cloud.run(check=True)["host"]["vm_size"] == DEFAULT_SIZES[1]
    made = cloud.run()
    assert made["host"]["vm_size"] == DEFAULT_SIZES[1]
    cloud.azure.switch("sku_not_available", [])
    again = cloud.run()
    assert (again["changed"], again["host"]["vm_size"]) == (False, DEFAULT_SIZES[1])
    assert not [entry for entry in cloud.azure.requests() if "skus" in entry["path"] or "usages" in entry["path"]]
