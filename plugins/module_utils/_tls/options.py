# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``docker_tls_certs``: their spec, and their checked values."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .._argspec import ArgumentSpec
from .._awx import is_discarded
from .._errors import OptionError
from .._files import absolute_path, check_can_be_directory, read_option_file
from .._host_keys import check_host_keys
from . import names
from .client_request import ClientRequest, read_client_request
from .identities import DEFAULT_CLIENT, Identity
from .keys import KEY_TYPES
from .renewal import REGENERATE, CertificateSpec, Regenerate
from .times import iso, parse_span, parse_time

DEFAULT_DIRECTORY = "~/.docker"
SHORTEST_PASSPHRASE = 4
FINGERPRINT = re.compile(r"^[0-9a-f]{64}\Z")


def _kind_spec(kind: str, not_after: str) -> dict[str, dict[str, t.Any]]:
    return {
        f"{kind}_key_type": {"type": "str", "choices": list(KEY_TYPES), "no_log": False},
        f"{kind}_not_after": {"type": "str", "default": not_after},
        f"{kind}_renew_before": {"type": "str", "default": "+30d"},
    }


SPEC = ArgumentSpec(
    argument_spec={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "cert_dir": {"type": "path"},
        "temporary": {"type": "bool"},
        "store": {"type": "str", "choices": ["directory", "key_vault"], "default": "directory"},
        "key_vault": {"type": "str", "no_log": False},
        "key_vault_secret": {"type": "str", "default": "docker-ca", "no_log": False},
        # Its keys are checked here, so that a host of docker_vm_host is accepted as it is.
        "hosts": {"type": "list", "elements": "dict", "default": []},
        "clients": {"type": "list", "elements": "str", "default": []},
        "ca_path": {"type": "path"},
        "ca_content": {"type": "str"},
        "ca_key_path": {"type": "path", "no_log": False},
        "ca_key_content": {"type": "str", "no_log": True},
        "ca_key_passphrase": {"type": "str", "no_log": True},
        **_kind_spec("ca", "+3650d"),
        **_kind_spec("server", "+397d"),
        **_kind_spec("client", "+397d"),
        "ca_common_name": {"type": "str", "default": "Docker CA"},
        "client_common_name": {"type": "str"},
        "subject": {"type": "dict", "default": {}},
        "regenerate": {"type": "str", "choices": list(REGENERATE), "default": "full_idempotence"},
        "new_keys": {"type": "bool", "default": False, "no_log": False},
        "adopt": {"type": "bool", "default": False},
        "backup": {"type": "bool", "default": False},
        "signing": {"type": "str", "choices": ["local", "external"], "default": "local"},
        "signed_certificates": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"path": {"type": "path"}, "content": {"type": "str"}},
            "mutually_exclusive": [["path", "content"]],
            "required_one_of": [["path", "content"]],
        },
        "client_requests": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "path": {"type": "path"},
                "content": {"type": "str"},
            },
            "mutually_exclusive": [["path", "content"]],
            "required_one_of": [["path", "content"]],
        },
        "allow_other_purposes": {"type": "bool", "default": False},
        "rotate_ca": {"type": "str", "choices": ["start", "advance", "cancel"]},
        "host_trust": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "ca_fingerprints": {"type": "list", "elements": "str", "required": True},
                "fingerprint": {"type": "str"},
            },
        },
        "remove_ca": {"type": "bool", "default": False},
    },
)


@dataclass(frozen=True)
class HostTrust:
    """The CAs that a host trusts and the certificate that it has, by SHA-256 fingerprint."""

    ca_fingerprints: frozenset[str]
    fingerprint: str | None


@dataclass(frozen=True)
class Options:
    """The checked options. ``""`` counts as unset, as surveys give it.

    :param temporary: whether ``cert_dir`` is discarded when the job ends.
    :param vault: where the CA is if it is not in ``cert_dir``, in words.
    """

    cert_dir: str
    temporary: bool
    absent: bool
    hosts: tuple[CertificateSpec, ...]
    hosts_template: CertificateSpec
    clients: tuple[CertificateSpec, ...]
    ca_text: tuple[str, bytes] | None
    ca_key_text: tuple[str, bytes] | None
    passphrase: str | None
    ca_key_type: str | None
    ca_not_after: datetime
    ca_renew_before: timedelta
    ca_common_name: str
    fields: dict[str, str]
    regenerate: Regenerate
    new_keys: bool
    adopt: bool
    backup: bool
    external: bool
    signed: tuple[tuple[str, bytes], ...]
    client_requests: tuple[ClientRequest, ...]
    rotate: str | None
    host_trust: dict[str, HostTrust] = field(default_factory=dict)
    remove_ca: bool = False
    vault: str | None = None

    @property
    def desired(self) -> tuple[CertificateSpec, ...]:
        """The default client, the further clients, the hosts."""
        return (*self.clients, *self.hosts)

    @property
    def has_outside_ca(self) -> bool:
        """Whether the CA is kept outside of ``cert_dir``, so that another directory gets the same one."""
        return self.vault is not None or self.ca_text is not None


