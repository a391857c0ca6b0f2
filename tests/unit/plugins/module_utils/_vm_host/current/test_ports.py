# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An existing host keeps its ports, and a tag decides none."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tags import tags_without
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.ports import with_current_ports
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources

from ..conftest import SUBSCRIPTION, created, desired


def ported(rule: str | None = None, tag: str | None = None, option: str = "docker", **given: t.Any) -> HostSpec:
    """A host that exists with a port by its rule, and one by its tag, as the next run sees it."""
    host = desired(ssh_allowed_sources=["Internet"])
    current = created(host)
    group, machine = copy.deepcopy(current.security_group), copy.deepcopy(current.virtual_machine)
    assert group
    assert machine
    rules = group["properties"]["securityRules"]
    kept = [entry for entry in rules if entry["name"] != f"docker-host-{option}"]
    ours = {"name": f"docker-host-{option}", "properties": {"destinationPortRange": rule}}
    group["properties"]["securityRules"] = [*kept, ours] if rule else kept
    name = "docker-host-port" if option == "docker" else "docker-host-ssh-port"
    machine["tags"] = tags_without(machine["tags"], [name]) | ({name: tag} if tag else {})
    current = replace(current, security_group=group, virtual_machine=machine)
    asked = desired(ssh_allowed_sources=["Internet"], **given)
    return with_current_ports(asked, resolve_resources(asked, SUBSCRIPTION), current)


def test_a_host_keeps_the_port_that_it_has() -> None:
    assert ported("5000", "5000").docker_port == 5000
    assert ported("5000", "5000", docker_port=6000).docker_port == 6000
    assert ported("2222", "2222", "ssh").ssh_port == 2222
    assert [rule.ports for rule in ported("5000", "5000").inbound_rules] == ["5000", "22"]


@pytest.mark.parametrize(("rule", "tag"), [("4243", "5432"), ("5000", None), (None, "5432")])
def test_a_tag_decides_no_port(rule: str | None, tag: str | None) -> None:
    """Who may write tags must not open a port to the internet by them."""
    for option in ("docker", "ssh"):
        with pytest.raises(OptionError, match=f"set {option}_port to the right port") as caught:
            ported(rule, tag, option)
        assert caught.value.option == f"{option}_port"
    assert ported(rule, tag, docker_port=5432).docker_port == 5432


def test_a_tag_that_is_no_number_counts_as_none() -> None:
    assert ported("4243", "; rm").docker_port == 4243


def test_a_port_that_the_host_has_is_not_opened_by_the_way() -> None:
    with pytest.raises(OptionError, match="docker port") as caught:
        ported("5000", "5000", open_ports=["5000-5010"])
    assert caught.value.option == "open_ports[0]"
