# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on a host that Debian's own cloud-init provisions, with all that the collection adds to custom data."""

from __future__ import annotations

import os
import socket
import typing as t

import pytest

from azure_emulator.launcher import LocalAzure

from .conftest import Controller
from .paths import CACHE
from .test_main_job import HOST, fqdn

# An archive: its parts carry no headers, so their lists replace those of every part before them.
ARCHIVE = """\
#cloud-config-archive
- type: text/cloud-config
  content: |
    write_files:
      - path: /root/written
        content: |
          größer
    runcmd:
      - [sh, -c, "echo ran > /root/ran"]
- type: text/x-shellscript
  content: |
    #!/bin/sh
    echo script > /root/script
"""
PROVISIONED = {
    **HOST,
    "docker_host_custom_data": ARCHIVE,
    "docker_host_engine": {"source": "distribution", "at_boot": True},
    "docker_host_ssh_port": 2222,
    "docker_host_ssh_allowed_sources": ["Internet"],
}


@pytest.fixture(scope="module")
def azure(guests: None) -> t.Iterator[LocalAzure]:
    """A local Azure whose guests Debian's cloud-init provisions."""
    os.environ["DOCKERHOST_CACHE"] = str(CACHE)
    with LocalAzure(machines="guests", options=["--provision", "cloud-init"]) as azure:
        yield azure


def test_the_main_job_with_custom_data_another_ssh_port_and_the_engine_at_boot(
    controller: Controller, busybox_image: bytes
) -> None:
    run = controller.playbook("create_docker_host", PROVISIONED)
    assert run.changed >= 4, run.output
    name = fqdn(controller)
    assert controller.docker(name, "import", "-", "busybox:test", input=busybox_image)[0] == 0

    def host(command: str) -> str:
        """What a shell says in the host's own file system."""
        inside = ["run", "--rm", "-v", "/:/host", "busybox:test", "/bin/busybox", "chroot", "/host", "sh", "-c"]
        status, said = controller.docker(name, *inside, command)
        assert status == 0, said
        return said

    # The parts of the archive, the installation, and the move of sshd: cloud-init has carried all of them out.
    said = host("cat /root/written /root/ran /root/script /run/cloud-init/result.json /var/log/cloud-init-output.log")
    assert said.startswith("größer\nran\nscript\n")
    assert "DataSourceAzure" in said
    assert "Running as unit: docker-host-boot.service" in said
    with socket.create_connection((controller.azure.names()[name], 2222), timeout=30) as ssh:
        assert ssh.recv(8) == b"SSH-2.0-"
    # Whichever of the boot and the push came first, one of them installed the engine.
    log = host("cat /var/log/docker-host-setup.log")
    assert log.count("install the engine from Debian") == 1
    assert controller.playbook("create_docker_host", PROVISIONED).changed == 0
