# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing in two spellings: certificates and contexts. Azure's are in ``_vm_host/test_scenarios_spellings.py``."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import BACKEND as CONTEXT
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND as CERTIFICATES
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

VM = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/{}"
SUBSCRIPTION = "abcdef00-0000-0000-0000-000000000000"
WEB1 = {"name": "web1", "dns_names": ["web1.example.com"], "ip_addresses": ["2001:db8::1"]}
HOST = {"name": "web1", "id": VM.format(SUBSCRIPTION, "hosts", "web1"), "docker_host": "tcp://web1.example.com:4243"}


@pytest.fixture
def certificates(tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    def run(**options: t.Any) -> dict[str, t.Any]:
        return carry_out(CERTIFICATES, {"cert_dir": str(tmp_path / "certs"), **options}).result

    assert run(hosts=[WEB1], clients=["alice"], subject={"O": "Example"})["changed"]
    return run


def test_names_in_certificates_are_the_same_in_every_spelling(
    certificates: t.Callable[..., dict[str, t.Any]],
) -> None:
    spelled = {**WEB1, "dns_names": ["WEB1.Example.COM."], "ip_addresses": ["2001:DB8:0:0::1"]}
    again = certificates(hosts=[spelled], clients=["alice"], subject={"organizationName": "Example"})
    assert (again.get("msg"), again["changed"]) == (None, False)


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("options", [{"hosts": [{"name": "WEB1"}]}, {"clients": ["Alice"]}])
def test_a_name_that_differs_in_case_is_neither_issued_beside_nor_left_silently(
    certificates: t.Callable[..., dict[str, t.Any]], tmp_path: Path, state: str, options: dict[str, t.Any]
) -> None:
    before = sorted((tmp_path / "certs").rglob("*"))
    result = certificates(state=state, **options)
    assert result["failed"]
    assert "the given name differs only in case; use that spelling" in result["msg"]
    assert sorted((tmp_path / "certs").rglob("*")) == before


def test_a_context_is_the_same_in_every_spelling_of_its_host(tmp_path: Path) -> None:
    def run(host: dict[str, str]) -> dict[str, t.Any]:
        return carry_out(CONTEXT, {"name": "web1", "docker_config": str(tmp_path / "docker"), "host": host}).result

    assert run(HOST)["changed"]
    shouted = VM.format(SUBSCRIPTION.upper(), "HOSTS", "WEB1").replace("resourceGroups", "RESOURCEGROUPS")
    again = run({**HOST, "id": shouted, "docker_host": "tcp://WEB1.example.com:4243"})
    assert (again.get("msg"), again["changed"]) == (None, False)
    assert run({**HOST, "docker_host": "tcp://web1.example.com:4244"})["changed"]
    assert "leads to another host" in run({**HOST, "id": HOST["id"] + "2"})["msg"]
