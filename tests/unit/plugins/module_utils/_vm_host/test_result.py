# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host as docker_vm_host returns it."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._host_keys import HOST_KEYS
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.names import ExtraNames
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import Action, Plan
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.result import (
    KnownValues,
    describe_host,
    predict_host,
)
from ansible_collections.dockerhost.azure.plugins.modules import docker_vm_host

from .conftest import SUBSCRIPTION, created, desired, plan_of

FQDN = "web1-1a2b3c4d.westeurope.cloudapp.azure.com"


def current() -> HostState:
    """A host with a DNS name and addresses, as Azure shows it."""
    state = created(desired())
    address, interface = copy.deepcopy(state.public_ip_address), copy.deepcopy(state.network_interface)
    assert address
    assert interface
    address["properties"].update(ipAddress="203.0.113.10", dnsSettings={"fqdn": FQDN})
    interface["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = "10.0.0.4"
    return replace(state, public_ip_address=address, network_interface=interface)


def described(state: HostState, names: ExtraNames | None = None, **given: t.Any) -> dict[str, t.Any]:
    """The host with the names that the user adds."""
    resources = resolve_resources(desired(**given), SUBSCRIPTION)
    return describe_host(resources, state, KnownValues(admin_username="me", names=names or ExtraNames()))


def test_the_documented_keys_are_those_that_other_modules_accept() -> None:
    contains = yaml.safe_load(docker_vm_host.RETURN)["host"]["contains"]
    assert sorted(contains) == sorted(HOST_KEYS)
    assert sorted(described(current())) == sorted(HOST_KEYS)


def test_the_names_are_those_of_azure_and_the_users() -> None:
    host = described(current(), ExtraNames(dns_names=("web1.example.org", FQDN), ip_addresses=("198.51.100.1",)))
    assert host["dns_names"] == ["web1.example.org", FQDN]
    assert host["ip_addresses"] == ["198.51.100.1", "203.0.113.10", "10.0.0.4"]
    assert host["docker_host"] == f"tcp://{FQDN}:4243"
    assert host["ssh_url"] == f"ssh://azureuser@{FQDN}:22"


@pytest.mark.parametrize(
    ("address", "shown"), [("web1.example.org", "web1.example.org"), ("2001:db8::1", "[2001:db8::1]")]
)
def test_the_users_address_is_where_the_host_is_reached(address: str, shown: str) -> None:
    host = described(current(), ExtraNames(address=address))
    assert host["docker_host"] == f"tcp://{shown}:4243"
    assert host["ssh_url"] == f"ssh://azureuser@{shown}:22"


def test_a_host_that_is_yet_to_be_created_is_known_by_the_users_address_alone() -> None:
    host, plan = desired(), plan_of(desired(), HostState())
    names = ExtraNames("web1.example.org", ("web1.example.org",))
    known = KnownValues(admin_username="me", names=names)
    predicted = predict_host(described(HostState(), names), plan, known, None)
    assert predicted["docker_host"] == "tcp://web1.example.org:4243"
    assert predicted["ssh_url"] == "ssh://me@web1.example.org:22"
    assert predicted["dns_names"] == ["web1.example.org"]
    expected = {"public_ip_address", "fqdn", "private_ip_address", "dns_names", "ip_addresses"}
    assert set(predicted["unknown"]) == expected
    bare = predict_host(described(HostState()), plan, KnownValues(admin_username="me"), None)
    assert set(bare["unknown"]) == expected | {"docker_host", "ssh_url"}
    assert (bare["docker_host"], bare["ssh_url"], bare["power_state"]) == (None, None, "running")
    assert host.name == bare["name"]


@pytest.mark.parametrize(
    ("verbs", "power_state"),
    [
        ([], "running"),
        (["update"], "running"),
        (["deallocate", "update"], "deallocated"),
        (["deallocate", "update", "start"], "running"),
        (["power off"], "stopped"),
        (["restart"], "running"),
        (["create"], "running"),
    ],
)
def test_the_last_action_decides_the_power_state(verbs: list[str], power_state: str) -> None:
    plan = Plan([Action(verb, "virtual_machine", verb, "/vm") for verb in verbs])
    assert predict_host(described(current()), plan, KnownValues(), None)["power_state"] == power_state
