# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a stage knows from earlier ones, and from the controller's files where they did not run."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.lookup import docker_host_result
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import BACKEND as CONTEXT
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.endpoint_task import BACKEND as ENDPOINT
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND as EXTENSION
from ansible_collections.dockerhost.azure.plugins.module_utils._role.facts_task import BACKEND as FACTS
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import PREFIX, RoleVariables
from ansible_collections.dockerhost.azure.plugins.module_utils._role.results import StageResults
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.state import State
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND as CERTIFICATES

HOST = {
    "name": "web1",
    "docker_host": "tcp://web1.example.com:4243",
    "docker_port": 4243,
    "ssh_port": 22,
    "dns_names": ["web1.example.com"],
    "ip_addresses": ["192.0.2.1"],
    "admin_username": "me",
    "unknown": [],
}
EMPTY: dict[str, t.Any] = {"dns_names": [], "ip_addresses": []}
LATER = "2999-12-31T00:00:00Z"
SERVER = {"fingerprint": "ab", "dns_names": ["web1.example.com"], "ip_addresses": [], "not_after": LATER}
FILES = {
    "docker_tls_certs_info": {
        "cert_dir": "/certs",
        "servers": {"web1": SERVER},
        "docker_connection": {"client_key": "/certs/key.pem"},
        "ca": {"not_after": LATER},
        "client": {"not_after": LATER},
    },
    "docker_context_info": {"contexts": [{"name": "web1", "managed": True, "docker_host": "tcp://192.0.2.9:2376"}]},
}


def results(
    registered: dict[str, t.Any] | None = None, files: dict[str, t.Any] | None = None, **variables: t.Any
) -> StageResults:
    """The results of a host web1, with what each stage registered."""
    known: dict[str, t.Any] = {"inventory_hostname": "localhost", f"{PREFIX}name": "web1"}
    known.update({PREFIX + name: value for name, value in variables.items()})
    known.update({f"_docker_host_{stage}": result for stage, result in (registered or {}).items()})
    there = FILES if files is None else files

    def read(backend: t.Any, _options: dict[str, t.Any]) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", there[backend.name])

    return StageResults(RoleVariables(known.get), known.get, read)


NAMES: dict[str, t.Any] = {
    "address": "a.example.com",
    "dns_names": ["b.example.com"],
    "ip_addresses": ["192.0.2.7"],
}
RECORD = {"id": "/subscriptions/S/resourceGroups/docker-hosts/providers/Microsoft.Compute/virtualMachines/web1"}
KNOWN = {"validation": {"known": {"name": "WEB1", "extra_names": {**RECORD, **NAMES}, "context_transport": "ssh"}}}


def test_what_only_the_controller_knows_is_kept_where_variables_are_left_out() -> None:
    kept = results(KNOWN)
    assert kept.docker_vm_host == {"known_names": {**RECORD, **NAMES}}
    assert kept.extra_names == NAMES
    assert kept.options("create", "docker_context")["transport"] == "ssh"
    assert results(KNOWN, address="", dns_names=None, ip_addresses=[""]).docker_vm_host == kept.docker_vm_host


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["default", "192.0.2.9"])
def test_a_name_that_is_given_or_reset_is_not_kept(name: str, value: str) -> None:
    others = {kind: kept for kind, kept in NAMES.items() if kind != name}
    some = results(KNOWN, **{name: value})
    assert some.docker_vm_host == {"known_names": {**RECORD, **others}}
    empty = None if name == "address" else []
    given = value if name == "address" else [value]
    assert some.extra_names == {**NAMES, name: empty if value == "default" else given}


def test_what_is_known_of_another_host_does_not_count() -> None:
    """A loop on localhost validates one host after another."""
    other = {"validation": {"known": {**KNOWN["validation"]["known"], "name": "web2"}}}
    assert results(other).docker_vm_host == {}
    assert "transport" not in results(other).options("create", "docker_context")
    assert results(KNOWN, context_transport="default").options("create", "docker_context")["transport"] == "tls"


def test_a_host_that_was_created_anew_has_none_of_the_names_before() -> None:
    host = {**HOST, "extra_names": {"address": None, "dns_names": [], "ip_addresses": []}}
    made = results({**KNOWN, "virtual_machine": {"host": host}})
    assert made.named_host == host
    # Who reads a host only, as a rotation does, does not know its names.
    read = results({**KNOWN, "virtual_machine": {"host": {**HOST, "extra_names": None}}}).named_host
    assert read["dns_names"] == ["web1.example.com", "b.example.com", "a.example.com"]
    assert read["extra_names"] == NAMES
    assert read["docker_host"] == "tcp://a.example.com:4243"


