# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources that an existing host keeps where the options are blank, and those of a new one."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.ports import with_current_ports
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.sources import with_current_sources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources

from ..conftest import SUBSCRIPTION, Cloud, created, desired, plan_of

BLANK = {"allowed_sources": [""], "ssh_allowed_sources": [" "]}
RESTRICTED = {"allowed_sources": ["10.0.0.0/8", "192.0.2.7"], "ssh_allowed_sources": ["VirtualNetwork"]}


def rules_of(current: HostState, **given: t.Any) -> dict[str, tuple[str, ...]]:
    """The sources by rule that a host with options is going to have."""
    return {rule.name: rule.sources for rule in with_current_sources(desired(**given), current).inbound_rules}


def as_run(current: HostState, **given: t.Any) -> HostSpec:
    """The host that a run with options makes of an existing one."""
    host = desired(**given)
    return with_current_ports(with_current_sources(host, current), resolve_resources(host, SUBSCRIPTION), current)


def test_blank_sources_keep_those_of_the_existing_rules() -> None:
    current = created(desired(**RESTRICTED))
    assert rules_of(current, **BLANK) == {
        "docker-host-docker": ("10.0.0.0/8", "192.0.2.7"),
        "docker-host-ssh": ("VirtualNetwork",),
    }
    assert rules_of(current) == rules_of(current, **BLANK)


def test_a_host_keeps_its_open_ports_until_they_are_set_or_reset() -> None:
    opened = [80, "8000-8010", {"port": "53/udp", "allowed_sources": ["10.0.0.0/8", "192.0.2.7"]}]
    current = created(desired(open_ports=opened, docker_port=5000, **RESTRICTED))
    kept = {
        "docker-host-open-80-tcp": ("Internet",),
        "docker-host-open-8000-8010-tcp": ("Internet",),
        "docker-host-open-53-udp": ("10.0.0.0/8", "192.0.2.7"),
    }
    assert {name: sources for name, sources in rules_of(current).items() if "open" in name} == kept
    for given in ([], ["default"]):
        assert list(rules_of(current, open_ports=given)) == ["docker-host-docker", "docker-host-ssh"]
    assert plan_of(as_run(current), current).actions == []


def test_a_rule_for_application_security_groups_stays() -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/applicationSecurityGroups/ci"
    current = created(desired(**RESTRICTED, open_ports=[80]))
    for rule in (current.security_group or {})["properties"]["securityRules"]:
        properties = rule["properties"]
        del properties["sourceAddressPrefixes" if "sourceAddressPrefixes" in properties else "sourceAddressPrefix"]
        properties["sourceApplicationSecurityGroups"] = [{"id": group}]
    assert set(rules_of(current).values()) == {(group,)}
    assert plan_of(as_run(current), current).actions == []
    (action,) = plan_of(as_run(current, open_ports=[443]), current).actions
    rules = {rule["name"]: rule["properties"] for rule in (action.body or {})["properties"]["securityRules"]}
    assert rules["docker-host-docker"]["sourceApplicationSecurityGroups"] == [{"id": group}]
    assert rules["docker-host-open-443-tcp"]["sourceAddressPrefix"] == "Internet"


def test_rules_of_others_with_similar_names_stay_and_ours_are_known_in_any_case() -> None:
    current = created(desired(**RESTRICTED))
    rules = (current.security_group or {})["properties"]["securityRules"]
    rules[0]["name"] = rules[0]["name"].upper()
    deny = {"direction": "Inbound", "access": "Deny", "protocol": "*", "priority": 100}
    theirs = ["docker-host-deny-audit", "Docker-Host-Open", "docker-host-open-99-icmp"]
    rules += [{"name": name, "properties": {**deny, "priority": 100 + n}} for n, name in enumerate(theirs)]
    assert plan_of(as_run(current), current).actions == []
    (action,) = plan_of(as_run(current, open_ports=[443]), current).actions
    names = [rule["name"].lower() for rule in (action.body or {})["properties"]["securityRules"]]
    ours = ["docker-host-docker", "docker-host-ssh", "docker-host-open-443-tcp"]
    assert sorted(names) == sorted([*ours, *(name.lower() for name in theirs)])


