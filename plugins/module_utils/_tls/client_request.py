# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request for the certificate of a client whose key stays with its owner."""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from . import keys
from .identities import read_request


class ClientRequest(t.NamedTuple):
    """A request of a client, checked.

    :param option: the option that contains it, for errors.
    :param name: the common name of the certificate; what the request itself asks for does not count.
    :param public_key: the key to certify.
    """

    option: str
    name: str
    public_key: t.Any


def read_client_request(option: str, name: str, data: bytes) -> ClientRequest:
    """Return a request after checking that its sender has the key, and that the key is strong enough.

    :param data: a certificate signing request (PKCS #10) in PEM.
    :raises OptionError: it is not a request, is not signed with its own key, or the key is too weak.
    """
    if b"PRIVATE KEY" in data:
        raise OptionError(option, "must be a certificate signing request; never send a private key")
    request = read_request(data)
    if request is None:
        raise OptionError(
            option,
            "must be a certificate signing request in PEM that is signed with its own key, as 'openssl req -new' writes"
            " it",
        )
    public_key = request.public_key()
    if keys.is_weak(public_key):
        found = keys.label(keys.type_of(public_key))
        raise OptionError(option, f"must have a key of {', '.join(map(keys.label, keys.KEY_TYPES))}, got {found}")
    return ClientRequest(option, name, public_key)
