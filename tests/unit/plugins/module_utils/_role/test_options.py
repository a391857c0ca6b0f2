# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the role's variables become options: subsets by purpose, blanks, lists as text."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import (
    AZURE,
    BOOLEANS,
    CHOICES,
    PREFIX,
    STAGES,
    UNSET,
    RoleVariables,
    Stage,
    variable_names,
)

SPECS = yaml.safe_load(
    (Path(__file__).resolve().parents[5] / "roles/docker_host/meta/argument_specs.yml").read_text(encoding="utf-8")
)["argument_specs"]


def _with_choices(stage: Stage) -> t.Iterator[tuple[str, t.Mapping[str, t.Any]]]:
    for option, variable in stage.variables().items():
        if stage.spec.argument_spec[option].get("choices"):
            yield variable, stage.spec.argument_spec[option]


def role(host: str = "localhost", /, **variables: t.Any) -> RoleVariables:
    """The role's variables of a host, without their prefix."""
    known = {"inventory_hostname": host, **{PREFIX + name: value for name, value in variables.items()}}
    return RoleVariables(known.get, known.__contains__)


# One value for each variable, so that what a purpose passes on is all that it passes on.
EVERYTHING: dict[str, t.Any] = {
    name[len(PREFIX) :]: "x" for name in variable_names() if name not in ("docker_host_context", "docker_host_wait")
}
EVERYTHING.update(context_transport="tls", start=False, handler="auto")


@pytest.mark.parametrize(
    ("purpose", "module", "never"),
    [
        ("create", "docker_vm_host", {"remove_on_absent", "wait"}),
        ("absent", "docker_vm_host", {"location", "vm_size", "image", "open_ports", "tags", "custom_data", "state"}),
        ("power", "docker_vm_host", {"location", "vm_size", "image", "open_ports", "tags", "docker_port", "state"}),
        ("create", "docker_tls_certs", {"state", "hosts", "rotate_ca", "host_trust", "remove_ca"}),
        ("absent", "docker_tls_certs", {"regenerate", "new_keys", "ca_path", "store", "clients"}),
        ("create", "docker_vm_extension", {"certs", "state", "remove", "certs_only", "pending_files", "name"}),
        ("push_certs", "docker_vm_extension", {"docker", "engine", "compose", "logins", "compose_purge"}),
        ("absent", "docker_context", {"current", "transport", "adopt"}),
        ("create", "docker_endpoint_info", {"docker_host", "client_key", "tls", "timeout"}),
    ],
)
def test_a_purpose_passes_on_what_it_needs_and_nothing_else(purpose: str, module: str, never: set[str]) -> None:
    options = role(**EVERYTHING).options(purpose, module)
    computed = {"state", "require_running"} if (purpose, module) == ("create", "docker_vm_host") else set()
    computed |= {"certs_only"} if purpose == "push_certs" else set()
    assert not (set(options) - computed) & never
    assert set(options) - computed == STAGES[module].options_for(purpose)


def test_a_check_of_an_engine_is_not_patient_unless_it_is_told_to_be() -> None:
    assert role().options("read", "docker_endpoint_info")["wait_timeout"] == 30
    assert role(endpoint_wait_timeout="5").options("read", "docker_endpoint_info")["wait_timeout"] == "5"
    assert "wait_timeout" not in role().options("create", "docker_endpoint_info")


def test_a_context_over_ssh_requires_that_somebody_can_connect_to_ssh() -> None:
    options = role(name="web1", context_transport="ssh").options("create", "docker_vm_host")
    assert options["require_ssh"] is True
    for given in ({}, {"context_transport": "ssh", "context": False}):
        assert "require_ssh" not in role(name="web1", **given).options("create", "docker_vm_host")


def test_a_read_never_regenerates() -> None:
    options = role(**EVERYTHING).options("read", "docker_tls_certs_info")
    assert not set(options) & {"regenerate", "new_keys", "clients", "hosts"}


