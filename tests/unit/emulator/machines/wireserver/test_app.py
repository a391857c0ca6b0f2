# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WireServer, the host's plugin and the metadata service, asked what Microsoft's agent asks them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from azure_emulator.machines.base import (
    AgentUnreachable,
)
from azure_emulator.machines.wireserver import agent as agent_module
from azure_emulator.machines.wireserver import machine as machine_module

from .conftest import METADATA, PLUGIN, SPEC, WIRE, Agent, pushed, run, script, text_of


def test_every_document_that_the_goal_state_names_is_served(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        assert "<Version>2012-11-30</Version>" in await agent.get("/?comp=versions")
        root = await agent.goal_state()
        hosting = await agent.get(text_of(root, ".//HostingEnvironmentConfig"))
        parts = {element.tag: element.attrib for element in ElementTree.fromstring(hosting)}
        assert parts["Incarnation"]["instance"] == "web1"
        assert parts["Role"]["name"]
        assert parts["Deployment"]["name"]
        assert 'address="10.0.0.4"' in await agent.get(text_of(root, ".//SharedConfig"))
        config = ElementTree.fromstring(await agent.get(text_of(root, ".//ExtensionsConfig")))
        blob = config.find("StatusUploadBlob")
        assert blob is not None
        assert blob.attrib["statusBlobType"] == "BlockBlob"
        meta = config.find("InVMGoalStateMetaData")
        assert meta is not None
        assert meta.attrib["inSvdSeqNo"] == text_of(root, "Incarnation")

    run(work())


def test_the_goal_state_outlives_the_server(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        task = await pushed(agent, agent.side.enable(script({"script": "x"})))
        config = await agent.config()
        task.cancel()
        again = Agent(tmp_path)
        same = await again.config()
        assert again.incarnation == agent.incarnation
        assert text_of(same, ".//RuntimeSettings") == text_of(config, ".//RuntimeSettings")
        place = same.find("Plugins/Plugin")
        assert place is not None
        assert "2.1.19.zip" in await again.get(place.attrib["location"])

    run(work())


def test_a_poll_is_held_only_after_a_report_and_until_there_is_something_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_module, "HOLD", 60.0)

    async def work() -> None:
        agent = Agent(tmp_path)
        for _attempt in range(3):
            await agent.goal_state()
        await agent.upload()
        held = asyncio.ensure_future(agent.goal_state())
        for _turn in range(20):
            await asyncio.sleep(0)
        assert not held.done()
        before = agent.incarnation
        task = await pushed(agent, agent.side.enable(script()))
        await held
        assert agent.incarnation == before + 1
        task.cancel()

    run(work())


def test_a_silent_agent_is_not_ready_and_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        assert agent.side.status().state == "not_ready"
        await agent.goal_state()
        await agent.upload()
        assert agent.side.is_ready()
        assert agent.side.status().state == "ready"
        await agent.upload(ready=False)
        assert agent.side.status().state == "not_ready"
        await agent.upload()
        monkeypatch.setattr(agent_module, "SILENCE_LIMIT", 0.01)
        with pytest.raises(AgentUnreachable, match="the agent of web1 does not report"):
            await agent.side.enable(script())
        assert agent.side.status().state == "not_ready"

    run(work())


def test_reports_and_requests_that_are_not_the_agents_are_refused(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        for body in (b"", b"{}", b"[]", b'{"content": "bm8="}', b'{"content": "e30="}', b"\xff"):
            assert (await agent.ask("PUT", "/status", body, server=PLUGIN))[0] == 400, body
        assert (await agent.ask("PUT", "/status", b" " * (5 * 2**20), server=PLUGIN))[0] == 413
        bad = {"x-ms-guest-agent-public-x509-cert": "bm8="}
        assert (await agent.ask("GET", "/machine/x?comp=certificates", headers=bad))[0] == 400
        assert (await agent.ask("GET", "/machine/x?comp=certificates"))[0] == 400
        assert (await agent.ask("GET", "/vmSettings", server=PLUGIN))[0] == 404
        assert (await agent.ask("GET", "/artifacts/../../etc/passwd"))[0] == 404
        stranger = Agent(tmp_path, address="10.0.0.5")
        assert (await stranger.ask("GET", "/machine/?comp=goalstate"))[0] == 410

    run(work())


@pytest.mark.parametrize(
    ("method", "url", "server", "status"),
    [
        ("GET", "/versions", PLUGIN, 200),
        ("GET", "/health", PLUGIN, 200),
        ("PUT", "/vmAgentLog", PLUGIN, 200),
        ("POST", "/machine?comp=health", WIRE, 200),
        ("POST", "/machine?comp=roleProperties", WIRE, 202),
        ("POST", "/machine?comp=telemetrydata", WIRE, 200),
        ("POST", "/HealthService", WIRE, 200),
        ("POST", "/machine?comp=other", WIRE, 404),
    ],
)
def test_other_calls_of_the_agent(method: str, url: str, server: tuple[str, int], status: int, tmp_path: Path) -> None:
    async def work() -> None:
        assert (await Agent(tmp_path).ask(method, url, server=server))[0] == status

    run(work())


def test_a_failed_provisioning_is_known_with_its_reason_until_the_next_boot(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        for state, reason in (("Provisioning", "Starting"), ("ProvisioningFailed", "no &lt;DHCP&gt; lease")):
            assert not agent.side.provisioning_failure
            details = f"<Details><SubStatus>{state}</SubStatus><Description>{reason}</Description></Details>"
            body = f"<Health><Container><State>NotReady</State>{details}</Container></Health>".encode()
            assert (await agent.ask("POST", "/machine?comp=health", body))[0] == 200
        assert agent.side.provisioning_failure == "no <DHCP> lease"
        agent.side.attach(SPEC)
        assert not agent.side.provisioning_failure

    run(work())


def test_the_metadata_service_knows_the_machine(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        own = {"server": METADATA, "headers": {"Metadata": "true"}}
        compute = json.loads(await agent.get("/metadata/instance/compute?api-version=2018-02-01", **own))
        assert (compute["name"], compute["location"], compute["vmSize"]) == ("web1", "westeurope", "Standard_B2s")
        assert (compute["resourceGroupName"], compute["subscriptionId"], compute["vmId"]) == ("web", "s", "5e1f")
        assert compute["storageProfile"]["dataDisks"] == [{"lun": "3", "name": "data"}]
        whole = json.loads(await agent.get("/metadata/instance?api-version=2021-08-01&extended=true", **own))
        (nic,) = whole["network"]["interface"]
        assert nic["macAddress"] == "000D3A000101"
        assert nic["ipv4"]["subnet"] == [{"address": "10.0.0.0", "prefix": "24"}]
        path = "/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress"
        assert await agent.get(f"{path}?api-version=2021-02-01&format=text", **own) == "198.18.0.9"
        for url, headers in (
            ("/metadata/instance?api-version=2021-02-01", {}),
            ("/metadata/instance?api-version=2021-02-01", {"Metadata": "true", "X-Forwarded-For": "10.0.0.9"}),
            ("/metadata/instance", {"Metadata": "true"}),
        ):
            assert (await agent.ask("GET", url, server=METADATA, headers=headers))[0] == 400, (url, headers)
        missing = "/metadata/instance/compute/none?api-version=2021-02-01"
        assert (await agent.ask("GET", missing, server=METADATA, headers={"Metadata": "true"}))[0] == 404

    run(work())
