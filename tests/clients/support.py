# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users at a shell: one with the az CLI, one with ansible-playbook, each with a HOME of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.names import command_with_hosts

from . import client_venvs

TOP = Path(__file__).resolve().parents[2]
PLAYS = Path(__file__).resolve().parent / "plays"
COLLECTIONS = os.environ.get("DOCKERHOST_COLLECTIONS_PATH", str(TOP / ".build" / "dev"))
CACHE = Path(os.environ.get("DOCKERHOST_CACHE", str(TOP / ".cache")))
FOREIGN = (
    ("AZURE_", "ANSIBLE_", "DOCKER_", "PYTHON", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
    + ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY", "all_proxy")
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """This process's environment without what is meant for other clouds, proxies and interpreters."""
    return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}


@dataclass
class Az:
    """The az CLI, signed in to a local Azure that is registered as a private cloud."""

    azure: LocalAzure
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a user of any private cloud sets, and nothing else."""
        return {
            **clean_environment(),
            "HOME": str(self.home),
            "AZURE_CONFIG_DIR": str(self.home / ".azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "1",
            "REQUESTS_CA_BUNDLE": self.azure.ca_file,
        }

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``az WORDS``."""
        az = client_venvs.python("az").with_name("az")
        return subprocess.run(
            [str(az), *words],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def __call__(self, words: str, *more: str) -> t.Any:
        """Run ``az``, which must succeed; what it prints, read as JSON (None when it prints nothing)."""
        done = self.attempt(*words.split(), *more, "--output", "json")
        assert done.returncode == 0, f"az {words} {' '.join(more)}: {done.stderr[-4000:]}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def sign_in(self) -> None:
        """Register the cloud and sign in as its service principal."""
        names = ("active-directory", "active-directory-resource-id", "active-directory-graph-resource-id")
        endpoints = [word for name in (*names, "resource-manager") for word in (f"--endpoint-{name}", self.azure.url)]
        vaults = f".vault.localhost:{urllib.parse.urlsplit(self.azure.url).port}"
        self("cloud register --name local", *endpoints, "--suffix-keyvault-dns", vaults)
        self("cloud set --name local")
        self("config set core.instance_discovery=false")
        self(f"login --service-principal --tenant {self.azure.tenant} --username {self.azure.client_id}",
             f"--password={self.azure.secret}")  # fmt: skip


@dataclass
class Playbooks:
    """ansible-playbook of one virtual environment.

    :param python: the interpreter, beside which ansible-playbook lies; the tasks run by it too.
    :param environment: further environment variables.
    :param hosts_file: names of machines, where a play is to know them.
    """

    python: Path
    home: Path
    environment: dict[str, str]
    hosts_file: Path | None = None
    output: str = field(default="", init=False)

    def __call__(self, playbook: str | Path, variables: t.Mapping[str, t.Any], *options: str) -> int:
        """Run a playbook, which must succeed; returns how many tasks changed something."""
        given = {"ansible_python_interpreter": str(self.python), **variables}
        program = str(self.python.with_name("ansible-playbook"))
        command = [program, "-i", "localhost,", "-c", "local", str(playbook), "-e", json.dumps(given), *options]
        if self.hosts_file is not None:
            command = command_with_hosts(self.hosts_file, command)
        done = subprocess.run(
            command,
            env={
                **clean_environment(),
                "HOME": str(self.home),
                "ANSIBLE_HOME": str(self.home / ".ansible"),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_NOCOLOR": "true",
                **self.environment,
            },
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1500,
        )
        self.output = done.stdout
        assert done.returncode == 0, done.stdout[-12000:]
        recap = done.stdout.rpartition("PLAY RECAP")[2].split()
        return sum(int(word.partition("=")[2]) for word in recap if word.startswith("changed="))


def ours(azure: LocalAzure, home: Path) -> Playbooks:
    """A user of this collection."""
    environment = {**azure.environment, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS}
    return Playbooks(Path(sys.executable), home, environment, Path(azure.hosts_file) if azure.hosts_file else None)
