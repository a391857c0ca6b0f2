# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of examples/awx: surveys, what configure.yml asks a controller for, and the execution environment."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import shutil
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from azure_emulator.launcher import LocalAzure

from .awx import AWX
from .conftest import BIN, COLLECTIONS, REPOSITORY, User

# Variables that a playbook reads itself.
OF_PLAYBOOKS = {"docker_host_client_name", "docker_host_client_request"}


@pytest.mark.parametrize(
    ("file", "entry"), [("survey.yml", "main"), ("survey_delete.yml", "absent"), ("survey_sign.yml", "main")]
)
def test_survey_asks_for_variables_of_the_role(file: str, entry: str) -> None:
    specs = yaml.safe_load((REPOSITORY / "roles/docker_host/meta/argument_specs.yml").read_text())["argument_specs"]
    survey = yaml.safe_load((AWX / file).read_text())
    assert survey["spec"]
    for question in survey["spec"]:
        assert question["variable"] in {*specs[entry]["options"], *OF_PLAYBOOKS}
    credential = yaml.safe_load((AWX / "credential_type.yml").read_text())
    for variable in credential["injectors"]["extra_vars"]:
        assert variable in specs["main"]["options"]
    assert {field["id"] for field in credential["inputs"]["fields"]} == {"ca", "ca_key", "passphrase"}


# The options of awx.awx's modules that are used (24.6.1); the collection itself needs a controller.
AWX_OPTIONS = {
    "credential_type": {"name", "description", "kind", "inputs", "injectors"},
    "credential": {"name", "organization", "credential_type", "inputs"},
    "execution_environment": {"name", "image", "organization"},
    "project": {"name", "organization", "scm_type", "scm_url", "default_environment"},
    "inventory": {"name", "organization"},
    "inventory_source": {
        *("name", "inventory", "source", "source_project", "source_path", "credential", "execution_environment"),
        *("update_on_launch", "overwrite"),
    },
    "job_template": {
        *("name", "organization", "project", "inventory", "playbook", "execution_environment", "credentials"),
        *("extra_vars", "survey_enabled", "survey_spec", "ask_job_type_on_launch", "ask_diff_mode_on_launch"),
        *("ask_variables_on_launch", "ask_limit_on_launch"),
    },
    "schedule": {"name", "unified_job_template", "rrule", "enabled"},
}
RECORDER = """
import json
import os
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        with open(os.environ["RECORD"], "a") as file:
            file.write(json.dumps([self._task.action, dict(self._task.args)]) + "\\n")
        return {"changed": True}
"""


def configured(user: User, *extra: str) -> dict[str, list[dict[str, t.Any]]]:
    """What configure.yml asks awx.awx's modules for, by module; the modules are stand-ins that write it down."""
    collection = user.home / "collections" / "ansible_collections" / "awx" / "awx"
    (collection / "plugins" / "action").mkdir(parents=True, exist_ok=True)
    (collection / "plugins" / "modules").mkdir(exist_ok=True)
    for module in AWX_OPTIONS:
        (collection / "plugins" / "action" / f"{module}.py").write_text(RECORDER)
        (collection / "plugins" / "modules" / f"{module}.py").write_text("")
    record = user.home / "record"
    record.unlink(missing_ok=True)
    given = ("organization=Default", "azure_credential=azure", "project_url=https://git.example/x.git", "image=x:1")
    variables = [word for text in (*given, *extra) for word in ("-e", text)]
    ran = user.run(
        *("ansible-playbook", str(AWX / "configure.yml"), *variables),
        environment={"ANSIBLE_COLLECTIONS_PATH": str(user.home / "collections"), "RECORD": str(record)},
    )
    asked: dict[str, list[dict[str, t.Any]]] = {}
    if record.exists():
        for line in record.read_text().splitlines():
            action, arguments = json.loads(line)
            asked.setdefault(action.removeprefix("awx.awx."), []).append(arguments)
    assert (ran.code == 0) == bool(asked), ran.output
    return asked


def test_configuring_a_controller(user: User) -> None:
    specs = yaml.safe_load((REPOSITORY / "roles/docker_host/meta/argument_specs.yml").read_text())["argument_specs"]
    authority = user.home / "awx-ca"
    authority.mkdir()
    (authority / "ca.pem").write_text("certificate")
    (authority / "ca-key.pem").write_text("key")
    by_credential = configured(user, f"ca_dir={authority}")
    by_vault = configured(user, "key_vault=contoso-docker")
    for asked in (by_credential, by_vault):
        for module, calls in asked.items():
            assert all(set(arguments) <= AWX_OPTIONS[module] for arguments in calls), module
        for template in asked["job_template"]:
            assert (AWX / template["playbook"]).exists()
            assert set(template["extra_vars"]) <= {*specs["main"]["options"], "docker_host_targets"}
            assert template["survey_enabled"] == ("survey_spec" in template)
        assert (AWX / asked["inventory_source"][0]["source_path"]).exists()
    assert set(by_credential) == set(AWX_OPTIONS)
    assert by_credential["credential"][0]["inputs"] == {"ca": "certificate", "ca_key": "key"}
    assert by_credential["job_template"][0]["credentials"] == ["azure", "Docker host CA"]
    assert set(by_vault) == set(AWX_OPTIONS) - {"credential", "credential_type"}
    assert [len(asked["job_template"]) for asked in (by_credential, by_vault)] == [10, 11]
    assert by_vault["job_template"][0]["credentials"] == ["azure"]
    assert by_vault["job_template"][0]["extra_vars"] == {
        "docker_host_store": "key_vault",
        "docker_host_key_vault": "contoso-docker",
    }
    made, gone, *_others, renewed = by_vault["job_template"]
    check_templates(by_vault)
    assert "docker_host_location" in {question["variable"] for question in made["survey_spec"]["spec"]}
    assert [question["variable"] for question in gone["survey_spec"]["spec"]] == [
        "docker_host_name",
        "docker_host_resource_group",
    ]
    # One host's name would leave all others behind.
    assert not renewed["survey_enabled"]
    assert renewed["extra_vars"] == {**made["extra_vars"], "docker_host_targets": "docker_hosts"}
    assert configured(user) == {}


