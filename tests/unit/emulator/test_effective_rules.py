# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two security groups as one list of rules."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from azure_emulator.compute.rules import _both, _common_ports, _common_prefix
from azure_emulator.machines.base import Rule

SPACES = [ipaddress.ip_network("10.0.0.0/16")]
DENY = Rule(65500, "Inbound", "Deny", "*", ("*",), ("*",))


def _rule(priority: int, access: str, ports: str = "*", sources: str = "*", protocol: str = "Tcp") -> Rule:
    return Rule(priority, "Inbound", access, protocol, (sources,), ("*",), ("*",), (ports,))  # type: ignore[arg-type]


def _allows(rules: list[Rule], source: str, port: int) -> bool:
    """The first rule that matches decides."""
    address = ipaddress.ip_address(source)
    inside = address in SPACES[0]
    for rule in rules:
        matches = False
        for prefix in rule.sources:
            if prefix == "*" or (prefix == "VirtualNetwork" and inside) or (prefix == "Internet" and not inside):
                matches = True
            elif prefix[0].isdigit():
                matches = matches or address in ipaddress.ip_network(prefix)
        low, _unused, high = rule.ports[0].partition("-")
        if matches and (low == "*" or int(low) <= port <= int(high or low)):
            return rule.access == "Allow"
    return False


FIRST = [
    [_rule(100, "Allow", "4243"), _rule(110, "Deny", "22"), _rule(120, "Allow", "1-1024", "VirtualNetwork"), DENY],
    [_rule(100, "Deny", "*", "10.0.1.0/24"), _rule(200, "Allow"), DENY],
    [_rule(100, "Allow", "*", "Internet"), DENY],
]
SECOND = [
    [_rule(100, "Allow", "4000-5000", "203.0.113.0/24"), _rule(110, "Allow", "22"), DENY],
    [_rule(100, "Allow", "*", "10.0.0.0/8"), DENY],
    [_rule(300, "Allow"), DENY],
]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FIRST, SECOND)))
def test_both_groups_must_allow(first: list[Rule], second: list[Rule]) -> None:
    combined = _both(first, second, list(SPACES))
    assert [rule.priority for rule in combined] == sorted({rule.priority for rule in combined})
    for source in ("10.0.0.9", "10.0.1.9", "203.0.113.7", "198.51.100.1"):
        for port in (22, 80, 4243, 8080):
            expected = _allows(first, source, port) and _allows(second, source, port)
            assert _allows(combined, source, port) == expected, (source, port)


@pytest.mark.parametrize(
    ("one", "two", "common"),
    [
        ("*", "Internet", "Internet"),
        ("10.0.0.0/8", "10.0.1.0/24", "10.0.1.0/24"),
        ("10.0.0.0/24", "10.0.1.0/24", None),
        ("VirtualNetwork", "10.0.3.0/24", "10.0.3.0/24"),
        ("Internet", "10.0.3.0/24", None),
        ("Internet", "8.8.8.8/32", "8.8.8.8/32"),
        ("Internet", "VirtualNetwork", None),
        ("10.0.0.0/8", "fd00::/8", None),
    ],
)
def test_common_prefixes(one: str, two: str, common: str | None) -> None:
    assert _common_prefix(one, two, list(SPACES)) == common
    assert _common_prefix(two, one, list(SPACES)) == common


def test_common_ports() -> None:
    assert _common_ports(("1-100", "200"), ("50-300",)) == ("50-100", "200")
    assert _common_ports(("*",), ("*",)) == ("*",)
    assert _common_ports(("1",), ("2",)) == ()
