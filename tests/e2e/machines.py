# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guests without an Azure around them, which get the setup program's settings as the agent gets them."""

from __future__ import annotations

import asyncio
import ipaddress
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.dockerhost.azure.plugins.module_utils._extension import payload
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.setup_result import read_setup_result
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle
from azure_emulator.machines.base import ExtensionSettings, Interface, MachineSpec, Rule
from azure_emulator.machines.guests import GuestMachine, GuestProvider

from .paths import CACHE

PROGRAM = bundle()
DISTRIBUTION = {"source": "distribution"}
# XFS grows wherever guests run; ext4 grows online only with CAP_SYS_RESOURCE, which a container may lack.
DISK = {"lun": 3, "filesystem": "xfs"}
RULES = (Rule(100, "Inbound", "Allow", "*", ("*",), ("*",)), Rule(100, "Outbound", "Allow", "*", ("*",), ("*",)))


class Machines:
    """A few guests on one network, driven from ordinary tests."""

    def __init__(self, state_dir: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.provider = GuestProvider(state_dir, CACHE)
        self.loop.run_until_complete(self.provider.open())
        self.servers: list[subprocess.Popen[bytes]] = []
        self.pushes = 0

    def start(self, name: str, number: int, *, masked: t.Sequence[str] = (), **changes: t.Any) -> GuestMachine:
        """Boot a guest.

        :param masked: units of systemd that never start in it.
        """
        public = str(ipaddress.ip_network(self.provider.public_pool)[number + 20])
        interface = Interface(
            f"/nics/{name}", f"00-0D-3A-00-02-{number:02X}", f"10.0.0.{number}", "10.0.0.0/24", "a", public
        )
        spec = MachineSpec(
            id=f"/vms/{name}", name=name, computer_name=name, admin_username="azureuser",
            image=changes.pop("image", {}), interfaces=(interface,), rules=RULES, os_disk_id=f"/disks/{name}",
            **changes,
        )  # fmt: skip
        machine = self.loop.run_until_complete(self.provider.create(spec))
        units = machine.home / "upper/etc/systemd/system"
        for unit in masked:
            units.mkdir(parents=True, exist_ok=True)
            (units / unit).symlink_to("/dev/null")
        self.loop.run_until_complete(machine.start())
        return machine

    def serve(self, directory: Path) -> str:
        """Serve files over HTTP where guests find a server on the Internet; its URL."""
        command = [sys.executable, "-m", "http.server", "-d", str(directory), "-b", self.provider.fabric.core_address]
        self.servers.append(
            subprocess.Popen(
                self.provider.supervisor.argv([*command, "8000"]),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return f"http://{self.provider.fabric.core_address}:8000"

    def sh(self, machine: GuestMachine, script: str, *, stdin: bytes = b"", fails: bool = False) -> str:
        """Run a script in the guest as root; it must succeed unless ``fails``."""
        code, output, errors = self.loop.run_until_complete(machine.execute(["sh", "-euc", script], stdin=stdin))
        text = (output + errors).decode(errors="replace")
        assert (code != 0) == fails, text
        return text

    def push(
        self, machine: GuestMachine, docker: dict[str, t.Any], *, fails: bool = False, **more: t.Any
    ) -> dict[str, t.Any]:
        """Push settings as the CustomScript handler gets them; the program's last line."""
        return self.loop.run_until_complete(self.pushed(machine, docker, fails=fails, **more))

    async def pushed(
        self, machine: GuestMachine, docker: dict[str, t.Any], *, fails: bool = False, **more: t.Any
    ) -> dict[str, t.Any]:
        """Push settings while something else goes on in the same event loop."""
        self.pushes += 1
        public = {"docker": docker, **more.pop("public", {})}
        document = {
            "settings": public,
            "protectedSettings": more.pop("protected", {}),
            "push": str(self.pushes),
            **more,
        }
        result = await machine.enable_extension(
            ExtensionSettings(
                "docker-host",
                "Microsoft.Azure.Extensions",
                "CustomScript",
                "2.1",
                settings={"timestamp": self.pushes},
                protected={"script": payload.custom_script(PROGRAM, document)},
            )
        )
        outcome = read_setup_result(result.message)
        assert outcome.report, result.message
        assert outcome.is_good == (not fails), outcome.report
        assert result.status == ("error" if fails else "success")
        return outcome.report

    def close(self) -> None:
        """Leave nothing behind."""
        for server in self.servers:
            server.terminate()
            server.wait()
        self.loop.run_until_complete(self.provider.close())
        self.loop.close()
