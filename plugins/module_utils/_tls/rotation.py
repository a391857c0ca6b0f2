# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether every host has what the next phase of a rotation builds on. Private to this collection."""

from __future__ import annotations

import typing as t

from .._errors import DockerHostError
from . import authority as ca
from .identities import Identity, look
from .state import Rotation
from .store import CERT, SERVERS

if t.TYPE_CHECKING:
    from .draft import Draft


def known_servers(draft: Draft) -> list[str]:
    """Names of the servers whose certificates the module made or adopted."""
    found = (path.split("/") for path in draft.state.files)
    return sorted(parts[1] for parts in found if parts[0] == SERVERS and parts[-1] == CERT)


def waiting_for(draft: Draft, certificates: t.Mapping[str, t.Any], rotation: Rotation) -> list[str]:
    """What is missing on hosts before the next phase, one line each; empty when nothing is.

    :param certificates: the servers' certificates by name.
    """
    missing = []
    for name in known_servers(draft):
        reported = draft.options.host_trust.get(name.lower())
        if reported is None:
            missing.append(f"{name}: not reported in host_trust")
            continue
        if not {rotation.old, rotation.new} <= reported.ca_fingerprints:
            missing.append(f"{name}: does not trust both CAs yet")
        elif rotation.phase != "trust":
            certificate = certificates.get(name)
            if certificate is None or reported.fingerprint != ca.fingerprint(certificate):
                missing.append(f"{name}: does not have its certificate of the new CA yet")
    return missing


def check_hosts_follow(draft: Draft, rotation: Rotation) -> None:
    """See that the next phase cuts nobody off.

    :raises DockerHostError: a host lacks what the last phase made; which, and what.
    """
    certificates = {name: look(Identity("servers", name), draft.files).certificate for name in known_servers(draft)}
    missing = waiting_for(draft, certificates, rotation)
    if missing:
        raise DockerHostError(
            f"The rotation stays in the phase {rotation.phase}, because hosts lack what it made: {'; '.join(missing)}."
            " Bring it to them and report in host_trust what they have; a host that is gone is taken out with"
            " state: absent.",
            waiting_for=missing,
        )
