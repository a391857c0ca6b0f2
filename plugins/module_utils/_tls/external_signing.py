# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that were signed outside of the collection."""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from . import ca, keys
from .ca import CertificateAuthority
from .changeset import ChangeSet
from .identities import CurrentPair, read_pair
from .renewal import CertificateSpec, reasons_for, remedies


class SignedCertificates:
    """The certificates of the option ``signed_certificates``, assigned to identities by their keys.

    :raises OptionError: a certificate cannot be read, or belongs to no key of the set.
    """

    def __init__(self, changeset: ChangeSet) -> None:
        self.changeset = changeset
        self._found: dict[bytes, tuple[str, t.Any]] = {}
        known = self._known_keys() if changeset.options.signed else set()
        for option, data in changeset.options.signed:
            try:
                certificates = ca.load_certificates(data)
            except ValueError as error:
                raise OptionError(option, str(error)) from error
            public = keys.public_bytes(certificates[0].public_key())
            if public not in known:
                subject = certificates[0].subject.rfc4514_string()
                raise OptionError(
                    option, f"no key in {changeset.options.cert_dir} belongs to this certificate ({subject})"
                )
            self._found[public] = (option, certificates[0])

    def _known_keys(self) -> set[bytes]:
        current = [read_pair(desired.identity, self.changeset.files).key for desired in self.changeset.options.desired]
        return {keys.public_bytes(key.public_key()) for key in current if key is not None}

    def for_key(self, key: keys.PrivateKey) -> t.Any | None:
        """Return the certificate that was signed for a key."""
        entry = self._found.get(keys.public_bytes(key.public_key()))
        return entry[1] if entry else None

    def check(
        self, certificate: t.Any, desired: CertificateSpec, signer: CertificateAuthority | None, key: keys.PrivateKey
    ) -> None:
        """Check that the certificate matches the request.

        :raises OptionError: it does not match; the text lists every difference.
        """
        option = self._found[keys.public_bytes(key.public_key())][0]
        end = certificate.not_valid_after_utc
        problems = reasons_for(desired, CurrentPair(certificate, key=key), signer, self.changeset.now, new_end=end)
        if problems:
            texts = ", ".join(reason.text for reason in problems)
            raise OptionError(
                option,
                f"the certificate for {desired.identity.label} does not match its request: {texts}."
                + remedies(problems),
            )
