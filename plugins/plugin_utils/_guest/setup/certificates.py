# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""X.509 certificates with nothing but the standard library."""

import contextlib
import hashlib
import re
import ssl
import tempfile

from .machine import Problem


def check_pair(certs):
    """Stop when the key does not belong to the certificate or the CA cannot be read."""
    with nameless_files(certs) as names:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(names["ca"])
        except (ssl.SSLError, ValueError):
            raise Problem("certs.ca contains no certificate that can be read") from None
        try:
            context.load_cert_chain(names["cert"], names["key"])
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or "unreadable"
            raise Problem("certs.cert and certs.key do not belong together ({})".format(reason)) from None


@contextlib.contextmanager
def nameless_files(contents):
    """Yield paths of files with these contents that are in no directory, so that a killed run leaves none of them."""
    with contextlib.ExitStack() as opened:
        names = {}
        for name, content in contents.items():
            file = opened.enter_context(temporary_file())
            write_temporary(file, content)
            names[name] = "/proc/self/fd/{}".format(file.fileno())
        yield names


def temporary_file():
    """Open a file that is in no directory. :raises Problem: no file system for temporary files can be written."""
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise Problem("the file system of temporary files must have room, got: {}".format(error.strerror)) from None


def write_temporary(file, content):
    """Write an open temporary file. :raises Problem: its file system is full."""
    try:
        file.write(content)
        file.flush()
    except OSError as error:
        folder = tempfile.gettempdir()
        raise Problem("the file system of {} must have room, got: {}".format(folder, error.strerror)) from None


def certificates(pem):
    """Return the certificates in a PEM file, as DER."""
    blocks = re.findall(
        r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem.decode("ascii", "replace"), re.DOTALL
    )
    found = []
    for block in blocks:
        with contextlib.suppress(ValueError):  # somebody's damaged file
            found.append(ssl.PEM_cert_to_DER_cert(block))
    return found


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def fingerprints(pem):
    """Return the SHA-256 fingerprints of the certificates in a PEM file, lower-case hex."""
    return [sha256(der) for der in certificates(pem)]


def key_fingerprint(der):
    """Return the SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 5280, 4.1), lower-case hex."""
    place = element(der, element(der, 0)[0])[0]  # the first field of the TBSCertificate
    # Before the key come version (which may be left out), serialNumber, signature, issuer, validity and subject.
    for _field in range(6 if der[place] == 0xA0 else 5):
        place = element(der, place)[1]
    return sha256(der[place : element(der, place)[1]])


def element(der, place):
    """Return where the contents of the DER element at a place begin and end (X.690, 8.1.3)."""
    begin, length = place + 2, der[place + 1]
    if length > 0x7F:
        begin += length - 0x80
        length = int.from_bytes(der[place + 2 : begin], "big")
    return begin, begin + length


def short(values):
    return ", ".join(value[:16] for value in sorted(values))
