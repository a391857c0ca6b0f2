# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts as a table, as JSON, and for ssh."""

from __future__ import annotations

import json
import typing as t
from datetime import timedelta

from ansible_collections.dockerhost.azure.plugins.module_utils._role.listing import listing
from ansible_collections.dockerhost.azure.plugins.module_utils._role.results import ISO
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.times import utc_now


def host(**given: t.Any) -> dict[str, t.Any]:
    """A host as docker_vm_host_info returns it."""
    return {
        "name": "web1",
        "power_state": "running",
        "docker_host": "tcp://web1.example:4243",
        "docker_port": 4243,
        "ssh_port": 2222,
        "admin_username": "azureuser",
        "vm_size": "Standard_B2s",
        "resource_group": "docker-hosts",
        "location": "westeurope",
        "subscription_id": "s",
        "cert_expires": (utc_now() + timedelta(days=10, hours=1)).strftime(ISO),
        "extensions": [],
        **given,
    }


def test_the_table_has_what_docker_machine_ls_shows() -> None:
    lines = listing([host(), host(name="off", power_state="deallocated", docker_host=None, cert_expires=None)], "text")
    assert [line.split() for line in lines] == [
        ["NAME", "STATE", "ADDRESS", "ENGINE", "PORT", "DAYS", "LEFT", "SIZE", "GROUP"],
        ["web1", "running", "web1.example", "-", "4243", "10", "Standard_B2s", "docker-hosts"],
        ["off", "deallocated", "-", "-", "4243", "-", "Standard_B2s", "docker-hosts"],
    ]


def test_the_engine_is_what_the_last_push_reported() -> None:
    report = json.dumps({"docker_setup": 1, "ok": True, "engine": {"version": "28.0.1"}})
    extensions = [{"message": None}, {"message": f"Enable succeeded: \n[stdout]\n{report}\n\n[stderr]\n"}]
    assert listing([host(extensions=extensions)], "text")[1].split()[3] == "28.0.1"
    assert listing([host(run_commands=[{"message": f"{report}\n"}])], "text")[1].split()[3] == "28.0.1"


def test_json_has_null_for_what_is_not_known() -> None:
    (line,) = listing([host(cert_expires=None)], "json")
    (listed,) = json.loads(line)
    assert (listed["name"], listed["docker_port"], listed["days_left"]) == ("web1", 4243, None)


def test_ssh_reaches_hosts_that_have_an_address() -> None:
    assert listing([host(), host(docker_host=None)], "ssh_config") == [
        "Host web1",
        "  HostName web1.example",
        "  User azureuser",
        "  Port 2222",
    ]


def test_no_host_is_said_in_words() -> None:
    assert listing([], "text") == ["There are no Docker hosts that this collection created."]
    assert listing([], "json") == ["[]"]


def test_what_machines_and_tags_say_of_themselves_adds_no_line_and_no_error() -> None:
    for version in ("28\nweb2  running", ["28"], {"a": "b"}):
        report = json.dumps({"docker_setup": 1, "ok": True, "engine": {"version": version}})
        assert len(listing([host(extensions=[{"message": report}])], "text")) == 2
    report = json.dumps({"docker_setup": 1, "ok": True, "engine": "28"})
    assert listing([host(extensions=[{"message": report}], cert_expires="soon")], "text")[1].split()[3:6] == [
        "-",
        "4243",
        "-",
    ]


def test_a_machine_without_a_known_user_is_reached_as_the_user_who_connects() -> None:
    assert not any("User" in line for line in listing([host(admin_username=None)], "ssh_config"))
