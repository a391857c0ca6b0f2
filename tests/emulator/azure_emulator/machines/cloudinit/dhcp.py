# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DHCP server of Azure's hosts: one for each interface of a guest, which knows one address (RFC 2131).

It answers as Azure does: the lease never ends, and besides mask, router and name server it has the classless routes
(option 121, RFC 3442) and the WireServer's address (option 245), for which Azure's agents look.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines.base import MachineError
from azure_emulator.machines.namespaces import inside

WIRE_SERVER, METADATA_SERVICE = "168.63.129.16", "169.254.169.254"
DOMAIN = b"internal.cloudapp.net"
_SERVER, _CLIENT = 67, 68
_REQUEST, _REPLY = 1, 2
_FIXED = 240
"""Bytes before the options: the header of BOOTP and the magic cookie."""
_BIND_TO_DEVICE = 25
"""SO_BINDTODEVICE of asm-generic/socket.h."""
_DISCOVER, _OFFER, _REQUESTED, _ACKNOWLEDGED, _INFORM = 1, 2, 3, 5, 8
_ANSWERS = {_DISCOVER: _OFFER, _REQUESTED: _ACKNOWLEDGED, _INFORM: _ACKNOWLEDGED}
_PAD, _MASK, _ROUTER, _NAME_SERVER, _DOMAIN, _LEASE, _KIND, _SELF, _ROUTES, _WIRE_SERVER, _END = (
    0, 1, 3, 6, 15, 51, 53, 54, 121, 245, 255,
)  # fmt: skip
_FOR_EVER = b"\xff\xff\xff\xff"


@dataclass(frozen=True)
class Lease:
    """What an interface gets. The router is the first address of its subnet."""

    address: str
    subnet: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        return str(self.subnet[1])


def answer(message: bytes, lease: Lease) -> bytes | None:
    """Return the answer to a client's message, or None if it gets none."""
    if len(message) < _FIXED or message[0] != _REQUEST:
        return None
    kind = _options(message[_FIXED:]).get(_KIND, b"")
    if len(kind) != 1 or kind[0] not in _ANSWERS:
        return None
    # op, htype, hlen, hops; xid; secs, flags; ciaddr, yiaddr, siaddr, giaddr; chaddr; sname and file; magic cookie.
    head = bytes([_REPLY, *message[1:3], 0]) + message[4:8] + bytes(2) + message[10:12]
    addresses = bytes(4) + _packed(lease.address) + _packed(WIRE_SERVER) + bytes(4)
    fixed = head + addresses + message[28:44] + bytes(192) + message[236:240]
    return (fixed + _encoded(_ANSWERS[kind[0]], lease)).ljust(300, b"\0")


def _packed(address: str) -> bytes:
    return ipaddress.IPv4Address(address).packed


def _options(data: bytes) -> dict[int, bytes]:
    """Return the options of a message by number; a damaged end is ignored."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        found[data[at]] = data[at + 2 : at + 2 + length]
        at += 2 + length
    return found


def _encoded(kind: int, lease: Lease) -> bytes:
    gateway, server = _packed(lease.gateway), _packed(WIRE_SERVER)
    routes = b"\0" + gateway
    for address in (WIRE_SERVER, METADATA_SERVICE):
        routes += b"\x20" + _packed(address) + gateway
    options = {
        _KIND: bytes([kind]),
        _SELF: server,
        _LEASE: _FOR_EVER,
        _MASK: lease.subnet.netmask.packed,
        _ROUTER: gateway,
        _NAME_SERVER: server,
        _DOMAIN: DOMAIN,
        _ROUTES: routes,
        _WIRE_SERVER: server,
    }
    return b"".join(bytes([number, len(value)]) + value for number, value in options.items()) + bytes([_END])


class DhcpServer:
    """Answers on one interface of a network's router until it is closed. :param listener: from :func:`listen`."""

    def __init__(self, listener: socket.socket, lease: Lease) -> None:
        self._socket, self._lease = listener, lease
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(listener, self._receive)

    def _receive(self) -> None:
        try:
            reply = answer(self._socket.recv(4096), self._lease)
            if reply is not None:
                self._socket.sendto(reply, ("255.255.255.255", _CLIENT))
        except OSError:
            # The interface goes, or its queue is full: the client asks again.
            return

    def close(self) -> None:
        """Answer no longer."""
        self._loop.remove_reader(self._socket)
        self._socket.close()


def listen(namespace: Path, device: str) -> socket.socket:
    """Return a socket for the messages of one interface.

    :param namespace: the file of the network's namespace.
    :param device: the router's end of the guest's interface.
    :raises MachineError: the interface is not there.
    """
    try:
        return inside(namespace, lambda: _bound(device))
    except OSError as error:
        raise MachineError(f"DHCP cannot listen on {device} of {namespace.name}: {error}") from error


def _bound(device: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        # One for each interface of the router, all with the same port.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, _BIND_TO_DEVICE, device.encode() + b"\0")
        made.bind(("", _SERVER))
    except OSError:
        made.close()
        raise
    return made
