# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/awx as AWX runs it: by ansible-runner, in a private data directory, with a HOME that is thrown away.

The CA comes in by the credential, or lives in a key vault.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault, secret_values

from .conftest import BIN, COLLECTIONS, REPOSITORY, User

AWX = REPOSITORY / "examples" / "awx"
PASSPHRASE = "seven-green-hedgehogs"
SUSPICIOUS = ("PRIVATE KEY", '"protectedSettings"', "Bearer eyJ", '"access_token"')

pytestmark = pytest.mark.skipif(not (BIN / "ansible-runner").exists(), reason="ansible-runner is not installed")


class Controller:
    """Lays out jobs as AWX does, and runs them.

    :param key_vault: the CA lives there; else it comes in by the credential.
    """

    def __init__(self, azure: LocalAzure, directory: Path, key_vault: str | None = None) -> None:
        self.azure = azure
        self.directory = directory
        self.key_vault = key_vault
        self.owner = User(azure, directory / "owner")
        self.number = 0
        self.secrets: set[str] = {azure.secret}
        if key_vault is None:
            self._make_authority()

    def _make_authority(self) -> None:
        """What the documentation tells the owner of a CA to do, and a passphrase for the key."""
        play = REPOSITORY / "docs" / "awx.md"
        match = re.search(r"<!-- file: ca.yml -->\n```yaml\n(.*?)```", play.read_text(), re.DOTALL)
        assert match is not None
        (self.owner.home / "ca.yml").write_text(match[1])
        self.owner.play(str(self.owner.home / "ca.yml"))
        ran = self.owner.run(
            "openssl", "pkcs8", "-topk8", "-v2", "aes256", "-in", "awx-ca/ca-key.pem", "-passout", f"pass:{PASSPHRASE}",
            "-out", "ca-key-encrypted.pem",
        )  # fmt: skip
        assert ran.code == 0, ran.output
        self.secrets.add(PASSPHRASE)
        for path in (self.owner.home / "awx-ca" / "ca-key.pem", self.owner.home / "ca-key-encrypted.pem"):
            self.secrets |= _key_lines(path.read_text())

    def _credential(self, job: Path) -> dict[str, str]:
        """The extra variables that bring the CA in, as the credential type or the job template has them."""
        if self.key_vault is not None:
            return {"docker_host_store": "key_vault", "docker_host_key_vault": self.key_vault}
        for name, source in (("ca", "awx-ca/ca.pem"), ("ca_key", "ca-key-encrypted.pem")):
            (job / "env" / name).write_bytes((self.owner.home / source).read_bytes())
            (job / "env" / name).chmod(0o600)
        injected = yaml.safe_load((AWX / "credential_type.yml").read_text())["injectors"]["extra_vars"]
        values = {
            "{{ tower.filename.ca }}": str(job / "env" / "ca"),
            "{{ tower.filename.ca_key }}": str(job / "env" / "ca_key"),
            "{{ passphrase }}": PASSPHRASE,
        }
        return {name: values[text] for name, text in injected.items()}

    def lay_out(self, playbook: str, survey: t.Mapping[str, t.Any]) -> Path:
        """A private data directory for one job, and its throw-away HOME beside it."""
        self.number += 1
        job = self.directory / f"job{self.number}"
        shutil.copytree(AWX, job / "project")
        (job / "env").mkdir(mode=0o700)
        (job / "home").mkdir(mode=0o700)
        (job / "inventory").mkdir()
        interpreter = "ansible_python_interpreter='{{ ansible_playbook_python }}'"
        (job / "inventory" / "hosts").write_text(f"localhost ansible_connection=local {interpreter}\n")
        extra = self._credential(job)
        engine = {"docker_host_engine": {"source": "distribution"}}
        (job / "env" / "extravars").write_text(
            json.dumps({**extra, **engine, **survey, "awx_job_id": self.number, "awx_user_name": "admin"})
        )
        (job / "env" / "envvars").write_text(
            json.dumps(
                {
                    **self.azure.environment,
                    "AZURE_AD_USER": "",
                    "AZURE_PASSWORD": "",
                    "AWX_PRIVATE_DATA_DIR": str(job),
                    "JOB_ID": str(self.number),
                    "HOME": str(job / "home"),
                    "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
                    "ANSIBLE_FORCE_COLOR": "True",
                }
            )
        )
        (job / "env" / "settings").write_text(json.dumps({"suppress_env_files": True, "idle_timeout": 300}))
        (job / "env" / "cmdline").write_text("-vvvvv -i inventory/hosts")
        return job

    def run(self, playbook: str, remotely: bool = False, **survey: t.Any) -> Path:
        """Run one job, as the control node itself does or as an execution node gets it; gives its directory."""
        job = self.lay_out(playbook, survey)
        runner = str(BIN / "ansible-runner")
        if remotely:
            node = self.directory / f"node{self.number}"
            node.mkdir()
            command = (
                f"{runner} transmit {shlex.quote(str(job))} -p {playbook} --ident 1"
                f" | {runner} worker --private-data-dir {shlex.quote(str(node))}"
                f" | {runner} process {shlex.quote(str(job))} --ident 1"
            )
        else:
            command = f"{runner} run {shlex.quote(str(job))} -p {playbook} --ident 1 -q"
        ran = self.owner.run("bash", "-o", "pipefail", "-c", command)
        assert ran.code == 0, ran.output[-3000:] + _stdout(job)[-6000:]
        made = list((job / "home").rglob("*key.pem"))
        assert made or "delete" in playbook
        for path in made:
            self.secrets |= _key_lines(path.read_text())
        shutil.rmtree(job / "home")
        if self.key_vault is not None:
            for value in secret_values(self.azure, self.key_vault, "docker-ca"):
                self.secrets |= _key_lines(json.loads(value)["ca_key"])
        return job

    def check_secrets(self, job: Path) -> None:
        """Look for every secret of the run in all that the controller keeps of it."""
        assert len(self.secrets) >= 3
        kept = [path for path in (job / "artifacts").rglob("*") if path.is_file()]
        assert any("job_events" in path.parts for path in kept)
        for path in kept:
            text = path.read_text(errors="replace")
            if path.name == "command":
                # ansible-runner's own record of the environment that it was given.
                text = text.replace(self.azure.secret, "")
            for secret in (*self.secrets, *SUSPICIOUS):
                assert secret not in text, f"{path} holds a secret"


