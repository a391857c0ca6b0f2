# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenPGP public keys, as far as a pinned key needs them (RFC 4880).

A package manager trusts every key in the file that it is given, so a fingerprint says something about the file only if
the file holds one key and nothing else.
"""

import base64
import binascii
import contextlib
import hashlib
import re

from .machine import Problem

PRIMARY, SUBKEY = 6, 14
# What belongs to a public key: signatures, names, subkeys (RFC 4880, 11.1).
KEY_PACKETS = {2: "signature", PRIMARY: "key", 13: "user ID", SUBKEY: "subkey", 17: "user attribute"}
ARMOUR = re.compile(
    rb"\s*-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(?P<headers>(?:[!-~]+: [^\r\n]*\r?\n)*)[ \t]*\r?\n"
    rb"(?P<body>[A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4}[ \t]*)?\r?\n-----END PGP PUBLIC KEY BLOCK-----\s*"
)


def key_packets(key):
    """Return the packets of a public key as ``(tag, body)``.

    :raises Problem: the file is not one OpenPGP public key, armoured or not, or holds anything else.
    """
    packets = list(read_packets(dearmour(key)))
    tags = [tag for tag, _body in packets]
    if tags[:1] != [PRIMARY]:
        raise Problem("it is not an OpenPGP public key")
    if tags.count(PRIMARY) > 1:
        raise Problem("it must contain one key, got {}".format(tags.count(PRIMARY)))
    strange = sorted(set(tags) - set(KEY_PACKETS))
    if strange:
        raise Problem("it must contain only a public key, got packets with the tags {}".format(strange))
    return packets


def pgp_fingerprints(data):
    """Return the fingerprints of all keys in a file, of several blocks too; of what cannot be read, none."""
    found = set()
    for block in [match.group() for match in ARMOUR.finditer(data)] if b"-----" in data else [data]:
        with contextlib.suppress(Problem):
            found.update(fingerprint(body) for tag, body in read_packets(dearmour(block)) if tag in (PRIMARY, SUBKEY))
    return found - {""}


def dearmour(key):
    """Return the packets' bytes of a file that is armoured or binary."""
    if b"-----" not in key:
        return key
    found = ARMOUR.fullmatch(key)
    if found is None:
        raise Problem("it is not one block of an armoured OpenPGP public key with nothing before and after it")
    try:
        return base64.b64decode(b"".join(found.group("body").split()), validate=True)
    except binascii.Error:
        raise Problem("it is not an OpenPGP public key: its armour is damaged") from None


def read_packets(data):
    """Yield each packet's tag and body (RFC 4880, 4.2). Lengths that keys do not use are refused."""
    at = 0
    while at < len(data):
        tag, start, length = packet_header(data[at : at + 6])
        if length is None or at + start + length > len(data):
            raise Problem("it is not an OpenPGP public key: a packet is damaged")
        yield tag, data[at + start : at + start + length]
        at += start + length


def packet_header(head):
    """Return tag, length of the header and length of the body (None: not a packet that a key can have)."""
    if len(head) < 2 or not head[0] & 0x80:
        return 0, 1, None
    if not head[0] & 0x40:
        size = 1 << (head[0] & 3)
        length = None if size == 8 else int.from_bytes(head[1 : 1 + size], "big")
        return (head[0] >> 2) & 0x0F, 1 + size, length
    tag, first = head[0] & 0x3F, head[1]
    if first < 192:
        return tag, 2, first
    if first < 224 and len(head) > 2:
        return tag, 3, ((first - 192) << 8) + head[2] + 192
    return tag, 6, int.from_bytes(head[2:6], "big") if first == 255 else None


def fingerprint(body):
    """Return the fingerprint of a key packet (RFC 4880, 12.2), upper-case hex; empty unless it is of version 4."""
    if body[:1] != b"\x04" or len(body) > 0xFFFF:  # the length takes two octets
        return ""
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()  # noqa: S324


def only_pinned(key, pins, with_subkeys):
    """Return the file with the pinned key alone, armoured.

    :param with_subkeys: keep subkeys. apt checks that the key vouches for them; rpm before 4.17 does not.
    :raises Problem: the key is not pinned, or the file holds more than one public key.
    """
    packets = key_packets(key)
    found = fingerprint(packets[0][1])
    if found not in pins:
        raise Problem("it has the fingerprint {}, which is not Docker's".format(found or "of another version"))
    if not with_subkeys:
        first = next((place for place, (tag, _body) in enumerate(packets) if tag == SUBKEY), len(packets))
        packets = packets[:first]
    return armour(b"".join(write_packet(tag, body) for tag, body in packets))


def write_packet(tag, body):
    return bytes([0x80 | tag << 2 | 2] if tag < 16 else [0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


def armour(data):
    """Return packets as text (RFC 4880, 6.2), with the checksum that rpm asks for."""
    text = base64.b64encode(data)
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    lines = [b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"", *lines, b"=" + base64.b64encode(crc24(data))]
    return b"\n".join([*lines, b"-----END PGP PUBLIC KEY BLOCK-----", b""])


def crc24(data):
    """Return the checksum of an armour (RFC 4880, 6.1)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _bit in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc.to_bytes(3, "big")
