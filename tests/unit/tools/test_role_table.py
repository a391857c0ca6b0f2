# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The suboptions in the role's argument specs and the table of its variables in its README, which tools write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import RoleVariables

from .loading import TOP, load

role_table = load("tools/role_table.py")
role_suboptions = load("tools/role_suboptions.py")
SPECS = TOP / "roles/docker_host/meta/argument_specs.yml"


def test_the_table_in_the_readme_is_up_to_date() -> None:
    page = (TOP / "roles/docker_host/README.md").read_text()
    assert role_table.with_table(page) == page, "run `make role-docs`"


def test_the_suboptions_in_the_argument_specs_are_up_to_date() -> None:
    specs = SPECS.read_text()
    assert role_suboptions.with_suboptions(specs) == specs, "run `make role-docs`"


def test_ansible_shows_the_suboptions_that_the_readme_lists() -> None:
    def names(options: dict[str, Any], above: str = "") -> Iterator[str]:
        for name, details in options.items():
            if above:
                yield f"`{above}{name}`"
            yield from names(details.get("options", {}), f"{above}{name}.")

    options = yaml.safe_load(SPECS.read_text())["argument_specs"]["main"]["options"]
    listed = {row.name for row in role_table.suboptions()}
    assert set(names(options)) == listed
    assert "`docker_host_engine.source`" in listed
    assert "`docker_host_docker.port`" not in listed, "the role refuses it"


@pytest.mark.parametrize(
    "row",
    [
        (
            "`docker_host_resource_group`",
            "str",
            "`docker-hosts`",
            "",
            "`production`",
            "`docker_vm_host`: `resource_group`",
        ),
        (
            "`docker_host_vm_size`",
            "str",
            "`Standard_B2als_v2` for a new host",
            "kept, resettable",
            "`Standard_D2s_v5`",
            "`docker_vm_host`: `vm_size`",
        ),
        (
            "`docker_host_port`",
            "int",
            "`4243` for a new host",
            "kept, resettable",
            "`2376`",
            "`docker_vm_host`: `docker_port`",
        ),
        (
            "`docker_host_profile`",
            "str",
            "`$AZURE_PROFILE`",
            "",
            "`production`",
            "all modules that sign in to Azure: `profile`",
        ),
        (
            "`docker_host_cert_dir`",
            "path",
            "`$DOCKER_CERT_PATH`, else `~/.docker`",
            "",
            "`~/.docker/production`",
            "`docker_tls_certs`: `cert_dir`",
        ),
        ("`docker_host_wait`", "bool", "`true`", "", "`false`", "the role itself"),
        ("`docker_images_sku`", "str", "", "", "`server`", "`docker_vm_image_info`: `sku`"),
    ],
    ids=lambda row: row[0].strip("`"),
)
def test_a_row_has_the_type_and_default_that_take_effect(row: tuple[str, ...]) -> None:
    assert row in role_table.rows()


@pytest.mark.parametrize(
    "row",
    [
        ("`docker_host_plan.name`", "str", "required", ""),
        ("`docker_host_data_disks.caching`", "str", "", "`None`, `ReadOnly`, `ReadWrite`"),
        ("`docker_host_docker.data_disk.lun`", "int", "`0`", ""),
        ("`docker_host_engine.hold`", "bool", "`false`", ""),
        ("`docker_host_logins.ca_path`", "path", "", ""),
    ],
    ids=lambda row: row[0].strip("`"),
)
def test_a_suboption_has_its_type_default_and_choices(row: tuple[str, ...]) -> None:
    assert row in role_table.suboptions()


def test_each_variable_with_suboptions_has_them_in_the_table() -> None:
    names = {row.name.strip("`").split(".")[0] for row in role_table.suboptions()}
    specs = {
        variable: stage.spec.argument_spec[option]
        for stage in role_table.STAGES.values()
        for option, variable in stage.variables().items()
    }
    assert names == {variable for variable, spec in specs.items() if spec.get("options")}


def test_each_variable_has_an_example_and_each_example_a_variable() -> None:
    assert list(role_table.examples()) == [row.variable.strip("`") for row in role_table.rows()]


MODULES_KNOW = ("allowed_sources", "ssh_allowed_sources", "open_ports", "dns_label")
"""Options whose modules themselves know what ``default`` means."""
HOST = [row for row in role_table.rows() if row.left_out]


def test_every_variable_of_a_host_has_the_same_effect_when_it_is_left_out() -> None:
    assert {row.left_out for row in HOST} == {"kept", "kept, resettable"}
    assert {row.variable.strip("`") for row in HOST if row.left_out == "kept"} == {*role_table.NOT_RESETTABLE}


def passed_on(variable: str, value: Any = None) -> dict[tuple[str, str], Any]:
    """The options, by module, that the role passes on for one variable."""
    known = {"docker_host_name": "web1", **({} if value is None else {variable: value})}
    variables = RoleVariables(known.get)
    stages = {module: variables.options("create", module) for module in role_table.STAGES}
    return {(module, option): given for module, options in stages.items() for option, given in options.items()}


@pytest.mark.parametrize("row", HOST, ids=lambda row: row.variable.strip("`"))
def test_a_variable_that_is_left_out_sets_nothing_and_default_is_no_value(row: Any) -> None:
    name = row.variable.strip("`")
    targets = {
        (module, option)
        for module, stage in role_table.STAGES.items()
        for option, variable in stage.variables().items()
        if variable == name
    }
    # Without settings, a new host installs the default engine at its first boot.
    left_out = {target: value for target, value in passed_on(name).items() if target in targets}
    assert left_out in ({}, {("docker_vm_host", "engine"): {}})
    if row.left_out == "kept":
        return
    reset = passed_on(name, "default")
    taken = {option for (_module, option), value in reset.items() if value in ("default", ["default"])}
    assert taken <= {*MODULES_KNOW}
    # Any range is the default of a subnet, which it has.
    assert reset != passed_on(name) or name in ("docker_host_subnet_prefix", *NAMES)


NAMES = ("docker_host_address",)
"""What only ceases to be kept; see the tests of the stages' results."""


def test_a_page_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="must have the lines"):
        role_table.with_table("# A page\n")
