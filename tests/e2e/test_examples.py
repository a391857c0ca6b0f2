# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples on real guests, as they stand: containers run, applications answer, tunnels lead there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.names import command_with_hosts

from .conftest import Controller
from .internet import PAGE, Internet
from .paths import CACHE, COLLECTIONS, TOP
from .public_collections import NotFetchedError, community_docker

pytestmark = pytest.mark.guests


@pytest.fixture(scope="module")
def internet(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Internet]:
    """Images, and a directory of files."""
    found = Internet(azure.pid, tmp_path_factory.mktemp("files"), CACHE / "bin" / "busybox")
    yield found
    found.close()


@pytest.fixture
def user(azure: LocalAzure, tmp_path: Path, request: pytest.FixtureRequest) -> Controller:
    """A user with a copy of the example that the test's name ends in."""
    example = request.node.name.removeprefix("test_").replace("_", "-")
    shutil.copytree(TOP / "examples" / example, tmp_path / "project")
    try:
        more = community_docker(CACHE)
    except NotFetchedError as error:
        why = f"community.docker could not be fetched from PyPI: {error}"
        # Somebody at work may have no internet; where changes are judged, nothing is passed over.
        (pytest.fail if os.environ.get("CI", "").lower() in ("1", "true") else pytest.skip)(why)
    return Controller(azure, tmp_path, {"ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{more}"})


def mirrored(internet: Internet) -> dict[str, t.Any]:
    """What a site in a closed network sets for its images; guests find a mirror of Docker's packages by themselves."""
    return {"docker_host_docker": {"daemon": {"registry-mirrors": [internet.url]}}}


def page_of(controller: Controller, name: str) -> bytes:
    """What a web server says."""
    deadline = time.monotonic() + 120
    while True:
        done = controller.command(["curl", "-sS", "--max-time", "5", f"http://{name}/"])
        if done.returncode == 0 or time.monotonic() > deadline:
            return done.stdout
        time.sleep(0.5)


def name_of(controller: Controller, host: str) -> str:
    """The public name of a host."""
    (name,) = (name for name in controller.azure.names() if name.startswith(f"{host}-"))
    return name


def test_single_host(user: Controller, internet: Internet) -> None:
    """A container on the host that the same run made, by community.docker with the variables that the role returned."""
    variables = mirrored(internet)
    run = user.playbook(str(user.home / "project" / "container.yml"), variables)
    assert run.changed >= 5, run.output
    assert page_of(user, name_of(user, "web1")) == PAGE
    assert user.playbook(str(user.home / "project" / "container.yml"), variables).changed == 0
    # The words of docs/getting-started.md.
    done = user.command(["docker", "--context", "web1", "run", "--rm", "hello-world"])
    assert b"Hello from Docker!" in done.stdout, done.stdout
    into_the_container(user)
    user.playbook("delete_docker_host", {"docker_host_name": "web1"})


def into_the_container(user: Controller) -> None:
    """Another run that knows only the cloud: the inventory's variables lead to the engine, and into containers."""
    inventory = user.home / "docker_vm_host.yml"
    inventory.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host"}))
    variables = {
        f"ansible_docker_{key}": f"{{{{ ansible_docker_{key} }}}}"
        for key in ("docker_host", "tls", "validate_certs", "ca_path", "client_cert", "client_key")
    }
    container = {"name": "web", "groups": "containers", "ansible_connection": "community.docker.docker_api"}
    plays = [
        {
            "hosts": "docker_hosts",
            "gather_facts": False,
            "module_defaults": {"group/community.docker.docker": "{{ docker_host_facts.connection }}"},
            "tasks": [
                {
                    "community.docker.docker_container_info": {"name": "web"},
                    "delegate_to": "localhost",
                    "register": "web",
                },
                {"ansible.builtin.assert": {"that": "web.container.State.Running"}},
                {"ansible.builtin.add_host": {**container, "ansible_docker_host": "web", **variables}},
            ],
        },
        {
            "hosts": "containers",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.raw": "/bin/busybox cat /www/index.html", "register": "page"},
                {"ansible.builtin.assert": {"that": "page.stdout | trim == 'It answers.'"}},
            ],
        },
    ]
    site = user.home / "into.yml"
    site.write_text(json.dumps(plays))
    user.playbook(str(site), {}, "-i", str(inventory))


def test_private_host(user: Controller, internet: Internet) -> None:
    """The lines that the example prints, typed: a tunnel through the jump host, then docker over TLS through it."""
    sources = {"jump_sources": ["Internet"]}
    run = user.playbook(str(user.home / "project" / "site.yml"), {**mirrored(internet), **sources})
    lines = [json.loads(f'"{text}"') for text in re.findall(r'"((?:ssh|docker) [^"]+)"', run.output)]
    tunnel, docker = (shlex.split(line) for line in lines[-2:])
    assert (tunnel[0], docker[0]) == ("ssh", "docker"), run.output
    known = ["-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={user.home}/known_hosts"]
    typed = [word.replace("~", str(user.home)) if word.startswith("~/") else word for word in tunnel[1:]]
    command = [tunnel[0], *known, "-o", "ExitOnForwardFailure=yes", *typed]
    process = subprocess.Popen(
        command_with_hosts(Path(user.azure.hosts_file), command), env=user.environment, stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while (done := user.command(docker)).returncode and time.monotonic() < deadline:
            assert process.poll() is None, "the tunnel ended"
            time.sleep(0.5)
        assert b"Server Version" in done.stdout, done.stdout
        assert b"Name: db1" in done.stdout, done.stdout
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_compose(user: Controller, internet: Internet) -> None:
    """From nothing to HTTP: the engine with its Compose from Docker's repository, images from a registry."""
    variables = mirrored(internet)
    run = user.playbook(str(user.home / "project" / "site.yml"), variables)
    assert run.changed >= 4, run.output
    assert page_of(user, name_of(user, "app1")) == PAGE
    assert user.playbook(str(user.home / "project" / "site.yml"), variables).changed == 0
