# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider, and rules of security groups."""

from __future__ import annotations

import typing as t

P = "Microsoft.Network"


def security_rule(name: str = "docker", **changes: t.Any) -> dict[str, t.Any]:
    """Return the rule that opens the port of Docker, with other properties; None leaves one out."""
    properties = {
        "protocol": "Tcp",
        "access": "Allow",
        "direction": "Inbound",
        "priority": 100,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "4243",
        **changes,
    }
    return {"name": name, "properties": {k: v for k, v in properties.items() if v is not None}}


def several(*sources: str) -> dict[str, t.Any]:
    """Return the properties of a rule with sources in a list."""
    return {"sourceAddressPrefix": None, "sourceAddressPrefixes": list(sources)}
