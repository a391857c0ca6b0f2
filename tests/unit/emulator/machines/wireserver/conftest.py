# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An agent of the tests' own, which asks the WireServer what Microsoft's agent asks it."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import typing as t
import urllib.parse
from collections.abc import Coroutine
from pathlib import Path
from xml.etree import ElementTree

import pytest

from azure_emulator.machines.base import (
    DataDisk,
    ExtensionSettings,
    Interface,
    MachineSpec,
)
from azure_emulator.machines.wireserver import machine as machine_module
from azure_emulator.machines.wireserver.agent import LinuxAgent
from azure_emulator.machines.wireserver.app import PlatformApp
from azure_emulator.machines.wireserver.handlers import Handlers
from azure_emulator.machines.wireserver.server import WireServer
from azure_emulator.machines.wireserver.tenant import open_tenant

WIRE, PLUGIN, METADATA = ("168.63.129.16", 80), ("168.63.129.16", 32526), ("169.254.169.254", 80)
SCRIPT = "Microsoft.Azure.Extensions.CustomScript"
RUN = "Microsoft.CPlat.Core.RunCommandHandlerLinux"
SPEC = MachineSpec(
    id="/subscriptions/s/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/web1",
    name="web1",
    computer_name="web1",
    admin_username="azureuser",
    image={"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
    interfaces=(Interface("/nics/web1", "00-0D-3A-00-01-01", "10.0.0.4", "10.0.0.0/24", "a", "198.18.0.9"),),
    ssh_public_keys=("ssh-ed25519 AAAA",),
    data_disks=(DataDisk("/disks/data", "data", 3, 8),),
    location="westeurope",
    size="Standard_B2s",
    vm_id="5e1f",
)


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tenant key for all tests: making one takes a while."""
    folder = tmp_path_factory.mktemp("tenant")
    open_tenant(folder)
    return folder / "tenant.pem"


@pytest.fixture
def tmp_path(tmp_path: Path, tenant: Path) -> Path:
    """A directory in which the machine's tenant key is there already."""
    (tmp_path / "wire").mkdir()
    shutil.copy(tenant, tmp_path / "wire")
    return tmp_path


@pytest.fixture(autouse=True)
def _short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "HOLD", 0.01)
    monkeypatch.setattr(machine_module, "PACE", 0.01)


class Agent:
    """Microsoft's agent on one machine, as far as it talks."""

    def __init__(self, folder: Path, handlers: Handlers | None = None, address: str = "10.0.0.4") -> None:
        self.server = WireServer(handlers or Handlers())
        self.side = LinuxAgent(self.server, folder / "wire", "web1")
        self.side.attach(SPEC)
        self.machine = machine = self.server._machines["a", "10.0.0.4"]
        self.app = PlatformApp(lambda asked: machine if asked == "10.0.0.4" else None, self.server.handlers)
        self.address = address
        self.incarnation = 0

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        server: tuple[str, int] = WIRE,
        headers: t.Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Send one request."""
        parts = urllib.parse.urlsplit(url)
        named = {"x-ms-version": "2012-11-30", **(headers or {})}
        scope = {
            "type": "http", "method": method, "path": parts.path, "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "client": (self.address, 40000), "server": server, "scheme": "http",
        }  # fmt: skip
        sent: list[dict[str, t.Any]] = []

        async def receive() -> dict[str, t.Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, t.Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    async def get(self, url: str, **options: t.Any) -> str:
        status, body = await self.ask("GET", url, **options)
        assert status == 200, (url, status, body)
        return body.decode()

    async def goal_state(self) -> ElementTree.Element:
        root = ElementTree.fromstring(await self.get("/machine/?comp=goalstate"))
        self.incarnation = int(text_of(root, "Incarnation"))
        return root

    async def config(self) -> ElementTree.Element:
        """The extension configuration of the present goal state."""
        root = await self.goal_state()
        return ElementTree.fromstring(await self.get(text_of(root, ".//ExtensionsConfig")))

    async def upload(self, *handlers: dict[str, t.Any], incarnation: int | None = None, ready: bool = True) -> None:
        """Report through the host's plugin."""
        state = "Ready" if ready else "NotReady"
        document = {
            "version": "1.1",
            "aggregateStatus": {
                "guestAgentStatus": {
                    "version": "2.7.3.0", "status": state, "formattedMessage": {"message": "Guest Agent is running"},
                },
                "handlerAggregateStatus": list(handlers),
                "vmArtifactsAggregateStatus": {
                    "goalStateAggregateStatus": {"inSvdSeqNo": str(incarnation or self.incarnation), "code": 0},
                },
            },
            "guestOSInfo": {"computerName": "web1", "osName": "debian", "osVersion": "12.12", "version": "2.7.3.0"},
        }  # fmt: skip
        content = base64.b64encode(json.dumps(document).encode()).decode()
        body = json.dumps({"requestUri": "x", "headers": [], "content": content}).encode()
        assert (await self.ask("PUT", "/status", body, server=PLUGIN))[0] == 200


def text_of(root: ElementTree.Element, path: str) -> str:
    text = root.findtext(path)
    assert text is not None, path
    return text


def handler(
    name: str, version: str, sequence: int, status: str = "success", message: str = "", **more: t.Any
) -> dict[str, t.Any]:
    """A handler that is ready, with the status of one sequence number."""
    said = {"status": status, "code": 0, "operation": "Enable", "formattedMessage": {"message": message}, **more}
    settings = {"sequenceNumber": sequence, "settingsStatus": {"version": 1, "status": said}}
    return {
        "handlerName": name, "handlerVersion": version, "status": "Ready", "code": 0,
        "formattedMessage": {"message": "Plugin enabled"}, "runtimeSettingsStatus": settings,
    }  # fmt: skip


def script(protected: t.Mapping[str, t.Any] | None = None) -> ExtensionSettings:
    return ExtensionSettings(
        "docker", "Microsoft.Azure.Extensions", "CustomScript", "2.1.19", {"timestamp": 1}, protected or {}
    )


def run(work: Coroutine[t.Any, t.Any, t.Any]) -> None:
    asyncio.run(work)


async def pushed(agent: Agent, work: Coroutine[t.Any, t.Any, t.Any]) -> asyncio.Task[t.Any]:
    """Begin something that changes the goal state, and return when it has."""
    machine = agent.machine
    before = machine.goal.incarnation
    task = asyncio.ensure_future(work)
    await machine.until(lambda: machine.goal.incarnation != before, 60.0)
    return task