def test_the_docker_extension_takes_all_settings_at_once() -> None:
    options = role(name="web1", handler="docker_extension", docker={"users": ["me"]}).options(
        "push_certs", "docker_vm_extension"
    )
    assert options["docker"] == {"users": ["me"]}
    assert "certs_only" not in options


@pytest.mark.parametrize("blank", UNSET)
def test_a_blank_is_unset_and_the_default_applies(blank: t.Any) -> None:
    options = role(name="web1", resource_group=blank, vm_size=blank, open_ports=blank).options(
        "create", "docker_vm_host"
    )
    own = {"name": "web1", "state": "present", "require_running": True, "engine": {}}
    assert options == {"resource_group": "docker-hosts", **own}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((blank, [""]) for blank in (*UNSET, " ", "\n", "\t ")),
        ("[]", []),
        ('[""]', [""]),
        ('["", ""]', ["", ""]),
        (",", ["", ""]),
        (" , ", ["", ""]),
        (",\n,", ["", "", ""]),
        (["", " "], ["", " "]),
        ("10.0.0.0/8,", ["10.0.0.0/8"]),
    ],
)
@pytest.mark.parametrize("option", ["allowed_sources", "ssh_allowed_sources"])
def test_blank_sources_keep_those_of_the_host_and_separators_alone_do_not_pass(
    option: str, value: t.Any, expected: list[str]
) -> None:
    assert role(name="web1", **{option: value}).options("create", "docker_vm_host")[option] == expected


@pytest.mark.parametrize("value", [[], {}, 0, False])
def test_an_empty_list_or_dictionary_and_a_zero_are_values(value: t.Any) -> None:
    assert role(name="web1", allowed_sources=value).options("create", "docker_vm_host")["allowed_sources"] == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("10.0.0.0/8, 192.0.2.0/24\n198.51.100.1", ["10.0.0.0/8", "192.0.2.0/24", "198.51.100.1"]),
        ('["203.0.113.0/24"]', ["203.0.113.0/24"]),
        ("[80, 443]", [80, 443]),
        ("[me]", ["me"]),
        ("['10.0.0.0/8', me]", ["10.0.0.0/8", "me"]),
        ('{"port": 80}', [{"port": 80}]),
        ("[80", "[80"),
    ],
)
def test_a_list_may_be_text(text: str, expected: t.Any) -> None:
    assert role(name="web1", open_ports=text).options("create", "docker_vm_host")["open_ports"] == expected


def test_ssh_keys_as_text_have_one_key_on_each_line() -> None:
    keys = "ssh-ed25519 AAAA me@home\nssh-rsa BBBB\n"
    options = role(name="web1", ssh_public_keys=keys).options("create", "docker_vm_host")
    assert options["ssh_public_keys"] == ["ssh-ed25519 AAAA me@home", "ssh-rsa BBBB"]


@pytest.mark.parametrize(
    ("host", "name", "expected"),
    [("web1", None, "web1"), ("localhost", None, ""), ("web1", "web2", "web2"), ("h", "", "h")],
)
def test_the_name_is_the_inventorys_unless_it_is_set(host: str, name: str | None, expected: str) -> None:
    assert role(host, name=name).name == expected


@pytest.mark.parametrize("text", ["true", "Yes", "on", "1", True])
def test_a_boolean_may_be_text(text: t.Any) -> None:
    assert role(name="web1", start=text).options("create", "docker_vm_host")["state"] == "started"


WITH_CHOICES = {
    **{variable: spec for stage in STAGES.values() for variable, spec in _with_choices(stage)},
    **{PREFIX + name: {"choices": choices} for name, choices in CHOICES.items()},
}


@pytest.mark.parametrize("variable", sorted(WITH_CHOICES))
def test_a_wrong_choice_is_refused_by_name_whichever_stage_reads_it(variable: str) -> None:
    name, choices = variable.removeprefix(PREFIX), WITH_CHOICES[variable]["choices"]
    role(**{name: choices[0]}).check()
    role(**{name: ""}).check()
    with pytest.raises(OptionError, match=rf"^{variable}\S*: must be one of {choices[0]}, .*got 'wrong'"):
        role(**{name: "wrong"}).check()


