# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listeners at Azure's own addresses, in the namespace of every virtual network."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines.app_server import AppServer
from azure_emulator.machines.base import MachineError
from azure_emulator.machines.mirror.resolver import Resolver
from azure_emulator.machines.namespaces import inside
from azure_emulator.machines.wireserver.app import METADATA_SERVICE, PLUGIN_PORT, PlatformApp
from azure_emulator.machines.wireserver.documents import WIRE_SERVER
from azure_emulator.machines.wireserver.handlers import Handlers
from azure_emulator.machines.wireserver.machine import WireMachine

DNS_PORT = 53
ENDPOINTS = ((WIRE_SERVER, 80), (WIRE_SERVER, PLUGIN_PORT), (METADATA_SERVICE, 80))


@dataclass
class _Opened:
    server: AppServer
    resolver: asyncio.DatagramTransport


class WireServer:
    """Answers the machines of one local Azure.

    :param handlers: what their agents can install.
    :ivar names: addresses by name, which machines can ask for.
    """

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.names: dict[str, str] = {}
        self._machines: dict[tuple[str, str], WireMachine] = {}
        self._networks: dict[str, _Opened] = {}

    def attach(self, network: str, address: str, machine: WireMachine) -> None:
        """Answer the machine with this address in this network."""
        machine.address = address
        self._machines[network, address] = machine

    def detach(self, network: str, address: str) -> None:
        """Answer it no longer."""
        self._machines.pop((network, address), None)

    async def open(self, network: str, namespace: Path) -> None:
        """Listen in a network's namespace, where the addresses must be.

        :param namespace: the file that stands for it, below ``/run/netns``.
        """
        listeners, datagrams = await asyncio.to_thread(_listeners, namespace)
        app = PlatformApp(lambda address: self._machines.get((network, address)), self.handlers)
        server = AppServer(app)
        await server.listen(listeners)
        loop = asyncio.get_running_loop()
        resolver, _protocol = await loop.create_datagram_endpoint(lambda: Resolver(self.names), sock=datagrams)
        self._networks[network] = _Opened(server, resolver)

    async def close(self, network: str) -> None:
        """Listen no longer. The network's machines are off."""
        opened = self._networks.pop(network, None)
        if opened is None:
            return
        opened.resolver.close()
        await opened.server.close()

    async def close_all(self) -> None:
        """Listen nowhere."""
        for network in list(self._networks):
            await self.close(network)


def _listeners(namespace: Path) -> tuple[list[socket.socket], socket.socket]:
    """Return the sockets of a network namespace: those that listen, and the one of the DNS server.

    :raises MachineError: the namespace or its addresses are not there.
    """
    made: list[socket.socket] = []

    def make() -> None:
        made.extend(socket.create_server(endpoint, backlog=128) for endpoint in ENDPOINTS)
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made[-1].bind((WIRE_SERVER, DNS_PORT))

    try:
        inside(namespace, make)
    except OSError as error:
        for listener in made:
            listener.close()
        raise MachineError(f"the WireServer cannot listen in {namespace.name}: {error}") from error
    return made[:-1], made[-1]
