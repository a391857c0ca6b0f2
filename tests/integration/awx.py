# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX lays them out and runs them: in a private data directory, with a HOME that is thrown away."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import secret_values

from .conftest import BIN, COLLECTIONS, REPOSITORY, User

AWX = REPOSITORY / "examples" / "awx"
PASSPHRASE = "seven-green-hedgehogs"
REGISTRY_PASSWORD = "nine-blue-otters"
COMPOSE_SECRET = "four-grey-herons"
SUSPICIOUS = ("PRIVATE KEY", '"protectedSettings"', "Bearer eyJ", '"access_token"')


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
        assert (ran.code != 0) == fails, ran.output[-3000:] + stdout(job)[-6000:]

    def _keep(self, job: Path, playbook: str) -> None:
        """Note the keys of the job's home, keep what a client needs, and throw the home away."""
        made = [*(job / "home").rglob("*key.pem"), *(job / "home").glob(".ssh/docker_host_*")]
        assert made or "delete" in playbook or not stdout(job).count("Issue the certificates")
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


def stdout(job: Path) -> str:
    path = job / "artifacts" / "1" / "stdout"
    return path.read_text() if path.exists() else ""


def events(job: Path) -> list[dict[str, t.Any]]:
    paths = (job / "artifacts" / "1" / "job_events").glob("*.json")
    return sorted((json.loads(path.read_text()) for path in paths), key=lambda event: event["counter"])


def changed(job: Path) -> dict[str, int]:
    """Changed tasks by host, as the recap has them."""
    (recap,) = (event["event_data"] for event in events(job) if event["event"] == "playbook_on_stats")
    assert recap["ok"]
    return t.cast("dict[str, int]", recap["changed"])
