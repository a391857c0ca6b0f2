# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the fabric talks to a guest's agent: what Azure would put into the goal state, and what the agent reports."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
import typing as t

from azure_emulator.machines.base import (
    CommandResult,
    ExtensionSettings,
    HandlerResult,
    MachineError,
    RunCommandSpec,
)
from azure_emulator.machines.layer import PROGRAMS_IN_GUEST
from azure_emulator.machines.nspawn import Guest
from azure_emulator.machines.supervisor import given

AGENT_VERSION = "2.9.1.1"


async def call_agent(guest: Guest, verb: str, request: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Call the agent as a service of the guest's own. :raises MachineError: the agent failed."""
    # fmt: off
    command = [
        "systemd-run", "--pipe", "--wait", "--quiet", "--collect", "--property=KillMode=process",
        "--slice=azure-vmextensions.slice", "--description=Azure extension handler", "--",
        "/usr/bin/python3", f"/{PROGRAMS_IN_GUEST}/waagent.py", verb,
    ]
    # fmt: on
    code, output, errors = await guest.run(command, stdin=json.dumps(request or {}).encode())
    if code:
        raise MachineError(f"the guest's agent broke off ({verb}, {code}): {errors.decode(errors='replace')[-1000:]}")
    return t.cast("dict[str, t.Any]", json.loads(output))


async def encrypt(settings: t.Mapping[str, t.Any], certificate: str) -> str:
    """Protected settings for the owner of the certificate: DER of CMS EnvelopedData, in base64."""
    content = json.dumps(dict(settings)).encode()
    with tempfile.NamedTemporaryFile("w", suffix=".crt") as file, given(content) as source:
        file.write(certificate)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            *["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-aes256", file.name],
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    if process.returncode:
        raise MachineError(f"openssl cms: {errors.decode(errors='replace')[-500:]}")
    return base64.b64encode(output).decode("ascii")


async def enable(guest: Guest, extension: ExtensionSettings) -> HandlerResult:
    """Give a handler new settings and wait for its final status."""
    request: dict[str, t.Any] = {
        "name": extension.name,
        "publisher": extension.publisher,
        "type": extension.type,
        "version": extension.version,
        "settings": dict(extension.settings),
    }
    if extension.protected:
        certificate = await call_agent(guest, "certificate")
        request["protected"] = await encrypt(extension.protected, certificate["pem"])
        request["thumbprint"] = certificate["thumbprint"]
    answer = await call_agent(guest, "enable", request)
    status = answer["status"]
    return HandlerResult(
        status=status["status"],
        message=status.get("formattedMessage", {}).get("message", ""),
        handler_version=answer["version"],
        code=int(status.get("code", 0)),
        substatus=tuple(status.get("substatus", ())),
    )


async def run_command(guest: Guest, command: RunCommandSpec) -> CommandResult:
    """Run a script for either kind of Run Command, action or managed."""
    request = {
        "script": command.script,
        "parameters": [*command.parameters, *command.protected_parameters],
        "timeout": command.timeout,
        "run_as_user": command.run_as_user,
    }
    answer = await call_agent(guest, "run", request)
    return CommandResult(answer["exit_code"], answer["output"], answer["error"], answer["timed_out"])
