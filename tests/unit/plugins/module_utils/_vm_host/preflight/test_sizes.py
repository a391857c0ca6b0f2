# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sizes a region offers, and which of them an error suggests."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.checks import check_answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.queries import Answers

from ..conftest import desired
from .conftest import BOTH, SIZE, image, offered, size


@pytest.mark.parametrize(
    "restriction",
    [
        {"type": "location", "values": ["West Europe"]},
        {"type": "Location", "restrictionInfo": {"locations": ["WestEurope"]}},
        {"type": "zone", "values": ["West Europe"], "restrictionInfo": {"locations": ["westeurope"], "zones": ["1"]}},
    ],
)
def test_restrictions_in_any_spelling(restriction: dict[str, t.Any]) -> None:
    place = {"location": "West Europe", "zones": ["1", "3"]}
    entry = {**size()[0], "locationInfo": [place], "restrictions": [restriction]}
    with pytest.raises(OptionError, match="is not available"):
        check_answers(desired(vm_size=SIZE["name"], zone="1"), "westeurope", Answers([entry]))
    if restriction["type"] == "zone":
        chosen = check_answers(desired(vm_size=SIZE["name"], zone="3"), "westeurope", Answers([entry]))
        assert chosen.vm_size == SIZE["name"]


OFFERED = [
    offered("Standard_B2a"),
    offered("Standard_B2zone3", zones="3"),
    offered("Standard_B2arm", CpuArchitectureType="Arm64"),
    offered("Standard_B2old", HyperVGenerations="V1"),
    offered("Standard_B2nvme", DiskControllerTypes="NVMe"),
]


@pytest.mark.parametrize(
    ("given", "answer", "fitting"),
    [
        ({}, None, {"B2a", "B2zone3", "B2arm", "B2old", "B2nvme"}),
        ({"zone": "1"}, None, {"B2a", "B2arm", "B2old", "B2nvme"}),
        ({"zone": "1"}, image(features=BOTH), {"B2a", "B2arm", "B2nvme"}),
        ({}, image(architecture="x64", hyperVGeneration="V2"), {"B2a", "B2zone3"}),
        ({}, image(architecture="Arm64", hyperVGeneration="V2"), {"B2arm"}),
        ({"zone": "1"}, image(architecture="x64", hyperVGeneration="V1"), {"B2a", "B2old"}),
    ],
)
def test_sizes_that_are_suggested_would_do(
    given: dict[str, t.Any], answer: dict[str, t.Any] | None, fitting: set[str]
) -> None:
    with pytest.raises(OptionError, match="Available are") as caught:
        check_answers(desired(vm_size="Standard_B2none", **given), "westeurope", Answers(OFFERED, None, answer))
    suggested = str(caught.value).partition("Available are ")[2].rstrip(".").split(", ")
    assert {name.removeprefix("Standard_") for name in suggested} == fitting


def test_sizes_that_are_suggested_are_for_the_same_processor() -> None:
    blocked = {**offered("Standard_B2none"), "restrictions": [{"type": "Location", "values": ["westeurope"]}]}
    with pytest.raises(OptionError, match="Available are") as caught:
        check_answers(desired(vm_size="Standard_B2none"), "westeurope", Answers([*OFFERED, blocked]))
    assert "B2arm" not in str(caught.value)
    assert "B2a" in str(caught.value)
