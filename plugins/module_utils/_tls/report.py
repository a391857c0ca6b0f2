# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of ``docker_tls_certs``.

Nothing in it is secret. In check mode it describes the current certificates, so that it serves as a health report,
and gives as ``reasons`` why they would be renewed.
"""

from __future__ import annotations

import os
import typing as t
from datetime import datetime

from . import ca, keys, names
from .ca_set import CaSet
from .changeset import ChangeSet
from .leaves import LeafResult, Leaves
from .rotation import waiting_for
from .store import CA, CA_KEY, PRIVATE, SHARED
from .times import iso, whole_days


def fields_of(certificate: t.Any, now: datetime) -> dict[str, t.Any]:
    """Return the fields of a certificate that a result shows, each ``None`` without a certificate."""
    if certificate is None:
        return dict.fromkeys(("fingerprint", "not_before", "not_after", "days_left", "key_type"))
    return {
        "fingerprint": ca.fingerprint(certificate),
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
        "days_left": whole_days(certificate.not_valid_after_utc - now),
        "key_type": keys.type_of(certificate.public_key()),
    }


def environment(cert_dir: str) -> dict[str, str]:
    """Return the variables that have the docker CLI use the default client."""
    return {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": cert_dir}


def connection(client: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options that have community.docker use a client."""
    return {
        "tls": True,
        "validate_certs": True,
        "ca_path": client["ca_path"],
        "client_cert": client["cert_path"],
        "client_key": client["key_path"],
    }


class Report:
    """Build the result of a run."""

    def __init__(
        self, changeset: ChangeSet, ca_set: CaSet, leaves: Leaves, signed: t.Sequence[dict[str, t.Any]]
    ) -> None:
        self.changeset = changeset
        self.ca_set = ca_set
        self.leaves = leaves
        self.signed = signed

    def build(self, kept: t.Mapping[str, str], *, diff: bool) -> dict[str, t.Any]:
        """Return the result.

        :param kept: the names of backups by the names of the files.
        """
        changeset = self.changeset
        by_kind: dict[str, dict[str, t.Any]] = {"servers": {}, "clients": {}}
        client: dict[str, t.Any] = {}
        for identity, leaf in self.leaves.results.items():
            entry = self._identity(leaf)
            if identity.name:
                by_kind[identity.kind][identity.name] = entry
            else:
                client = entry
        result = {
            "changed": changeset.changed or bool(self.signed),
            "cert_dir": changeset.options.cert_dir,
            "ca": self._ca(),
            "client": client,
            "clients": by_kind["clients"],
            "servers": by_kind["servers"],
            "signed_requests": list(self.signed),
            "rotation": self._rotation(),
            "trusted_cas": self.ca_set.trusted(),
            "actions": changeset.actions,
            "changed_files": [self.path(path) for path in self._changed()],
            "backup_files": {self.path(path): self.path(name) for path, name in sorted(kept.items())},
            "docker_env": environment(changeset.options.cert_dir),
            "docker_connection": connection(client),
        }
        if diff:
            result["diff"] = changeset.differences.as_diff()
        return result

    def path(self, relative: str) -> str:
        """Return the absolute path of a file of the set."""
        return os.path.join(self.changeset.options.cert_dir, *relative.split("/"))

    def _changed(self) -> list[str]:
        """Return the files for other programs that are or would be written or removed, by their names in the set."""
        paths = {*self.changeset.changes.puts, *self.changeset.changes.removes}
        return sorted(path for path in paths if not path.startswith(f"{PRIVATE}/") and path not in SHARED)

    def _identity(self, result: LeafResult) -> dict[str, t.Any]:
        identity = result.identity
        shown = result.current.certificate if self.changeset.dry else result.certificate
        dns_names, addresses = names.read_san(shown) if shown else ([], [])
        return {
            "cert_path": self.path(identity.cert),
            "key_path": self.path(identity.key),
            "ca_path": self.path(identity.ca),
            "csr_path": self.path(identity.request) if result.waits else None,
            **fields_of(shown, self.changeset.now),
            "dns_names": dns_names,
            "ip_addresses": addresses,
            "reasons": result.reasons,
        }

    def _ca(self) -> dict[str, t.Any]:
        current = self.ca_set.current
        unknown = current is None or (self.changeset.dry and current.fingerprint in self.ca_set.made)
        shown = self.ca_set.before if unknown else current
        has_key = (
            not self.changeset.options.vault
            and CA_KEY in self.changeset.state.files
            and self.changeset.data(CA_KEY) is not None
        )
        return {
            "cert_path": self.path(CA),
            "key_path": self.path(CA_KEY) if has_key else None,
            "ca_path": self.path(CA),
            **fields_of(shown.certificate if shown else None, self.changeset.now),
            "own": self.changeset.state.is_own,
            "dns_names": [],
            "ip_addresses": [],
            "reasons": self.ca_set.reasons,
        }

    def _rotation(self) -> dict[str, t.Any]:
        rotation = self.changeset.state.rotation
        if rotation is None:
            return {"phase": None, "old_fingerprint": None, "new_fingerprint": None, "waiting_for": []}
        unknown = self.changeset.dry and rotation.new in self.ca_set.made
        return {
            "phase": rotation.phase,
            "old_fingerprint": rotation.old,
            "new_fingerprint": None if unknown else rotation.new,
            "waiting_for": waiting_for(self.changeset, self.leaves.certificates(), rotation),
        }
