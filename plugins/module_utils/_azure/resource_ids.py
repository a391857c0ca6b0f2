# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource ids of Azure Resource Manager. Azure compares them case-insensitively."""

from __future__ import annotations

import re


def same_id(one: str | None, other: str | None) -> bool:
    """Compare ids as Azure does, regardless of case."""
    return (one or "").rstrip("/").lower() == (other or "").rstrip("/").lower()


def name_in(resource_id: str) -> str:
    """The last part of an id."""
    return resource_id.rstrip("/").rsplit("/", 1)[-1]


def group_in(resource_id: str) -> str:
    """The resource group of an id."""
    match = re.search(r"/resourceGroups/([^/]+)", resource_id, re.IGNORECASE)
    return match[1] if match else ""


def subscription_in(resource_id: str) -> str:
    """The subscription of an id."""
    match = re.match(r"/subscriptions/([^/]+)", resource_id, re.IGNORECASE)
    return match[1] if match else ""
