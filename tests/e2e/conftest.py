# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user at a controller: a HOME of their own, ansible-playbook, the docker CLI, and a local Azure with real guests."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines import tree
from azure_emulator.machines.names import command_with_hosts
from azure_emulator.machines.possible import guests_possible

from .authority import Authority
from .machines import Machines
from .paths import CACHE, COLLECTIONS
from .rpm_tools import tools_pool


@dataclass
class Run:
    """What an ``ansible-playbook`` run gave."""

    returncode: int
    output: str
    stats: dict[str, int]

    @property
    def changed(self) -> int:
        """The number of changed tasks."""
        return self.stats.get("changed", 0)


@dataclass
class Controller:
    """A user's account on a controller."""

    azure: LocalAzure
    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def cert_dir(self) -> Path:
        """The default ``cert_dir``."""
        return self.home / ".docker"

    @property
    def environment(self) -> dict[str, str]:
        """What the user has in the environment: a private cloud, and nothing of this machine's."""
        dropped = ("AZURE_", "ANSIBLE_", "DOCKER_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        return {
            **kept,
            **self.azure.environment,
            "HOME": str(self.home),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            **self.extra,
        }

    def command(self, arguments: t.Sequence[str], **kwargs: t.Any) -> subprocess.CompletedProcess[bytes]:
        """Run a command where the machines' names resolve; output and errors together."""
        kwargs.setdefault("env", self.environment)
        kwargs.setdefault("timeout", 600)
        if "input" not in kwargs:
            kwargs["stdin"] = subprocess.DEVNULL
        return subprocess.run(
            command_with_hosts(Path(self.azure.hosts_file), list(arguments)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            check=False,
            **kwargs,
        )

    def playbook(self, name: str, variables: t.Mapping[str, t.Any], *options: str, fails: bool = False) -> Run:
        """Run a playbook of the collection (or a file) with extra variables; it must end as expected."""
        playbook = name if name.endswith(".yml") else f"dockerhost.azure.{name}"
        given = json.dumps(dict(variables))
        arguments = [str(Path(sys.executable).with_name("ansible-playbook")), playbook, "-e", given, *options]
        done = self.command(arguments)
        output = done.stdout.decode(errors="replace")
        assert (done.returncode != 0) == fails, output[-15000:]
        recap = output.rpartition("PLAY RECAP")[2]
        stats: dict[str, int] = {}
        for word in recap.split():
            key, sign, value = word.partition("=")
            if sign and value.isdigit():
                stats[key] = stats.get(key, 0) + int(value)
        return Run(done.returncode, output, stats)

    def docker(self, address: str, *arguments: str, port: int = 4243, **kwargs: t.Any) -> tuple[int, str]:
        """The docker CLI over mutual TLS with the certificates of ``~/.docker``: its status and what it says."""
        done = self.command(["docker", "--tlsverify", "-H", f"tcp://{address}:{port}", *arguments], **kwargs)
        return done.returncode, done.stdout.decode(errors="replace")

    def writing_requests(self) -> list[str]:
        """The requests since the log was cleared that change something."""
        return [
            f"{entry['method']} {entry['path']}"
            for entry in self.azure.requests()
            if entry["method"] in ("PUT", "PATCH", "DELETE")
            or (entry["method"] == "POST" and "/oauth2/" not in entry["path"])
        ]


@pytest.fixture(scope="session")
def guests() -> None:
    """Skip where real guests can't run, and say why."""
    reason = guests_possible()
    if reason:
        pytest.skip(f"real guests can't run here: {reason}")
    if not shutil.which("docker"):
        pytest.skip("there is no docker CLI on PATH")


@pytest.fixture(scope="module")
def azure(guests: None) -> t.Iterator[LocalAzure]:
    """A local Azure with real guests; DOCKERHOST_HANDLERS is a directory with others' handlers for them."""
    os.environ["DOCKERHOST_CACHE"] = str(CACHE)
    supplied = os.environ.get("DOCKERHOST_HANDLERS")
    with LocalAzure(machines="guests", options=["--handlers", supplied] if supplied else []) as azure:
        yield azure


@pytest.fixture(scope="module")
def controller(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """A user with an empty HOME."""
    return Controller(azure, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def machines(guests: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Machines]:
    """An empty cloud."""
    found = Machines(tmp_path_factory.mktemp("machines"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def tools(machines: Machines) -> str:
    """The address of a repository with package managers and firewalls."""
    build = tree.find_tree(CACHE)
    assert build is not None
    return machines.serve(tools_pool(CACHE, build))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA for registries and engines."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def busybox_image() -> bytes:
    """A root file system for ``docker import``: one static busybox."""
    busybox = CACHE / "bin" / "busybox"
    assert busybox.exists(), f"{busybox} is made by `make system`"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(busybox, arcname="bin/busybox")
        for name in ("sh", "echo", "sleep", "cat", "httpd"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type = tarfile.SYMTYPE
            link.linkname = "busybox"
            tar.addfile(link)
    return archive.getvalue()
