# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checked options of ``docker_tls_certs``, and the rules about them together."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .._awx import is_discarded
from .._errors import OptionError
from .._files import absolute_path, check_can_be_directory
from . import names
from .client_request import ClientRequest
from .option_reader import HostTrust, OptionReader
from .renewal import CertificateSpec, Regenerate

DEFAULT_DIRECTORY = "~/.docker"


@dataclass(frozen=True)
class Options:
    """The checked options. ``""`` counts as unset, as surveys give it.

    :param temporary: whether ``cert_dir`` is discarded when the job ends.
    :param vault: where the CA is if it is not in ``cert_dir``, in words.
    :param extra_names: by host, the names that the user added, and the ID of its VM.
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
    extra_names: dict[str, dict[str, t.Any]] = field(default_factory=dict)
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
    reader = OptionReader(params, now, check_mode)
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
        extra_names=reader.extra_names(),
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
