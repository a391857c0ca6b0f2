# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of machines share. Their coroutines run in one event loop for the whole module."""

from __future__ import annotations

import asyncio
import base64
import os
import typing as t
from collections.abc import Coroutine, Iterator
from pathlib import Path

import pytest

from azure_emulator.machines.base import ExtensionSettings, HandlerResult, Interface, Machine, MachineSpec, Rule
from azure_emulator.machines.guests import GuestMachine, GuestProvider
from azure_emulator.machines.possible import guests_possible

CACHE = Path(os.environ.get("DOCKERHOST_CACHE") or Path(__file__).parents[4] / ".cache")
R = t.TypeVar("R")


class Guests:
    """One server's guests, driven from ordinary tests."""

    def __init__(self, state_dir: Path, **options: t.Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.provider = GuestProvider(state_dir, CACHE, **options)
        self.run(self.provider.open())
        self._made = 0

    def run(self, work: Coroutine[t.Any, t.Any, R]) -> R:
        return self.loop.run_until_complete(work)

    def spec(self, name: str, **changes: t.Any) -> MachineSpec:
        """A machine on network ``a`` with a public address of its own; ``changes`` are fields of the specification."""
        self._made += 1
        interface = Interface(
            id=f"/nics/{name}",
            mac_address=f"00-0D-3A-00-01-{self._made:02X}",
            private_address=changes.pop("private_address", f"10.0.0.{3 + self._made}"),
            subnet_prefix="10.0.0.0/24",
            network=changes.pop("network", "a"),
            public_address=changes.pop("public_address", self.public_address(self._made)),
        )
        base: dict[str, t.Any] = {
            "id": f"/vms/{name}", "name": name, "computer_name": name, "admin_username": "azureuser", "image": {},
            "interfaces": (interface,), "rules": allow("22"), "os_disk_id": f"/disks/{name}",
        }  # fmt: skip
        return MachineSpec(**{**base, **changes})

    def public_address(self, number: int) -> str:
        return f"{self.provider.public_pool.rsplit('.', 1)[0]}.{number + 9}"

    def start(self, name: str, **changes: t.Any) -> GuestMachine:
        machine = self.run(self.provider.create(self.spec(name, **changes)))
        self.run(machine.start())
        return machine

    def sh(self, machine: GuestMachine, script: str) -> str:
        """Run a script in the guest as root; it must succeed."""
        code, output, errors = self.run(machine.execute(["sh", "-euc", script]))
        assert code == 0, f"{output.decode()}\n{errors.decode()}"
        return output.decode()

    def fails(self, machine: GuestMachine, script: str) -> bool:
        return self.run(machine.execute(["sh", "-euc", script]))[0] != 0

    def custom_script(self, machine: Machine, script: str, **settings: t.Any) -> HandlerResult:
        content = {"script": base64.b64encode(script.encode()).decode()}
        return self.run(
            machine.enable_extension(
                ExtensionSettings("script", "Microsoft.Azure.Extensions", "CustomScript", "2.1.19", settings, content)
            )
        )

    def close(self) -> None:
        self.run(self.provider.close())
        self.loop.close()


def allow(*ports: str, sources: tuple[str, ...] = ("*",)) -> tuple[Rule, ...]:
    """Inbound TCP ports, else Azure's defaults."""
    rules = [Rule(100, "Inbound", "Allow", "Tcp", sources, ("*",), ports=ports)] if ports else []
    return (
        *rules,
        Rule(65000, "Inbound", "Allow", "*", ("VirtualNetwork",), ("VirtualNetwork",)),
        Rule(65500, "Inbound", "Deny", "*", ("*",), ("*",)),
        Rule(65000, "Outbound", "Allow", "*", ("VirtualNetwork",), ("VirtualNetwork",)),
        Rule(65001, "Outbound", "Allow", "*", ("*",), ("Internet",)),
        Rule(65500, "Outbound", "Deny", "*", ("*",), ("*",)),
    )


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    reason = guests_possible()
    if reason:
        pytest.skip(reason)
    data = Guests(tmp_path_factory.mktemp("guests"))
    yield data
    data.close()