def check_templates(asked: dict[str, list[dict[str, t.Any]]]) -> None:
    """Every playbook of the collection has a template, every project file is one, and schedules name templates."""
    templates = {template["name"]: template for template in asked["job_template"]}
    files = {template["playbook"] for template in templates.values()}
    assert files == {path.name for path in AWX.glob("*_docker_*.yml")} | {"list_docker_images.yml"}
    used = {
        play.get("ansible.builtin.import_playbook", "").removeprefix("dockerhost.azure.")
        for file in files
        for play in yaml.safe_load((AWX / file).read_text())
    }
    # A job's environment ends with the job. The other playbook has one of its own for jobs.
    elsewhere = {"docker_host_env", "verify_docker_host"}
    assert used - {""} == {path.stem for path in (REPOSITORY / "playbooks").glob("*.yml")} - elsewhere
    for template in templates.values():
        assert template["ask_variables_on_launch"]
        # All hosts that trust the CA must be in the job that replaces it.
        assert template["ask_limit_on_launch"] == (template["playbook"] != "rotate_docker_certs.yml")
    for schedule in asked["schedule"]:
        assert schedule["unified_job_template"] in templates
        # What AWX accepts (awx.api.serializers, SchedulePreviewSerializer): a start with a time zone, and an interval.
        assert re.fullmatch(
            r"DTSTART;TZID=\S+:\d{8}T\d{6} RRULE:FREQ=[A-Z]+;INTERVAL=\d+(;BYMONTHDAY=\d+)?", schedule["rrule"]
        )
    assert {schedule["name"].split()[0]: schedule["enabled"] for schedule in asked["schedule"]} == {
        "Renew": True,
        "Verify": True,
        "Stop": False,
    }


@pytest.mark.skipif(not (BIN / "ansible-builder").exists(), reason="ansible-builder is not installed")
def test_execution_environment(azure: LocalAzure, tmp_path: Path) -> None:
    user = User(azure, tmp_path / "home")
    shutil.copytree(AWX, user.home / "awx")
    created = user.run(
        "ansible-builder",
        "create",
        "-f",
        "awx/execution-environment.yml",
        "-c",
        "context",
        environment={"PWD": str(user.home)},
    )
    assert created.code == 0, created.output
    context = user.home / "context"
    assert "dockerhost.azure" in (context / "_build" / "requirements.yml").read_text()
    (recipe,) = (path for name in ("Containerfile", "Dockerfile") if (path := context / name).exists())
    lines = recipe.read_text().splitlines()
    # Before the first pip, in the stage that all others begin with.
    constraint = lines.index("ENV PIP_CONSTRAINT=/usr/share/docker-hosts/requirements.txt")
    assert lines[constraint - 1] == "COPY _build/pins/requirements.txt /usr/share/docker-hosts/requirements.txt"
    assert constraint < min(number for number, line in enumerate(lines) if "pip install" in line)
    assert (context / "_build/pins/requirements.txt").read_text() == (AWX / "requirements.txt").read_text()
    found = user.run("ansible-builder", "introspect", os.fspath(Path(COLLECTIONS)), "--sanitize")
    assert found.code == 0, found.output
    for package in ("azure-identity", "azure-keyvault-secrets", "azure-mgmt-compute", "cryptography"):
        assert package in found.output
    assert sys.version_info >= (3, 10)


def test_the_execution_environment_is_pinned() -> None:
    environment = yaml.safe_load((AWX / "execution-environment.yml").read_text())
    assert re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", environment["images"]["base_image"]["name"])
    lines = [line for line in (AWX / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    pins = {Requirement(line).name: Requirement(line) for line in lines}
    assert len(pins) == len(lines)
    assert [str(pin) for pin in pins.values() if [one.operator for one in pin.specifier] != ["=="]] == []
    for name in ("ansible_core", "ansible_runner"):
        pin = Requirement(environment["dependencies"][name]["package_pip"])
        assert pin == pins[pin.name]
    (collection,) = yaml.safe_load((AWX / "collections/requirements.yml").read_text())["collections"]
    assert collection["version"] == yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["version"]

    # Every requirement of the collection, of the example, and of each package that this machine has is among the pins.
    wanted = [
        Requirement(line)
        for path in (REPOSITORY / "meta/ee-requirements.txt", AWX / "requirements.in")
        for line in path.read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(wanted) > 5
    target = {"python_version": "3.12", "python_full_version": "3.12.0", "extra": ""}
    for name, pin in pins.items():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            if importlib.metadata.version(name) in pin.specifier:
                wanted += map(Requirement, importlib.metadata.requires(name) or [])
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate(target):
            (version,) = (one.version for one in pins[canonicalize_name(requirement.name)].specifier)
            assert version in requirement.specifier, requirement


def test_the_collection_itself_sets_no_upper_bound() -> None:
    for line in (REPOSITORY / "meta/ee-requirements.txt").read_text().splitlines():
        assert [one.operator for one in Requirement(line).specifier] == [">="]
