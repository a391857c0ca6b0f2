# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/awx as AWX runs it: by ansible-runner, in a private data directory, with a HOME that is thrown away.

The CA comes in by the credential, or lives in a key vault.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault, secret_values

from .conftest import BIN, COLLECTIONS, REPOSITORY, User

AWX = REPOSITORY / "examples" / "awx"
PASSPHRASE = "seven-green-hedgehogs"
REGISTRY_PASSWORD = "nine-blue-otters"
COMPOSE_SECRET = "four-grey-herons"
PUBLIC_KEYS = """ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzDbGvKxJ1lmVgQ0k8hVV0OQ9m5bC8sJkW0Cq3vFq8d anna
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzDbGvKxJ1lmVgQ0k8hVV0OQ9m5bC8sJkW0Cq3vFq8e ben
"""
SUSPICIOUS = ("PRIVATE KEY", '"protectedSettings"', "Bearer eyJ", '"access_token"')

pytestmark = pytest.mark.skipif(not (BIN / "ansible-runner").exists(), reason="ansible-runner is not installed")


class Controller:
    """Lays out jobs as AWX does, and runs them. After each it looks for secrets in everything that is kept of it.

    :param key_vault: the CA lives there; else it comes in by the credential.
    :param passphrase: of the CA's key; empty for none, as in the credential that configure.yml makes.
    """

    def __init__(
        self, azure: LocalAzure, directory: Path, key_vault: str | None = None, passphrase: str = PASSPHRASE
    ) -> None:
        self.azure = azure
        self.directory = directory
        self.key_vault = key_vault
        self.passphrase = passphrase
        self.owner = User(azure, directory / "owner")
        self.number = 0
        self.secrets: set[str] = {azure.secret, REGISTRY_PASSWORD, COMPOSE_SECRET}
        if key_vault is None:
            self._make_authority()

    def _make_authority(self) -> None:
        """What the documentation tells the owner of a CA to do, and a passphrase for the key."""
        play = REPOSITORY / "docs" / "awx.md"
        match = re.search(r"<!-- file: ca.yml -->\n```yaml\n(.*?)```", play.read_text(), re.DOTALL)
        assert match is not None
        (self.owner.home / "ca.yml").write_text(match[1])
        self.owner.play(str(self.owner.home / "ca.yml"))
        plain, key = self.owner.home / "awx-ca" / "ca-key.pem", self.owner.home / "ca-key"
        if self.passphrase:
            ran = self.owner.run(
                "openssl", "pkcs8", "-topk8", "-v2", "aes256", "-in", str(plain), "-passout",
                f"pass:{self.passphrase}", "-out", str(key),
            )  # fmt: skip
            assert ran.code == 0, ran.output
            self.secrets.add(self.passphrase)
        else:
            shutil.copy(plain, key)
        for path in (plain, key):
            self.secrets |= _key_lines(path.read_text())

    def _credential(self, job: Path) -> dict[str, str]:
        """The extra variables of the credential that brings the CA in."""
        if self.key_vault is not None:
            return {}
        for name, source in (("ca", "awx-ca/ca.pem"), ("ca_key", "ca-key")):
            (job / "env" / name).write_bytes((self.owner.home / source).read_bytes())
            (job / "env" / name).chmod(0o600)
        injected = yaml.safe_load((AWX / "credential_type.yml").read_text())["injectors"]["extra_vars"]
        values = {
            "{{ tower.filename.ca }}": str(job / "env" / "ca"),
            "{{ tower.filename.ca_key }}": str(job / "env" / "ca_key"),
            "{{ passphrase }}": self.passphrase,
        }
        return {name: values[text] for name, text in injected.items()}

    def _template(self, playbook: str) -> dict[str, t.Any]:
        """The extra variables of the job template: what configure.yml gives it, and what an administrator adds."""
        vault = {"docker_host_store": "key_vault", "docker_host_key_vault": self.key_vault}
        return {
            **(vault if self.key_vault is not None else {}),
            **({"docker_host_targets": "docker_hosts"} if "rotate" in playbook else {}),
            "docker_host_engine": {"source": "distribution"},
            "docker_host_logins": [
                {"server": "registry.example.com", "username": "ci", "password": REGISTRY_PASSWORD},
            ],
            "docker_host_compose": [
                {
                    "name": "shop",
                    "definition": {"services": {"web": {"image": "nginx", "environment": {"KEY": "${KEY}"}}}},
                    "secrets": {"KEY": COMPOSE_SECRET},
                }
            ],
        }

    def lay_out(self, playbook: str, survey: t.Mapping[str, t.Any], credential: bool = True) -> Path:
        """A private data directory for one job, and its throw-away HOME beside it."""
        self.number += 1
        job = self.directory / f"job{self.number}"
        shutil.copytree(AWX, job / "project")
        (job / "env").mkdir(mode=0o700)
        (job / "home").mkdir(mode=0o700)
        (job / "inventory").mkdir()
        interpreter = "ansible_python_interpreter='{{ ansible_playbook_python }}'"
        (job / "inventory" / "hosts").write_text(f"localhost ansible_connection=local {interpreter}\n")
        if "rotate" in playbook or "docker_host_targets" in survey:
            shutil.copy(AWX / "inventory" / "docker_vm_host.yml", job / "inventory")
        given = {**(self._credential(job) if credential else {}), **survey}
        text = as_awx_writes(self._template(playbook), {**given, "awx_job_id": self.number, "awx_user_name": "admin"})
        (job / "env" / "extravars").write_text(text)
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
        (job / "env" / "cmdline").write_text("-vvvvv")
        return job

    def run(
        self,
        playbook: str,
        survey: t.Mapping[str, t.Any],
        *,
        remotely: bool = False,
        fails: bool = False,
        credential: bool = True,
    ) -> Path:
        """Run one job, as the control node itself does or as an execution node gets it; gives its directory."""
        job = self.lay_out(playbook, survey, credential)
        self._execute(job, playbook, remotely, fails)
        self._keep(job, playbook)
        self._check_secrets(job)
        return job

    def run_slices(
        self, playbook: str, survey: t.Mapping[str, t.Any], hosts: t.Sequence[str], count: int
    ) -> list[Path]:
        """Run a job template with ``job_slice_count``: jobs at the same time on nodes of their own.

        The inventory of each has one host in ``count`` (awx.main.models.Inventory.get_sliced_hosts), and is a script.
        """
        jobs = []
        for offset in range(count):
            job = self.lay_out(playbook, survey)
            chosen = list(hosts[offset::count])
            inventory = {"all": {"hosts": chosen}, "docker_hosts": {"hosts": chosen}, "_meta": {"hostvars": {}}}
            shutil.rmtree(job / "inventory")
            (job / "inventory").mkdir()
            script = job / "inventory" / "hosts"
            script.write_text(f"#! {sys.executable}\nprint({json.dumps(inventory)!r})\n")
            script.chmod(0o700)
            jobs.append(job)
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda job: self._execute(job, playbook, True, False), jobs))
        for job in jobs:
            self._keep(job, playbook)
        for job in jobs:
            self._check_secrets(job)
        return jobs

    def _node(self, job: Path) -> Path:
        """Return the directory of a job on an execution node."""
        return self.directory / job.name.replace("job", "node")

    def _execute(self, job: Path, playbook: str, remotely: bool, fails: bool) -> None:
        runner = str(BIN / "ansible-runner")
        node = self._node(job)
        if remotely:
            node.mkdir()
            command = (
                f"{runner} transmit {shlex.quote(str(job))} -p {playbook} --ident 1"
                f" | {runner} worker --private-data-dir {shlex.quote(str(node))}"
                f" | {runner} process {shlex.quote(str(job))} --ident 1"
            )
        else:
            command = f"{runner} run {shlex.quote(str(job))} -p {playbook} --ident 1 -q"
        ran = self.owner.run("bash", "-o", "pipefail", "-c", command)
        assert (ran.code != 0) == fails, ran.output[-3000:] + _stdout(job)[-6000:]

    def _keep(self, job: Path, playbook: str) -> None:
        """Note the keys of the job's home, keep what a client needs, and throw the home away."""
        made = [*(job / "home").rglob("*key.pem"), *(job / "home").glob(".ssh/docker_host_*")]
        assert made or "delete" in playbook or not _stdout(job).count("Issue the certificates")
        for path in made:
            if path.suffix != ".pub":
                self.secrets |= _key_lines(path.read_text())
        if (job / "home" / ".docker" / "key.pem").exists():
            shutil.copytree(job / "home" / ".docker", self.directory / job.name.replace("job", "client"))
        shutil.rmtree(job / "home")
        if self.key_vault is not None:
            for value in secret_values(self.azure, self.key_vault, "docker-ca"):
                self.secrets |= _key_lines(json.loads(value)["ca_key"])

    def lets_in(self, number: int, host: str) -> bool:
        """Whether an engine lets in whoever has the client certificate of that job."""
        directory = self.directory / f"client{number}"
        (name,) = (name for name in self.azure.names() if name.startswith(host))
        files = {"ca_path": "ca.pem", "client_cert": "cert.pem", "client_key": "key.pem"}
        connection = {
            "docker_host": f"tcp://{name}:4243",
            "tls": True,
            "validate_certs": True,
            "timeout": 30,
            **{option: str(directory / file) for option, file in files.items()},
        }
        arguments = ("-m", "dockerhost.azure.docker_endpoint_info", "-a", json.dumps(connection))
        return self.owner.run("ansible", "localhost", "-c", "local", *arguments).code == 0

    def _check_secrets(self, job: Path) -> None:
        """Look for every secret of all jobs in all that the controller and the execution node keep of this one."""
        node = self._node(job)
        assert len(self.secrets) >= 3
        kept = [path for path in (*job.rglob("*"), *node.rglob("*")) if path.is_file()]
        # The job's input, which AWX gives to nobody.
        kept = [path for path in kept if "env" not in path.relative_to(self.directory).parts[1:2]]
        assert any("job_events" in path.parts for path in kept)
        assert any(node in path.parents for path in kept) == node.exists()
        for path in kept:
            text = path.read_text(errors="replace")
            if path.name == "command":
                # ansible-runner's own record of the environment that it was given.
                text = text.replace(self.azure.secret, "")
            for secret in (*self.secrets, *SUSPICIOUS):
                assert secret not in text, f"{path} holds a secret"