@pytest.mark.parametrize("variable", sorted(WITH_CHOICES))
def test_the_argument_specs_name_every_choice(variable: str) -> None:
    described = {name: option["description"] for entry in SPECS.values() for name, option in entry["options"].items()}
    missing = [choice for choice in WITH_CHOICES[variable]["choices"] if f"V({choice})" not in described[variable]]
    assert missing == []


def test_ansibles_validation_refuses_no_value_because_it_shows_the_whole_specs() -> None:
    for entry in SPECS.values():
        for name, option in entry["options"].items():
            assert (option["type"] in ("str", "path", "raw"), option.get("choices")) == (True, None), name


@pytest.mark.parametrize("name", BOOLEANS)
def test_a_boolean_that_is_neither_is_an_error_with_the_variables_name(name: str) -> None:
    role(**{name: "No"}).check()
    with pytest.raises(OptionError, match=f"docker_host_{name}: must be true or false, got 'maybe'"):
        role(**{name: "maybe"}).check()


def test_stages_that_the_variables_switch_off_do_not_run() -> None:
    runs = role(name="web1").runs
    assert all(map(runs, STAGES))
    assert not role(context="no").runs("docker_context")
    assert not role(wait=False).runs("docker_endpoint_info")
    assert not role(context_transport="ssh").runs("docker_endpoint_info")


def test_a_search_of_the_subscription_only_takes_the_sign_in() -> None:
    """A rotation searches all hosts that trust the CA: a name or group would hide those that it must find."""
    options = role(**EVERYTHING).options("sign_in", "docker_vm_host_info")
    assert set(options) == set(AZURE)


def test_one_variable_is_a_data_disk_that_the_engine_uses() -> None:
    given = role(name="web1", data_disk_gb="64", docker={"live_restore": True})
    assert given.options("create", "docker_vm_host")["data_disks"] == [{"lun": 0, "disk_size_gb": "64"}]
    docker = given.options("create", "docker_vm_extension")["docker"]
    assert docker == {"live_restore": True, "data_disk": {"lun": 0}}
    own = role(name="web1", data_disk_gb=64, docker={"data_disk": {"lun": 0, "path": "/data"}})
    assert own.options("create", "docker_vm_extension")["docker"]["data_disk"]["path"] == "/data"
    assert "data_disks" not in role(name="web1", data_disk_gb="").options("create", "docker_vm_host")


def extension_options(**variables: t.Any) -> dict[str, t.Any]:
    """What the variables of a host make of the options of docker_vm_extension that are settings."""
    options = role(name="web1", **variables).options("create", "docker_vm_extension")
    return {name: options.get(name) for name in ("docker", "engine", "logins", "compose", "reset")}


def test_default_resets_a_setting_and_a_variable_that_is_left_out_keeps_it() -> None:
    nothing = dict.fromkeys(("docker", "engine", "logins", "compose", "reset"))
    assert extension_options() == nothing
    assert extension_options(logins="", docker=None) == nothing
    reset = extension_options(docker="default", engine="default", logins="default", compose="default")
    assert {**reset, "reset": None} == nothing
    assert sorted(reset["reset"]) == ["compose", "docker", "engine", "logins"]
    one = extension_options(docker={"live_restore": "default", "users": ["me"]})
    assert (one["docker"], one["reset"]) == ({"users": ["me"]}, ["docker.live_restore"])


def test_a_data_disk_in_one_variable_is_kept_with_the_other_settings_and_survives_their_reset() -> None:
    assert extension_options(data_disk_gb=8)["docker"] == {"data_disk": {"lun": 0}}
    both = extension_options(data_disk_gb=8, docker={"data_disk": "default"})
    assert (both["docker"], both["reset"]) == ({"data_disk": {"lun": 0}}, None)
    whole = extension_options(data_disk_gb=8, docker="default")
    assert (whole["docker"], whole["reset"]) == ({"data_disk": {"lun": 0}}, ["docker"])


