# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One CA follows the other, in phases that every host can follow. Private to this collection."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._errors import DockerHostError, OptionError
from . import authority as ca
from .authority import Authority
from .identities import Identity, look
from .state import PHASES, Rotation
from .store import CA, CA_KEY, CERT, CURRENT_CA, NEXT_CA, NEXT_CA_KEY, SERVERS, retired

if t.TYPE_CHECKING:
    from .authorities import Authorities
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
    for name in hosts_to_follow(draft):
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


def hosts_to_follow(draft: Draft) -> list[str]:
    """The hosts that a phase waits for. With the CA in a key vault the directory may be new and know only some of them:
    then the hosts that report count as well."""
    names = {name.lower(): name for name in known_servers(draft)}
    reported = draft.options.host_trust if draft.options.vault else ()
    return sorted(names.values()) + sorted(name for name in reported if name not in names)


def check_hosts_follow(draft: Draft, rotation: Rotation) -> None:
    """See that the next phase cuts nobody off.

    :raises DockerHostError: a host lacks what the last phase made; which, and what.
    """
    certificates = {name: look(Identity("servers", name), draft.files).certificate for name in known_servers(draft)}
    missing = waiting_for(draft, certificates, rotation)
    if draft.options.vault and not hosts_to_follow(draft):
        raise OptionError(
            "host_trust",
            "no host is known here, and a key vault does not know any: name all hosts in hosts, and what they have in"
            " host_trust, or they may be cut off",
        )
    if missing:
        raise DockerHostError(
            f"The rotation stays in the phase {rotation.phase}, because hosts lack what it made: {'; '.join(missing)}."
            " Bring it to them and report in host_trust what they have; a host that is gone is taken out with"
            " state: absent.",
            waiting_for=missing,
        )


def rotate(authorities: Authorities) -> None:
    """Take the step that ``rotate_ca`` asks for.

    :raises DockerHostError: it cannot be taken now; why.
    """
    step = authorities.draft.options.rotate
    if step == "start":
        _start(authorities)
    elif step == "advance":
        _advance(authorities)
    elif step == "cancel":
        _cancel(authorities)


def _start(authorities: Authorities) -> None:
    draft, current = authorities.draft, t.cast(Authority, authorities.current)
    if authorities.rotation is not None:
        return
    new_is_own = authorities.own is not None and not ca.same_authority(authorities.own, current)
    if new_is_own:
        authorities.next = t.cast(Authority, authorities.own)
    elif draft.state.is_own:
        raise OptionError("rotate_ca", "the CA is your own; give the one to rotate to in ca_path or ca_content")
    else:
        authorities.next = authorities.generate()
        draft.put(NEXT_CA_KEY, draft.key_pem(ca.key_of(authorities.next), draft.options.passphrase), private=True)
    draft.put(NEXT_CA, ca.to_pem(authorities.next.chain))
    draft.state.rotation = Rotation("trust", current.fingerprint, authorities.next.fingerprint, new_is_own)
    draft.actions.append("ca: rotation started: both CAs are in every trust list")
    draft.differences.add("rotation", None, "trust")


def _advance(authorities: Authorities) -> None:
    draft, rotation = authorities.draft, authorities.rotation
    if rotation is None:
        raise OptionError("rotate_ca", "no rotation is under way that could advance; begin one with rotate_ca: start")
    check_hosts_follow(draft, rotation)
    position = PHASES.index(rotation.phase) + 1
    if position < len(PHASES):
        draft.state.rotation = replace(rotation, phase=PHASES[position])
        whose = PHASES[position]
        draft.actions.append(f"ca: rotation: certificates of {whose} are from the new CA")
        draft.differences.add("rotation", rotation.phase, whose)
        return
    _finish(authorities, rotation)


def _finish(authorities: Authorities, rotation: Rotation) -> None:
    draft, old, new = authorities.draft, t.cast(Authority, authorities.current), t.cast(Authority, authorities.next)
    _retire(authorities, old, CA_KEY, draft.state.is_own)
    key = draft.data(NEXT_CA_KEY)
    if key is not None:
        draft.put(CA_KEY, key, private=True)
        draft.remove(NEXT_CA_KEY)
    else:
        draft.remove(CA_KEY)
    draft.put(CURRENT_CA, ca.to_pem(new.chain))
    draft.remove(NEXT_CA)
    draft.state.is_own = rotation.new_is_own
    draft.state.rotation = None
    authorities.current, authorities.next = new, None
    draft.actions.append("ca: rotation finished: the old CA is in no trust list any more")
    draft.differences.add("rotation", rotation.phase, None)


def _cancel(authorities: Authorities) -> None:
    draft, rotation = authorities.draft, authorities.rotation
    if rotation is None:
        return
    if rotation.phase != "trust":
        raise OptionError(
            "rotate_ca",
            f"the rotation is in the phase {rotation.phase} and can only go on: the new CA has signed already",
        )
    _retire(authorities, t.cast(Authority, authorities.next), NEXT_CA_KEY, rotation.new_is_own)
    draft.remove(NEXT_CA_KEY)
    draft.remove(NEXT_CA)
    draft.state.rotation = None
    authorities.next = None
    draft.actions.append("ca: rotation cancelled: the new CA is in no trust list any more")
    draft.differences.add("rotation", rotation.phase, None)


def _retire(authorities: Authorities, authority: Authority, key_path: str, is_own: bool) -> None:
    """Keep a CA that was in use: its key may still be wanted one day."""
    draft = authorities.draft
    draft.put(retired(authority.fingerprint, CA), ca.to_pem(authority.chain))
    key = None if is_own else draft.data(key_path)
    if key is not None:
        draft.put(retired(authority.fingerprint, CA_KEY), key, private=True)
