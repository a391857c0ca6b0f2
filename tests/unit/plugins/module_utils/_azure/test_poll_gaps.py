# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure asks not to poll again for 30 seconds. Nobody sleeps so long while the resource shows the result."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import clients, operations
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND as EXTENSION
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND as CERTS
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND as HOST
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out
from ansible_collections.dockerhost.azure.plugins.plugin_utils._program import read_program
from azure_emulator.launcher import CLEARED, LocalAzure

LONG_SECONDS = 10
KINDS = {
    *("vm.create", "vm.patch", "vm.start", "vm.powerOff", "vm.restart", "vm.deallocate", "vm.reapply", "vm.delete"),
    *("vm.runCommand", "runCommand.create", "runCommand.update", "runCommand.delete"),
    *("extension.create", "extension.delete", "disk.update"),
    *("networkInterface.create", "networkInterface.update", "publicIPAddress.create", "publicIPAddress.update"),
    *("networkSecurityGroup.create", "networkSecurityGroup.update", "virtualNetwork.create", "subnet.create"),
    "network.delete",
}
"""The local Azure's names for the operations that the modules begin, except ``group.delete``.

A group is not watched: Azure no longer shows it while it still deletes what is in it.
"""

Watcher = t.Callable[[], bool]


@dataclass
class Polling:
    """A local Azure whose polls ask for 30 seconds, and how the modules waited in it.

    :param sleeps: long sleeps that watched no resource, each with what it was for. They are cut short.
    :param unwatched: operations that began without a function that reads their resource.
    """

    azure: LocalAzure
    sleeps: list[tuple[str, float]] = field(default_factory=list)
    unwatched: list[str] = field(default_factory=list)


@pytest.fixture
def polling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Polling]:
    """A local Azure whose polls ask for 30 seconds. A sleep that watches its resource goes on at its own pace."""
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    rest, method = operations.ProgressReporter.rest, clients.polling_method

    def noted_rest(self: operations.ProgressReporter, seconds: float, over: Watcher | None = None) -> None:
        if over is None and seconds >= LONG_SECONDS:
            found.sleeps.append((self.work.operation, seconds))
            seconds = 0.1
        rest(self, seconds, over)

    def noted_method(reporter: operations.ProgressReporter, over: Watcher | None = None, *enough: Watcher) -> t.Any:
        if over is None:
            found.unwatched.append(reporter.work.operation)
        return method(reporter, over, *enough)

    monkeypatch.setattr(operations.ProgressReporter, "rest", noted_rest)
    monkeypatch.setattr(operations.ProgressReporter, "pace", 0.2)
    monkeypatch.setattr(clients, "polling_method", noted_method)
    with LocalAzure(machines="stand-in", latency="recorded:0.01", seed=1, switches={"retry_after": 30}) as azure:
        found = Polling(azure)
        for name, value in {**azure.environment, "HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield found
        polls = [entry for entry in azure.requests() if "/operations/" in entry["path"].lower()]
        assert polls, "no operation was polled"


def do(backend: Backend, changes: bool = True, **options: t.Any) -> dict[str, t.Any]:
    """Run a module."""
    result = carry_out(backend, options).result
    assert not result.get("failed"), result["msg"]
    assert result["changed"] is changes
    return result


def test_no_operation_sleeps_through_a_poll_gap(polling: Polling, tmp_path: Path) -> None:
    place = {"resource_group": "gaps", "name": "web1"}
    host = {**place, "location": "westeurope", "ssh_private_key_path": str(tmp_path / "key"), "allow_stop": True}
    vm = {"resource_group": "gaps", "virtual_machine_name": "web1", "setup_program": read_program()}
    do(HOST, **host)
    do(HOST, **host, data_disks=[{"lun": 0, "disk_size_gb": 8}])
    do(HOST, **host, os_disk_size_gb=64, tags={"a": "b"})
    do(HOST, **host, docker_port=2376, open_ports=[80])
    for state in ("deallocated", "running", "stopped", "running", "restarted"):
        do(HOST, **place, state=state)
    certs = do(CERTS, cert_dir=str(tmp_path / "certs"), hosts=[{"name": "web1", "ip_addresses": ["192.0.2.1"]}])
    engine = {"certs": certs["servers"]["web1"], "engine": {"source": "distribution"}}
    do(EXTENSION, **vm, **engine)
    do(EXTENSION, **vm, **engine, docker={"port": 2376})
    do(EXTENSION, changes=False, **vm, **engine, docker={"port": 2376}, verify=True)
    do(EXTENSION, **vm, **engine, handler="run_command")
    do(EXTENSION, **vm, **engine, docker={"port": 4300}, handler="run_command")
    do(EXTENSION, **vm, state="absent")
    # The VM's tags are written last, and nobody waits for that operation. The next run repairs what it left.
    polling.azure.fault("operation", method="PATCH", path="virtualMachines/web1$", ends="Failed")
    do(EXTENSION, **vm, **engine)
    polling.azure.settle()
    do(HOST, **host, docker_port=2376)
    second = {**host, "name": "web2", "subnet_name": "apps"}
    do(HOST, **second)
    for name in ("web2", "web1"):
        do(HOST, **place | {"name": name}, state="absent", subnet_name="apps", remove_on_absent=["all"])
    assert polling.unwatched == []
    assert polling.sleeps == []
    assert {operation["kind"] for operation in polling.azure.operations()} - {"group.delete"} == KINDS


def test_a_push_ends_when_the_program_on_the_vm_reports_success(polling: Polling, tmp_path: Path) -> None:
    place = {"resource_group": "gaps", "name": "web1"}
    do(HOST, **place, location="westeurope", ssh_private_key_path=str(tmp_path / "key"))
    certs = do(CERTS, cert_dir=str(tmp_path / "certs"), hosts=[{"name": "web1", "ip_addresses": ["192.0.2.1"]}])
    vm = {"resource_group": "gaps", "virtual_machine_name": "web1", "setup_program": read_program()}
    given = {**vm, "certs": certs["servers"]["web1"], "engine": {"source": "distribution"}}
    polling.azure.hold()
    assert do(EXTENSION, wait_timeout=300, **given)["extension"]["provisioning_state"] == "Succeeded"
    # Azure has not ended its operation: nobody needs that, neither the record of the CA nor the next run.
    under_way = {entry["kind"]: entry["id"] for entry in polling.azure.operations() if entry["status"] == "InProgress"}
    assert set(under_way) == {"extension.create", "vm.patch"}
    do(EXTENSION, changes=False, **given)
    assert carry_out(EXTENSION, given, check_mode=True).result["changed"] is False
    polling.azure.release(under_way["extension.create"], "Failed", {"code": "InternalExecutionError", "message": "?"})
    polling.azure.release(under_way["vm.patch"])
    polling.azure.hold(False)
    # What Azure says at the end counts.
    assert do(EXTENSION, **given)["reasons"] == ["the last push ended as Failed"]
