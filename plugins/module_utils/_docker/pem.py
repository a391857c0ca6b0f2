# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PEM files as the Docker CLI accepts them, checked by the standard library alone."""

from __future__ import annotations

import hashlib
import ssl

from .connection import load_client_certificate, load_context


def check_pair(ca_path: str | None, client_cert: str | None, client_key: str | None) -> None:
    """Check that the files are certificates and a key that belong together and need no passphrase.

    :raises OptionError: a file is something else, or the files do not belong together.
    """
    context = load_context(ca_path) if ca_path else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if client_cert:
        load_client_certificate(context, client_cert, client_key)


def fingerprint_of(content: bytes | None) -> str | None:
    """Return a short name of a file's content for a diff: the start of its SHA-256, which reveals nothing of a key."""
    if content is None:
        return None
    return f"sha256:{hashlib.sha256(content).hexdigest()[:16]}" if content else "not known yet"
