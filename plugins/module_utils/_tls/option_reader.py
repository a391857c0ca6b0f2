# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and check the options of ``docker_tls_certs`` one by one."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .._errors import OptionError
from .._files import read_option_file
from .._host_keys import check_host_keys
from . import names
from .client_request import ClientRequest, read_client_request
from .identities import DEFAULT_CLIENT, Identity
from .renewal import CertificateSpec
from .times import iso, parse_span, parse_time

SHORTEST_PASSPHRASE = 4
FINGERPRINT = re.compile(r"^[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class HostTrust:
    """The CAs that a host trusts and the certificate that it has, by SHA-256 fingerprint."""

    ca_fingerprints: frozenset[str]
    fingerprint: str | None


class OptionReader:
    """Read options; each method checks one and raises ``OptionError`` if its value cannot be used.

    :param now: against which times and validities are checked.
    :param check_mode: whether hosts may have names that are not known yet.
    """

    def __init__(self, params: t.Mapping[str, t.Any], now: datetime, check_mode: bool) -> None:
        self.params = params
        self.now = now
        self.check_mode = check_mode
        self.fields = names.check_subject("subject", params["subject"] or {})

    def passphrase(self) -> str | None:
        """Return the passphrase of the CA's key; an empty one is none."""
        passphrase: str | None = self.params["ca_key_passphrase"]
        if passphrase and len(passphrase) < SHORTEST_PASSPHRASE:
            raise OptionError("ca_key_passphrase", f"must have at least {SHORTEST_PASSPHRASE} characters")
        return passphrase or None

    def end(self, kind: str) -> datetime:
        """Return until when new certificates are valid.

        :param kind: ``ca``, ``server`` or ``client``.
        """
        option = f"{kind}_not_after"
        end = parse_time(option, self.params[option], self.now)
        if end <= self.now:
            raise OptionError(option, f"{self.params[option]!r} must be in the future")
        if end - self.now <= self.margin(kind):
            raise OptionError(
                f"{kind}_renew_before",
                f"must be shorter than the validity (O({option}) is {iso(end)}), or every run would renew",
            )
        return end

    def margin(self, kind: str) -> timedelta:
        """Return how long before its end a certificate is renewed."""
        return parse_span(f"{kind}_renew_before", self.params[f"{kind}_renew_before"])

    def text(self, name: str) -> tuple[str, bytes] | None:
        """Return the content of an option ``NAME_path`` or ``NAME_content``, with the option's name."""
        content, path = self.params[f"{name}_content"], self.params[f"{name}_path"]
        if content and path:
            raise OptionError(f"{name}_content", f"must not be set together with O({name}_path)")
        if content:
            return f"{name}_content", content.encode()
        return (f"{name}_path", read_option_file(f"{name}_path", path)) if path else None

    def signed(self) -> tuple[tuple[str, bytes], ...]:
        """Return the content of each signed certificate, with the name of its option."""
        checked = []
        for number, entry in enumerate(self.params["signed_certificates"]):
            option = f"signed_certificates[{number}]"
            data = (
                entry["content"].encode()
                if entry["content"]
                else read_option_file(f"{option}.path", entry["path"] or "")
            )
            checked.append((option, data))
        return tuple(checked)

    def client_requests(self) -> tuple[ClientRequest, ...]:
        """Return the clients' requests that this run signs."""
        checked: dict[str, ClientRequest] = {}
        for number, entry in enumerate(self.params["client_requests"]):
            option = f"client_requests[{number}]"
            name = names.check_identity_name(f"{option}.name", entry["name"])
            _refuse_twice(f"{option}.name", name, checked)
            given = "content" if entry["content"] else "path"
            data = (
                entry["content"].encode()
                if entry["content"]
                else read_option_file(f"{option}.path", entry["path"] or "")
            )
            checked[name.lower()] = read_client_request(f"{option}.{given}", name, data)
        return tuple(checked.values())

    def hosts(self) -> tuple[CertificateSpec, ...]:
        """Return what the certificates of the hosts must contain."""
        checked: dict[str, CertificateSpec] = {}
        for number, entry in enumerate(self.params["hosts"] or []):
            option = f"hosts[{number}]"
            check_host_keys(option, entry)
            name = names.check_identity_name(f"{option}.name", entry.get("name"))
            _refuse_twice(f"{option}.name", name, checked)
            dns_names = _each(f"{option}.dns_names", _text_list(entry.get("dns_names")), names.check_dns_name)
            addresses = _each(f"{option}.ip_addresses", _text_list(entry.get("ip_addresses")), names.check_ip_address)
            complete = self._has_all_names(option, name, entry)
            if not dns_names and not addresses and complete and self.params["state"] == "present":
                dns_names, addresses = _names_from(f"{option}.name", name)
            checked[name.lower()] = replace(self.host(name, dns_names, addresses), names_complete=complete)
        return tuple(checked.values())

    def extra_names(self) -> dict[str, dict[str, t.Any]]:
        """Return the names that the user added, by host. A host that does not say which has no entry."""
        checked: dict[str, dict[str, t.Any]] = {}
        for number, entry in enumerate(self.params["hosts"] or []):
            option, added = f"hosts[{number}].extra_names", entry.get("extra_names")
            if not added:
                continue
            if not isinstance(added, t.Mapping):
                raise OptionError(option, f"must be a dictionary as docker_vm_host returns it, got {added!r}")
            kinds = ("dns_names", names.check_dns_name), ("ip_addresses", names.check_ip_address)
            lists = {kind: _each(f"{option}.{kind}", _text_list(added.get(kind)), check) for kind, check in kinds}
            checked[entry["name"]] = {
                "id": str(entry.get("id") or ""),
                "address": str(added.get("address") or "") or None,
                **{kind: list(values) for kind, values in lists.items()},
            }
        return checked

    def _has_all_names(self, option: str, name: str, entry: t.Mapping[str, t.Any]) -> bool:
        """Return whether the names of a host are known; those of a host that Azure has not created yet are not."""
        if not {"dns_names", "ip_addresses"}.intersection(_text_list(entry.get("unknown"))):
            return True
        if not self.check_mode and self.params["state"] == "present":
            raise OptionError(
                f"{option}.unknown",
                f"the names of {name} are not known yet, so no certificate can be issued for it; pass the host as"
                " docker_vm_host returns it outside of check mode",
            )
        return False

    def host(self, name: str, dns_names: tuple[str, ...], addresses: tuple[str, ...]) -> CertificateSpec:
        """Return what the certificate of a host with these names must contain."""
        return CertificateSpec(
            identity=Identity("servers", name),
            common_name=name,
            not_after=self.end("server"),
            renew_before=self.margin("server"),
            dns_names=dns_names,
            ip_addresses=addresses,
            fields=self.fields,
            key_type=self.params["server_key_type"],
            allow_other_purposes=self.params["allow_other_purposes"],
        )

    def clients(self) -> tuple[CertificateSpec, ...]:
        """Return what the certificates of the default client and of the further clients must contain."""
        end, margin = self.end("client"), self.margin("client")
        common_name = self.params["client_common_name"] or ""
        if common_name:
            names.check_common_name("client_common_name", common_name)

        def client(identity: Identity, name: str) -> CertificateSpec:
            return CertificateSpec(
                identity=identity,
                common_name=name,
                not_after=end,
                renew_before=margin,
                names_matter=False,
                fields=self.fields,
                check_common_name=bool(common_name) and identity == DEFAULT_CLIENT,
                key_type=self.params["client_key_type"],
                allow_other_purposes=self.params["allow_other_purposes"],
            )

        checked = {"": client(DEFAULT_CLIENT, common_name or "docker client")}
        for number, given in enumerate(self.params["clients"] or []):
            name = names.check_identity_name(f"clients[{number}]", given)
            _refuse_twice(f"clients[{number}]", name, checked)
            checked[name.lower()] = client(Identity("clients", name), name)
        return tuple(checked.values())

    def host_trust(self) -> dict[str, HostTrust]:
        """Return what each host trusts and has, by its name in lower case."""
        checked: dict[str, HostTrust] = {}
        for number, entry in enumerate(self.params["host_trust"] or []):
            option = f"host_trust[{number}]"
            name = names.check_identity_name(f"{option}.name", entry["name"])
            _refuse_twice(f"{option}.name", name, checked)
            trusted = [
                check_fingerprint(f"{option}.ca_fingerprints[{position}]", value)
                for position, value in enumerate(entry["ca_fingerprints"])
            ]
            own = check_fingerprint(f"{option}.fingerprint", entry["fingerprint"]) if entry["fingerprint"] else None
            checked[name.lower()] = HostTrust(frozenset(trusted), own)
        return checked


def _refuse_twice(option: str, name: str, checked: t.Mapping[str, t.Any]) -> None:
    if name.lower() in checked:
        raise OptionError(
            option, f"{name!r} is given twice (some file systems do not distinguish upper and lower case)"
        )


def _text_list(value: t.Any) -> list[t.Any]:
    """Return a list as Ansible reads it: a text is split at its commas."""
    if value is None:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _each(option: str, values: t.Sequence[t.Any] | None, check: t.Callable[[str, t.Any], str]) -> tuple[str, ...]:
    checked = [check(f"{option}[{number}]", value) for number, value in enumerate(values or [])]
    return tuple(dict.fromkeys(checked))


def _names_from(option: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the host's name as its only alternative name."""
    if names.is_ip_address(name):
        return (), (names.check_ip_address(option, name),)
    return (names.check_dns_name(option, name),), ()


def check_fingerprint(option: str, value: t.Any) -> str:
    """Return a SHA-256 fingerprint in lower case without colons.

    :raises OptionError: the text is not a fingerprint.
    """
    text = str(value or "").replace(":", "").lower()
    if not FINGERPRINT.match(text):
        raise OptionError(
            option, f"{value!r} is not a SHA-256 fingerprint; use 64 hexadecimal digits, with or without colons"
        )
    return text
