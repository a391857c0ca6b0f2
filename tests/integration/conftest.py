# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user with a HOME of their own, who runs the playbooks against a local Azure and types docker commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import CLEARED, LocalAzure
from azure_emulator.machines.names import command_with_hosts

REPOSITORY = Path(__file__).parents[2]
COLLECTIONS = os.environ.get("DOCKERHOST_COLLECTIONS_PATH", str(REPOSITORY / ".build" / "dev"))
BIN = Path(sys.executable).parent
RECAP = re.compile(r"^(\S+)\s+: ok=\d+ +changed=(\d+) +unreachable=0 +failed=(\d+)", re.MULTILINE)


class Ran(t.NamedTuple):
    """One finished command."""

    code: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        """Changed tasks by host."""
        return {match[1]: int(match[2]) for match in RECAP.finditer(self.output)}


class User:
    """Runs commands with nothing of the machine's own user in the environment."""

    def __init__(self, azure: LocalAzure, home: Path) -> None:
        self.azure = azure
        self.home = home
        home.mkdir(mode=0o700, exist_ok=True)
        self.variables: dict[str, t.Any] = {
            "docker_host_location": "westeurope",
            "docker_host_resource_group": f"rg-{home.name}",
            "docker_host_engine": {"source": "distribution"},
        }

    @property
    def docker_directory(self) -> Path:
        return self.home / ".docker"

    def run(self, *command: str, environment: t.Mapping[str, str] | None = None) -> Ran:
        unwanted = ("AZURE_", "ANSIBLE_", "DOCKER_")
        env = {key: value for key, value in os.environ.items() if not key.startswith(unwanted) and key not in CLEARED}
        env.update(
            self.azure.environment,
            HOME=str(self.home),
            PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}",
            ANSIBLE_COLLECTIONS_PATH=COLLECTIONS,
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
            ANSIBLE_NOCOLOR="true",
        )
        env.update(environment or {})
        ran = subprocess.run(
            command_with_hosts(Path(self.azure.hosts_file), list(command)),
            env=env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout)

    def play(
        self,
        playbook: str,
        *arguments: str,
        fails: bool = False,
        environment: t.Mapping[str, str] | None = None,
        **variables: t.Any,
    ) -> Ran:
        """Run a playbook of the collection, or a file, and check that it ends as it should."""
        name = playbook if "/" in playbook else f"dockerhost.azure.{playbook}"
        extra = {**self.variables, **{f"docker_host_{key}": value for key, value in variables.items()}}
        ran = self.run("ansible-playbook", name, "-e", json.dumps(extra), *arguments, environment=environment)
        assert (ran.code != 0) == fails, ran.output[-8000:]
        return ran

    def docker(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        ran = self.run("docker", *arguments, environment=environment)
        assert (ran.code != 0) == fails, ran.output
        return ran.output

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.home)) for path in self.docker_directory.rglob("*") if path.is_file())

    def contents(self) -> dict[str, bytes]:
        return {path: (self.home / path).read_bytes() for path in self.files()}

    def write_inventory(self, names: t.Sequence[str]) -> None:
        """Write inventory.json with these hosts in the group docker_hosts."""
        inventory = {"all": {"children": {"docker_hosts": {"hosts": dict.fromkeys(names)}}}}
        (self.home / "inventory.json").write_text(json.dumps(inventory))

    def make_request(self, name: str) -> Path:
        """Make a key and a request, as the documentation tells a person to make them."""
        key, request = self.home / f"{name}-key.pem", self.home / f"{name}.csr"
        command = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        made = self.run(*command.split(), "-keyout", str(key), "-out", str(request), "-subj", "/CN=somebody")
        assert made.code == 0, made.output
        return request

    def address(self, name: str) -> str:
        """The host's public address, by the DNS names of the local Azure."""
        group = self.variables["docker_host_resource_group"]
        for path, resource in self.azure.dump().items():
            if path.lower().endswith(f"/{group}/providers/microsoft.network/publicipaddresses/{name}-ip"):
                return str(resource["properties"]["ipAddress"])
        raise AssertionError(f"{name} has no address")

    def writes(self) -> list[str]:
        """Requests since the last look that could have changed something in Azure."""
        entries = [f"{entry['method']} {entry['path']}" for entry in self.azure.requests()]
        self.azure.clear_requests()
        reading = ("GET ", "HEAD ", "OPTIONS ")
        return [line for line in entries if not line.startswith(reading) and "/oauth2/" not in line]

    def writes_and_reads(self) -> int:
        """How many requests about resources there were since the last look."""
        entries = [entry["path"] for entry in self.azure.requests()]
        self.azure.clear_requests()
        return len([path for path in entries if "/subscriptions/" in path])


needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="the docker CLI is not installed")


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    with LocalAzure(machines="stand-in") as running:
        yield running


@pytest.fixture
def user(azure: LocalAzure, tmp_path: Path, request: pytest.FixtureRequest) -> t.Iterator[User]:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")[:40].strip("-")
    somebody = User(azure, tmp_path / name)
    azure.clear_requests()
    yield somebody
    azure.faults_clear()
