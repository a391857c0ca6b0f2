# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation before the first change: one error, in the words of the role's variables."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request, failure
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_store import Context, ContextStore
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import STAGES, unknown_variables
from ansible_collections.dockerhost.azure.plugins.module_utils._role.validate_task import BACKEND, secrets_of
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND as CERTIFICATES
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.image_reference import ALIASES
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

HOST = {
    "inventory_name": "a",
    "name": "web1",
    "resource_group": "g",
    "subscription_id": "",
    "cert_dir": "",
    "context": "",
}


def validate(tmp_path: Path, warnings: list[str] | None = None, **params: t.Any) -> dict[str, t.Any]:
    """Run the task with stages that are valid where nothing else is said."""
    stages = {
        "docker_vm_host": {"name": "web1", "resource_group": "g", **params.pop("docker_vm_host", {})},
        "docker_tls_certs": {"cert_dir": str(tmp_path), **params.pop("docker_tls_certs", {})},
        "docker_vm_extension": {"setup_program": "#", **params.pop("docker_vm_extension", {})},
        "docker_context": {"name": "web1", "docker_config": str(tmp_path), **params.pop("docker_context", {})},
        "docker_endpoint_info": params.pop("docker_endpoint_info", {}),
    }
    defaults = {name: option.get("default") for name, option in BACKEND.spec.argument_spec.items()}
    warn = (warnings if warnings is not None else []).append
    return BACKEND.run(Request({**defaults, "name": "web1", "stages": stages, **params}, warn=warn))


SUSE = {"publisher": "suse", "offer": "sles-15-sp7-byos", "sku": "gen2"}


@pytest.mark.parametrize("image", ["sles-15", "SUSE:sles-15-sp7:gen2:latest", "SUSE:opensuse-leap-15-6:gen2:1", SUSE])
def test_an_engine_for_suse_comes_from_where_it_is_built(tmp_path: Path, image: t.Any) -> None:
    host = {"docker_vm_host": {"image": image}}
    for engine in ({"source": "docker"}, {"channel": "test"}):
        message = refusal(tmp_path, **host, docker_vm_extension={"engine": engine})
        assert message.startswith("docker_host_engine: must not contain source=docker")
    for engine in ({}, {"source": "distribution"}, {"source": "keep"}, {"mirror": "https://mirror.example.com"}):
        assert validate(tmp_path, **host, docker_vm_extension={"engine": engine})


@pytest.mark.parametrize("image", ["rhel-9", "ALMALINUX-10", "resf:rockylinux-x86_64:9-base:latest"])
def test_an_engine_for_enterprise_linux_does_not_come_from_the_distribution(tmp_path: Path, image: str) -> None:
    host = {"docker_vm_host": {"image": image}}
    message = refusal(tmp_path, **host, docker_vm_extension={"engine": {"source": "distribution"}})
    assert message.startswith("docker_host_engine: must not contain source=distribution for ")
    for engine in ({}, {"source": "docker"}, {"source": "keep"}):
        assert validate(tmp_path, **host, docker_vm_extension={"engine": engine})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"docker": {"data_disk": {"lun": 0, "path": "/var/lib/docker"}}}, "with the data disk at /var/lib/docker"),
        ({"docker": {"data_disk": {"lun": 0, "path": "/var/lib/containerd/a"}}}, "must be empty when the disk is"),
        ({"handler": "docker_extension"}, "with docker_host_handler=docker_extension"),
    ],
)
def test_an_engine_is_not_installed_at_boot_where_the_settings_cannot_be_applied_to_it(
    tmp_path: Path, settings: dict[str, t.Any], words: str
) -> None:
    def host(at_boot: bool) -> dict[str, t.Any]:
        return {"docker_vm_host": {"engine": {"at_boot": at_boot}, "setup_program": "#"}}

    message = refusal(tmp_path, **host(True), docker_vm_extension=settings)
    assert message.startswith("docker_host_engine: must not contain at_boot=true")
    assert words in message
    assert validate(tmp_path, **host(False), docker_vm_extension=settings)
    assert validate(tmp_path, **host(True), docker_vm_extension={"docker": {"data_disk": {"lun": 0}}})


@pytest.mark.parametrize(
    "image",
    ["AzureLinux-3", "MicrosoftCBLMariner:azure-linux-3:azure-linux-3-arm64:latest", "microsoftcblmariner:a:b:1"],
)
def test_an_engine_for_azure_linux_comes_from_where_it_is_built(tmp_path: Path, image: str) -> None:
    host = {"docker_vm_host": {"image": image}}
    for engine in ({"source": "docker"}, {"mirror": "https://mirror.example.com"}):
        message = refusal(tmp_path, **host, docker_vm_extension={"engine": engine})
        assert "for Azure Linux, because Docker has no repository for it" in message
    for engine in ({}, {"source": "distribution"}, {"source": "keep"}):
        assert validate(tmp_path, **host, docker_vm_extension={"engine": engine})


