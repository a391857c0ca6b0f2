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
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.sources import with_current_sources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState

from ..conftest import Cloud, created, desired

BLANK = {"allowed_sources": [""], "ssh_allowed_sources": [" "]}
RESTRICTED = {"allowed_sources": ["10.0.0.0/8", "192.0.2.7"], "ssh_allowed_sources": ["VirtualNetwork"]}


def rules_of(current: HostState, **given: t.Any) -> dict[str, tuple[str, ...]]:
    """The sources by rule that a host with options is going to have."""
    return {rule.name: rule.sources for rule in with_current_sources(desired(**given), current).inbound_rules}


def test_blank_sources_keep_those_of_the_existing_rules() -> None:
    current = created(desired(**RESTRICTED))
    assert rules_of(current, **BLANK) == {
        "docker-host-docker": ("10.0.0.0/8", "192.0.2.7"),
        "docker-host-ssh": ("VirtualNetwork",),
    }
    assert rules_of(current) == {"docker-host-docker": ("Internet",)}


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


def test_a_host_that_is_run_with_blanks_stays_as_it_is_and_one_without_the_options_warns(cloud: Cloud) -> None:
    new = cloud.run(True, allowed_sources=[""])
    assert [text for text in cloud.warnings if "O(allowed_sources) is blank" in text]
    assert (new["allowed_sources"], new["widened_access"]) == (["Internet"], [])
    cloud.run(**RESTRICTED)
    kept = cloud.run(**BLANK)
    assert (kept["changed"], kept["allowed_sources"]) == (False, RESTRICTED["allowed_sources"])
    assert kept["widened_access"] == cloud.warnings == []
    for check in (True, False):
        opened = cloud.run(check)
        (line,) = opened["widened_access"]
        assert "Docker port 4243 of web1 after this run: Internet; until now 10.0.0.0/8, 192.0.2.7" in line
        (warning,) = cloud.warnings
        assert warning.startswith(line)
        assert "leaves out O(allowed_sources)" in warning
    assert cloud.run()["widened_access"] == cloud.warnings == []