def _key_lines(pem: str) -> set[str]:
    """The lines of a key that only this key has."""
    return {line for line in pem.splitlines() if len(line) > 40 and not line.startswith("-----")}


def _stdout(job: Path) -> str:
    path = job / "artifacts" / "1" / "stdout"
    return path.read_text() if path.exists() else ""


def _events(job: Path) -> list[dict[str, t.Any]]:
    paths = (job / "artifacts" / "1" / "job_events").glob("*.json")
    return sorted((json.loads(path.read_text()) for path in paths), key=lambda event: event["counter"])


@pytest.fixture
def controller(azure: LocalAzure, tmp_path: Path) -> Controller:
    return Controller(azure, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["credential", "key vault"])
@pytest.mark.parametrize("remotely", [False, True], ids=["directly", "through transmit, worker, process"])
def test_awx(azure: LocalAzure, tmp_path: Path, remotely: bool, way: str) -> None:
    name = f"job-{way[:3]}-{'remote' if remotely else 'local'}"
    controller = Controller(azure, tmp_path, make_vault(azure, f"awx-{name}"[:24]) if way == "key vault" else None)
    group = f"rg-{name}"
    survey = {
        "docker_host_name": name,
        "docker_host_resource_group": group,
        "docker_host_location": "westeurope",
        "docker_host_vm_size": "",
        "docker_host_port": "",
        "docker_host_allowed_sources": "",
        "docker_host_ssh_allowed_sources": "192.0.2.0/24,198.51.100.0/24",
        "docker_host_wait": "",
    }
    job = controller.run("create_docker_host.yml", remotely, **survey)
    controller.check_secrets(job)
    shown = [event["stdout"] for event in _events(job) if event["event"] == "verbose"]
    assert any(f"{name}: VM" in text for text in shown), "progress is seen as events"

    controller.owner.writes()
    second = controller.run("create_docker_host.yml", remotely, **survey)
    assert controller.owner.writes() == []
    controller.check_secrets(second)

    ports = controller.run("create_docker_host.yml", remotely, **{**survey, "docker_host_port": "5000"})
    assert any("virtualMachines" in line for line in controller.owner.writes())
    assert f"{name}: Docker" in _stdout(ports)
    if way == "key vault":
        del survey["docker_host_port"]
        rotated = controller.run("rotate_docker_certs.yml", remotely, **survey, docker_host_port="5000")
        controller.check_secrets(rotated)
        assert (
            len({json.loads(value)["ca"] for value in secret_values(azure, str(controller.key_vault), "docker-ca")})
            == 2
        )
        controller.owner.writes()
        controller.run("create_docker_host.yml", remotely, **survey, docker_host_port="5000")
        assert controller.owner.writes() == []
    controller.run(
        "delete_docker_host.yml",
        remotely,
        docker_host_name=name,
        docker_host_resource_group=group,
        docker_host_vm_size="",
    )
    assert not [path for path in controller.azure.dump() if f"/virtualmachines/{name}" in path.lower()]


