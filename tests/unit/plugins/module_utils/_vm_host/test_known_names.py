# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that users add to those in Azure: an existing host keeps what an earlier run recorded."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import Cloud

NAMES: dict[str, t.Any] = {
    "address": "a.example.com",
    "dns_names": ["b.example.com"],
    "ip_addresses": ["192.0.2.7"],
}
OTHERS: dict[str, t.Any] = {"address": "192.0.2.9", "dns_names": ["c.example.com"], "ip_addresses": ["192.0.2.8"]}


def known(host: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a later run is given of a host: the record of its names, with the ID of its VM in another case."""
    return {"id": host["id"].upper(), **host["extra_names"]}


def test_names_that_are_left_out_are_those_that_are_known(cloud: Cloud) -> None:
    host = cloud.run(**NAMES)["host"]
    assert host["extra_names"] == NAMES
    for check in (True, False):
        again = cloud.run(check=check, known_names=known(host))
        assert (again["host"], again["actions"]) == (host, [])
    assert cloud.run()["host"]["docker_host"] != host["docker_host"]


@pytest.mark.parametrize("option", NAMES)
def test_a_name_that_is_given_replaces_the_known_one(cloud: Cloud, option: str) -> None:
    host = cloud.run(**NAMES)["host"]
    given = cloud.run(known_names=known(host), **{option: OTHERS[option]})["host"]
    assert given["extra_names"] == {**NAMES, option: OTHERS[option]}


def test_a_new_host_has_none_of_the_names_of_one_before(cloud: Cloud) -> None:
    host = cloud.run(check=True, **NAMES)["host"]
    assert cloud.run(known_names=known(host))["host"]["extra_names"] == {
        "address": None,
        "dns_names": [],
        "ip_addresses": [],
    }


def test_the_names_of_another_vm_do_not_count(cloud: Cloud) -> None:
    host = cloud.run()["host"]
    other = {"id": host["id"].replace("/virtualMachines/web1", "/virtualMachines/web2"), **NAMES}
    assert cloud.run(known_names=other)["host"] == host


def test_who_only_changes_the_power_state_does_not_decide_about_names(cloud: Cloud) -> None:
    cloud.run(**NAMES)
    assert cloud.run(state="stopped")["host"]["extra_names"] is None
