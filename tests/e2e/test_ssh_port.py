# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH on another port on a real guest, with the generated key; where ssh.socket listens, that moves too."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

from .conftest import Controller

pytestmark = pytest.mark.guests
PORT = 2222


def make(controller: Controller, **options: t.Any) -> dict[str, t.Any]:
    """Run the module as a user does; its result."""
    given = {"name": "ssh1", "resource_group": "ssh", "location": "westeurope", "ssh_port": PORT, **options}
    words = ["-m", "dockerhost.azure.docker_vm_host", "-a", json.dumps(given), "localhost"]
    done = controller.command(["ansible", "-i", "localhost,", "-c", "local", *words])
    text = done.stdout.decode()
    assert " => {" in text, text
    return t.cast("dict[str, t.Any]", json.loads(text.rpartition(" => ")[2]))


def ssh(controller: Controller, address: str, port: int, command: str) -> tuple[int, str]:
    """Sign in and run a command."""
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5"]
    key = str(controller.home / ".ssh" / "docker_host_ed25519")
    words = ["ssh", "-o", "BatchMode=yes", *options, "-i", key, "-p", str(port), f"azureuser@{address}", command]
    done = controller.command(words)
    return done.returncode, done.stdout.decode(errors="replace") + (done.stderr or b"").decode(errors="replace")


def test_sshd_listens_on_the_wanted_port_alone(controller: Controller) -> None:
    made = make(controller, ssh_allowed_sources=["Internet"], open_ports=[22])
    address = made["host"]["public_ip_address"]
    assert made["host"]["ssh_port"] == PORT
    deadline = time.monotonic() + 60
    status, text = 255, ""
    while status != 0 and time.monotonic() < deadline:
        status, text = ssh(controller, address, PORT, "sudo ss -Hltn")
        time.sleep(0.5)
    assert status == 0, text
    ports = {line.split()[3].rpartition(":")[2] for line in text.splitlines() if line.startswith("LISTEN")}
    assert str(PORT) in ports
    assert "22" not in ports
    # The security group lets port 22 in, but nobody listens there.
    assert ssh(controller, address, 22, "true")[0] == 255
    again = make(controller, ssh_allowed_sources=["Internet"], open_ports=[22])
    assert again["changed"] is False
    # As on Ubuntu: the socket unit listens, by the drop-in on the wanted port.
    move = (
        "sudo sh -c 'systemctl stop ssh && systemctl enable --now ssh.socket' && sleep 1 && sudo ss -Hltnp"
        " | grep systemd"
    )
    status, text = ssh(controller, address, PORT, move)
    assert status == 0, text
    assert f":{PORT} " in text
    assert ":22 " not in text
    assert ssh(controller, address, PORT, "true")[0] == 0


def test_the_port_cannot_be_moved_later(controller: Controller) -> None:
    refused = make(controller, ssh_port=22, ssh_allowed_sources=["Internet"], open_ports=[80])
    assert [entry["property"] for entry in refused["immutable"]] == ["ssh_port"]
