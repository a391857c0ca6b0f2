# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State outlives the server, also one that was killed."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest

from azure_emulator.arm.resource import Resource, container_of
from azure_emulator.launcher import LocalAzure
from azure_emulator.state import StateFile, Store

from .conftest import Arm

VM = "Microsoft.Compute/virtualMachines/vm"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


def _client(azure: LocalAzure) -> Arm:
    return Arm(azure, "lasting")


def test_a_restart_changes_nothing(directory: Path) -> None:
    with LocalAzure(state_dir=directory) as azure:
        arm = _client(azure)
        arm.put(arm.group, {"location": "eastus"})
        arm.network()
        arm.vm()
        arm.done(arm.put(f"{VM}/extensions/e", arm.extension_body()))
        before, identity = azure.dump(), (azure.tenant, azure.client_id, azure.secret, azure.subscription_id)
    with LocalAzure(state_dir=directory) as azure:
        assert azure.dump() == before
        assert (azure.tenant, azure.client_id, azure.secret, azure.subscription_id) == identity
        arm = _client(azure)
        assert arm.get(f"{VM}/instanceView").json()["statuses"][-1]["code"] == "PowerState/running"
        assert arm.code(arm.delete("Microsoft.Network/networkInterfaces/nic")) == (400, "NicInUse")
        arm.done(arm.delete(VM))


@pytest.mark.parametrize("moment", ["held", "ended"])
def test_a_crash_loses_nothing(directory: Path, moment: str) -> None:
    azure = LocalAzure(state_dir=directory).start()
    arm = _client(azure)
    arm.put(arm.group, {"location": "eastus"})
    arm.network()
    if moment == "held":
        azure.hold()
    created = arm.put(VM, arm.vm_body())
    if moment == "ended":
        arm.done(created)
    path = created.headers["azure-asyncoperation"].removeprefix(azure.url)
    azure.kill()
    azure.stop()
    with LocalAzure(state_dir=directory) as second:
        arm = _client(second)
        answer = arm.http.get(path)
        assert answer.status_code == 200
        second.settle()
        assert arm.http.get(path).json()["status"] == "Succeeded"
        assert arm.get(VM).json()["properties"]["provisioningState"] == "Succeeded"
        assert arm.get(f"{VM}/instanceView").json()["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"


def test_a_directory_has_one_server(directory: Path) -> None:
    with (
        LocalAzure(state_dir=directory),
        pytest.raises(RuntimeError, match="another server is running with the state directory"),
    ):
        LocalAzure(state_dir=directory).start()


def test_files_with_secrets_are_private(directory: Path) -> None:
    with LocalAzure(state_dir=directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        for path in directory.iterdir():
            if path.suffix in (".sqlite", ".sqlite-wal", ".sqlite-shm") or "key" in path.name:
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_without_a_directory_nothing_stays() -> None:
    with LocalAzure() as azure:
        place = Path(t.cast(t.Any, azure).state_dir)
        assert (place / "hosts").exists()
    assert not place.exists()


def test_containers() -> None:
    group = "/subscriptions/s/resourcegroups/g"
    network = f"{group}/providers/microsoft.network/virtualnetworks/v"
    assert container_of(network) == group
    assert container_of(f"{network}/subnets/s") == network


def test_the_indexes_follow_changes(tmp_path: Path) -> None:
    store = Store(StateFile(tmp_path / "state.sqlite"))
    base = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"
    address = Resource(f"{base}/publicIPAddresses/A", "Microsoft.Network/publicIPAddresses", "A", "g", "s")
    nic = Resource(f"{base}/networkInterfaces/n", "Microsoft.Network/networkInterfaces", "n", "g", "s")
    nic.refs = [(address.id.upper(), f"{nic.id}/ipConfigurations/c")]
    store.save(address)
    store.save(nic)
    assert store.users(address.id) == [f"{nic.id}/ipConfigurations/c"]
    assert store.children("/subscriptions/s/resourceGroups/G", nic.type) == [nic]
    nic.refs = []
    store.save(nic)
    assert store.users(address.id) == []
    again = Store(StateFile(tmp_path / "state.sqlite"))
    assert [resource.id for resource in again] == [address.id, nic.id]
    again.remove(nic)
    assert again.get(nic.id) is None
    assert [resource.id for resource in Store(StateFile(tmp_path / "state.sqlite"))] == [address.id]