def test_docker_builds_packages_for_all_other_images(tmp_path: Path) -> None:
    own = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/own"
    for image in (*(name for name in ALIASES if name not in ("sles-15", "azurelinux-3")), own, {"id": own}):
        assert validate(tmp_path, docker_vm_host={"image": image}, docker_vm_extension={"engine": {"source": "docker"}})


def refusal(tmp_path: Path, **params: t.Any) -> str:
    with pytest.raises(DockerHostError) as caught:
        validate(tmp_path, **params)
    return str(failure(caught.value)["msg"])


def test_a_name_too_short_for_a_context_says_which_variables_help(tmp_path: Path) -> None:
    text = refusal(tmp_path, name="w", docker_context={"name": "w"})
    assert text.startswith("docker_host_context_name: must be two or more letters")
    assert text.endswith(
        "got 'w'. It is the name of the host by default: set it to another one, or set docker_host_context=false."
    )
    text = refusal(tmp_path, docker_context={"name": "default"})
    assert text.endswith("CLI's own context. Or set docker_host_context=false to keep no context.")


def test_a_host_without_a_name_says_how_to_name_one_or_a_group(tmp_path: Path) -> None:
    text = refusal(tmp_path, name="")
    assert "-e docker_host_name=web1" in text
    assert "-e docker_host_targets=docker_hosts" in text


def test_a_context_of_another_host_is_refused_before_the_first_change(tmp_path: Path) -> None:
    store = ContextStore(str(tmp_path))
    subscription = "/subscriptions/11111111-2222-3333-4444-555555555555"
    path = "resourceGroups/G/providers/Microsoft.Compute/virtualMachines/Web1"
    with store.changing():
        store.write(Context("web1", "tcp://web1.example:4243", host_id=f"{subscription}/{path}"))
    assert validate(tmp_path)
    other = {"subscription_id": "99999999-2222-3333-4444-555555555555"}
    for host in ({"resource_group": "other"}, {"name": "web2"}, other):
        message = refusal(tmp_path, docker_vm_host=host)
        assert "The Docker context web1 leads to another host" in message
        assert "docker_host_adopt_context: true" in message
        assert validate(tmp_path, docker_vm_host=host, docker_context={"adopt": True})


def test_certificates_of_other_hosts_are_not_examined(tmp_path: Path) -> None:
    hosts = [{"name": name, "dns_names": [f"{name}.example.com"]} for name in ("web1", "web2")]
    args = {"cert_dir": str(tmp_path), "hosts": hosts}
    assert not carry_out(CERTIFICATES, args).result.get("failed")
    for name, check in (("web2", validate), ("web1", refusal)):
        path = tmp_path / "servers" / name / "cert.pem"
        path.unlink()
        os.mkfifo(path)
        answer = check(tmp_path)
    assert "servers/web1/cert.pem" in answer


def test_a_name_in_another_case_than_its_certificate_is_the_variables_fault(tmp_path: Path) -> None:
    args = {"cert_dir": str(tmp_path), "hosts": [{"name": "web1", "dns_names": ["web1.example.com"]}]}
    assert not carry_out(CERTIFICATES, args).result.get("failed")
    message = refusal(tmp_path, name="WEB1", docker_vm_host={"name": "WEB1"})
    assert message.startswith("docker_host_name: servers/web1 exists already")


def test_valid_options_pass_and_only_names_are_returned(tmp_path: Path) -> None:
    assert validate(tmp_path) == {"changed": False, "stages": list(STAGES), "known": {"name": "web1"}}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("stage", "options", "variable"),
    [
        ("docker_vm_host", {"docker_port": "abc"}, "docker_host_port: must be an integer, got 'abc'"),
        ("docker_vm_host", {"docker_port": 70000}, "docker_host_port"),
        ("docker_vm_host", {"assign_public_ip": "maybe"}, "docker_host_assign_public_ip: must be true or false"),
        ("docker_vm_host", {"priority": "Cheap"}, "docker_host_priority: must be one of"),
        ("docker_vm_host", {"data_disks": [{"lun": 64, "disk_size_gb": 8}]}, "docker_host_data_disks[0].lun"),
        ("docker_vm_host", {"data_disks": {"a": "b"}}, "docker_host_data_disks: must be a list of dictionaries, got"),
        ("docker_vm_host", {"data_disks": ["a"]}, "docker_host_data_disks[0]: must be a dictionary, got a value"),
        ("docker_vm_host", {"tags": ["a"]}, "docker_host_tags: must be a dictionary"),
        ("docker_vm_host", {"allowed_sources": ["nowhere"]}, "docker_host_allowed_sources[0]"),
        ("docker_vm_host", {"dns_names": ["docker.example.com:4243"]}, "docker_host_dns_names[0]"),
        ("docker_vm_host", {"ip_addresses": ["10.0.0.1", "10.0.0.300"]}, "docker_host_ip_addresses[1]"),
        ("docker_tls_certs", {"server_not_after": "soon"}, "docker_host_server_not_after"),
        ("docker_tls_certs", {"clients": ["a/b"]}, "docker_host_clients[0]"),
        ("docker_vm_extension", {"engine": {"source": "keep", "version": "28"}}, "docker_host_engine.version"),
        ("docker_vm_extension", {"docker": "text"}, "docker_host_docker: must be a dictionary, got a value of another"),
        ("docker_vm_extension", {"docker": {"daemn": {}}}, "docker_host_docker: has no option docker.daemn. Supported"),
        ("docker_vm_extension", {"logins": "x"}, "docker_host_logins: must be a list of dictionaries, got a value of"),
        ("docker_vm_extension", {"docker": {"port": 5000}}, "docker_host_docker.port: must not be set here"),
        ("docker_vm_extension", {"wait_timeout": 0}, "docker_host_extension_wait_timeout"),
        ("docker_vm_extension", {"handler": "ssh"}, "docker_host_handler: must be one of"),
        ("docker_context", {"name": "w"}, "docker_host_context_name"),
        ("docker_endpoint_info", {"wait_timeout": -1}, "docker_host_endpoint_wait_timeout: must be at least 0 seconds"),
    ],
)
def test_a_bad_value_is_named_by_the_variable_and_the_users_index(
    tmp_path: Path, stage: str, options: dict[str, t.Any], variable: str
) -> None:
    assert refusal(tmp_path, **{stage: options}).startswith(variable)


