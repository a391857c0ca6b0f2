# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: each documented, none of the modules' options forgotten; and the size of the role."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import (
    DEFAULTS,
    OF_THE_ROLE,
    PREFIX,
    READERS,
    RETURNED,
    STAGES,
    Stage,
    variable_names,
)

ROLE = pathlib.Path(__file__).parents[2] / "roles" / "docker_host"
OUTPUTS = {PREFIX + name for name in RETURNED}
# Read by the playbooks, which is where they are documented.
OF_PLAYBOOKS = {"docker_host_targets", "docker_host_client_name", "docker_host_client_request"}


def load(name: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((ROLE / name).read_text()))


@pytest.fixture(scope="module")
def documented() -> dict[str, t.Any]:
    entries = load("meta/argument_specs.yml")["argument_specs"]
    return {name: option for entry in entries.values() for name, option in entry["options"].items()}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_every_option_is_set_by_a_variable_or_by_the_role(stage: Stage) -> None:
    """A new option of a module fails here until the table says who sets it."""
    assert stage.by_role <= set(stage.spec.argument_spec)
    assert set(stage.renamed) <= stage.options
    for purpose, options in stage.purposes.items():
        assert options is None or options <= stage.options, purpose


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_every_variable_of_an_option_is_documented(stage: Stage, documented: dict[str, t.Any]) -> None:
    for option, variable in stage.variables().items():
        assert variable in documented
        secret = bool(stage.spec.argument_spec[option].get("no_log"))
        assert bool(documented[variable].get("no_log")) >= secret, variable


def test_nothing_else_is_documented(documented: dict[str, t.Any]) -> None:
    images = {name for name in documented if name.startswith("docker_images_")}
    assert set(documented) - images == variable_names() - OUTPUTS - OF_PLAYBOOKS


def test_one_variable_never_sets_two_meanings() -> None:
    """Options of several modules share a variable only under the same name."""
    users: dict[str, set[str]] = {}
    for stage in STAGES.values():
        for option, variable in stage.variables().items():
            users.setdefault(variable, set()).add(option)
    shared = {variable: options for variable, options in users.items() if len(options) > 1}
    assert set(shared) <= {"docker_host_keep_certs"}


def test_readers_take_documented_variables(documented: dict[str, t.Any]) -> None:
    for names in READERS.values():
        assert {PREFIX + name for name in names} <= set(documented)


def test_defaults_are_the_documented_ones(documented: dict[str, t.Any]) -> None:
    for name, value in DEFAULTS.items():
        assert documented[PREFIX + name]["default"] == value
    assert set(DEFAULTS) <= OF_THE_ROLE


def test_a_blank_value_passes_ansibles_own_validation(documented: dict[str, t.Any]) -> None:
    """AWX writes an empty answer as ``!unsafe ''``, which ansible-core 2.19 reads as null."""
    for name, option in documented.items():
        if not option.get("required"):
            spec = {key: value for key, value in option.items() if key != "description"}
            assert ArgumentSpecValidator({name: spec}).validate({name: None}).error_messages == []
        assert option["type"] in ("str", "path", "raw") or option.get("elements") in ("str", "raw"), name


def test_a_variable_means_the_same_in_every_entry_point() -> None:
    seen: dict[str, t.Any] = {}
    for entry in load("meta/argument_specs.yml")["argument_specs"].values():
        for name, option in entry["options"].items():
            assert name.startswith((PREFIX, "docker_images_"))
            assert seen.setdefault(name, option) == option


def test_the_role_stays_small() -> None:
    tasks = list((ROLE / "tasks").rglob("*.yml"))
    text = "\n".join(path.read_text() for path in [*tasks, *(ROLE / "defaults").glob("*.yml")])
    assert len(tasks) <= 20
    assert not (ROLE / "vars" / "main.yml").exists()
    assert len(set(re.findall(r"\b_docker_host_\w+", text))) <= 20


def test_every_stage_runs_on_the_controller_without_become() -> None:
    """Extra variables and the inventory's cannot move a stage elsewhere: a variable of the task beats its keyword."""
    for path in (ROLE / "tasks").rglob("*.yml"):
        for task in _tasks(yaml.safe_load(path.read_text())):
            if any(key.startswith("dockerhost.azure.") for key in task):
                assert task["become"] is False, path
                assert task["vars"]["ansible_become"] is False, path
                assert task["delegate_to"] == "{{ docker_host_delegate_to | default('localhost', true) }}", path


def test_a_stage_says_nothing_about_its_options() -> None:
    """So its action takes them from the role's variables and the earlier stages; a template of them costs much more."""
    names = [entry["ansible.builtin.import_tasks"] for entry in yaml.safe_load((ROLE / "tasks/main.yml").read_text())]
    assert len(names) == len(STAGES) + 2
    for name in names:
        for task in yaml.safe_load((ROLE / "tasks" / name).read_text()):
            own = [key for key in task if key.startswith("dockerhost.azure.")]
            assert all(task[key] is None for key in own), name
            assert "module_defaults" not in task, name


def _tasks(tasks: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    for task in tasks:
        yield task
        yield from _tasks(task.get("block") or [])


# Keys of dictionaries and profiles, and what a host was created with.
NO_REFERENCES = {
    ("planner.py", "custom_data"),
    ("inbound_rules.py", "allowed_sources"),
    ("clients.py", "subscription_id"),
    ("credentials.py", "federated_token_path"),
}


def test_errors_refer_to_options_so_that_the_role_can_name_its_variables() -> None:
    """``O(vm_size)`` becomes ``docker_host_vm_size`` in the role."""
    options = {name for stage in STAGES.values() for name in stage.options if "_" in name}
    bare = set()
    for path in (ROLE.parents[1] / "plugins" / "module_utils").rglob("*.py"):
        raised = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Raise))
        for node in (part for each in raised for part in ast.walk(each) if isinstance(part, ast.Constant)):
            text = re.sub(r"\bO\([^)]*\)?", "", str(node.value))
            words = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b(?!\[)", text) if " " in text else []
            bare |= {(path.name, word) for word in words if word in options}
    assert bare <= NO_REFERENCES
