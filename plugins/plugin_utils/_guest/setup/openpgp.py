# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenPGP public keys, as far as a pinned key needs them."""

import base64
import hashlib


def openpgp_fingerprint(key):
    """The fingerprint of the first public key in an OpenPGP file, armoured or not (RFC 4880, 6 and 12.2)."""
    if key.lstrip().startswith(b"-----BEGIN PGP"):
        body = key.decode("ascii", "replace").replace("\r", "").split("\n\n", 1)[-1]
        key = base64.b64decode("".join(line for line in body.splitlines() if not line.startswith(("=", "-"))))
    if len(key) < 6 or not key[0] & 0x80:
        return "none"
    if key[0] & 0x40:
        start, length = 2, key[1]
        if 192 <= length < 224:
            start, length = 3, ((length - 192) << 8) + key[2] + 192
        elif length == 255:
            start, length = 6, int.from_bytes(key[2:6], "big")
    else:
        size = 1 << (key[0] & 3)
        start, length = 1 + size, int.from_bytes(key[1 : 1 + size], "big")
    packet = key[start : start + length]
    return hashlib.sha1(b"\x99" + len(packet).to_bytes(2, "big") + packet).hexdigest().upper()  # noqa: S324
