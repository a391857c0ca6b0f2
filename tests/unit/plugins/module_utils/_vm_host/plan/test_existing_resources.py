# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom an existing security group lets in."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.existing_resources import reach


def rule(priority: int, access: str, ports: str, source: str | list[str], protocol: str = "Tcp") -> dict[str, t.Any]:
    """An inbound rule."""
    many = isinstance(source, list)
    return {
        "properties": {
            "priority": priority,
            "access": access,
            "direction": "Inbound",
            "protocol": protocol,
            "destinationPortRange": ports,
            "sourceAddressPrefixes" if many else "sourceAddressPrefix": source,
        }
    }


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], "nobody"),
        ([rule(100, "Allow", "4243", "Internet")], "anybody"),
        ([rule(100, "Allow", "*", "*", "*")], "anybody"),
        ([rule(100, "Allow", "4000-5000", ["10.0.0.0/8", "0.0.0.0/0"])], "anybody"),
        ([rule(100, "Allow", "4243", ["10.0.0.0/8", "192.168.0.0/16"])], None),
        ([rule(100, "Allow", "4243", "Internet", "Udp"), rule(101, "Allow", "4244", "*")], "nobody"),
        ([rule(200, "Allow", "4243", "*"), rule(100, "Deny", "*", "*", "*")], "nobody"),
        ([rule(300, "Deny", "*", "*", "*"), rule(100, "Allow", "4243", "10.0.0.0/8")], None),
        ([rule(100, "Deny", "4243", "10.0.0.0/8"), rule(200, "Allow", "4243", "*")], "anybody"),
    ],
)
def test_whom_a_security_group_lets_in(rules: list[dict[str, t.Any]], found: str | None) -> None:
    assert reach({"properties": {"securityRules": rules}}, 4243) == found
