# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate is renewed, and why."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import ca, keys, names
from .identities import CurrentPair, Identity
from .times import iso, whole_days

with contextlib.suppress(ImportError):
    from cryptography import x509

Regenerate = t.Literal["never", "fail", "partial_idempotence", "full_idempotence", "always"]
REGENERATE: tuple[Regenerate, ...] = ("never", "fail", "partial_idempotence", "full_idempotence", "always")
ASKED_FOR = "requested by regenerate"


@dataclass(frozen=True)
class CertificateSpec:
    """The desired content of an identity's certificate.

    :param names_matter: whether the alternative names are compared; otherwise they stay as they are.
    :param names_complete: whether any other name is a reason to renew; False in check mode, where a host that is not
        created yet will have more names.
    :param fields: the fields of the subject that the options name; others are not checked.
    :param check_common_name: whether the common name must match too.
    :param key_type: one of :data:`keys.KEY_TYPES`; ``None`` keeps the current type.
    :param allow_other_purposes: whether a certificate that was signed elsewhere may have a further extended key usage.
    :param not_after: the end of a certificate that is issued now.
    :param renew_before: the certificate is renewed when less than this time is left.
    """

    identity: Identity
    common_name: str
    not_after: datetime
    renew_before: timedelta
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    names_matter: bool = True
    names_complete: bool = True
    fields: t.Mapping[str, str] | None = None
    check_common_name: bool = False
    key_type: str | None = None
    allow_other_purposes: bool = False

    @property
    def new_key_type(self) -> str:
        """The type of a key that is generated for it."""
        return self.key_type or keys.DEFAULT_KEY_TYPE


@dataclass(frozen=True)
class Reason:
    """Why a certificate is issued or renewed.

    :param text: for the user, for example ``expires in 12 days``.
    :param needs_key: whether a new key is needed as well.
    :param kind: ``missing`` (it never existed), ``unreadable`` (it exists but is broken), ``other``.
    :param hard: whether somebody else's certificate and key with this fault cannot be adopted.
    :param remedy: how the user can have the certificate accepted, as a sentence.
    """

    text: str
    needs_key: bool = False
    kind: t.Literal["missing", "unreadable", "other"] = "other"
    hard: bool = False
    remedy: str = ""


def remedies(reasons: t.Iterable[Reason]) -> str:
    """Return the remedies of reasons as text to append to a sentence."""
    return "".join(f" {remedy}" for remedy in dict.fromkeys(reason.remedy for reason in reasons if reason.remedy))


def plural(number: int, word: str) -> str:
    """Return a number with its noun: ``1 day``, ``2 days``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def reasons_for(
    desired: CertificateSpec,
    current: CurrentPair,
    signer: ca.CertificateAuthority | None,
    now: datetime,
    *,
    new_end: datetime,
) -> list[Reason]:
    """Return why the certificate must be issued or renewed, the gravest reason first; empty if it is as desired.

    :param signer: the CA that must have signed the certificate; ``None`` if it does not exist yet.
    :param new_end: the end of a certificate that would be issued now.
    """
    reasons = list(_key_reasons(desired, current))
    certificate = current.certificate
    if certificate is None:
        if current.certificate_problem:
            return [*reasons, Reason(current.certificate_problem, kind="unreadable", hard=True)]
        if current.is_nothing:
            return [Reason("it does not exist", needs_key=True, kind="missing")]
        return [*reasons, Reason("the certificate is missing", kind="missing")]
    if current.key is not None and not keys.same_public_key(certificate.public_key(), current.key.public_key()):
        reasons.append(Reason("key does not match", hard=True))
    if signer is None or not signer.signed(certificate):
        reasons.append(Reason("signed by another CA", hard=True))
    reasons += _time_reasons(certificate, desired, now, new_end)
    if desired.names_matter:
        reasons += _name_reasons(certificate, desired)
    reasons += _form_reasons(certificate, desired)
    return reasons


def _key_reasons(desired: CertificateSpec, current: CurrentPair) -> t.Iterator[Reason]:
    if current.key_problem:
        yield Reason(current.key_problem, needs_key=True, kind="unreadable", hard=True)
    elif current.key is None:
        if not current.is_nothing:
            yield Reason("the key is missing", needs_key=True, kind="missing", hard=True)
    else:
        public = current.key.public_key()
        actual = keys.type_of(public)
        if keys.is_weak(public):
            yield Reason(f"key is {keys.label(actual)}", needs_key=True, hard=True)
        elif desired.key_type and actual != desired.key_type:
            yield Reason(f"key is {keys.label(actual)}, not {keys.label(desired.key_type)}", needs_key=True)


def _time_reasons(
    certificate: x509.Certificate, desired: CertificateSpec, now: datetime, new_end: datetime
) -> t.Iterator[Reason]:
    left = certificate.not_valid_after_utc - now
    if left <= timedelta(0):
        ago = whole_days(-left)
        yield Reason(f"expired {plural(ago, 'day')} ago" if ago else "expired today")
    elif left < desired.renew_before and new_end > certificate.not_valid_after_utc:
        yield Reason(f"expires in {plural(whole_days(left), 'day')}")
    if certificate.not_valid_before_utc > now:
        yield Reason(f"not valid before {iso(certificate.not_valid_before_utc)}")


def _name_reasons(certificate: x509.Certificate, desired: CertificateSpec) -> t.Iterator[Reason]:
    dns_names, addresses = names.read_san(certificate)
    has = {*dns_names, *addresses}
    wants = [*desired.dns_names, *desired.ip_addresses]
    for name in wants:
        if name not in has:
            yield Reason(f"SAN lacks {name}")
    for name in sorted(has - set(wants)) if desired.names_complete else ():
        yield Reason(f"SAN has {name}, which is not requested")


def _form_reasons(certificate: x509.Certificate, desired: CertificateSpec) -> t.Iterator[Reason]:
    extensions = certificate.extensions
    purpose = desired.identity.purpose
    remedy = (
        "Get it signed for its own purpose alone, because the key of a host with a client's purpose gives the"
        " permissions of root on every other host; or accept that with O(allow_other_purposes=true)."
    )
    try:
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        # It is valid for every purpose, until another one takes its place.
        yield Reason(f"EKU lacks {purpose}", hard=not desired.allow_other_purposes, remedy=remedy)
    else:
        if ca.purpose_oid(purpose) not in usages:
            yield Reason(f"EKU lacks {purpose}", hard=True)
        others = [] if desired.allow_other_purposes else ca.other_purposes(certificate, purpose)
        if others:
            yield Reason(f"EKU has {', '.join(others)} besides {purpose}", hard=True, remedy=remedy)
    with contextlib.suppress(x509.ExtensionNotFound):
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            yield Reason("it is a CA's certificate", hard=True)
    try:
        extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        yield Reason("it lacks the authority key identifier, which Python 3.13 asks for")
    if ca.uses_sha1(certificate):
        yield Reason("signature uses SHA-1", hard=True)
    yield from _subject_reasons(certificate, desired)


def _subject_reasons(certificate: x509.Certificate, desired: CertificateSpec) -> t.Iterator[Reason]:
    asked = dict(desired.fields or {})
    if desired.check_common_name:
        asked["CN"] = desired.common_name
    for short, value in asked.items():
        if names.attribute(certificate.subject, short) != value:
            yield Reason(f"subject lacks {short}={value}")