def test_default_applies_the_defaults_again() -> None:
    current = created(desired(**RESTRICTED))
    given = {"allowed_sources": ["default"], "ssh_allowed_sources": ["default"]}
    assert rules_of(current, **given) == {"docker-host-docker": ("Internet",)}


def test_a_port_that_stays_open_and_a_new_port_of_the_engine_are_an_error() -> None:
    current = created(desired(open_ports=["4000-4010"], docker_port=5000))
    assert as_run(current).docker_port == 5000
    with pytest.raises(
        OptionError, match="must not contain the docker port, but the host keeps 4000-4010 open"
    ) as caught:
        as_run(current, docker_port=4005)
    assert caught.value.option == "open_ports"


def test_a_missing_security_group_is_made_with_the_defaults_and_one_of_others_is_not_taken_as_closed() -> None:
    current = created(desired(**RESTRICTED))
    assert rules_of(replace(current, security_group=None)) == {"docker-host-docker": ("Internet",)}
    theirs = {**(created(desired(allowed_sources=[])).security_group or {}), "tags": {}}
    assert rules_of(replace(current, security_group=theirs)) == {"docker-host-docker": ("Internet",)}
    without_tags = {**(current.security_group or {}), "tags": {}}
    assert rules_of(replace(current, security_group=without_tags)) == rules_of(current)


def test_blank_sources_of_a_host_without_rules_keep_it_closed() -> None:
    closed = created(desired(allowed_sources=[]))
    assert rules_of(closed, **BLANK) == {}
    assert rules_of(replace(closed, security_group=None), **BLANK) == {}


@pytest.mark.parametrize("change", [{"access": "Deny"}, {"direction": "Outbound"}])
def test_blank_sources_do_not_turn_a_rule_that_lets_nobody_in_into_one_that_does(change: dict[str, str]) -> None:
    current = created(desired(**RESTRICTED))
    group = copy.deepcopy(current.security_group) or {}
    for rule in group["properties"]["securityRules"]:
        rule["properties"].update(change)
    assert rules_of(replace(current, security_group=group), **BLANK) == {}


def test_blank_sources_of_a_new_host_are_the_defaults() -> None:
    assert rules_of(HostState(), **BLANK) == {"docker-host-docker": ("Internet",)}


def test_a_restricted_rule_without_its_virtual_machine_stays_restricted() -> None:
    current = replace(created(desired(**RESTRICTED)), virtual_machine=None)
    assert rules_of(current, **BLANK)["docker-host-docker"] == ("10.0.0.0/8", "192.0.2.7")


@pytest.mark.parametrize("sources", [["", ""], [" ", " "], ["", "\t", "\n"]])
@pytest.mark.parametrize("option", ["allowed_sources", "ssh_allowed_sources"])
def test_separators_without_a_source_are_an_error(option: str, sources: list[str]) -> None:
    with pytest.raises(OptionError, match="must have at least one source, or be an empty list") as caught:
        desired(**{option: sources})
    assert caught.value.option == option


def test_a_host_that_is_run_without_the_options_stays_as_it_is_and_one_that_is_reset_warns(cloud: Cloud) -> None:
    new = cloud.run(True, allowed_sources=[""])
    assert [text for text in cloud.warnings if "O(allowed_sources) is blank" in text]
    assert (new["allowed_sources"], new["widened_access"]) == (["Internet"], [])
    cloud.run(**RESTRICTED, open_ports=["53/udp"])
    for options in ({}, BLANK):
        kept = cloud.run(**options)
        assert (kept["changed"], kept["allowed_sources"]) == (False, RESTRICTED["allowed_sources"])
        assert kept["open_ports"] == [{"port": "53/udp", "allowed_sources": ["Internet"]}]
        assert kept["widened_access"] == cloud.warnings == []
    reset = {"allowed_sources": ["default"]}
    for check in (True, False):
        opened = cloud.run(check, **reset)
        (line,) = opened["widened_access"]
        assert "Docker port 4243 of web1 after this run: Internet; until now 10.0.0.0/8, 192.0.2.7" in line
        (warning,) = cloud.warnings
        assert warning == line
    assert cloud.run()["widened_access"] == cloud.warnings == []
