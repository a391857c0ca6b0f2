# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines where guests cannot run: nothing boots, but extensions are applied and a Docker client gets an answer.

A stand-in has a scratch root. A script of CustomScript or Run Command is run on the host, as the server's own user, and
only if it is made to work below another root: it must name the environment variable ``DOCKER_SETUP_ROOT``, which
leads it to the scratch root. Any other script is refused, since it would change the host itself. Afterwards
``standin_engine.py`` answers on the machine's loopback address over the TLS settings that the script wrote.
Security rules are not enforced, nothing is installed, and data disks do not exist.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import typing as t
from pathlib import Path

from azure_emulator.machines import docker_extension, standin_engine
from azure_emulator.machines.agent import custom_script, handler, script_settings
from azure_emulator.machines.agent.downloads import dos2unix
from azure_emulator.machines.base import (
    AgentStatus,
    AgentUnreachable,
    CommandResult,
    ExtensionSettings,
    HandlerReference,
    HandlerResult,
    MachineError,
    MachineSpec,
    RunCommandSpec,
)

ROOT_VARIABLE = "DOCKER_SETUP_ROOT"
AGENT_VERSION = "2.9.1.1"
_FILES = {
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
    'VERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
    "etc/debian_version": "12.0\n",
    "etc/fstab": "",
    "var/lib/dpkg/status": "",
}
_FOLDERS = ("etc/systemd/system", "run", "tmp", "usr/bin", "var/lib", "var/log", "var/tmp", "root")


class StandInProvider:
    """Stand-ins of one server. :param state_dir: where their scratch roots live."""

    kind: t.Literal["guest", "stand-in", "none"] = "stand-in"

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = Path(state_dir).resolve()
        self.state_dir.mkdir(parents=True, exist_ok=True)
        number = int(hashlib.sha256(str(self.state_dir).encode()).hexdigest(), 16)
        #: Loopback addresses: on Linux all of 127.0.0.0/8 is there without any set-up.
        self.public_pool = f"127.{64 + number % 128}.{number // 128 % 256}.0/24"
        self.machines: dict[str, StandIn] = {}

    async def open(self) -> None:
        """Do nothing: engines end with the server, so no predecessor leaves anything."""

    async def close(self) -> None:
        await asyncio.gather(*(machine.power_off() for machine in self.machines.values()))

    async def create(self, spec: MachineSpec) -> StandIn:
        machine = StandIn(self, spec)
        self.machines[spec.id.lower()] = machine
        return machine

    async def delete_disk(self, disk_id: str) -> None:
        """Do nothing: data disks have no content."""


