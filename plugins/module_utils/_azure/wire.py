# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read resources in Azure's wire format (JSON with camelCase keys)."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]


def state_of(resource: Json | None) -> str:
    """A resource's provisioning state in lower case, empty without one."""
    return str(((resource or {}).get("properties") or {}).get("provisioningState") or "").lower()


def is_broken(resource: Json | None) -> bool:
    """Tell whether Azure's last operation on a resource did not succeed."""
    return state_of(resource) in ("failed", "canceled")


def interface_of(machine: Json | None) -> str | None:
    """The id of a VM's primary interface, or of its only one."""
    profile = ((machine or {}).get("properties") or {}).get("networkProfile") or {}
    entries = profile.get("networkInterfaces") or []
    primary = [entry for entry in entries if (entry.get("properties") or {}).get("primary")]
    return next((str(entry["id"]) for entry in [*primary, *entries] if entry.get("id")), None)


def primary_configuration(nic: Json) -> Json:
    """The interface's primary IP configuration, or its first."""
    found = nic.get("properties", {}).get("ipConfigurations") or [{}]
    primary = [entry for entry in found if (entry.get("properties") or {}).get("primary")]
    return t.cast("Json", (primary or found)[0])


def attached_subnet(nic: Json) -> str | None:
    """The id of the subnet that an interface stands in."""
    return ((primary_configuration(nic).get("properties") or {}).get("subnet") or {}).get("id")


def attached_address(nic: Json) -> str | None:
    """The id of the public address that an interface has."""
    return ((primary_configuration(nic).get("properties") or {}).get("publicIPAddress") or {}).get("id")


def private_address(nic: Json) -> str | None:
    """The private address of an interface's primary configuration."""
    return (primary_configuration(nic).get("properties") or {}).get("privateIPAddress")


def picked(source: t.Mapping[str, t.Any], keys: t.Iterable[str]) -> Json:
    """The given keys, where they hold something."""
    return {key: source[key] for key in keys if source.get(key) not in (None, [], {})}


def properties_of(resource: Json | None) -> Json:
    """A resource's ``properties``."""
    return t.cast("Json", (resource or {}).get("properties") or {})
