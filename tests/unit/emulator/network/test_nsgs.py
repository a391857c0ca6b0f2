# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security groups and their rules."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import P, security_rule, several

if t.TYPE_CHECKING:
    from ..conftest import Arm


def test_security_group(arm: Arm) -> None:
    created = arm.nsg("nsg", security_rule())
    assert created.status_code == 201
    body = created.json()
    defaults = {rule["name"]: rule["properties"]["priority"] for rule in body["properties"]["defaultSecurityRules"]}
    assert sorted(defaults.values()) == [65000, 65000, 65001, 65001, 65500, 65500]
    assert body["properties"]["securityRules"][0]["properties"]["sourceAddressPrefixes"] == []
    arm.done(created)
    path = f"{P}/networkSecurityGroups/nsg"
    added = arm.put(
        f"{path}/securityRules/ssh",
        {"properties": security_rule(priority=110, destinationPortRange="22")["properties"]},
    )
    assert added.status_code == 201
    arm.done(added)
    assert [rule["name"] for rule in arm.get(f"{path}/securityRules").json()["value"]] == ["docker", "ssh"]
    assert len(arm.get(f"{path}/defaultSecurityRules").json()["value"]) == 6
    arm.done(arm.delete(f"{path}/securityRules/ssh"))
    assert [rule["name"] for rule in arm.get(path).json()["properties"]["securityRules"]] == ["docker"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"priority": 99}, "SecurityRuleInvalidPriority"),
        ({"sourceAddressPrefix": "not an address"}, "SecurityRuleInvalidAddressPrefix"),
        ({"sourceAddressPrefix": "10.0.0.1/8"}, "SecurityRuleInvalidAddressPrefix"),
        ({"sourceAddressPrefix": "10.0.0.0/255.0.0.0"}, "SecurityRuleInvalidAddressPrefix"),
        (several("10.0.0.0/8", "10.1.0.0/16"), "OverlappingSubnetsNotPermittedInSecurityRule"),
        (several("10.0.0.4", "10.0.0.4/32"), "OverlappingSubnetsNotPermittedInSecurityRule"),
        (several("10.0.0.0/8", "Internet"), "SecurityRuleParameterContainsUnsupportedValue"),
        ({"destinationPortRange": "70000"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "20-10"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": None}, "SecurityRuleParameterContainsNoValue"),
        ({"access": None}, "InvalidRequestFormat"),
        ({"protocol": "Gre"}, "InvalidRequestFormat"),
        ({"priority": "many"}, "InvalidRequestFormat"),
    ],
)
def test_rules_that_cannot_be(arm: Arm, change: dict[str, t.Any], code: str) -> None:
    assert arm.code(arm.nsg("nsg", security_rule(**change))) == (400, code)


def test_a_bare_integer_is_an_address(arm: Arm) -> None:
    body = arm.done(arm.nsg("nsg", security_rule(sourceAddressPrefix="789"))).json()
    assert body["properties"]["securityRules"][0]["properties"]["sourceAddressPrefix"] == "789"
    overlapping = security_rule(**several("789", "0.0.3.0/24"))
    assert arm.code(arm.nsg("nsg", overlapping)) == (400, "OverlappingSubnetsNotPermittedInSecurityRule")
    assert arm.code(arm.nsg("nsg", security_rule(sourceAddressPrefix=str(2**32)))) == (
        400,
        "SecurityRuleInvalidAddressPrefix",
    )


def test_rules_need_priorities_of_their_own(arm: Arm) -> None:
    assert arm.code(arm.nsg("nsg", security_rule("a"), security_rule("b"))) == (400, "SecurityRuleConflict")
    assert arm.nsg("nsg", security_rule("a"), security_rule("b", direction="Outbound")).status_code == 201