def test_rules_among_options_name_variables(tmp_path: Path) -> None:
    message = refusal(tmp_path, docker_vm_host={"virtual_network": "a", "network_interface": "b"})
    assert message.startswith("docker_host_")
    assert " virtual_network" not in message


def test_a_missing_name_is_the_first_error(tmp_path: Path) -> None:
    assert refusal(tmp_path, name="").startswith("docker_host_name: must be set")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("docker_host_alowed_sources", "docker_host_allowed_sources"),
        ("docker_host_vmsize", "docker_host_vm_size"),
        ("docker_host_check_guest", None),
        ("docker_host_zzz", None),
    ],
)
def test_a_variable_that_does_not_exist_is_warned_about(tmp_path: Path, name: str, suggestion: str | None) -> None:
    warnings: list[str] = []
    validate(tmp_path, warnings, variables=[name, "docker_host_name", "docker_host_facts", "other"])
    assert len(warnings) == 1
    assert name in warnings[0]
    assert "web1" not in warnings[0]
    if suggestion:
        assert f"did you mean {suggestion}?" in warnings[0]


def test_known_variables_cause_no_warning() -> None:
    assert (
        unknown_variables(["docker_host_targets", "docker_host_power", "docker_host_facts", "docker_host_port"]) == []
    )
    assert unknown_variables(["docker_images_sku", "docker_containers"]) == []
    (warning,) = unknown_variables(["docker_images_publsher"])
    assert warning.endswith("did you mean docker_images_publisher?")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({}, "both called web1"),
        ({"name": "WEB1"}, "case-insensitive"),
        ({"resource_group": "other"}, "both called web1"),
        ({"name": "web2", "context": "c"}, "docker_host_context_name: a and b both have the context c"),
    ],
)
def test_two_hosts_of_a_play_that_are_one_are_refused(tmp_path: Path, other: dict[str, str], message: str) -> None:
    mine = {**HOST, "context": "c"}
    assert message in refusal(tmp_path, identity=mine, others=[{**HOST, "inventory_name": "b", **other}])


def test_hosts_that_differ_enough_are_accepted(tmp_path: Path) -> None:
    other = {**HOST, "inventory_name": "b", "resource_group": "other", "cert_dir": "/elsewhere"}
    assert validate(tmp_path, identity=HOST, others=[other, {**HOST, "inventory_name": "c", "name": "web3"}])


def test_hosts_that_renew_together_need_the_strategy_linear(tmp_path: Path) -> None:
    validate(tmp_path, lockstep=True, strategy="ansible.builtin.linear")
    for strategy in ("free", "host_pinned", "ansible.builtin.free"):
        assert strategy in refusal(tmp_path, lockstep=True, strategy=strategy)


def test_secrets_are_found_at_every_depth_and_in_every_form() -> None:
    stages = {
        "docker_vm_host": {"admin_password": "one", "name": "web1", "tags": {"a": "b"}},
        "docker_vm_extension": {
            "logins": [{"username": "me", "password": "two"}],
            "compose": [{"name": "app", "secrets": {"T": "three"}}, {"name": "x", "secrets": "A=four"}],
        },
        "docker_tls_certs": {"ca_key_content": "five", "ca_key_passphrase": "six"},
    }
    secrets = secrets_of({"stages": stages})
    assert {"one", "two", "three", "A=four", "five", "six"} <= secrets
    assert not secrets & {"web1", "b", "me", "app", "x"}
    # A list of dictionaries as text can have a secret anywhere.
    assert "[{...}]" in secrets_of({"stages": {"docker_vm_extension": {"logins": "[{...}]"}}})
    assert "hidden" in secrets_of({"stages": {"docker_vm_hots": {"x": "hidden"}}})