@pytest.mark.parametrize(("group", "kept"), [("docker-hosts", NAMES), ("others", dict.fromkeys(NAMES) | EMPTY)])
def test_a_stage_that_is_used_alone_reads_the_record_of_its_own_host(
    tmp_path: Path, group: str, kept: dict[str, t.Any]
) -> None:
    (tmp_path / ".docker-tls-certs").mkdir()
    state = State(names={"web1": {**RECORD, **NAMES}})
    (tmp_path / ".docker-tls-certs/state.json").write_bytes(state.dump())
    alone = results(cert_dir=str(tmp_path), resource_group=group)
    assert alone.extra_names == kept


def test_an_earlier_stage_of_the_same_host_counts() -> None:
    assert results({"virtual_machine": {"host": HOST}}).host == HOST
    assert results({"virtual_machine": {"host": {**HOST, "name": "WEB1"}}}).url == HOST["docker_host"]


@pytest.mark.parametrize("other", [{"host": {**HOST, "name": "web2"}}, {"host": None}, {"skipped": True, "host": HOST}])
def test_a_result_of_another_host_or_of_a_skipped_stage_does_not_count(other: dict[str, t.Any]) -> None:
    """A loop on localhost registers the results of one host after another."""
    assert results({"virtual_machine": other}).url == "tcp://192.0.2.9:2376"


def test_the_variables_come_before_the_context_and_that_before_the_certificate() -> None:
    assert results(address="198.51.100.1", port="5000").url == "tcp://198.51.100.1:5000"
    assert results(address="2001:db8::1").url == "tcp://[2001:db8::1]:2376"
    assert results().url == "tcp://192.0.2.9:2376"
    assert results(context=False).url == "tcp://web1.example.com:4243"


def test_a_context_of_somebody_else_is_not_followed() -> None:
    foreign = {"contexts": [{"name": "web1", "managed": False, "docker_host": "tcp://elsewhere:1"}]}
    assert results(files={**FILES, "docker_context_info": foreign}).url == "tcp://web1.example.com:4243"


def test_an_address_of_the_users_own_replaces_azures() -> None:
    host = results({"virtual_machine": {"host": HOST}}, address="bastion.example.com").host
    assert host["docker_host"] == "tcp://bastion.example.com:4243"
    assert host["ssh_url"] == "ssh://me@bastion.example.com:22"


def test_names_of_the_users_own_are_added_once() -> None:
    found = results(
        {"virtual_machine": {"host": HOST}}, dns_names="web1.example.com, a.example.com", address="192.0.2.7"
    )
    assert found.named_host["dns_names"] == ["web1.example.com", "a.example.com"]
    assert found.named_host["ip_addresses"] == ["192.0.2.1", "192.0.2.7"]


EMPTY = {"docker_tls_certs_info": {"cert_dir": "/certs", "servers": {}}, "docker_context_info": {"contexts": []}}


def test_a_host_without_an_address_is_one_clear_error() -> None:
    nowhere = results(files=EMPTY)
    with pytest.raises(DockerHostError, match=r"No address of web1 is known\. Set docker_host_address"):
        str(nowhere.named_host)
    with pytest.raises(DockerHostError, match="has no certificate for web1"):
        str(nowhere.url)


def test_a_host_that_check_mode_would_create_has_no_address_yet() -> None:
    new = {**HOST, "docker_host": None, "dns_names": [], "ip_addresses": [], "unknown": ["docker_host", "dns_names"]}
    found = results({"virtual_machine": {"host": new}}, files=EMPTY)
    assert found.url == ""
    assert found.named_host["dns_names"] == []


def test_a_host_without_a_certificate_is_one_clear_error() -> None:
    with pytest.raises(DockerHostError, match=r"/certs has no certificate for web1\. Set docker_host_cert_dir"):
        results(files=EMPTY).get("server")


def test_a_certificate_in_another_case_says_how_to_spell_the_name() -> None:
    known = {"docker_tls_certs_info": {"cert_dir": "/certs", "servers": {"WEB1": {"fingerprint": "aa"}}}}
    with pytest.raises(OptionError, match=r"docker_host_name: must be spelled as .*: WEB1, got web1"):
        results(files={**EMPTY, **known}).get("server")
    with pytest.raises(OptionError, match="got web1"):
        str(results(files={**EMPTY, **known}).docker_host_facts)


def test_certificates_that_were_just_issued_count() -> None:
    issued = {"servers": {"web1": {"cert_path": "/new"}}, "docker_connection": {"client_key": "/new/key"}}
    found = results({"certificates": issued})
    assert found.get("server") == {"cert_path": "/new"}
    assert found.get("client") == {"client_key": "/new/key"}
    assert results().get("client") == {"client_key": "/certs/key.pem"}


