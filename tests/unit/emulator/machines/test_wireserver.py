# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WireServer, the host's plugin and the metadata service, asked what Microsoft's agent asks them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import shutil
import subprocess
import typing as t
import urllib.parse
import zipfile
from collections.abc import Coroutine
from pathlib import Path
from xml.etree import ElementTree

import pytest

from azure_emulator.machines.base import (
    AgentUnreachable,
    DataDisk,
    ExtensionSettings,
    HandlerReference,
    Interface,
    MachineSpec,
    RunCommandSpec,
)
from azure_emulator.machines.wireserver import agent as agent_module
from azure_emulator.machines.wireserver import machine as machine_module
from azure_emulator.machines.wireserver.agent import LinuxAgent
from azure_emulator.machines.wireserver.app import PlatformApp
from azure_emulator.machines.wireserver.handlers import Handlers, supplied_handlers
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
        self.incarnation = int(_text(root, "Incarnation"))
        return root

    async def config(self) -> ElementTree.Element:
        """The extension configuration of the present goal state."""
        root = await self.goal_state()
        return ElementTree.fromstring(await self.get(_text(root, ".//ExtensionsConfig")))

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


def _text(root: ElementTree.Element, path: str) -> str:
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


def test_every_document_that_the_goal_state_names_is_served(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        assert "<Version>2012-11-30</Version>" in await agent.get("/?comp=versions")
        root = await agent.goal_state()
        hosting = await agent.get(_text(root, ".//HostingEnvironmentConfig"))
        parts = {element.tag: element.attrib for element in ElementTree.fromstring(hosting)}
        assert parts["Incarnation"]["instance"] == "web1"
        assert parts["Role"]["name"]
        assert parts["Deployment"]["name"]
        assert 'address="10.0.0.4"' in await agent.get(_text(root, ".//SharedConfig"))
        config = ElementTree.fromstring(await agent.get(_text(root, ".//ExtensionsConfig")))
        blob = config.find("StatusUploadBlob")
        assert blob is not None
        assert blob.attrib["statusBlobType"] == "BlockBlob"
        meta = config.find("InVMGoalStateMetaData")
        assert meta is not None
        assert meta.attrib["inSvdSeqNo"] == _text(root, "Incarnation")

    run(work())


def _transport(folder: Path) -> tuple[Path, str]:
    """The agent's own key and certificate, and the latter as the request's header has it."""
    key, certificate = folder / "transport.key", folder / "transport.crt"
    command = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=LinuxTransport", "-newkey", "rsa:2048", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, "".join(line for line in certificate.read_text().splitlines() if not line.startswith("--"))


def test_protected_settings_open_with_the_key_that_the_goal_state_delivers(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        key, header = _transport(tmp_path)
        root = await agent.goal_state()
        headers = {"x-ms-cipher-name": "DES_EDE3_CBC", "x-ms-guest-agent-public-x509-cert": header}
        answer = ElementTree.fromstring(await agent.get(_text(root, ".//Certificates"), headers=headers))
        assert _text(answer, "Format") == "Pkcs7BlobWithPfxContents"
        data = _text(answer, "Data")
        assert max(map(len, data.splitlines())) == 64
        # As the agent does it: a message of these lines, decrypted, and the PKCS#12 in it opened without a password.
        message = tmp_path / "Certificates.p7m"
        head = (
            'MIME-Version:1.0\nContent-Disposition: attachment; filename="{0}"\nContent-Type: application/x-pkcs7-mime'
        )
        message.write_text(f'{head}; name="{{0}}"\nContent-Transfer-Encoding: base64\n\n{data}')
        decrypt = ["openssl", "cms", "-decrypt", "-in", message, "-inkey", key, "-recip", tmp_path / "transport.crt"]
        pfx = subprocess.run(decrypt, check=True, capture_output=True).stdout
        unpack = ["openssl", "pkcs12", "-nodes", "-password", "pass:"]
        pem = subprocess.run(unpack, input=pfx, check=True, capture_output=True).stdout
        (tmp_path / "tenant.pem").write_bytes(pem)

        task = await pushed(agent, agent.side.enable(script({"script": "top secret"})))
        config = await agent.config()
        text = _text(config, ".//RuntimeSettings")
        assert "top secret" not in text
        settings = json.loads(text)["runtimeSettings"][0]["handlerSettings"]
        fingerprint = ["openssl", "x509", "-in", tmp_path / "tenant.pem", "-noout", "-fingerprint", "-sha1"]
        shown = subprocess.run(fingerprint, check=True, capture_output=True, text=True).stdout
        assert settings["protectedSettingsCertThumbprint"] == shown.strip().rpartition("=")[2].replace(":", "")
        opening = ["openssl", "cms", "-decrypt", "-inform", "DER", "-inkey", tmp_path / "tenant.pem"]
        sealed = base64.b64decode(settings["protectedSettings"])
        clear = subprocess.run(opening, input=sealed, check=True, capture_output=True).stdout
        assert json.loads(clear) == {"script": "top secret"}
        kept = tmp_path / "wire" / "goal.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        assert "top secret" not in kept.read_text()
        task.cancel()

    run(work())


def test_an_extension_ends_as_the_report_of_its_own_sequence_number_says(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        for sequence, status in enumerate(["success", "error"]):
            task = await pushed(agent, agent.side.enable(script()))
            before = agent.incarnation
            config = await agent.config()
            plugin, settings = config.find("Plugins/Plugin"), config.find("PluginSettings/Plugin")
            assert plugin is not None
            assert settings is not None
            assert (plugin.attrib["name"], plugin.attrib["version"], plugin.attrib["state"]) == (
                SCRIPT, "2.1.19", "enabled",
            )  # fmt: skip
            assert (settings.attrib["name"], settings.attrib["version"]) == (SCRIPT, "2.1.19")
            runtime = settings.find("RuntimeSettings")
            assert runtime is not None
            assert runtime.attrib["seqNo"] == str(sequence)
            if before:
                # The last report about the former goal state is no answer to this one.
                await agent.upload(handler(SCRIPT, "2.1.19", sequence - 1, "success", "old"), incarnation=before)
            await agent.upload(handler(SCRIPT, "2.1.19", sequence, "transitioning"))
            await asyncio.sleep(0)
            assert not task.done()
            substatus = [{"name": "ErrorClarification", "status": "error", "code": -21}]
            await agent.upload(handler(SCRIPT, "2.1.19", sequence, status, "said", substatus=substatus))
            result = await task
            assert (result.status, result.message, result.handler_version) == (status, "said", "2.1.19")
            assert result.substatus == ({"name": "ErrorClarification", "status": "error", "code": -21},)
        assert agent.side.status().system == ("web1", "debian", "12.12")

    run(work())


def test_a_handler_that_cannot_be_enabled_is_an_error_whatever_its_status_file_says(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        task = await pushed(agent, agent.side.enable(script()))
        await agent.goal_state()
        entry = handler(SCRIPT, "2.1.19", 0, "transitioning")
        text = "[ExtensionOperationError] Non-zero exit code: 3"
        await agent.upload({**entry, "status": "NotReady", "code": 1009, "formattedMessage": {"message": text}})
        result = await task
        assert (result.status, result.code, result.message) == ("error", 1009, text)
        (shown,) = agent.side.status().handlers or ()
        assert (shown.name, shown.is_ready, shown.code, shown.message) == (SCRIPT, False, 1009, text)

    run(work())


def test_a_removed_handler_is_uninstalled_before_it_leaves_the_goal_state(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        task = await pushed(agent, agent.side.enable(script()))
        await agent.goal_state()
        await agent.upload(handler(SCRIPT, "2.1.19", 0))
        await task
        removal = await pushed(
            agent, agent.side.remove(HandlerReference("docker", "Microsoft.Azure.Extensions", "CustomScript"))
        )
        plugin = (await agent.config()).find("Plugins/Plugin")
        assert plugin is not None
        assert plugin.attrib["state"] == "uninstall"
        await agent.upload(handler(SCRIPT, "2.1.19", 0))
        await asyncio.sleep(0)
        assert not removal.done()
        await agent.upload()
        await removal
        assert (await agent.config()).find("Plugins/Plugin") is None
        again = await pushed(agent, agent.side.enable(script()))
        runtime = (await agent.config()).find(".//RuntimeSettings")
        assert runtime is not None
        assert runtime.attrib["seqNo"] == "0"
        again.cancel()

    run(work())


def test_run_commands_share_one_handler_and_are_disabled_one_by_one(tmp_path: Path) -> None:
    async def work() -> None:
        agent = Agent(tmp_path)
        view = {"executionState": "Failed", "executionMessage": "Execution failed", "exitCode": 3, "output": "out"}
        for name in ("one", "two"):
            command = RunCommandSpec("exit 3", (("A", "b"),), (("", "secret word"),), name=name)
            task = await pushed(agent, agent.side.run(command))
            config = await agent.config()
            entry = handler(RUN, "1.3.9", 0, message=json.dumps(view))
            entry["runtimeSettingsStatus"]["extensionName"] = name
            await agent.upload(entry)
            result = await task
            assert (result.exit_code, result.state, result.output) == (3, "Failed", "out")
        named = config.findall(".//ExtensionRuntimeSettings")
        assert [element.attrib["name"] for element in named] == ["one", "two"]
        text = named[1].text or ""
        assert '"A"' in text
        assert "secret word" not in text
        removal = await pushed(agent, agent.side.forget("one"))
        states = {e.attrib["name"]: e.attrib["state"] for e in (await agent.config()).iter("ExtensionRuntimeSettings")}
        assert states == {"one": "disabled", "two": "enabled"}
        await agent.upload(entry)
        await removal
        left = [element.attrib["name"] for element in (await agent.config()).iter("ExtensionRuntimeSettings")]
        assert left == ["two"]

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
        assert _text(same, ".//RuntimeSettings") == _text(config, ".//RuntimeSettings")
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


def test_a_handlers_package_has_its_manifest_and_its_programs(tmp_path: Path) -> None:
    handlers = Handlers()
    assert b"2.1.19" not in (handlers.artifact(f"{SCRIPT}_manifest.xml") or b"")
    handlers.want(SCRIPT, "2.1.19")
    handlers.want("Contoso.Unknown", "1.0")
    assert b"<Version>" not in (handlers.artifact("Contoso.Unknown_manifest.xml") or b"")
    listed = (handlers.artifact(f"{SCRIPT}_manifest.xml") or b"").decode()
    (url,) = re.findall("<Uri>(.*?)</Uri>", listed)
    package = handlers.artifact(url.rpartition("/")[2])
    assert package is not None
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        commands = json.loads(archive.read("HandlerManifest.json"))[0]["handlerManifest"]
        archive.extractall(tmp_path)
    for verb in ("install", "enable", "disable", "uninstall", "update"):
        program, word = commands[f"{verb}Command"].split()
        assert (tmp_path / program).exists()
        assert word == verb
    assert (tmp_path / "bin/custom_script.py").exists()


def _package(path: Path, commands: t.Mapping[str, t.Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("HandlerManifest.json", json.dumps([{"version": 1.0, "handlerManifest": commands}]))
    return path


def test_supplied_packages_are_served_as_they_are(tmp_path: Path) -> None:
    package = _package(tmp_path / f"{SCRIPT}__2.1.20.zip", {})
    _package(tmp_path / "Contoso.Tools.Many__1.0.zip", {"supportsMultipleExtensions": True})
    handlers = Handlers(supplied_handlers(tmp_path))
    assert handlers.known_versions(SCRIPT.lower()) == ["2.1.20"]
    assert handlers.artifact(f"{SCRIPT}__2.1.20.zip") == package.read_bytes()
    assert handlers.serves_several("contoso.tools.many", "1.0")
    assert not handlers.serves_several(SCRIPT, "2.1.20")


@pytest.mark.parametrize("name", ["CustomScript__2.1.zip", f"{SCRIPT}.zip", f"{SCRIPT}__latest.zip"])
def test_a_package_with_another_name_is_refused(name: str, tmp_path: Path) -> None:
    _package(tmp_path / name, {})
    with pytest.raises(ValueError, match=r"must be named PUBLISHER\.TYPE__VERSION\.zip"):
        supplied_handlers(tmp_path)


def test_a_file_that_is_not_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{SCRIPT}__2.1.20.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"must be a handler's package with HandlerManifest\.json"):
        supplied_handlers(tmp_path)
    with pytest.raises(ValueError, match="--handlers must be a directory"):
        supplied_handlers(tmp_path / "none")


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
