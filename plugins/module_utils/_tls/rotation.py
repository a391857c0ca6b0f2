# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace a CA by another in phases, so that no host is cut off."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._errors import DockerHostError, OptionError
from . import ca
from .ca import CertificateAuthority
from .ca_set import CaSet
from .changeset import ChangeSet
from .identities import Identity, read_pair
from .state import PHASES, Rotation, State
from .store import CA, CA_KEY, CERT, CURRENT_CA, NEXT_CA, NEXT_CA_KEY, SERVERS, retired


def known_servers(state: State) -> list[str]:
    """Return the names of the servers whose certificates the module issued or adopted."""
    paths = (path.split("/") for path in state.files)
    return sorted(parts[1] for parts in paths if parts[0] == SERVERS and parts[-1] == CERT)


def waiting_for(changeset: ChangeSet, certificates: t.Mapping[str, t.Any], rotation: Rotation) -> list[str]:
    """Return what hosts still lack before the next phase, one line each; empty if they lack nothing.

    :param certificates: the servers' certificates by name.
    """
    missing = []
    for name in hosts_to_follow(changeset):
        reported = changeset.options.host_trust.get(name.lower())
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


def hosts_to_follow(changeset: ChangeSet) -> list[str]:
    """Return the hosts that a phase waits for.

    With the CA in a key vault, the directory may be new and know only some of the hosts; then the hosts in
    ``host_trust`` count as well.
    """
    names = {name.lower(): name for name in known_servers(changeset.state)}
    reported = changeset.options.host_trust if changeset.options.vault else ()
    return sorted(names.values()) + sorted(name for name in reported if name not in names)


def check_hosts_follow(changeset: ChangeSet, rotation: Rotation) -> None:
    """Check that the next phase cuts no host off.

    :raises DockerHostError: hosts lack files of the last phase; the text lists the hosts, and what they lack.
    """
    certificates = {
        name: read_pair(Identity("servers", name), changeset.files).certificate
        for name in known_servers(changeset.state)
    }
    missing = waiting_for(changeset, certificates, rotation)
    if changeset.options.vault and not hosts_to_follow(changeset):
        raise OptionError(
            "host_trust",
            "no host is known here, and a key vault does not record hosts: name all hosts in hosts, and what they have"
            " in host_trust, or they may be cut off",
        )
    if missing:
        raise DockerHostError(
            f"The rotation stays in the phase {rotation.phase}, because hosts lack its files: {'; '.join(missing)}."
            " Distribute them, and report in O(host_trust) what the hosts have; remove a host that no longer exists"
            " with O(state=absent).",
            waiting_for=missing,
        )


def rotate(ca_set: CaSet) -> None:
    """Take the step of the rotation that ``rotate_ca`` names.

    :raises DockerHostError: the step cannot be taken now; the text says why.
    """
    step = ca_set.changeset.options.rotate
    if step == "start":
        _start(ca_set)
    elif step == "advance":
        _advance(ca_set)
    elif step == "cancel":
        _cancel(ca_set)


def _start(ca_set: CaSet) -> None:
    changeset, current = ca_set.changeset, t.cast(CertificateAuthority, ca_set.current)
    if ca_set.rotation is not None:
        return
    new_is_own = ca_set.own is not None and not ca.is_same_ca(ca_set.own, current)
    if new_is_own:
        ca_set.next = t.cast(CertificateAuthority, ca_set.own)
    elif changeset.state.is_own:
        raise OptionError("rotate_ca", "the CA is your own; pass the one to rotate to in O(ca_path) or O(ca_content)")
    else:
        ca_set.next = ca_set.generate()
        changeset.put(
            NEXT_CA_KEY, changeset.key_pem(ca.key_of(ca_set.next), changeset.options.passphrase), private=True
        )
    changeset.put(NEXT_CA, ca.to_pem(ca_set.next.chain))
    changeset.state.rotation = Rotation("trust", current.fingerprint, ca_set.next.fingerprint, new_is_own)
    changeset.note_ca_change("start a rotation of the CA: every trust list gets both CAs")
    changeset.differences.add("rotation", None, "trust")


def _advance(ca_set: CaSet) -> None:
    changeset, rotation = ca_set.changeset, ca_set.rotation
    if rotation is None:
        raise OptionError("rotate_ca", "no rotation is under way; start one with O(rotate_ca=start)")
    check_hosts_follow(changeset, rotation)
    position = PHASES.index(rotation.phase) + 1
    if position < len(PHASES):
        changeset.state.rotation = replace(rotation, phase=PHASES[position])
        whose = PHASES[position]
        changeset.note_ca_change(f"rotate the CA: certificates of {whose} come from the new CA")
        changeset.differences.add("rotation", rotation.phase, whose)
        return
    _finish(ca_set, rotation)


def _finish(ca_set: CaSet, rotation: Rotation) -> None:
    changeset, old, new = (
        ca_set.changeset,
        t.cast(CertificateAuthority, ca_set.current),
        t.cast(CertificateAuthority, ca_set.next),
    )
    _retire(ca_set, old, CA_KEY, changeset.state.is_own)
    key = changeset.data(NEXT_CA_KEY)
    if key is not None:
        changeset.put(CA_KEY, key, private=True)
        changeset.remove(NEXT_CA_KEY)
    else:
        changeset.remove(CA_KEY)
    changeset.put(CURRENT_CA, ca.to_pem(new.chain))
    changeset.remove(NEXT_CA)
    changeset.state.is_own = rotation.new_is_own
    changeset.state.rotation = None
    ca_set.current, ca_set.next = new, None
    changeset.note_ca_change("finish the rotation of the CA: remove the old CA from every trust list")
    changeset.differences.add("rotation", rotation.phase, None)


def _cancel(ca_set: CaSet) -> None:
    changeset, rotation = ca_set.changeset, ca_set.rotation
    if rotation is None:
        return
    if rotation.phase != "trust":
        raise OptionError(
            "rotate_ca",
            f"cannot be cancelled in the phase {rotation.phase}, because the new CA has signed certificates already;"
            " use O(rotate_ca=advance)",
        )
    _retire(ca_set, t.cast(CertificateAuthority, ca_set.next), NEXT_CA_KEY, rotation.new_is_own)
    changeset.remove(NEXT_CA_KEY)
    changeset.remove(NEXT_CA)
    changeset.state.rotation = None
    ca_set.next = None
    changeset.note_ca_change("cancel the rotation of the CA: remove the new CA from every trust list")
    changeset.differences.add("rotation", rotation.phase, None)


def _retire(ca_set: CaSet, replaced: CertificateAuthority, key_path: str, is_own: bool) -> None:
    """Keep a copy of a CA that was in use, because its key may be needed later."""
    changeset = ca_set.changeset
    changeset.put(retired(replaced.fingerprint, CA), ca.to_pem(replaced.chain))
    key = None if is_own else changeset.data(key_path)
    if key is not None:
        changeset.put(retired(replaced.fingerprint, CA_KEY), key, private=True)