class _AsUnsafe(yaml.SafeDumper):
    """Every text with a tag that keeps Ansible from templating it."""


_AsUnsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def as_awx_writes(trusted: t.Mapping[str, t.Any], others: t.Mapping[str, t.Any]) -> str:
    """A file of extra variables. Only what the job template says may be a template (awx.main.utils.safe_yaml)."""
    parts = [yaml.dump({key: value}, Dumper=yaml.SafeDumper) for key, value in trusted.items()]
    return "".join(parts + [yaml.dump({key: value}, Dumper=_AsUnsafe) for key, value in others.items()])


def _key_lines(pem: str) -> set[str]:
    """The lines of a key that only this key has."""
    return {line for line in pem.splitlines() if len(line) > 40 and not line.startswith("-----")}


def _stdout(job: Path) -> str:
    path = job / "artifacts" / "1" / "stdout"
    return path.read_text() if path.exists() else ""


def _events(job: Path) -> list[dict[str, t.Any]]:
    paths = (job / "artifacts" / "1" / "job_events").glob("*.json")
    return sorted((json.loads(path.read_text()) for path in paths), key=lambda event: event["counter"])


def _changed(job: Path) -> dict[str, int]:
    """Changed tasks by host, as the recap has them."""
    (recap,) = (event["event_data"] for event in _events(job) if event["event"] == "playbook_on_stats")
    assert recap["ok"]
    return t.cast("dict[str, int]", recap["changed"])


