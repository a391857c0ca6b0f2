# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names in certificates: hosts, subjects, alternative names."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import typing as t

from .._errors import OptionError

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

IDENTITY_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?\Z")
DNS_LABEL = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# RFC 5280, upper bounds of the attributes that have them.
SUBJECT_FIELDS = {
    "C": "countryName",
    "ST": "stateOrProvinceName",
    "L": "localityName",
    "O": "organizationName",
    "OU": "organizationalUnitName",
    "emailAddress": "emailAddress",
}


def _oids() -> dict[str, x509.ObjectIdentifier]:
    return {
        "C": NameOID.COUNTRY_NAME,
        "ST": NameOID.STATE_OR_PROVINCE_NAME,
        "L": NameOID.LOCALITY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "emailAddress": NameOID.EMAIL_ADDRESS,
        "CN": NameOID.COMMON_NAME,
    }


def check_identity_name(option: str, name: t.Any) -> str:
    """Check the name of a host or client, which is also the name of a directory.

    :raises OptionError: it is empty, or contains characters that the name of a directory must not have.
    """
    text = "" if name is None else str(name)
    if not text:
        raise OptionError(option, "must not be empty; use the name of a host or client, such as web1")
    if not is_identity_name(text):
        raise OptionError(
            option,
            f"{text!r} cannot be the name of a directory; use 1 to 64 letters, digits, '.', '_' and '-',"
            " starting with a letter or digit, without '..' and without a dot at the end",
        )
    return text


def is_identity_name(text: str) -> bool:
    """Return whether a text can be the name of a host or client."""
    return bool(IDENTITY_NAME.match(text)) and ".." not in text


def check_dns_name(option: str, name: t.Any) -> str:
    """Return a DNS name for a certificate, in lower case and without the final dot. It may start with ``*.``.

    :raises OptionError: the text is not a DNS name, or it is an IP address.
    """
    text = ("" if name is None else str(name)).removesuffix(".")
    if is_ip_address(text):
        raise OptionError(option, f"{text!r} is an IP address; put it into O(ip_addresses)")
    if not text:
        raise OptionError(option, "must not be empty; use a DNS name, or leave it out")
    if not text.isascii():
        raise OptionError(option, f"{text!r} is not ASCII; write it in its xn-- form (punycode)")
    labels = text.split(".")
    checked = labels[1:] if labels[0] == "*" and len(labels) > 1 else labels
    if len(text) > 253 or not all(DNS_LABEL.match(label) for label in checked):
        raise OptionError(option, f"{text!r} is not a DNS name; use one such as web1.example.org")
    return text.lower()


def check_ip_address(option: str, address: t.Any) -> str:
    """Return an IP address (IPv4 or IPv6) in its shortest form.

    :raises OptionError: the text is not an IP address.
    """
    text = "" if address is None else str(address)
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError as error:
        hint = "; put DNS names into dns_names" if text and not text[0].isdigit() else ""
        raise OptionError(option, f"{text!r} is not an IP address{hint}") from error
    if getattr(parsed, "scope_id", None):
        raise OptionError(option, f"{text!r} has a zone, and addresses in certificates have none")
    return str(parsed)


def is_ip_address(text: str) -> bool:
    """Return whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_subject(option: str, fields: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the subject's fields by their short names (``O``, ``OU`` ...), in the order of X.500.

    :raises OptionError: an unknown field, an empty or too long value.
    """
    long_names = {long: short for short, long in SUBJECT_FIELDS.items()}
    checked: dict[str, str] = {}
    for given, value in fields.items():
        short = given if given in SUBJECT_FIELDS else long_names.get(given)
        if short is None:
            hint = (
                "; common names are made from the names of hosts and clients" if given in ("CN", "commonName") else ""
            )
            known = ", ".join(
                f"{short} or {long}" if short != long else short for short, long in SUBJECT_FIELDS.items()
            )
            raise OptionError(f"{option}.{given}", f"is not a field of a subject{hint}; the fields are {known}")
        if short in checked:
            raise OptionError(f"{option}.{given}", f"the field {short} is given twice")
        text = "" if value is None else str(value)
        if isinstance(value, (dict, list)) or CONTROL.search(text):
            raise OptionError(f"{option}.{given}", "must be text without control characters")
        if not 1 <= len(text) <= 128:
            raise OptionError(f"{option}.{given}", "must have 1 to 128 characters; otherwise leave the field out")
        if short == "C" and not re.match(r"^[A-Za-z]{2}\Z", text):
            raise OptionError(f"{option}.{given}", f"{text!r} is not a country code; use two letters such as DE")
        checked[short] = text.upper() if short == "C" else text
    return {short: checked[short] for short in SUBJECT_FIELDS if short in checked}


def check_common_name(option: str, name: str) -> str:
    """Check a common name: it has 1 to 64 characters (RFC 5280).

    :raises OptionError: it is empty or longer.
    """
    if not 1 <= len(name) <= 64:
        raise OptionError(option, f"must have 1 to 64 characters, got {len(name)}")
    if CONTROL.search(name):
        raise OptionError(option, f"must not contain control characters, got {name!r}")
    return name


def make_name(fields: t.Mapping[str, str], common_name: str) -> x509.Name:
    """Return the X.500 name with these fields and this common name."""
    oids = _oids()
    return x509.Name(
        [x509.NameAttribute(oids[short], value) for short, value in [*fields.items(), ("CN", common_name)]]
    )


def attribute(name: x509.Name, short: str) -> str | None:
    """Return the first value of a field of a name."""
    values = name.get_attributes_for_oid(_oids()[short])
    return str(values[0].value) if values else None


def make_san(dns_names: t.Sequence[str], ip_addresses: t.Sequence[str]) -> x509.SubjectAlternativeName:
    """Return the subject alternative name extension with these names and addresses."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ip_addresses]
    return x509.SubjectAlternativeName(names)


def read_san(certificate: x509.Certificate | x509.CertificateSigningRequest) -> tuple[list[str], list[str]]:
    """Return the DNS names and IP addresses for which a certificate is valid."""
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [], []
    addresses = [str(address) for address in san.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in san.get_values_for_type(x509.DNSName)], addresses
