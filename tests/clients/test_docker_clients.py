# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's clients on a real guest, with the connection values that our modules return, unchanged."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.names import command_with_hosts
from azure_emulator.machines.possible import guests_possible

from . import client_venvs
from .conftest import need
from .support import CACHE, PLAYS, Playbooks, clean_environment, ours

HERE = Path(__file__).resolve().parent


@dataclass
class Host:
    """A Docker host and what was returned about it.

    :param file: the values as our modules returned them, as JSON.
    :param home: its maker's HOME.
    """

    file: Path
    home: Path
    hosts_file: Path

    @property
    def values(self) -> dict[str, t.Any]:
        """The values."""
        return t.cast("dict[str, t.Any]", json.loads(self.file.read_text()))

    def run(self, *command: str, **kwargs: t.Any) -> bytes:
        """Run a program with the environment variables that the role returned, which must succeed."""
        environment = {**clean_environment(), "HOME": str(self.home), **self.values["facts"]["env"]}
        done = subprocess.run(
            command_with_hosts(self.hosts_file, command), env=environment, capture_output=True, check=False, **kwargs
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return bytes(done.stdout)


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    """A local Azure with real guests."""
    reason = guests_possible()
    if reason:
        pytest.skip(f"real guests can't run here: {reason}")
    os.environ["DOCKERHOST_CACHE"] = str(CACHE)
    with LocalAzure(machines="guests", options=["--cache-dir", str(CACHE)]) as azure:
        yield azure


@pytest.fixture(scope="module")
def host(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A Docker host that the role made."""
    if not shutil.which("docker"):
        pytest.skip("there is no docker CLI on PATH; `make system` brings one")
    home = tmp_path_factory.mktemp("user")
    made = Host(home / "facts.json", home, Path(azure.hosts_file))
    variables = {
        "docker_host_name": "web1",
        "docker_host_resource_group": "web",
        "docker_host_location": "westeurope",
        "docker_host_engine": {"source": "distribution"},
        "facts_file": str(made.file),
    }
    ours(azure, home)(PLAYS / "make_host.yml", variables)
    made.run("docker", "import", "-", "busybox:test", input=busybox_root())
    return made


def busybox_root() -> bytes:
    """A root file system of one static busybox."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(CACHE / "bin" / "busybox", arcname="bin/busybox")
        for name in ("sh", "echo", "sleep", "cat", "mkdir", "chmod", "rm", "dd", "test", "id"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        directory = tarfile.TarInfo("tmp")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(directory)
    return archive.getvalue()


def test_docker_cli(host: Host) -> None:
    assert b"Server Version" in host.run("docker", "info")
    assert host.run("docker", "run", "--rm", "busybox:test", "echo", "hello") == b"hello\n"
    by_context = {k: v for k, v in host.values["facts"]["env"].items() if not k.startswith("DOCKER_")}
    assert by_context == {}
    connection = host.values["endpoint"]["docker_connection"]
    options = [f"--tls{name}={connection[key]}" for name, key in FLAGS.items()]
    said = host.run("docker", "--tlsverify", *options, "--host", connection["docker_host"], "version")
    assert b"Server:" in said


FLAGS = {"cacert": "ca_path", "cert": "client_cert", "key": "client_key"}


def test_docker_cli_by_context(host: Host) -> None:
    environment = {**clean_environment(), "HOME": str(host.home)}
    command = ["docker", "--context", host.values["facts"]["context"], "run", "--rm", "busybox:test", "echo", "hello"]
    done = subprocess.run(
        command_with_hosts(host.hosts_file, command), env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"hello\n"), done.stderr


def test_docker_sdk(host: Host, tmp_path: Path) -> None:
    need("ansible")
    values = tmp_path / "connection.json"
    values.write_text(json.dumps(host.values["endpoint"]["docker_connection"]))
    said = host.run(str(client_venvs.python("ansible")), str(HERE / "docker_sdk.py"), str(values))
    assert said == b"hello from the SDK\n"


def test_community_docker(host: Host, tmp_path: Path) -> None:
    need("ansible")
    archive = tmp_path / "busybox.tar"
    archive.write_bytes(host.run("docker", "save", "busybox:test"))
    host.run("docker", "rmi", "busybox:test")
    script = tmp_path / "script.sh"
    script.write_text("#!/bin/sh\necho script in the container\n")
    client = Playbooks(client_venvs.python("ansible"), tmp_path, {}, host.hosts_file)
    variables = {"facts_file": str(host.file), "image_archive": str(archive), "script": str(script)}
    assert client(PLAYS / "community_docker.yml", variables) >= 8, client.output
