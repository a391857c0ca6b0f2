# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read resources in Azure's wire format (JSON with camelCase keys)."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]


def dig(resource: t.Mapping[str, t.Any] | None, *path: str) -> t.Any:
    """Return what is below nested keys; None where a key is missing or its value is null.

    >>> dig({"properties": {"osProfile": None}}, "properties", "osProfile", "adminUsername")
    """
    value: t.Any = resource
    for key in path:
        if value is None:
            return None
        value = value.get(key)
    return value


def properties_of(resource: t.Mapping[str, t.Any] | None) -> Json:
    """Return a resource's ``properties``, empty without any."""
    return t.cast("Json", dig(resource, "properties") or {})


def provisioning_state(resource: t.Mapping[str, t.Any] | None) -> str:
    """Return a resource's provisioning state in lower case, empty without one."""
    return str(dig(resource, "properties", "provisioningState") or "").lower()


UNSETTLED = ("creating", "updating", "deleting")
"""Provisioning states of a resource that Azure is still working on."""


def is_broken(resource: t.Mapping[str, t.Any] | None) -> bool:
    """Return whether Azure's last operation on a resource did not succeed."""
    return provisioning_state(resource) in ("failed", "canceled")


def power_state(instance_view: t.Mapping[str, t.Any] | None) -> str:
    """Return a VM's power state: ``running``, ``stopped``, ``deallocated``, ``starting`` ..., else ``unknown``.

    :param instance_view: the VM's instance view.
    """
    codes = (str(status.get("code")) for status in dig(instance_view, "statuses") or [])
    return next((code.partition("/")[2] for code in codes if code.startswith("PowerState/")), "unknown")


def instance_view(machine: t.Mapping[str, t.Any] | None) -> Json:
    """Return a VM's instance view, empty if the request did not include it."""
    return t.cast("Json", dig(machine, "properties", "instanceView") or {})


def primary_nic_id(machine: t.Mapping[str, t.Any] | None) -> str | None:
    """Return the id of a VM's primary network interface, or of its only one."""
    entry = _primary(dig(machine, "properties", "networkProfile", "networkInterfaces"))
    return None if entry.get("id") is None else str(entry["id"])


def primary_ip_configuration(nic: t.Mapping[str, t.Any] | None) -> Json:
    """Return a network interface's primary IP configuration, or its first; empty without any."""
    return _primary(dig(nic, "properties", "ipConfigurations"))


def subnet_id(nic: t.Mapping[str, t.Any] | None) -> str | None:
    """Return the id of the subnet of a network interface's primary IP configuration."""
    return t.cast("str | None", dig(primary_ip_configuration(nic), "properties", "subnet", "id"))


def security_group_id(nic: t.Mapping[str, t.Any] | None) -> str | None:
    """Return the id of the security group of a network interface."""
    return t.cast("str | None", dig(nic, "properties", "networkSecurityGroup", "id"))


def public_ip_id(nic: t.Mapping[str, t.Any] | None) -> str | None:
    """Return the id of the public address of a network interface's primary IP configuration."""
    return t.cast("str | None", dig(primary_ip_configuration(nic), "properties", "publicIPAddress", "id"))


def private_ip(nic: t.Mapping[str, t.Any] | None) -> str | None:
    """Return the private address of a network interface's primary IP configuration."""
    return t.cast("str | None", dig(primary_ip_configuration(nic), "properties", "privateIPAddress"))


def picked(source: t.Mapping[str, t.Any], keys: t.Iterable[str]) -> Json:
    """Return the given keys, without those that have no value."""
    return {key: source[key] for key in keys if source.get(key) not in (None, [], {})}


def _primary(entries: list[Json] | None) -> Json:
    marked = (entry for entry in entries or [] if dig(entry, "properties", "primary"))
    return next(marked, (entries or [{}])[0])