@pytest.mark.slow
@pytest.mark.parametrize("way", ["credential", "key vault"])
@pytest.mark.parametrize("remotely", [False, True], ids=["directly", "through transmit, worker, process"])
def test_awx(azure: LocalAzure, tmp_path: Path, remotely: bool, way: str) -> None:
    name = f"job-{way[:3]}-{'remote' if remotely else 'local'}"
    vault = make_vault(azure, f"awx-{name}"[:24]) if way == "key vault" else None
    controller = Controller(azure, tmp_path, vault, passphrase="" if remotely else PASSPHRASE)
    group = f"rg-{name}"
    survey = {
        "docker_host_name": name,
        "docker_host_resource_group": group,
        "docker_host_location": "westeurope",
        "docker_host_vm_size": "",
        "docker_host_port": "",
        "docker_host_allowed_sources": "",
        "docker_host_ssh_allowed_sources": "192.0.2.0/24,198.51.100.0/24",
        "docker_host_ssh_public_keys": PUBLIC_KEYS,
        "docker_host_wait": "",
    }
    job = controller.run("create_docker_host.yml", survey, remotely=remotely)
    shown = [event["stdout"] for event in _events(job) if event["event"] == "verbose"]
    assert any(f"{name}: VM" in text for text in shown), "progress is seen as events"
    assert _changed(job)

    controller.owner.writes()
    second = controller.run("create_docker_host.yml", survey, remotely=remotely)
    assert controller.owner.writes() == []
    assert _changed(second) == {}, _stdout(second)
    assert controller.lets_in(1, name)
    assert controller.lets_in(2, name)

    moved = {**survey, "docker_host_port": "5000"}
    ports = controller.run("create_docker_host.yml", moved, remotely=remotely)
    assert any("virtualMachines" in line for line in controller.owner.writes())
    assert f"{name}: Docker" in _stdout(ports)
    if vault is not None:
        neighbour = {**survey, "docker_host_name": f"beside-{name}"}
        controller.run("create_docker_host.yml", neighbour, remotely=remotely)
        rotated = controller.run("rotate_docker_certs.yml", {}, remotely=remotely)
        assert set(_changed(rotated)) == {name, f"beside-{name}"}
        assert len({json.loads(value)["ca"] for value in secret_values(azure, vault, "docker-ca")}) == 2
        controller.owner.writes()
        for answers in (moved, neighbour):
            controller.run("create_docker_host.yml", answers, remotely=remotely)
        assert controller.owner.writes() == []
        # A rotation is of all hosts that there are: the next test's must not meet this one.
        gone = {"docker_host_name": f"beside-{name}", "docker_host_resource_group": group}
        controller.run("delete_docker_host.yml", gone, remotely=remotely)
    gone = {"docker_host_name": name, "docker_host_resource_group": group}
    controller.run("delete_docker_host.yml", gone, remotely=remotely)
    assert not [path for path in controller.azure.dump() if f"/virtualmachines/{name}" in path.lower()]