def parse(params: t.Mapping[str, t.Any], now: datetime, *, check_mode: bool = False) -> Options:
    """Check the options and read the files that they name.

    :param check_mode: whether hosts may have names that are not known yet.
    :raises OptionError: the first bad one.
    """
    reader = _Reader(params, now, check_mode)
    absent = params["state"] == "absent"
    directory = cert_dir(params)
    temporary = params["temporary"]
    options = Options(
        cert_dir=directory,
        temporary=is_discarded(directory) if temporary is None else temporary,
        absent=absent,
        hosts=reader.hosts(),
        hosts_template=reader.host("", (), ()),
        clients=reader.clients(),
        ca_text=reader.text("ca"),
        ca_key_text=reader.text("ca_key"),
        passphrase=reader.passphrase(),
        ca_key_type=params["ca_key_type"],
        ca_not_after=reader.end("ca"),
        ca_renew_before=reader.margin("ca"),
        ca_common_name=names.check_common_name("ca_common_name", params["ca_common_name"]),
        fields=reader.fields,
        regenerate=params["regenerate"],
        new_keys=params["new_keys"],
        adopt=params["adopt"],
        backup=params["backup"],
        external=params["signing"] == "external",
        signed=reader.signed(),
        client_requests=reader.client_requests(),
        rotate=params["rotate_ca"],
        host_trust=reader.host_trust(),
        remove_ca=params["remove_ca"],
        vault=vault_of(params),
    )
    _check_together(options)
    return options


def _check_together(options: Options) -> None:
    if options.absent:
        _check_absent(options)
    elif options.remove_ca:
        raise OptionError("remove_ca", "has an effect with O(state=absent) only")
    if options.ca_key_text and not options.ca_text:
        raise OptionError(
            options.ca_key_text[0], "the key of your own CA needs its certificate: set O(ca_path) or O(ca_content)"
        )
    for name, contradicts in (("O(state=absent)", options.absent), ("O(signing=external)", options.external)):
        if contradicts and options.client_requests:
            raise OptionError("client_requests", f"contradicts {name}: leave out one of the two")
    if options.external:
        _check_external(options)
    elif options.signed:
        raise OptionError("signed_certificates", "has an effect with O(signing=external) only")


def _check_absent(options: Options) -> None:
    if options.rotate:
        raise OptionError("rotate_ca", "has an effect with O(state=present) only")
    if not (options.hosts or len(options.clients) > 1 or options.remove_ca):
        raise OptionError(
            "state",
            "absent removes what is named: set O(hosts) or O(clients), or O(remove_ca=true) for the whole set",
        )


def _check_external(options: Options) -> None:
    if not options.ca_text and not options.absent:
        raise OptionError("signing", "external needs the certificate of the CA that signs: O(ca_path) or O(ca_content)")
    if options.ca_key_text:
        raise OptionError(
            options.ca_key_text[0], "must not be set, because with O(signing=external) nothing is signed here"
        )


def cert_dir(params: t.Mapping[str, t.Any]) -> str:
    """Return the absolute path of the certificate directory.

    :raises OptionError: the option's value cannot be a path.
    """
    chosen = params["cert_dir"] or os.environ.get("DOCKER_CERT_PATH") or DEFAULT_DIRECTORY
    if "\0" in chosen:
        raise OptionError("cert_dir", "must not contain a NUL character")
    path = absolute_path("cert_dir", chosen)
    check_can_be_directory(path, "cert_dir")
    return path


def vault_of(params: t.Mapping[str, t.Any]) -> str | None:
    """Return the secret in words if the CA is in a key vault, otherwise None."""
    if params["store"] != "key_vault":
        return None
    return f"the secret {params['key_vault_secret']} of the key vault {params['key_vault']}"


class _Reader:
    """Read single options."""

    def __init__(self, params: t.Mapping[str, t.Any], now: datetime, check_mode: bool) -> None:
        self.params = params
        self.now = now
        self.check_mode = check_mode
        self.fields = names.check_subject("subject", params["subject"] or {})

    def passphrase(self) -> str | None:
        passphrase: str | None = self.params["ca_key_passphrase"]
        if passphrase and len(passphrase) < SHORTEST_PASSPHRASE:
            raise OptionError("ca_key_passphrase", f"must have at least {SHORTEST_PASSPHRASE} characters")
        return passphrase or None

    def end(self, kind: str) -> datetime:
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
        return parse_span(f"{kind}_renew_before", self.params[f"{kind}_renew_before"])

    def text(self, name: str) -> tuple[str, bytes] | None:
        """Return the content of an option ``NAME_path`` or ``NAME_content``, with the option's name."""
        content, path = self.params[f"{name}_content"], self.params[f"{name}_path"]
        if content and path:
            raise OptionError(f"{name}_content", f"must not be set together with O({name}_path)")
        if content:
            return f"{name}_content", content.encode()
        return (f"{name}_path", read_file(f"{name}_path", path)) if path else None

    def signed(self) -> tuple[tuple[str, bytes], ...]:
        checked = []
        for number, entry in enumerate(self.params["signed_certificates"]):
            option = f"signed_certificates[{number}]"
            data = entry["content"].encode() if entry["content"] else read_file(f"{option}.path", entry["path"] or "")
            checked.append((option, data))
        return tuple(checked)

    def client_requests(self) -> tuple[ClientRequest, ...]:
        checked: dict[str, ClientRequest] = {}
        for number, entry in enumerate(self.params["client_requests"]):
            option = f"client_requests[{number}]"
            name = names.check_identity_name(f"{option}.name", entry["name"])
            _refuse_twice(f"{option}.name", name, checked)
            given = "content" if entry["content"] else "path"
            data = entry["content"].encode() if entry["content"] else read_file(f"{option}.path", entry["path"] or "")
            checked[name.lower()] = read_client_request(f"{option}.{given}", name, data)
        return tuple(checked.values())

    def hosts(self) -> tuple[CertificateSpec, ...]:
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


def read_file(option: str, path: str) -> bytes:
    """Return the content of a file that an option names.

    :raises OptionError: it cannot be read.
    """
    return read_option_file(option, path)
