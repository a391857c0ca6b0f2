# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that others made in a host's own security group stay, and a run says what they change for its ports."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.foreign_rules import (
    notes_on_foreign_rules,
)

from ..conftest import KEY, SUBSCRIPTION, Cloud, created, desired
from ..support import NETWORK

Json = dict[str, t.Any]
PRIVATE = ["10.0.0.0/8"]


def rule(priority: int = 100, access: str = "Deny", name: str = "audit", **properties: t.Any) -> Json:
    """A rule of others about all traffic."""
    everything = {
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
        "access": access,
        "direction": "Inbound",
        "priority": priority,
    }
    return {"name": name, "properties": {**everything, **properties}}


def notes(*foreign: Json, **given: t.Any) -> list[str]:
    """What a run says of a host with these rules beside its own."""
    host = desired(**{"allowed_sources": PRIVATE, **given})
    current = created(host)
    group = t.cast("Json", current.security_group)
    properties = {"securityRules": [*group["properties"]["securityRules"], *foreign]}
    current = replace(current, security_group={**group, "properties": properties})
    return notes_on_foreign_rules(host, resolve_resources(host, SUBSCRIPTION), current)


@pytest.mark.parametrize(
    "denied",
    [
        {},
        {"sourceAddressPrefix": "Internet"},
        {"sourceAddressPrefix": "internet"},
        {"sourceAddressPrefix": "0.0.0.0/0"},
        {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["10.0.0.0/9", "10.128.0.0/9"]},
        {"protocol": "Tcp", "destinationPortRange": "4243"},
        {"protocol": "tcp", "destinationPortRange": None, "destinationPortRanges": ["22", "4000-5000"]},
        {"destinationAddressPrefix": "VirtualNetwork"},
    ],
)
def test_a_rule_that_denies_what_the_host_allows_is_named(denied: Json) -> None:
    assert [note for note in notes(rule(**denied)) if "Docker" in note] == [
        "The rule audit of the security group web1-nsg, which this collection did not create, denies access to the"
        " Docker port 4243 with the priority 100, so that the rule docker-host-docker has no effect. Delete it, or give"
        " it a priority above 300."
    ]


@pytest.mark.parametrize(
    "denied",
    [
        {"priority": 4000},
        {"protocol": "Udp"},
        {"direction": "Outbound"},
        {"sourceAddressPrefix": "10.1.0.0/16"},
        {"sourceAddressPrefix": "::/0"},
        {"sourcePortRange": "53"},
        {"destinationPortRange": "4244-5000"},
        {"destinationAddressPrefix": "10.9.9.9"},
    ],
)
def test_a_rule_that_denies_something_else_is_not(denied: Json) -> None:
    assert notes(rule(**denied)) == []


def test_a_rule_that_lets_in_more_than_the_host_allows_is_named() -> None:
    wide = rule(access="Allow", sourceAddressPrefix="Internet")
    also = "The rule audit of the security group web1-nsg, which this collection did not create, also lets Internet"
    docker, ssh = f"{also} connect to the Docker port 4243.", f"{also} connect to the SSH port 22."
    assert notes(wide) == [docker, ssh]
    assert notes(rule(4000, "Allow", sourceAddressPrefix="Internet")) == [docker, ssh]
    assert notes(wide, allowed_sources=["Internet"], ssh_allowed_sources=["*"]) == []
    assert notes(wide, allowed_sources=[]) == [docker, ssh]
    assert notes(rule(access="Allow", sourceAddressPrefix="10.2.0.0/16", destinationPortRange="4243")) == []
    assert notes(rule(access="Allow", sourceAddressPrefix="VirtualNetwork")) == []
    assert notes(rule(access="Allow", destinationPortRange="80"), open_ports=[{"port": 80}]) == []


def test_a_rule_behind_one_that_denies_everything_is_not() -> None:
    wide = rule(4000, "Allow", "late", sourceAddressPrefix="Internet")
    assert [note.split()[2] for note in notes(rule(200), wide)] == ["audit"]
    assert [note.split()[2] for note in notes(rule(200, protocol="Udp"), wide)] == ["late", "late"]


def test_a_port_of_the_users_can_be_denied_too() -> None:
    opened = {"open_ports": [{"port": "8000-8010"}], "allowed_sources": []}
    (note,) = notes(rule(destinationPortRange="8000-9000"), **opened)
    assert "access to port 8000-8010" in note
    assert notes(rule(destinationPortRange="8000-8005"), **opened) == []


def test_check_mode_and_the_run_say_it_and_change_nothing(cloud: Cloud) -> None:
    cloud.run(ssh_public_keys=[KEY])
    assert cloud.warnings == []
    cloud.arm("PUT", f"{NETWORK}/networkSecurityGroups/web1-nsg/securityRules/audit", {**rule(), "name": "audit"})
    for check in (True, False):
        assert cloud.run(check=check, ssh_public_keys=[KEY])["changed"] is False
        (warning,) = cloud.warnings
        assert "the rule docker-host-docker has no effect" in warning