@pytest.mark.slow
def test_awx_job_without_the_ca_cuts_nobody_off(controller: Controller) -> None:
    survey = {
        "docker_host_name": "kept1",
        "docker_host_resource_group": "rg-kept",
        "docker_host_location": "westeurope",
    }
    controller.run("create_docker_host.yml", **survey)
    controller.owner.writes()
    job = controller.lay_out("create_docker_host.yml", survey)
    extra = json.loads((job / "env" / "extravars").read_text())
    kept = {key: value for key, value in extra.items() if not key.startswith("docker_host_ca_")}
    (job / "env" / "extravars").write_text(json.dumps(kept))
    ran = controller.owner.run(
        str(BIN / "ansible-runner"), "run", str(job), "-p", "create_docker_host.yml", "--ident", "1", "-q"
    )
    assert ran.code != 0
    assert "its engine trusts the CA" in _stdout(job)
    assert controller.owner.writes() == []


def test_survey_asks_for_variables_of_the_role() -> None:
    specs = yaml.safe_load((REPOSITORY / "roles/docker_host/meta/argument_specs.yml").read_text())["argument_specs"]
    survey = yaml.safe_load((AWX / "survey.yml").read_text())
    for question in survey["spec"]:
        assert question["variable"] in specs["main"]["options"]
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
    },
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
            assert set(template["extra_vars"]) <= set(specs["main"]["options"])
            assert template["survey_spec"]["spec"]
        assert (AWX / asked["inventory_source"][0]["source_path"]).exists()
    assert set(by_credential) == set(AWX_OPTIONS)
    assert by_credential["credential"][0]["inputs"] == {"ca": "certificate", "ca_key": "key"}
    assert by_credential["job_template"][0]["credentials"] == ["azure", "Docker host CA"]
    assert set(by_vault) == set(AWX_OPTIONS) - {"credential", "credential_type"}
    assert [len(asked["job_template"]) for asked in (by_credential, by_vault)] == [2, 3]
    assert by_vault["job_template"][0]["credentials"] == ["azure"]
    assert by_vault["job_template"][0]["extra_vars"] == {
        "docker_host_store": "key_vault",
        "docker_host_key_vault": "contoso-docker",
    }
    assert configured(user) == {}


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
    assert "dockerhost.azure" in (user.home / "context" / "_build" / "requirements.yml").read_text()
    found = user.run("ansible-builder", "introspect", os.fspath(Path(COLLECTIONS)), "--sanitize")
    assert found.code == 0, found.output
    for package in ("azure-identity", "azure-keyvault-secrets", "azure-mgmt-compute", "cryptography"):
        assert package in found.output
    assert sys.version_info >= (3, 10)
