# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that lets more sources in than before says so, whatever the cause."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.access import widened_access

from ..conftest import SUBSCRIPTION, created, desired

Options = dict[str, t.Any]


def widened(current: HostState, **given: t.Any) -> list[str]:
    """What a run with options says of a host."""
    host = desired(**given)
    return widened_access(host, resolve_resources(host, SUBSCRIPTION), current)


def sources(*given: str) -> Options:
    """The option of the engine's port."""
    return {"allowed_sources": list(given)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sources("10.0.0.0/8"), {}),
        (sources("10.0.0.0/8"), sources("10.0.0.0/7")),
        (sources("10.0.0.0/8"), sources("10.0.0.0/8", "192.0.2.1")),
        (sources("10.0.0.0/8"), sources("VirtualNetwork")),
        (sources("VirtualNetwork"), sources("10.0.0.0/8")),
        (sources(), sources("192.0.2.1")),
        ({}, {"ssh_allowed_sources": ["192.0.2.1"]}),
        (sources("10.0.0.0/8"), {"docker_port": 5000}),
        ({"open_ports": [{"port": 80, "allowed_sources": ["10.0.0.0/8"]}]}, {"open_ports": [80]}),
    ],
)
def test_more_sources_are_said(before: Options, after: Options) -> None:
    (line,) = widened(created(desired(**before)), **after)
    assert "More sources can connect to" in line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, sources("10.0.0.0/8")),
        ({}, sources("0.0.0.0/0")),
        (sources("*"), sources("VirtualNetwork")),
        (sources("10.0.0.0/8"), sources("10.1.0.0/16", "10.2.3.4")),
        (sources("10.0.0.0/9", "10.128.0.0/9"), sources("10.0.0.0/8")),
        (sources("10.0.0.0/8"), sources()),
        (sources("10.0.0.0/8"), {**sources("10.0.0.0/8"), "docker_port": 5000}),
        ({}, {"open_ports": [80]}),
        (sources("10.0.0.0/8"), {"security_group": "other"}),
    ],
)
def test_the_same_or_fewer_sources_are_not(before: Options, after: Options) -> None:
    assert widened(created(desired(**before)), **after) == []


def test_a_new_host_widens_nothing() -> None:
    assert widened(HostState()) == []


def with_interface(current: HostState, change: t.Callable[[dict[str, t.Any]], t.Any]) -> HostState:
    """A host whose network interface somebody changed."""
    interface = copy.deepcopy(current.network_interface) or {}
    change(interface["properties"])
    return replace(current, network_interface=interface)


def test_another_security_group_and_none_count_as_closed_before() -> None:
    host = created(desired())
    other = with_interface(host, lambda interface: interface.update(networkSecurityGroup={"id": "/other"}))
    none = with_interface(host, lambda interface: interface.pop("networkSecurityGroup"))
    for current in (other, none, replace(host, security_group=None)):
        (line,) = widened(current)
        assert "until now nobody" in line


def test_a_public_address_is_said() -> None:
    (line,) = widened(created(desired(assign_public_ip=False)))
    assert "gets a public IP address" in line
    assert widened(created(desired(assign_public_ip=False, **sources())), **sources()) == []
