# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of a host's stages in one, for later tasks and plays."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.facts_task import BACKEND, CA_BUNDLES, STAGES
from ansible_collections.dockerhost.azure.plugins.modules import docker_host_facts

URL = "tcp://192.0.2.1:4243"
CERTIFICATES = {
    "cert_dir": "/certs",
    "ca": {"fingerprint": "ca"},
    "client": {"fingerprint": "client"},
    "servers": {"web1": {"fingerprint": "web1"}, "web2": {"fingerprint": "web2"}},
    "docker_connection": {
        "tls": True,
        "validate_certs": True,
        "ca_path": "/certs/ca.pem",
        "client_cert": "/certs/cert.pem",
        "client_key": "/certs/key.pem",
    },
    "docker_env": {"DOCKER_CERT_PATH": "/certs", "DOCKER_TLS_VERIFY": "1"},
}


def facts(*, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    """The facts of a host web1."""
    params = {name: option.get("default") for name, option in BACKEND.spec.argument_spec.items()}
    given = {"host": {"docker_host": URL}, "certificates": CERTIFICATES, **given}
    result = BACKEND.run(Request({**params, "name": "web1", **given}, check_mode=check_mode))
    assert result["changed"] is False
    return t.cast("dict[str, t.Any]", result["facts"])


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_cas_that_the_docker_sdk_would_trust_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    params = {name: option.get("default") for name, option in BACKEND.spec.argument_spec.items()}
    params |= {"name": "web1", "host": {"docker_host": URL}}
    warnings: list[str] = []
    for name in CA_BUNDLES:
        monkeypatch.delenv(name, raising=False)
    BACKEND.run(Request(params, warn=warnings.append))
    assert not warnings
    monkeypatch.setenv(variable, "/etc/firm.pem")
    result = BACKEND.run(Request(params, warn=warnings.append))
    assert result["facts"]["name"] == "web1"
    assert [warning.partition(" ")[0] for warning in warnings] == [variable]


def test_every_value_is_documented() -> None:
    documented = yaml.safe_load(docker_host_facts.RETURN)["facts"]["contains"]
    result = facts()
    assert sorted(documented) == sorted(result)
    for name in ("connection", "env", "certificates"):
        assert sorted(documented[name]["contains"]) == sorted(result[name]), name


def test_a_host_has_its_own_certificate_among_those_of_others() -> None:
    assert facts()["certificates"]["server"] == {"fingerprint": "web1"}


def test_without_certificates_the_connection_is_the_url_alone() -> None:
    result = facts(certificates={})
    assert result["connection"] == {"docker_host": URL}
    assert result["env"] == {"DOCKER_HOST": URL}


def test_the_engine_that_answered_counts_before_the_one_that_was_configured() -> None:
    configured = {"engine": {"version": "27"}}
    assert facts(extension=configured)["engine"] == {"version": "27"}
    assert facts(extension=configured, endpoint={"version": {"Version": "28"}})["engine"] == {"Version": "28"}
    assert facts()["engine"] == {}


@pytest.mark.parametrize("stage", STAGES)
def test_a_change_of_any_stage_is_a_change_of_the_facts(stage: str) -> None:
    changed = {"changed": True, "actions": [f"change {stage}"]}
    given = {stage: {**CERTIFICATES, **changed} if stage == "certificates" else changed}
    result = facts(**given)
    assert (result["changed"], result["predicted"]) == (True, False)
    assert result["changed_stages"] == [stage]
    assert result["actions"][-1].endswith(f"change {stage}")
    assert facts(check_mode=True, **given)["predicted"]
    assert not facts()["changed"]


def test_the_words_for_people_count_before_those_for_machines() -> None:
    machine = {"changed": True, "actions": ["update virtual machine web1"], "changes": ["Docker port 4243 -> 2376"]}
    issued = {"changed": True, "actions": ["create the CA"]}
    pushed = {"changed": True, "reasons": ["other settings"], "actions": ["write /etc/docker/daemon.json"]}
    assert facts(virtual_machine=machine, certificates=issued, extension=pushed)["actions"] == [
        "Docker port 4243 -> 2376",
        "create the CA",
        "push the Docker settings (other settings)",
        "on the VM: write /etc/docker/daemon.json",
    ]


def test_only_a_prediction_can_lack_the_address() -> None:
    created = {"changed": True}
    assert facts(check_mode=True, host={}, virtual_machine=created)["docker_host"] is None
    for check_mode in (False, True):
        with pytest.raises(OptionError, match=r"address is known, got web1: .*Check the name, or create the host"):
            facts(check_mode=check_mode, host={})
