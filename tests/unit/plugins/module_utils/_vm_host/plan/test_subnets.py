# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of network and subnet: asked for, present, or chosen; nothing is written before they fit."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tags import SHARED, owner_tags
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import ImmutableError

from ..conftest import SUBSCRIPTION, Cloud, desired, plan_of

Json = dict[str, t.Any]


def shared(*spaces: str, **subnets: str) -> HostState:
    """A shared network that is there."""
    path = str(resolve_resources(desired(), SUBSCRIPTION).virtual_network)
    found = [
        {"id": f"{path}/subnets/{name}", "name": name, "properties": {"addressPrefix": prefix}}
        for name, prefix in subnets.items()
    ]
    properties = {"addressSpace": {"addressPrefixes": list(spaces)}, "subnets": found}
    network = {"id": path, "location": "westeurope", "tags": owner_tags(SHARED), "properties": properties}
    return HostState(virtual_network=network)


def made(current: HostState, **given: t.Any) -> tuple[list[str], str] | str | None:
    """The addresses of the network and subnet that a plan makes."""
    plan = plan_of(desired(**given), current)
    network, subnet = plan.action("virtual_network"), plan.action("subnet")
    if network:
        properties = (network.body or {})["properties"]
        prefix = properties["subnets"][0]["properties"]["addressPrefix"]
        return properties["addressSpace"]["addressPrefixes"], prefix
    return (subnet.body or {})["properties"]["addressPrefix"] if subnet else None


@pytest.mark.parametrize(
    ("given", "space", "subnet"),
    [
        ({}, "10.0.0.0/16", "10.0.0.0/24"),
        ({"virtual_network_prefix": "10.0.0.0/25"}, "10.0.0.0/25", "10.0.0.0/25"),
        ({"virtual_network_prefix": "172.16.0.0/12"}, "172.16.0.0/12", "172.16.0.0/24"),
        ({"subnet_prefix": "10.0.8.0/22"}, "10.0.0.0/16", "10.0.8.0/22"),
    ],
)
def test_a_new_network(given: Json, space: str, subnet: str) -> None:
    assert made(HostState(), **given) == ([space], subnet)


@pytest.mark.parametrize(
    ("current", "given", "subnet"),
    [
        (shared("10.0.0.0/16", docker="10.0.0.0/24"), {}, None),
        (shared("10.0.0.0/16", docker="10.0.0.0/24"), {"subnet_name": "more"}, "10.0.1.0/24"),
        (shared("10.0.0.0/16", docker="10.0.0.0/23", x="10.0.3.0/26"), {"subnet_name": "more"}, "10.0.2.0/24"),
        (shared("10.0.0.0/24", "10.9.0.0/16", docker="10.0.0.0/24"), {"subnet_name": "more"}, "10.9.0.0/24"),
        (shared("192.168.4.0/22"), {}, "192.168.4.0/24"),
        (shared("fd00::/48", "192.168.4.0/26"), {}, "192.168.4.0/26"),
        (shared("192.168.4.0/22"), {"subnet_prefix": "192.168.6.0/26"}, "192.168.6.0/26"),
    ],
)
def test_a_subnet_in_a_network_that_is_there(current: HostState, given: Json, subnet: str | None) -> None:
    assert made(current, **given) == subnet


@pytest.mark.parametrize(
    ("current", "given", "option"),
    [
        (HostState(), {"subnet_prefix": "10.1.0.0/24"}, "subnet_prefix"),
        (shared("10.0.0.0/24", docker="10.0.0.0/25"), {"subnet_name": "more"}, "subnet_prefix"),
        (shared("192.168.4.0/22"), {"subnet_prefix": "10.0.0.0/24"}, "subnet_prefix"),
        (
            shared("10.0.0.0/16", docker="10.0.0.0/24"),
            {"subnet_name": "more", "subnet_prefix": "10.0.0.128/25"},
            "subnet_prefix",
        ),
        (HostState(), {"private_ip_address": "10.0.0.3"}, "private_ip_address"),
        (HostState(), {"private_ip_address": "10.0.0.255"}, "private_ip_address"),
        (HostState(), {"private_ip_address": "10.0.1.4"}, "private_ip_address"),
        (shared("10.0.0.0/16", docker="10.0.7.0/24"), {"private_ip_address": "10.0.0.9"}, "private_ip_address"),
    ],
)
def test_addresses_that_cannot_be_had(current: HostState, given: Json, option: str) -> None:
    with pytest.raises(OptionError) as caught:
        plan_of(desired(**given), current)
    assert caught.value.option == option


def test_a_private_address_is_of_the_subnet_that_is_there() -> None:
    current = shared("10.0.0.0/16", docker="10.0.7.0/24")
    assert plan_of(desired(private_ip_address="10.0.7.9"), current)
    assert plan_of(desired(private_ip_address="10.0.0.9", subnet_name="more"), current)


def test_other_addresses_than_the_networks_are_named_with_both_values() -> None:
    current = shared("10.0.0.0/16", docker="10.0.0.0/24")
    assert made(current, virtual_network_prefix="10.0.0.0/16", subnet_prefix="10.0.0.0/24") is None
    with pytest.raises(ImmutableError) as caught:
        plan_of(desired(virtual_network_prefix="10.2.0.0/16", subnet_prefix="10.2.0.0/24"), current)
    assert caught.value.details["immutable"] == [
        {"property": "virtual_network_prefix", "current": "10.0.0.0/16", "desired": "10.2.0.0/16"},
        {"property": "subnet_prefix", "current": "10.0.0.0/24", "desired": "10.2.0.0/24"},
    ]


def test_a_complete_host_too_is_told_of_other_addresses(cloud: Cloud) -> None:
    cloud.run()
    for given in ({"virtual_network_prefix": "10.2.0.0/16"}, {"subnet_prefix": "10.0.2.0/24"}):
        with pytest.raises(ImmutableError, match="The network docker-vnet"):
            cloud.run(**given)
        assert cloud.writes == []
    with pytest.raises(OptionError, match="private_ip_address"):
        cloud.run(private_ip_address="10.0.2.9")
    assert cloud.writes == []
    assert cloud.run(virtual_network_prefix="10.0.0.0/16")["changed"] is False


def test_a_host_stays_in_its_subnet_when_none_is_named(cloud: Cloud) -> None:
    predicted = cloud.run(check=True, name="web1", subnet_name="more")
    assert cloud.run(name="web1")["changed"]
    moved = cloud.run(name="web1", subnet_name="more")
    assert "create subnet more" in moved["actions"]
    assert predicted["host"]["resources"]["subnet"].endswith("/more")
    again = cloud.run(name="web1")
    assert (again["changed"], cloud.writes) == (False, [])
    assert again["host"]["resources"]["subnet"].endswith("/docker-vnet/subnets/more")
    assert cloud.run(name="web1", subnet_name="docker")["actions"] == ["update network interface web1-nic"]


def test_hosts_of_several_subnets_at_once(cloud: Cloud) -> None:
    """Each looks for room in the network while the others make their subnets in it."""
    import concurrent.futures

    from ..conftest import KEY

    cloud.run(name="web0", ssh_public_keys=[KEY])
    clouds = [Cloud(cloud.azure, cloud.key.parent) for _place in range(4)]
    for one in clouds:
        one.group = cloud.group
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(one.run, name=f"web{place + 1}", subnet_name=f"s{place}", ssh_public_keys=[KEY])
            for place, one in enumerate(clouds)
        ]
        subnets = {run.result()["host"]["private_ip_address"].rpartition(".")[0] for run in runs}
    assert subnets == {"10.0.1", "10.0.2", "10.0.3", "10.0.4"}
