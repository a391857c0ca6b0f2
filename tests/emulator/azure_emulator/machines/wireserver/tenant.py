# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's tenant certificate: protected settings are encrypted for it, and the goal state delivers its key.

Only RSA: the agent takes the key apart with ``openssl rsa``.
"""

from __future__ import annotations

import base64
import subprocess
import textwrap
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from azure_emulator.authority import write_private
from azure_emulator.machines.base import MachineError
from azure_emulator.machines.envelopes import encrypt, seal
from azure_emulator.self_signed import rsa_key, self_signed

#: The agent's names of the ciphers in which it takes certificates, and openssl's.
CIPHERS = {"DES_EDE3_CBC": "des3", "AES128_CBC": "aes128"}


@dataclass(frozen=True)
class Tenant:
    """The certificate with its key.

    :param certificate: as PEM.
    :param thumbprint: SHA-1 of the DER in upper-case hexadecimal, as settings name it.
    :param pfx: both as PKCS#12 with an empty password.
    """

    certificate: str
    thumbprint: str
    pfx: bytes = field(repr=False)

    async def encrypt(self, settings: t.Mapping[str, t.Any]) -> str:
        """Return protected settings as a handler gets them: CMS EnvelopedData in base64."""
        return await encrypt(settings, self.certificate)

    async def delivered_to(self, transport_certificate: str, cipher: str) -> str:
        """Return the PKCS#12 for the agent's transport certificate, in the lines of 64 characters that it expects.

        :param transport_certificate: base64 of the DER, in one line.
        :param cipher: a name of :data:`CIPHERS`.
        :raises KeyError: another cipher.
        :raises MachineError: the certificate is not one.
        """
        pem = f"-----BEGIN CERTIFICATE-----\n{lines(transport_certificate)}\n-----END CERTIFICATE-----\n"
        return lines(base64.b64encode(await seal(self.pfx, pem, CIPHERS[cipher])).decode("ascii"))


def lines(text: str) -> str:
    """Return base64 in lines of 64 characters."""
    return "\n".join(textwrap.wrap(text, 64))


def open_tenant(folder: Path) -> Tenant:
    """Return the tenant certificate that is kept in the folder, made now if there is none.

    :raises MachineError: openssl cannot read what is there.
    """
    file = folder / "tenant.pem"
    if not file.exists():
        write_private(file, self_signed("TenantEncryptionCert", key=rsa_key(), days=730).pem)
    both = file.read_bytes()
    certificate = x509.load_pem_x509_certificate(both)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
    return Tenant(pem, certificate.fingerprint(hashes.SHA1()).hex().upper(), _pfx(both))


def _pfx(both: bytes) -> bytes:
    """Return a key and its certificate as PKCS#12 with an empty password, which only openssl writes."""
    command = ["openssl", "pkcs12", "-export", "-passout", "pass:"]
    done = subprocess.run(command, input=both, capture_output=True, check=False)
    if done.returncode:
        raise MachineError(f"openssl pkcs12: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout
