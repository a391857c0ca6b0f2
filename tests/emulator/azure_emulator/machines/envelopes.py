# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CMS envelopes: content that only the owner of a certificate can read."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
import typing as t

from azure_emulator.machines.base import MachineError
from azure_emulator.machines.supervisor import given


async def seal(content: bytes, certificate: str, cipher: str = "aes256") -> bytes:
    """Return the DER of a CMS EnvelopedData (RFC 5652).

    :param certificate: of the one recipient, as PEM.
    :param cipher: the content's cipher, as ``openssl cms`` names it.
    :raises MachineError: openssl refused, for example a certificate that is not one.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".crt") as file, given(content) as source:
        file.write(certificate)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            *["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", f"-{cipher}", file.name],
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    if process.returncode:
        raise MachineError(f"openssl cms: {errors.decode(errors='replace')[-500:]}")
    return output


async def encrypt(settings: t.Mapping[str, t.Any], certificate: str) -> str:
    """Return protected settings for the owner of the certificate: DER of CMS EnvelopedData, in base64."""
    return base64.b64encode(await seal(json.dumps(dict(settings)).encode(), certificate)).decode("ascii")
