# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine is installed at the first boot of a guest, and the push finds it, waits for it, or installs it itself."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.payload import boot_script
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.custom_data import assemble_custom_data
from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.guests import GuestMachine

from .authority import Authority
from .conftest import Controller
from .machines import DISTRIBUTION, PROGRAM, Machines
from .test_main_job import HOST

pytestmark = pytest.mark.guests

INSTALL = "install the engine from Debian GNU/Linux 12 (bookworm)"
UNTIL_ENDED = "timeout 240 sh -c 'until test -e /var/lib/docker-host/boot-result.json; do sleep 0.1; done'"
EITHER = "test -e /var/lib/docker-host/installing.json -o -e /var/lib/docker-host/boot-result.json"
UNTIL_APT_RUNS = f"timeout 240 sh -c 'until {EITHER}; do sleep 0.05; done'"
LEFT = "ls /var/lib/docker-host"


def boot(machines: Machines, name: str, number: int, own: str | None = None, **more: t.Any) -> GuestMachine:
    """Boot a guest whose custom data installs the engine, beside the user's own."""
    data = assemble_custom_data(own, 22, boot_script(PROGRAM, DISTRIBUTION))
    return machines.start(name, number, custom_data=data, **more)


def pushed(machines: Machines, machine: GuestMachine, authority: Authority) -> dict[str, t.Any]:
    """Push settings with certificates; afterwards the engine answers on its port, and nothing of the boot is left."""
    certs = authority.server(machine.spec.name, ["IP:127.0.0.1"]).settings()
    report = machines.push(machine, {"engine": DISTRIBUTION, "port": "4243"}, protected={"certs": certs})
    assert report["engine"]["running"]
    assert ":4243" in machines.sh(machine, "ss -Hltn")
    assert "boot" not in machines.sh(machine, LEFT)
    return report


def test_a_push_finds_the_engine_installed_and_without_a_port(machines: Machines, authority: Authority) -> None:
    web = boot(machines, "web", 4, "#!/bin/sh\necho größer > /root/mine\n")
    machines.sh(web, UNTIL_ENDED)
    assert machines.sh(web, "cat /root/mine") == "größer\n"
    assert "Server" in machines.sh(web, "docker version")
    assert "dockerd" not in machines.sh(web, "ss -Hltnp")
    assert INSTALL not in pushed(machines, web, authority)["changes"]
    # It has found nothing to do, and cloud-init has not waited for it.
    assert "done" in machines.sh(web, "cloud-init status")


def test_a_push_waits_for_the_running_installation(machines: Machines, authority: Authority) -> None:
    web = boot(machines, "waits", 5)
    machines.sh(web, UNTIL_APT_RUNS)
    assert INSTALL not in pushed(machines, web, authority)["changes"]


@pytest.mark.slow
def test_a_push_that_comes_first_installs_and_the_boot_does_nothing(machines: Machines, authority: Authority) -> None:
    web = boot(machines, "first", 6, "#!/bin/sh\nuntil test -e /root/go; do sleep 0.1; done\n")
    # The push waits for cloud-init, which waits for the user's part of the custom data.
    machines.sh(web, "systemd-run sh -c 'until test -e /var/lib/docker-host/lock; do sleep 0.1; done; touch /root/go'")
    assert INSTALL in pushed(machines, web, authority)["changes"]
    machines.sh(web, "timeout 60 sh -c 'while systemctl is-active -q docker-host-boot; do sleep 0.1; done'")
    assert machines.sh(web, f"grep -c '{INSTALL}' /var/log/docker-host-setup.log") == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize("restarted", [False, True], ids=["killed", "restarted"])
def test_a_push_completes_an_installation_that_was_cut_short(
    machines: Machines, authority: Authority, restarted: bool
) -> None:
    # Its packages take half a minute, so it is cut short on a busy machine, too.
    web = boot(machines, f"cut{restarted:d}", 7 + restarted, package_rate=8)
    machines.sh(web, UNTIL_APT_RUNS)
    if restarted:
        machines.loop.run_until_complete(web.halt(hard=True))
        machines.loop.run_until_complete(web.start())
    else:
        machines.sh(web, "systemctl kill -s KILL docker-host-boot")
    report = pushed(machines, web, authority)
    assert any("the last run did not end well; this one has completed it" in note for note in report["notes"])


@pytest.mark.slow
def test_a_failed_installation_is_reported_and_the_push_installs(machines: Machines, authority: Authority) -> None:
    fails = "#!/bin/sh\nmv /etc/apt/sources.list.d /root/; mv /etc/apt/sources.list /root/ || true\n"
    web = boot(machines, "fails", 9, fails)
    machines.sh(web, UNTIL_ENDED)
    machines.sh(web, "mv /root/sources.list.d /etc/apt/; mv /root/sources.list /etc/apt/ || true")
    report = pushed(machines, web, authority)
    assert INSTALL in report["changes"]
    assert any(note.startswith("the installation at boot failed in stage") for note in report["notes"])


@pytest.mark.slow
def test_an_image_without_cloud_init_gets_its_engine_from_the_push(machines: Machines, authority: Authority) -> None:
    web = boot(machines, "plain", 11, masked=["cloud-final.service"])
    machines.sh(web, "rm /usr/bin/cloud-init")
    report = pushed(machines, web, authority)
    assert INSTALL in report["changes"]
    assert not report.get("notes")


@pytest.mark.slow
def test_a_spot_vm_that_is_evicted_during_the_installation_is_completed_by_the_next_run(
    guests: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = {"source": "distribution", "at_boot": True}
    playbook = tmp_path / "host.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [host_task(engine)]}]))
    # Its packages take minutes.
    with LocalAzure(machines="guests", switches={"package_rate": 1}) as azure:
        controller = Controller(azure, tmp_path)
        controller.playbook(str(playbook), {})
        (left,) = Path(azure.state_dir).glob("machines/machines/*/upper/var/lib/docker-host")
        wait_for(left / "installing.json")
        azure.switch("package_rate", 0)
        evict(azure, monkeypatch)
        assert not (left / "boot-result.json").exists()
        options = {"docker_host_priority": "Spot", "docker_host_engine": engine, "docker_host_start": True}
        run = controller.playbook("create_docker_host", {**HOST, **options})
        assert "the last run did not end well; this one has completed it" in run.output
        (name,) = azure.names()
        assert controller.docker(name, "version")[0] == 0
        assert not list(left.glob("boot*"))


def host_task(engine: dict[str, t.Any]) -> dict[str, t.Any]:
    """The task that creates the host alone, without a push."""
    host = {name: HOST[f"docker_host_{name}"] for name in ("name", "resource_group", "location")}
    return {"dockerhost.azure.docker_vm_host": {**host, "priority": "Spot", "engine": engine}}


def evict(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evict the Spot VM, as Azure does at any time, and wait until it is off."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    with AzureSession.from_params({}) as session:
        group = session.group_id(HOST["docker_host_resource_group"])
        session.arm.post(
            f"{group}/providers/Microsoft.Compute/virtualMachines/{HOST['docker_host_name']}/simulateEviction"
        )
    azure.settle()


def wait_for(path: Path) -> None:
    """Wait until there is a file in a guest."""
    command = ["timeout", "300", "sh", "-c", 'until test -e "$0"; do sleep 0.1; done', str(path)]
    subprocess.run(command, check=True)


@pytest.mark.slow
def test_locks_of_the_distribution_are_waited_for(machines: Machines, authority: Authority) -> None:
    web = boot(machines, "locked", 10, package_locks=("dpkg-frontend:20", "apt-lists:20"))
    assert INSTALL not in pushed(machines, web, authority)["changes"]
