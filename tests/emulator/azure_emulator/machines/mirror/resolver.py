# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS server that Azure has at 168.63.129.16 (RFC 1035). It knows the servers of this small internet only."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
import typing as t

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_ANSWER = struct.Struct("!HHHIH4s")
_A, _IN = 1, 1
_LIFETIME = 60
# QR, RA; the client's opcode and RD are added. SERVFAIL for other names: whether they exist is not known here.
_RESPONSE, _FAILED, _KEPT = 0x8080, 2, 0x7900


def answer(query: bytes, names: t.Mapping[str, str]) -> bytes | None:
    """Return the answer to a query, or None for what is not one.

    :param names: address by name in lower case.
    """
    try:
        number, flags, questions, *_others = _HEADER.unpack_from(query)
        name, end = _read_name(query, _HEADER.size)
        kind, family = _QUESTION.unpack_from(query, end)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if flags & 0x8000 or questions != 1:
        return None
    question = query[_HEADER.size : end + _QUESTION.size]
    address = names.get(name)
    head = _RESPONSE | flags & _KEPT | (0 if address else _FAILED)
    records = b""
    if address and (kind, family) == (_A, _IN):
        packed = ipaddress.IPv4Address(address).packed
        records = _ANSWER.pack(0xC000 | _HEADER.size, _A, _IN, _LIFETIME, len(packed), packed)
    return _HEADER.pack(number, head, 1, bool(records), 0, 0) + question + records


def _read_name(query: bytes, position: int) -> tuple[str, int]:
    """Return the name at a position, in lower case, and where it ends. Queries have no compressed names."""
    labels = []
    while length := query[position]:
        labels.append(query[position + 1 : position + 1 + length].decode("ascii").lower())
        position += 1 + length
    return ".".join(labels), position + 1


class Resolver(asyncio.DatagramProtocol):
    """Answers at one socket."""

    def __init__(self, names: t.Mapping[str, str]) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = t.cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: t.Any) -> None:
        reply = answer(data, self._names)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
