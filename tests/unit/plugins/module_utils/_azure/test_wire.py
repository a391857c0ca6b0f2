# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading resources in Azure's wire format."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import wire

MACHINE: t.Final[dict[str, t.Any]] = {
    "properties": {
        "provisioningState": "Failed",
        "networkProfile": {
            "networkInterfaces": [
                {"id": "/a", "properties": {"primary": False}},
                {"id": "/b", "properties": {"primary": True}},
            ]
        },
        "instanceView": {"statuses": [{"code": "ProvisioningState/failed"}, {"code": "PowerState/running"}]},
    }
}
NIC: t.Final[dict[str, t.Any]] = {
    "properties": {
        "ipConfigurations": [
            {"name": "second", "properties": {"primary": False, "privateIPAddress": "10.0.0.5"}},
            {
                "name": "first",
                "properties": {
                    "primary": True,
                    "privateIPAddress": "10.0.0.4",
                    "subnet": {"id": "/subnet"},
                    "publicIPAddress": {"id": "/address"},
                },
            },
        ]
    }
}


@pytest.mark.parametrize(
    ("resource", "path", "value"),
    [
        ({"a": {"b": {"c": 1}}}, ("a", "b", "c"), 1),
        ({"a": {"b": None}}, ("a", "b", "c"), None),
        ({"a": {}}, ("a", "b", "c"), None),
        ({"a": {"b": False}}, ("a", "b"), False),
        (None, ("a",), None),
    ],
)
def test_a_missing_key_and_a_null_value_end_the_way_down(
    resource: dict[str, t.Any] | None, path: tuple[str, ...], value: t.Any
) -> None:
    assert wire.dig(resource, *path) == value


def test_the_primary_interface_and_configuration_count() -> None:
    assert wire.primary_nic_id(MACHINE) == "/b"
    assert wire.primary_ip_configuration(NIC)["name"] == "first"
    assert wire.private_ip(NIC) == "10.0.0.4"
    assert wire.subnet_id(NIC) == "/subnet"
    assert wire.public_ip_id(NIC) == "/address"


def test_the_only_interface_and_configuration_count_without_a_mark() -> None:
    machine = {"properties": {"networkProfile": {"networkInterfaces": [{"id": "/a"}]}}}
    assert wire.primary_nic_id(machine) == "/a"
    assert wire.private_ip({"properties": {"ipConfigurations": [{"properties": {"privateIPAddress": "x"}}]}}) == "x"


@pytest.mark.parametrize("resource", [None, {}, {"properties": None}, {"properties": {"ipConfigurations": []}}])
def test_an_incomplete_resource_reads_as_empty(resource: dict[str, t.Any] | None) -> None:
    assert not wire.properties_of(resource).get("ipConfigurations")
    assert wire.provisioning_state(resource) == ""
    assert not wire.is_broken(resource)
    assert wire.primary_nic_id(resource) is None
    assert wire.primary_ip_configuration(resource) == {}
    assert wire.subnet_id(resource) is wire.public_ip_id(resource) is wire.private_ip(resource) is None
    assert wire.power_state(wire.instance_view(resource)) == "unknown"


def test_states() -> None:
    assert wire.provisioning_state(MACHINE) == "failed"
    assert wire.is_broken(MACHINE)
    assert wire.power_state(wire.instance_view(MACHINE)) == "running"