class StandIn:
    """One stand-in."""

    def __init__(self, provider: StandInProvider, spec: MachineSpec) -> None:
        self.spec = spec
        self._provider = provider
        self.on_ended: t.Callable[[], None] | None = None
        key = hashlib.sha256((spec.os_disk_id or spec.id).lower().encode()).hexdigest()[:16]
        self.home = provider.state_dir / "stand-ins" / key
        self.root = self.home / "root"
        self._running = False
        self._engine: asyncio.subprocess.Process | None = None
        self._log: list[str] = []

    @property
    def running(self) -> bool:
        return self._running

    async def start(self) -> None:
        if not self.root.exists():
            self._make_root()
        self._running = True
        self._log = [f"{self.spec.computer_name}: {standin_engine.WHAT}"]
        await self._serve()

    def _make_root(self) -> None:
        partial = self.home / "root.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in _FOLDERS:
            (partial / folder).mkdir(parents=True)
        user = self.spec.admin_username
        files = {
            **_FILES,
            "etc/hostname": f"{self.spec.computer_name}\n",
            "etc/passwd": f"root:x:0:0:root:/root:/bin/bash\n{user}:x:1000:1000::/home/{user}:/bin/bash\n",
            "etc/group": f"root:x:0:\n{user}:x:1000:\n",
        }
        for name, text in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        partial.rename(self.root)

    async def _serve(self) -> None:
        """Restart the engine with the present configuration."""
        await self._silence()
        address = next((nic.public_address for nic in self.spec.interfaces if nic.public_address), None)
        if not self._running or address is None or not standin_engine.read_daemon(self.root).ports:
            return
        self._engine = await asyncio.create_subprocess_exec(
            *[sys.executable, "-I", standin_engine.__file__, str(self.root), address, self.spec.computer_name],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._engine.stdout is not None
        line = (await self._engine.stdout.readline()).decode(errors="replace").strip()
        if not line.startswith("listening"):
            line += (await self._engine.stdout.read()).decode(errors="replace")
            self._engine = None
            raise MachineError(f"the stand-in cannot serve: {line[-800:]}")
        self._log.append(line)

    def _serves(self) -> bool:
        return self._engine is not None and self._engine.returncode is None

    async def _silence(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None and engine.returncode is None:
            engine.kill()
            await engine.wait()

    async def power_off(self, *, skip_shutdown: bool = False) -> None:
        self._running = False
        await self._silence()

    async def restart(self) -> None:
        await self.power_off()
        await self.start()

    async def delete(self) -> None:
        await self.power_off()
        self._provider.machines.pop(self.spec.id.lower(), None)
        await asyncio.to_thread(shutil.rmtree, self.home, ignore_errors=True)

    async def reconfigure(self, spec: MachineSpec) -> None:
        before = [nic.public_address for nic in self.spec.interfaces]
        self.spec = spec
        if self._running and before != [nic.public_address for nic in spec.interfaces]:
            await self._serve()

    async def agent_status(self) -> AgentStatus:
        if not self._running or not self.spec.provision_agent:
            return AgentStatus("absent")
        return AgentStatus("ready", AGENT_VERSION, "Guest Agent is running")

    async def enable_extension(self, extension: ExtensionSettings) -> HandlerResult:
        await self._need_agent()
        if extension.handler.lower() == docker_extension.HANDLER:
            return await self._docker_extension(extension)
        if extension.handler.lower() != "microsoft.azure.extensions.customscript":
            raise MachineError(f"a stand-in has no handler {extension.handler}")
        try:
            both = script_settings.checked(dict(extension.settings), dict(extension.protected))
            output = await self._custom_script(both)
        except handler.HandlerError as error:
            clarification = {"name": "ErrorClarification", "status": "error", "code": error.code}
            return HandlerResult("error", str(error), handler.VERSION, 0, (clarification,))
        return HandlerResult("success", f"Enable succeeded: {output}", handler.VERSION)

    async def _docker_extension(self, extension: ExtensionSettings) -> HandlerResult:
        changed = docker_extension.configure(self.root, extension.settings, extension.protected)
        if changed or not self._serves():
            await self._serve()
        if docker_extension.logs_in(extension.protected):
            return HandlerResult("error", "'docker login' failed", extension.version)
        return HandlerResult("success", "Enable succeeded", extension.version)

    async def _custom_script(self, settings: dict[str, t.Any]) -> str:
        if settings.get("commandToExecute"):
            raise handler.HandlerError(f"Enable failed: {_refusal('commandToExecute')}", 2)
        script = custom_script.decode(str(settings.get("script") or ""))
        if not script:
            return custom_script.output_text("", "")
        if ROOT_VARIABLE.encode() not in script:
            raise handler.HandlerError(f"Enable failed: {_refusal('this script')}", 2)
        result = await self._run(dos2unix(script), {}, (), custom_script.LIMIT)
        return custom_script.finished(result.exit_code, result.output, result.error)

    async def remove_extension(self, handler: HandlerReference) -> None:
        await self._need_agent()
        if handler.handler.lower() == docker_extension.HANDLER:
            await self._silence()

    async def run_command(self, command: RunCommandSpec) -> CommandResult:
        await self._need_agent()
        if ROOT_VARIABLE not in command.script:
            return CommandResult(126, "", _refusal("this script") + "\n")
        text = command.script if command.script.startswith("#!") else "#!/bin/sh\n" + command.script
        return await self._run(text.encode(), command.variables, command.arguments, command.timeout)

    async def forget_run_command(self, name: str) -> None:
        """Do nothing: nothing is kept."""

    async def _need_agent(self) -> None:
        if (await self.agent_status()).state != "ready":
            raise AgentUnreachable(f"the agent of {self.spec.name} does not report")

    async def _run(
        self, script: bytes, variables: t.Mapping[str, str], words: t.Sequence[str], timeout: float
    ) -> CommandResult:
        """Run a script with the scratch root in its environment, then serve what it configured."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **variables}
        environment[ROOT_VARIABLE] = str(self.root)
        with tempfile.TemporaryDirectory(prefix="stand-in-", dir=self.home) as folder:
            path = Path(folder) / "script.sh"
            handler.put_script(path, script)
            process = await asyncio.create_subprocess_exec(
                *[str(path), *words],
                cwd=folder,
                env={**environment, "TMPDIR": folder},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            try:
                late, (out, err) = False, await asyncio.wait_for(process.communicate(), timeout)
            except asyncio.TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                late, (out, err) = True, await process.communicate()
        await self._serve()
        tails = [stream[-handler.TAIL :].decode("utf-8", "replace") for stream in (out, err)]
        return CommandResult(t.cast(int, process.returncode), tails[0], tails[1], late)

    def console_log(self) -> str:
        return "\n".join(self._log) + "\n"


def _refusal(what: str) -> str:
    return (
        f"a stand-in machine does not run {what}: only scripts that honour {ROOT_VARIABLE} can be kept off the host; "
        "use real guests (root on Linux with systemd-nspawn) for everything else"
    )
