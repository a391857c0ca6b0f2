# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions and commands on their way to the agent, and its reports on their way back."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from azure_emulator.machines.base import (
    HandlerReference,
    RunCommandSpec,
)

from .conftest import RUN, SCRIPT, Agent, handler, pushed, run, script, text_of


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
        answer = ElementTree.fromstring(await agent.get(text_of(root, ".//Certificates"), headers=headers))
        assert text_of(answer, "Format") == "Pkcs7BlobWithPfxContents"
        data = text_of(answer, "Data")
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
        text = text_of(config, ".//RuntimeSettings")
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
