# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe a set of certificates for docker_tls_certs_info, without deciding about changes."""

from __future__ import annotations

import os
import typing as t
from datetime import datetime

from .._argspec import ArgumentSpec
from .._errors import DockerHostError
from . import ca, names
from .argument_spec import SPEC as CERTIFICATES
from .identities import DEFAULT_CLIENT, Identity, identity_of
from .options import cert_dir, vault_of
from .report import connection, environment, fields_of
from .rotation import known_servers
from .state import State
from .store import CA, CA_KEY, CURRENT_CA, NEXT_CA, STATE, Session, StoredFile

SHARED_OPTIONS = ("cert_dir", "store", "key_vault", "key_vault_secret")
SPEC = ArgumentSpec(
    argument_spec={
        **{name: CERTIFICATES.argument_spec[name] for name in SHARED_OPTIONS},
        "hosts": {"type": "list", "elements": "str"},
    }
)


def _hosts(given: t.Sequence[str] | None) -> set[str] | None:
    """Return the names of the hosts to describe in lower case, None for all."""
    if given is None:
        return None
    return {names.check_identity_name(f"hosts[{index}]", name).lower() for index, name in enumerate(given)}


class SetReader:
    """Describe the set that a session shows.

    :param params: the module's options.
    :param now: the current time, for the days until certificates expire.
    """

    def __init__(self, params: t.Mapping[str, t.Any], session: Session, now: datetime) -> None:
        self.root = cert_dir(params)
        self.in_vault = vault_of(params) is not None
        self.hosts = _hosts(params["hosts"])
        self.files = session.files
        self.now = now
        state = session.files.get(STATE)
        self.state = State.load(state.data if state else None)

    def describe(self) -> dict[str, t.Any]:
        """Return the result except for ``key_vault``."""
        entries: dict[str, dict[str, t.Any]] = {"servers": {}, "clients": {}}
        for identity in self._identities():
            if identity.cert in self.files:
                entries[identity.kind][identity.name] = self._identity(identity)
        client = self._identity(DEFAULT_CLIENT)
        return {
            "changed": False,
            "cert_dir": self.root,
            "ca": self._ca(),
            "client": client,
            "clients": entries["clients"],
            "servers": entries["servers"],
            "trusted_cas": self._trusted_cas(),
            "rotation": self._rotation(),
            "docker_env": environment(self.root),
            "docker_connection": connection(client),
        }

    def _identities(self) -> list[Identity]:
        """Return the further clients and the hosts, or those hosts alone that the options name."""
        if self.hosts is None:
            candidates = (identity_of(path) for path in self.files)
        else:
            recorded = (identity_of(path) for path in self.state.files)
            candidates = (
                identity
                for identity in recorded
                if identity and (identity.kind == "clients" or identity.name.lower() in self.hosts)
            )
        return list(dict.fromkeys(identity for identity in candidates if identity and identity.name))

    def _path(self, relative: str) -> str | None:
        return os.path.join(self.root, *relative.split("/")) if relative in self.files else None

    def _identity(self, identity: Identity) -> dict[str, t.Any]:
        certificate = self._first_certificate(identity.cert)
        dns_names, addresses = names.read_san(certificate) if certificate else ([], [])
        return {
            "cert_path": self._path(identity.cert),
            "key_path": self._path(identity.key),
            "ca_path": self._path(identity.ca),
            "csr_path": self._path(identity.request),
            **fields_of(certificate, self.now),
            "dns_names": dns_names,
            "ip_addresses": addresses,
        }

    def _ca(self) -> dict[str, t.Any]:
        recorded = CURRENT_CA in self.files
        return {
            "cert_path": self._path(CA),
            "key_path": None if self.in_vault else self._path(CA_KEY),
            "ca_path": self._path(CA),
            **fields_of(self._first_certificate(CURRENT_CA if recorded else CA), self.now),
            "own": self.state.is_own,
            "dns_names": [],
            "ip_addresses": [],
        }

    def _trusted_cas(self) -> list[str]:
        found = (self._first_certificate(path) for path in (CURRENT_CA, NEXT_CA))
        return [ca.fingerprint(certificate) for certificate in found if certificate]

    def _rotation(self) -> dict[str, t.Any]:
        rotation = self.state.rotation
        if rotation is None:
            return {"phase": None, "old_fingerprint": None, "new_fingerprint": None, "hosts": []}
        return {
            "phase": rotation.phase,
            "old_fingerprint": rotation.old,
            "new_fingerprint": rotation.new,
            "hosts": known_servers(self.state),
        }

    def _first_certificate(self, path: str) -> t.Any:
        """Return the first certificate of a file, ``None`` without the file.

        :raises DockerHostError: the file contains no certificate.
        """
        stored: StoredFile | None = self.files.get(path)
        if stored is None:
            return None
        try:
            return ca.load_certificates(stored.data)[0]
        except ValueError as error:
            raise DockerHostError(
                f"{self.root}/{path}: {error}. docker_tls_certs repairs a certificate that it issued."
            ) from error