def test_valid_certificates_pass_and_due_ones_are_named() -> None:
    assert results().get("validity")["cert_dir"] == "/certs"
    due = {**FILES["docker_tls_certs_info"], "client": {"not_after": "2026-01-02T00:00:00Z"}}
    with pytest.raises(DockerHostError, match=r"must be renewed .*client: expires on 2026-01-02; server: valid"):
        results(files={**FILES, "docker_tls_certs_info": due}).get("validity")
    with pytest.raises(DockerHostError, match="server: expires on 2999-12-31"):
        results(server_renew_before="+400000d").get("validity")
    shown = {"endpoint": {"server_certificate": {"fingerprint": "cd"}}}
    with pytest.raises(DockerHostError, match="the engine shows another certificate than /certs has"):
        results(shown).get("validity")


def test_everything_that_the_lookup_documents_can_be_read() -> None:
    known = results({"virtual_machine": {"host": HOST}})
    documented = yaml.safe_load(docker_host_result.DOCUMENTATION)["options"]["_terms"]["choices"]
    assert {what: type(known.get(what)) for what in documented} == {
        **dict.fromkeys(documented, dict),
        "url": str,
    }


def test_what_the_next_stages_read_of_all_results_is_passed_on_and_nothing_more() -> None:
    stages = {
        "virtual_machine": {"changed": True, "host": {**HOST, "power_state": "running"}, "changes": ["a line"], "x": 1},
        "certificates": {"changed": False, **FILES["docker_tls_certs_info"], "servers": {"web1": SERVER, "web2": {}}},
        "extension": {"changed": True, "power_state": "running", "engine": {"version": "28"}, "reasons": ["r"]},
        "context": {"skipped": True, "changed": False},
    }
    found = results(stages)
    assert found.docker_endpoint_info["after"] == [
        {"changed": True, "host": {"name": "web1", "power_state": "running", "unknown": []}},
        {"changed": False},
        {"changed": True, "power_state": "running"},
    ]
    facts = found.docker_host_facts
    assert facts["virtual_machine"] == {"changed": True, "changes": ["a line"]}
    assert facts["extension"] == {"changed": True, "engine": {"version": "28"}, "reasons": ["r"]}
    assert facts["certificates"]["servers"] == {"web1": SERVER}
    assert (facts["name"], facts["context_name"], facts["endpoint"]) == ("web1", "web1", {})
    assert set(facts) == set(FACTS.spec.argument_spec)


def test_what_earlier_stages_give_are_options_of_the_module_and_what_is_not_known_is_left_out() -> None:
    stages = {
        "virtual_machine": {"host": HOST},
        "certificates": {**FILES["docker_tls_certs_info"], "changed_files": []},
        "extension": {"engine": {"ssh_host_keys": ["ssh-ed25519 A"]}},
    }
    for known in ({"virtual_machine": {"host": HOST}}, stages):
        found = results(known)
        for backend in (CERTIFICATES, EXTENSION, CONTEXT, ENDPOINT, FACTS):
            assert set(found.get(backend.name)) <= set(backend.spec.argument_spec), backend.name
    assert found.docker_context["ssh_host_keys"] == ["ssh-ed25519 A"]
    assert [found.get(name)["pending_files"] for name in ("docker_context", "docker_vm_extension")] == [[], []]
    assert not {"ssh_host_keys", "pending_files"} & set(results().docker_context)
    assert found.docker_endpoint_info["docker_host"] == HOST["docker_host"]
    unknown = {**HOST, "docker_host": None, "unknown": ["docker_host"]}
    assert "docker_host" not in results({**stages, "virtual_machine": {"host": unknown}}).docker_endpoint_info


def test_the_options_of_a_stage_are_those_of_its_variables_and_those_that_earlier_stages_give() -> None:
    found = results({"virtual_machine": {"host": HOST}}, context_current=True, adopt_context=False)
    assert found.options("create", "docker_context") == {
        "adopt": False,
        "current": True,
        "host": HOST,
        "name": "web1",
        "tls": FILES["docker_tls_certs_info"]["docker_connection"],
    }


def test_a_stage_that_has_nothing_to_take_from_earlier_ones_has_the_options_of_its_variables() -> None:
    found = results({"virtual_machine": {"host": HOST}}, tags={"team": "a"}, wait=False)
    machine = found.options("create", "docker_vm_host")
    assert (machine["name"], machine["tags"], machine["state"]) == ("web1", {"team": "a"}, "present")
    validation = found.options("create", "docker_host_validate")
    assert validation["name"] == "web1"
    assert list(validation["stages"]) == ["docker_vm_host", "docker_tls_certs", "docker_vm_extension", "docker_context"]
    assert validation["stages"]["docker_vm_host"] == machine
    assert found.options("create", "docker_host_facts") == found.docker_host_facts
