# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan changes, in the words of a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.wording import describe

from ..conftest import created, desired, plan_of


def test_a_new_host_is_described_by_what_is_asked_for() -> None:
    host = desired(
        vm_size="Standard_D2s_v5",
        os_disk_size_gb=64,
        data_disks=[{"lun": 0, "disk_size_gb": 32}],
        allowed_sources=["192.0.2.0/24"],
        open_ports=[80],
        dns_label="web1-label",
    )
    lines = describe(plan_of(host, HostState()).actions)
    assert lines[0].startswith("create virtual machine web1: Standard_D2s_v5 in westeurope, image ")
    assert lines[0].endswith(", OS disk 64 GiB StandardSSD_LRS, data disk 32 GiB (LUN 0)")
    assert "create public IP address web1-ip: static, DNS label web1-label" in lines
    assert (
        "create network security group web1-nsg: allow Docker TCP 4243 from 192.0.2.0/24,"
        " allow TCP 80 from Internet, SSH stays closed" in lines
    )


def test_a_new_host_that_installs_its_engine_at_boot_says_so() -> None:
    (line, *_others) = describe(
        plan_of(desired(engine={"at_boot": True}, setup_program="print()"), HostState()).actions
    )
    assert line.startswith("create virtual machine web1: ")
    assert line.endswith(", engine at first boot")


def test_a_restart_is_said_of_the_change_that_causes_it(host: HostSpec) -> None:
    changed = desired(vm_size="Standard_D2s_v5", data_disks=[{"lun": 0, "disk_size_gb": 32}], allow_stop=True)
    current = replace(created(host), available_sizes=frozenset({"standard_d2s_v5"}))
    lines = describe(plan_of(changed, current).actions)
    assert "attach data disk 32 GiB (LUN 0)" in lines
    assert [line.partition(" ->")[0][:7] for line in lines if line.endswith(" (restarts it)")] == ["vm size"]


def test_a_change_is_described_property_by_property(host: HostSpec) -> None:
    changed = desired(
        docker_port=2376,
        tags={"team": "web"},
        open_ports=["53/udp"],
        ssh_allowed_sources=["192.0.2.1"],
        data_disks=[{"lun": 0, "disk_size_gb": 32}],
        vm_size="Standard_D2s_v5",
        allow_stop=True,
    )
    lines = describe(plan_of(changed, created(host)).actions)
    for line in (
        "Docker port 4243 -> 2376",
        "tag team: set to web",
        "attach data disk 32 GiB (LUN 0)",
        "allow Docker TCP 2376 from Internet (was: Docker TCP 4243 from Internet)",
        "allow SSH TCP 22 from 192.0.2.1",
        "allow UDP 53 from Internet",
    ):
        assert line in lines
    assert any(line.startswith("vm size Standard_B2als_v2 -> Standard_D2s_v5") for line in lines)


def test_a_port_that_is_no_longer_asked_for_is_closed(host: HostSpec) -> None:
    open_now = created(desired(open_ports=[80]))
    assert describe(plan_of(host, open_now).actions) == ["close TCP 80 from Internet"]


def test_nothing_to_change_has_no_words(host: HostSpec) -> None:
    assert describe(plan_of(host, created(host)).actions) == []


@pytest.mark.parametrize(
    ("option", "port", "rest"),
    [("allowed_sources", "4243", {}), ("ssh_allowed_sources", "22", {"ssh_allowed_sources": ["*"]})],
)
def test_a_port_that_opens_to_everybody_is_warned_about(option: str, port: str, rest: dict[str, list[str]]) -> None:
    restricted = created(desired(**{option: ["10.0.0.0/8", "192.0.2.1"]}))
    (note,) = plan_of(desired(**rest), restricted).notes
    assert f"port {port} of web1 after this run: " in note
    assert "until now 10.0.0.0/8, 192.0.2.1." in note


def test_fewer_sources_are_not_warned_about(host: HostSpec) -> None:
    assert plan_of(host, created(host)).notes == []
    assert plan_of(desired(allowed_sources=["10.0.0.0/8"]), created(host)).notes == []
