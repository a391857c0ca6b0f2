# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and facts of a host for these tests, and hosts in a local Azure."""

from __future__ import annotations

import copy
import time
import typing as t
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import operations
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.argument_spec import SPEC
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.bodies.virtual_machine import Findings
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import (
    HostSpec,
    read_host_spec,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import Plan
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.planner import Planner
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND
from azure_emulator.launcher import CLEARED, LocalAzure

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzDbGvKxJ1lmVgQ0k8hVV0OQ9m5bC8sJkW0Cq3vFq8d me@example"


def parameters(**given: t.Any) -> dict[str, t.Any]:
    """Options as the argument spec hands them on."""
    spec = {name: dict(option) for name, option in SPEC.argument_spec.items()}
    result = ArgumentSpecValidator(spec, **SPEC.rules()).validate(
        {"name": "web1", "resource_group": "rg", "location": "westeurope", **given}
    )
    assert not result.error_messages, result.error_messages
    return dict(result.validated_parameters)


def desired(**given: t.Any) -> HostSpec:
    """A host as the options ask for it."""
    return read_host_spec(parameters(**given))


def changed(current: HostState, kind: str, **properties: t.Any) -> HostState:
    """Return a state in which properties of one resource differ."""
    resource = copy.deepcopy(getattr(current, kind))
    resource["properties"].update(properties)
    return replace(current, **{kind: resource})


def plan_of(host: HostSpec, current: HostState) -> Plan:
    """The plan for a host."""
    planner = Planner(host, resolve_resources(host, SUBSCRIPTION), current)
    return planner.with_findings(planner.plan(), (KEY,), Findings())


def created(host: HostSpec) -> HostState:
    """What there is after the host's plan was carried out on an empty subscription, as Azure would show it."""
    plan = plan_of(host, HostState())
    found: dict[str, t.Any] = {}
    for action in plan.actions:
        body: dict[str, t.Any] = {
            "id": action.resource_id,
            "name": action.resource_id.rsplit("/", 1)[-1],
            **(action.body or {}),
        }
        body["properties"] = {**body.get("properties", {}), "provisioningState": "Succeeded"}
        found[action.kind] = body
    network = found.get("virtual_network") or {"properties": {}}
    for subnet in network["properties"].get("subnets", []):
        subnet["id"] = f"{network['id']}/subnets/{subnet['name']}"
    machine = found["virtual_machine"]["properties"]
    machine["instanceView"] = {"statuses": [{"code": "PowerState/running"}]}
    return HostState(**found)


@pytest.fixture
def host() -> HostSpec:
    """A host with all defaults."""
    return desired()


@pytest.fixture(scope="session")
def azure() -> t.Iterator[LocalAzure]:
    """A local Azure with nothing behind its machines."""
    with LocalAzure(machines="none", switches={"cores_quota": 1_000_000}) as local:
        yield local


class Cloud:
    """A resource group's worth of a local Azure, and runs of docker_vm_host in it.

    Runs share their access token, as the hosts of one play do; with ``token_cache`` None each run signs in by itself.
    """

    def __init__(self, azure: LocalAzure, scratch: Path) -> None:
        self.azure = azure
        self.group = f"rg-{uuid.uuid4().hex[:8]}"
        self.key = scratch / "key"
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.subscription: str | None = None
        self.token_cache: str | None = azure.state_dir

    def run(self, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
        """Run the task and forget the requests of the runs before."""
        self.azure.clear_requests()
        self.lines, self.warnings = [], []
        given = {"resource_group": self.group, **given}
        if "admin_password" not in given and "ssh_public_keys" not in given:
            given["ssh_private_key_path"] = str(self.key)
        request = Request(
            parameters(**given), check, True, self.lines.append, self.warnings.append, token_cache=self.token_cache
        )
        return BACKEND.run(request)

    @property
    def writes(self) -> list[str]:
        """Method and resource name of each writing request of the last run, in order."""
        found = [entry for entry in self.azure.requests() if entry["writing"]]
        return [f"{entry['method']} {entry['path'].rsplit('/', 1)[-1]}" for entry in found]

    @property
    def refused(self) -> list[t.Any]:
        """Requests of the last run that are not valid by the published specifications."""
        return [entry for entry in self.azure.requests() if entry.get("valid") is False]

    def arm(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """A request of somebody else, below this group."""
        from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
        from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import OperationInfo

        with AzureSession.from_params({}, token_cache=self.token_cache) as session:
            whole = session.group_id(self.group, self.subscription) + path
            if method == "GET":
                return session.arm.find(whole)
            if method == "PUT" and (not path or "/Microsoft.ManagedIdentity/" in path):
                # Made at once. Azure names an identity's place without its host, where no SDK can poll.
                return session.arm.put(whole, body)
            return session.arm.begin(OperationInfo("test", "it", "Doing", "do it", whole), method, whole, body).wait()

    def going(self) -> list[dict[str, t.Any]]:
        """The group's operations that are not over. Those of other tests may never end."""
        inside = f"/resourcegroups/{self.group}/".lower()
        own = [entry for entry in self.azure.operations() if inside in f"{entry['target']}/".lower()]
        return [entry for entry in own if entry["status"] == "InProgress"]

    def resources(self) -> dict[str, t.Any]:
        """What there is in the group, by id."""
        inside = f"/resourcegroups/{self.group}".lower()
        dump = self.azure.dump()
        return {key: value for key, value in dump.items() if f"{key.lower()}/".find(f"{inside}/") >= 0}


@pytest.fixture
def cloud(azure: LocalAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Cloud]:
    """An empty group's name in the local Azure, with polls at a test's pace."""
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        operations.ProgressReporter, "rest", lambda _watch, seconds, _over=None: time.sleep(min(seconds, 0.02))
    )
    yield Cloud(azure, tmp_path)
    azure.faults_clear()


@pytest.fixture
def place(cloud: Cloud) -> t.Iterator[Cloud]:
    """A group with an availability set in it, beside one with things of others."""
    from .support import ADDRESS, COMPUTE, IDENTITIES, NETWORK, PLACE, gallery, others, surround

    if others(cloud).arm("GET", "") is None:
        surround(others(cloud))
        gallery(others(cloud), "windows", None, "Windows")
    cloud.arm("PUT", "", PLACE)
    cloud.arm("PUT", f"{COMPUTE}/availabilitySets/set", {**PLACE, "sku": {"name": "Aligned"}})
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)
    for name in ("a", "b"):
        cloud.arm("PUT", f"{IDENTITIES}/{name}", PLACE)
    cloud.azure.switch("encryption_at_host", True)
    yield cloud
    cloud.azure.switch("encryption_at_host", False)
