# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/local-azure.md lists exactly what the server has."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from azure_emulator import unserved
from azure_emulator.__main__ import parser
from azure_emulator.faults import ACTIONS
from azure_emulator.switches import DEFAULTS

from .conftest import Arm

PAGE = Path(__file__).resolve().parents[3] / "docs" / "local-azure.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(cell: str) -> list[str]:
    return [words.split()[0] for words in re.findall(r"`([^`]+)`", cell)]


def shown(default: t.Any) -> str:
    """A switch's default as the table has it."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, str) and default:
        return f"`{default}`"
    return str(default) if isinstance(default, int) else ""


def test_every_switch_stands_there_with_its_default() -> None:
    listed = {name: cells[1] for cells in rows("Switches") for name in named(cells[0])}
    assert listed == {name: shown(default) for name, default in DEFAULTS.items()}


def test_every_option_stands_there() -> None:
    options = {flag for action in parser()._actions for flag in action.option_strings} - {"-h", "--help"}
    assert {name for cells in rows("Options") for name in named(cells[0])} == options


def test_every_fault_stands_there() -> None:
    assert {name for cells in rows("Faults") for name in named(cells[0])} == set(ACTIONS)


NOT_SERVED = {
    "scale sets": "Microsoft.Compute/virtualMachineScaleSets",
    "load balancers": "Microsoft.Network/loadBalancers",
    "route tables": "Microsoft.Network/routeTables",
    "service tags": "Microsoft.Network/locations/eastus/serviceTags",
    "storage": "Microsoft.Storage/storageAccounts",
    "role assignments": "Microsoft.Authorization/roleAssignments",
    "applications in galleries": "Microsoft.Compute/galleries/one/applications",
}
SERVED = {
    "availability sets": "Microsoft.Compute/availabilitySets",
    "proximity placement groups": "Microsoft.Compute/proximityPlacementGroups",
    "managed images": "Microsoft.Compute/images",
    "virtual networks": "Microsoft.Network/virtualNetworks",
    "template deployments": "Microsoft.Resources/deployments",
    "tags API": "Microsoft.Resources/tags/default",
    "management locks": "Microsoft.Authorization/locks",
    "schedules": "Microsoft.DevTestLab/schedules",
}


def test_what_is_not_served_is_not_served(arm: Arm) -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    listed = text.partition("Not served: ")[2].partition("; in Key Vault")[0].split(", ")
    assert set(listed) == set(NOT_SERVED)
    for type_ in NOT_SERVED.values():
        answer = arm.get(type_)
        if type_.lower() in unserved.TYPES:
            assert answer.json() == {"value": []}
            answer = arm.put(f"{type_}/one", {"location": "eastus"})
        code = "NotSupported" if type_.lower() in unserved.TYPES else "InvalidResourceType"
        assert answer.json()["error"]["code"] == code, f"{type_}: {answer.text}"


def test_what_is_served_is_served(arm: Arm) -> None:
    listed = " ".join(cell for cells in rows("What is served") for cell in cells)
    for name, type_ in SERVED.items():
        assert name in listed
        answer = arm.get(type_)
        assert answer.status_code == 200, answer.text