@pytest.mark.slow
def test_jobs_for_all_hosts_of_the_inventory(azure: LocalAzure, tmp_path: Path) -> None:
    controller = Controller(azure, tmp_path, make_vault(azure, "awx-all-hosts"))
    host = {"docker_host_name": "all1", "docker_host_resource_group": "rg-all"}
    survey = {
        **host,
        "docker_host_location": "westeurope",
        "docker_host_ssh_public_keys": PUBLIC_KEYS,
        "docker_host_tags": "team=web,stage=test",
        "docker_host_open_ports": "80,443",
        "docker_host_data_disk_gb": "16",
    }
    controller.run("create_docker_host.yml", survey)
    for playbook in ("verify", "renew", "verify", "stop", "start", "restart"):
        name = f"{playbook}_docker_{'certs' if playbook == 'renew' else 'host'}.yml"
        controller.run(name, {"docker_host_targets": "docker_hosts"})
    controller.run("delete_docker_host.yml", host)


@pytest.mark.slow
def test_slices_of_a_job_share_the_ca_in_a_key_vault(azure: LocalAzure, tmp_path: Path) -> None:
    vault = make_vault(azure, "awx-slices")
    controller = Controller(azure, tmp_path, vault)
    hosts = ["slice1", "slice2"]
    survey = {
        "docker_host_targets": "docker_hosts",
        "docker_host_resource_group": "rg-slices",
        "docker_host_location": "westeurope",
    }
    first = controller.run_slices("create_docker_host.yml", survey, hosts, 2)
    assert [set(_changed(job)) for job in first] == [{"slice1"}, {"slice2"}]
    assert len({json.loads(value)["ca"] for value in secret_values(azure, vault, "docker-ca")}) == 1
    assert controller.lets_in(1, "slice2")
    assert controller.lets_in(2, "slice1")
    controller.run_slices("delete_docker_host.yml", survey, hosts, 1)


@pytest.mark.slow
def test_awx_job_without_the_ca_cuts_nobody_off(azure: LocalAzure, tmp_path: Path) -> None:
    azure.clear_requests()
    controller = Controller(azure, tmp_path)
    survey = {
        "docker_host_name": "kept1",
        "docker_host_resource_group": "rg-kept",
        "docker_host_location": "westeurope",
    }
    opened = {**survey, "docker_host_ssh_allowed_sources": "192.0.2.0/24", "docker_host_ssh_public_keys": ""}
    refused = controller.run("create_docker_host.yml", opened, fails=True)
    assert "nobody could ever sign in" in _stdout(refused)
    assert controller.owner.writes() == []
    secrets = len(controller.secrets)
    made = controller.run("create_docker_host.yml", survey)
    assert "discarded with this job" in " ".join(_stdout(made).split())
    assert len(controller.secrets) > secrets, "the keys of the job, that for SSH among them"
    controller.owner.writes()
    job = controller.run("create_docker_host.yml", survey, fails=True, credential=False)
    assert "its engine trusts the CA" in _stdout(job)
    assert controller.owner.writes() == []


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