def engine_of_the_host(**variables: t.Any) -> t.Any:
    """The option ``engine`` of docker_vm_host."""
    return role(name="web1", **variables).options("create", "docker_vm_host")["engine"]


def test_the_virtual_machine_always_gets_the_engine_that_its_first_boot_installs() -> None:
    assert engine_of_the_host() == engine_of_the_host(engine="") == engine_of_the_host(engine="default") == {}
    for engine in ({"at_boot": True}, {"at_boot": False, "version": "28"}, {"version": "28"}):
        assert engine_of_the_host(engine=engine) == engine
    for purpose in ("absent", "power"):
        assert "engine" not in role(name="web1").options(purpose, "docker_vm_host")


def test_the_id_of_a_host_contains_what_is_set() -> None:
    path = "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web1"
    given = {"name": "web1", "resource_group": "rg"}
    assert role(**given).host_id == path
    assert role(**given, subscription_id="s").host_id == f"/subscriptions/s{path}"


OTHERS = (
    {"handler": "docker_extension"},
    {"docker": {"proxies": {"http": "http://proxy.example"}}},
    {"docker": {"data_disk": {"lun": 0, "path": "/var/lib/docker"}}},
    {"docker": {"data_disk": {"lun": 0, "path": "/var/lib/containerd/x/"}}},
    {"docker": '{"proxies": {}}'},
    {"docker": [1]},
)


@pytest.mark.parametrize("others", OTHERS)
def test_an_engine_that_later_settings_would_not_fit_is_not_installed_at_boot_by_default(
    others: dict[str, t.Any],
) -> None:
    assert engine_of_the_host(**others) == {"at_boot": False}
    assert engine_of_the_host(engine={"version": "28"}, **others) == {"version": "28", "at_boot": False}
    assert engine_of_the_host(engine={"at_boot": True}, **others) == {"at_boot": True}


@pytest.mark.parametrize(
    "others",
    [
        {"handler": "run_command"},
        {"docker": "default"},
        {"docker": {"data_disk": {"lun": 0}}},
        {"docker": {"data_disk": {"lun": 0, "path": "/var/lib/docker-data"}}},
        {"docker": {"data_disk": "default", "proxies": {}}},
        {"data_disk_gb": 64},
    ],
)
def test_other_settings_fit_an_engine_that_is_installed_at_boot(others: dict[str, t.Any]) -> None:
    assert engine_of_the_host(**others) == {}


@pytest.mark.parametrize("size", ["x", 0, 32768, "64 GB", True, -1])
def test_the_size_of_the_data_disk_is_checked(size: t.Any) -> None:
    with pytest.raises(OptionError, match=r"docker_host_data_disk_gb.*must be 1 to 32767 GiB"):
        role(name="web1", data_disk_gb=size).check()


def test_a_data_disk_is_described_in_one_way() -> None:
    with pytest.raises(OptionError, match="leave out one of the two"):
        role(name="web1", data_disk_gb=8, data_disks=[{"lun": 0, "disk_size_gb": 8}]).check()
    role(name="web1", data_disk_gb=8, data_disks="").check()


def test_a_request_is_signed_for_somebody(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = tmp_path / "anna.csr"
    request.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    good = {"client_name": "anna", "client_request": str(request)}
    role(**good).check_request()
    role(**{**good, "client_request": request.read_text()}).check_request()
    for name in good:
        with pytest.raises(OptionError, match=f"^{PREFIX}{name}: must be set, for example with -e {PREFIX}{name}=anna"):
            role(**{**good, name: ""}).check_request()
    for name, value, problem in (
        ("client_name", "../x", "cannot be the name of a directory"),
        ("client_request", "none.csr", "none.csr cannot be read"),
        ("client_request", "-----BEGIN NONSENSE-----", "must be a certificate signing request in PEM"),
    ):
        with pytest.raises(OptionError, match=f"^{PREFIX}{name}: .*{problem}"):
            role(**{**good, name: value}).check_request()
