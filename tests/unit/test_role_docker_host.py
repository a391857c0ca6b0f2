# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: documented once, defaulted once, and none of the modules' options forgotten."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.argument_spec import extension_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import SPEC as CERTIFICATES
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.argument_spec import (
    DEFAULT_KEY_PATH,
    DEFAULT_SSH_PORT,
    DEFAULT_USER,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.argument_spec import SPEC as VM_HOST

ROLE = pathlib.Path(__file__).parents[2] / "roles" / "docker_host"
PREFIX = "docker_host_"


def load(name: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((ROLE / name).read_text()))


@pytest.fixture(scope="module")
def documented() -> dict[str, t.Any]:
    entries = load("meta/argument_specs.yml")["argument_specs"]
    return {name: option for entry in entries.values() for name, option in entry["options"].items()}


def test_defaults_are_the_documented_ones(documented: dict[str, t.Any]) -> None:
    defaults = load("defaults/main.yml")
    named = {name: option["default"] for name, option in documented.items() if "default" in option}
    # These depend on where the role runs, and are described in words.
    empty = defaults.pop("_docker_host_defaults")
    depend = {f"{PREFIX}name", f"{PREFIX}port"}
    assert {name: value for name, value in defaults.items() if name not in depend} == {
        name: value for name, value in named.items() if name not in depend
    }
    modules = {
        "admin_username": DEFAULT_USER,
        "ssh_private_key_path": DEFAULT_KEY_PATH,
        "ssh_port": DEFAULT_SSH_PORT,
    }
    empty.pop("images_location")
    assert empty == {**{name: named[f"{PREFIX}{name}"] for name in set(empty) - set(modules)}, **modules}


def test_nothing_counts_as_unset(documented: dict[str, t.Any]) -> None:
    """AWX writes an empty answer as ``!unsafe ''``, which ansible-core 2.19 reads as null."""
    for name, option in documented.items():
        if not option.get("required"):
            spec = {key: value for key, value in option.items() if key != "description"}
            assert ArgumentSpecValidator({name: spec}).validate({name: None}).error_messages == []


def test_an_option_means_the_same_in_every_entry_point() -> None:
    seen: dict[str, t.Any] = {}
    for entry in load("meta/argument_specs.yml")["argument_specs"].values():
        for name, option in entry["options"].items():
            assert name.startswith((PREFIX, "docker_images_"))
            assert seen.setdefault(name, option) == option


# What the role sets itself, or what belongs to other entry points or tools.
LEFT_OUT = {
    "vm": {
        *("name", "resource_group", "state", "docker_port", "remove_on_absent", "wait"),
        *("address", "dns_names", "ip_addresses"),
    },
    "certificates": {
        *("state", "hosts", "adopt", "rotate_ca", "host_trust", "remove_ca"),
        *("signing", "signed_certificates", "client_common_name"),
    },
    "extension": {
        *("resource_group", "virtual_machine_name", "virtual_machine", "name", "state", "docker", "certs"),
        *("remove", "verify", "certs_only", "keep_certs", "pending_files", "wait_timeout", "setup_program"),
        *("docker_host", "client"),
    },
}


@pytest.mark.parametrize(
    ("kind", "variable", "spec"),
    [
        ("azure", "_docker_host_azure_options", azure_argument_spec()),
        ("vm", "_docker_host_vm_options", VM_HOST),
        ("certificates", "_docker_host_certificate_options", CERTIFICATES),
        ("extension", "_docker_host_extension_options", extension_argument_spec()),
    ],
)
def test_no_option_of_a_module_is_forgotten(
    documented: dict[str, t.Any], kind: str, variable: str, spec: t.Any
) -> None:
    options = set(spec.argument_spec)
    if kind not in ("azure", "certificates"):
        options -= set(azure_argument_spec().argument_spec)
    passed = set(load("vars/main.yml")[variable])
    assert passed == options - LEFT_OUT.get(kind, set())
    for name in passed:
        option = documented[PREFIX + name]
        assert bool(option.get("no_log")) >= bool(spec.argument_spec[name].get("no_log")), name


def test_numbers_and_booleans_are_checked(documented: dict[str, t.Any]) -> None:
    private = load("vars/main.yml")
    checked = {**private["_docker_host_integers"], **private["_docker_host_booleans"]}
    said = {name for name, option in documented.items() if option["description"].endswith((" integer.", " boolean."))}
    assert said <= set(checked) <= set(documented)


def test_an_empty_answer_is_one_that_every_type_takes(documented: dict[str, t.Any]) -> None:
    """Ansible takes an empty string for no dictionary, so the role itself checks what they are."""
    private = load("vars/main.yml")
    for name, option in documented.items():
        assert option["type"] in ("str", "path", "raw") or option.get("elements") in ("str", "raw"), name
    ends = {" A dictionary.": "dictionaries", " A list of dictionaries.": "dictionary_lists"}
    for end, kind in ends.items():
        said = {name for name, option in documented.items() if option["description"].endswith(end)}
        assert said == set(private[f"_docker_host_{kind}"])


def test_lists_may_be_text(documented: dict[str, t.Any]) -> None:
    private = load("vars/main.yml")
    lists = {
        name
        for name, option in documented.items()
        if option["type"] == "list" or option["description"].endswith(" A list.")
    }
    assert set(private["_docker_host_text_lists"]) == lists
    for name in lists:
        assert private[name.replace(PREFIX, f"_{PREFIX}used_", 1)].count(name) == 3
