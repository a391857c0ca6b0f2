# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last lines of a run of the role."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import RoleVariables
from ansible_collections.dockerhost.azure.plugins.module_utils._role.summary import (
    artifacts_of,
    host_entry,
    summary,
    table,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._role.summary_task import BACKEND

CHANGE = "Docker port 4243 -> 2376"
DEFAULTS = {name: option.get("default") for name, option in BACKEND.spec.argument_spec.items()}
CREATION = "create virtual machine web1: Standard_B2als_v2 in westeurope"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for name in ("DOCKER_CONFIG", "AWX_PRIVATE_DATA_DIR", "JOB_ID"):
        monkeypatch.delenv(name, raising=False)


def facts(name: str = "web1", *actions: str, predicted: bool = False) -> dict[str, t.Any]:
    """The facts of a host."""
    identity = {"not_after": "2027-12-31T10:11:12Z", "dns_names": [f"{name}.example"], "ip_addresses": []}
    connection = {"ca_path": "/c d/ca.pem", "client_cert": "/c d/cert.pem", "client_key": "/c d/key.pem"}
    return {
        "name": name,
        "changed": bool(actions),
        "actions": list(actions),
        "predicted": predicted,
        "docker_host": f"tcp://{name}.example:4243",
        "context": name,
        "connection": connection,
        "host": {"docker_port": 4243, "ssh_port": 22, "admin_username": "azureuser"},
        "engine": {"Version": "28.0.1"},
        "certificates": {"cert_dir": "/c d", "ca": identity, "client": identity, "server": identity},
    }


def entry(known: dict[str, t.Any], machine: dict[str, t.Any] | None = None, **variables: t.Any) -> dict[str, t.Any]:
    """A host as the action gives it."""
    given = {f"docker_host_{name}": value for name, value in {"name": known["name"], **variables}.items()}
    return host_entry(RoleVariables(given.get), known, applied=True, machine=machine or {})


def lines(*entries: dict[str, t.Any], check_mode: bool = False) -> list[str]:
    """The summary."""
    return summary(entries, check_mode=check_mode)


def test_a_result_says_what_changed_and_then_how_to_connect() -> None:
    assert lines(entry(facts("web1", CHANGE), ssh_allowed_sources=["10.0.0.0/8"])) == [
        "web1 was changed:",
        f"  {CHANGE}",
        "Docker 28.0.1 at tcp://web1.example:4243",
        "Addresses: web1.example",
        "Ports: 4243 (Docker) from Internet; 22 (SSH) from 10.0.0.0/8",
        "Certificates in /c d expire: host 2027-12-31, client 2027-12-31, CA 2027-12-31",
        "Connect with:",
        "  docker --context web1 info",
        "  docker --tlsverify --tlscacert '/c d/ca.pem' --tlscert '/c d/cert.pem' --tlskey '/c d/key.pem'"
        " -H tcp://web1.example:4243 info",
        "  ssh -i ~/.ssh/docker_host_ed25519 -p 22 azureuser@web1.example",
    ]


def test_a_preview_says_what_would_change_and_nothing_of_the_future() -> None:
    preview = facts("web1", CHANGE, predicted=True)
    assert lines(entry(preview), check_mode=True) == [
        "Check mode: nothing was changed. web1 would be changed:",
        f"  {CHANGE}",
    ]
    assert lines(entry(facts("web1", CREATION, predicted=True)), check_mode=True)[0].endswith("web1 would be created:")


def test_access_that_was_widened_is_said_and_sources_that_were_kept_are_shown() -> None:
    machine = {"widened_access": ["More sources."], "allowed_sources": ["10.0.0.0/8"], "ssh_allowed_sources": []}
    shown = lines(entry(facts("web1", CHANGE), machine, allowed_sources="", ssh_allowed_sources=""))
    assert shown[1:3] == [f"  {CHANGE}", "More sources."]
    assert "Ports: 4243 (Docker) from 10.0.0.0/8; 22 (SSH) closed" in shown
    assert "More sources." in lines(entry(facts("web1", CHANGE, predicted=True), machine), check_mode=True)
    assert lines(entry(facts("web1", CHANGE), machine), entry(facts("web2"))).count("More sources.") == 1


def test_a_run_without_changes_says_so() -> None:
    assert lines(entry(facts()))[0] == "web1 is as desired: nothing needed to change."
    assert lines(entry(facts()), check_mode=True)[0] == "Check mode: web1 is as desired: nothing needs to change."


def test_a_context_in_another_directory_is_named_with_it() -> None:
    assert "  docker --config /srv/docker --context web1 info" in lines(entry(facts(), docker_config="/srv/docker"))


def test_commands_with_files_that_a_job_discards_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_ID", "7")
    known = facts()
    for key in known["connection"]:
        known["connection"][key] = "/home/me/.docker/key.pem"
    shown = lines(entry(known))
    assert not [line for line in shown if "docker --" in line]
    assert shown[-1].startswith("The files of this job are discarded at its end")


def test_several_hosts_are_one_table() -> None:
    hosts = [facts("web1", CREATION), facts("web22"), facts("web3", CHANGE)]
    shown = lines(*map(entry, hosts))
    assert shown[0].split() == ["HOST", "RESULT", "ENGINE", "ADDRESS", "EXPIRES"]
    assert [line.split()[:3] for line in shown[1:4]] == [
        ["web1", "created", "28.0.1"],
        ["web22", "unchanged", "28.0.1"],
        ["web3", "changed", "28.0.1"],
    ]
    assert shown[4:] == ["web3 was changed:", f"  {CHANGE}", "Connect with:", "  docker --context HOST info"]


def test_columns_are_aligned_and_empty_cells_are_dashes() -> None:
    assert table(("A", "B", "C"), [("long", None, 1), ("", "x", "")]) == ["A     B  C", "long  -  1", "-     x  -"]


def test_later_jobs_get_the_hosts_that_exist_and_no_paths() -> None:
    artifacts = artifacts_of([entry(facts("web1", CHANGE)), entry(facts("web2", CREATION, predicted=True))])
    assert list(artifacts) == ["web1"]
    assert artifacts["web1"]["changed"] is True
    assert artifacts["web1"]["docker_host"] == "tcp://web1.example:4243"
    assert "/c d" not in str(artifacts)


def test_lines_come_before_the_hosts() -> None:
    params = {name: option.get("default") for name, option in BACKEND.spec.argument_spec.items()}
    result = BACKEND.run(Request({**params, "hosts": [entry(facts())], "lines": ["first"]}))
    assert result["changed"] is False
    assert result["lines"][:2] == ["first", "web1 is as desired: nothing needed to change."]


def test_a_file_gets_the_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "web1.env"
    params = {name: option.get("default") for name, option in BACKEND.spec.argument_spec.items()}
    params |= {"env": {"DOCKER_HOST": "tcp://a b:1"}, "path": str(path)}
    assert BACKEND.run(Request(params, check_mode=True))["changed"]
    assert not path.exists()
    assert [BACKEND.run(Request(params))["changed"] for _run in range(2)] == [True, False]
    assert path.read_text() == "export DOCKER_HOST='tcp://a b:1'\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", ["hosts", "listing"])
def test_an_entry_without_a_key_is_an_error_that_names_both(option: str) -> None:
    params = {name: spec.get("default") for name, spec in BACKEND.spec.argument_spec.items()}
    with pytest.raises(OptionError, match=r"each entry must have the key (facts|name)") as caught:
        BACKEND.run(Request({**params, option: [{"x": 1}]}))
    assert caught.value.option == option


def test_what_an_engine_says_of_itself_is_one_line_without_control_characters() -> None:
    known = {**facts(), "engine": {"Version": "28\x1b]0;x\x07\nweb2 is as desired"}}
    shown = BACKEND.run(Request({**DEFAULTS, "hosts": [entry(known)]}))["lines"]
    assert "Docker 28 ]0;x  web2 is as desired at tcp://web1.example:4243" in shown
    listed = BACKEND.run(Request({**DEFAULTS, "lines": ["web1 is healthy: Docker 28\x1b[2J."]}))["lines"]
    assert listed == ["web1 is healthy: Docker 28 [2J."]


def test_a_host_without_a_known_user_is_reached_as_the_user_who_connects() -> None:
    known = facts()
    known["host"]["admin_username"] = None
    assert lines(entry(known, ssh_allowed_sources=["*"]))[-1].endswith("-p 22 web1.example")
