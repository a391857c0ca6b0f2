# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure's DHCP tells a guest."""

from __future__ import annotations

import ipaddress

import pytest

from azure_emulator.machines.cloudinit.dhcp import Lease, answer

LEASE = Lease("10.0.1.4", ipaddress.IPv4Network("10.0.1.0/26"))
MAC = bytes.fromhex("000d3a000201") + bytes(10)
COOKIE = bytes.fromhex("63825363")


def message(*options: bytes) -> bytes:
    """A client's message with transaction 01020304 and the flag for broadcasts."""
    head = bytes([1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0])
    return head + bytes(16) + MAC + bytes(192) + COOKIE + b"".join(options) + b"\xff"


def options_of(reply: bytes) -> dict[int, bytes]:
    found, rest = {}, reply[240:]
    while rest[0] != 255:
        found[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    return found


@pytest.mark.parametrize(("asked", "answered"), [(1, 2), (3, 5), (8, 5)], ids=["discover", "request", "inform"])
def test_a_client_gets_its_one_address_for_ever_with_azures_routes(asked: int, answered: int) -> None:
    reply = answer(message(b"\x00", b"\x0c\x03web", bytes([53, 1, asked])), LEASE)
    assert reply is not None
    assert reply[:8] == bytes([2, 1, 6, 0, 1, 2, 3, 4])
    assert reply[10:12] == b"\x80\x00"
    assert reply[16:20] == ipaddress.IPv4Address("10.0.1.4").packed
    assert (reply[28:44], reply[236:240]) == (MAC, COOKIE)
    gateway, wire = bytes([10, 0, 1, 1]), bytes([168, 63, 129, 16])
    metadata = bytes([169, 254, 169, 254])
    assert options_of(reply) == {
        53: bytes([answered]), 54: wire, 51: b"\xff" * 4, 1: bytes([255, 255, 255, 192]), 3: gateway, 6: wire,
        15: b"internal.cloudapp.net", 245: wire,
        121: b"\0" + gateway + b"\x20" + wire + gateway + b"\x20" + metadata + gateway,
    }  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [b"", b"\x01" * 100, message(), message(bytes([53, 1, 7])), b"\x02" + message(bytes([53, 1, 1]))[1:],
     message()[:240], message()[:240] + b"\x35", message()[:240] + b"\x35\x09\x07"],
    ids=["empty", "short", "no kind", "release", "a reply", "no options", "no length", "no content"],
)  # fmt: skip
def test_other_messages_get_no_answer(bad: bytes) -> None:
    assert answer(bad, LEASE) is None
