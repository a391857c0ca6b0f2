# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of servers and clients: what must be made, and making it. Private to this collection."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._errors import DockerHostError, OptionError
from . import ca, keys, names
from .ca import CertificateAuthority
from .ca_set import CaSet
from .changeset import ChangeSet
from .external_signing import SignedCertificates
from .identities import Found, Identity, identity_of, look, read_request, request_fits
from .renewal import ASKED_FOR, CertificateSpec, Reason, reasons_for
from .times import iso


@dataclass
class LeafResult:
    """What a run found and did for one identity.

    :param found: its files before the run.
    :param certificate: its certificate after the run, ``None`` when there is none.
    :param reasons: why it was made or renewed, or would be.
    :param renewed: the certificate is new in this run.
    :param waits: a request waits to be signed elsewhere.
    """

    identity: Identity
    found: Found
    certificate: t.Any = None
    reasons: list[str] = field(default_factory=list)
    renewed: bool = False
    waits: bool = False


class Leaves:
    """Decides about every server and client, and makes what must be made."""

    def __init__(self, changeset: ChangeSet, ca_set: CaSet, signed: SignedCertificates) -> None:
        self.changeset = changeset
        self.ca_set = ca_set
        self.signed = signed
        self.outcomes: dict[Identity, LeafResult] = {}
        self._refused: dict[str, list[str]] = {}

    def converge(self) -> None:
        """Issue or renew what the options name, and take the others along.

        Hosts that the options do not name are left out, unless they name none or all hosts are to follow the CA.

        :raises DockerHostError: ``regenerate`` forbids what would have to be done.
        """
        for wanted in self.changeset.options.wanted:
            self._converge(wanted)
        only_named = bool(self.changeset.options.hosts) and not self.ca_set.concerns_all_hosts
        for identity in self._others():
            if identity.kind == "clients" or not only_named:
                self._look_after(identity)
        if self._refused:
            lines = "; ".join(f"{label}: {', '.join(reasons)}" for label, reasons in self._refused.items())
            raise DockerHostError(
                f"regenerate is {self.changeset.options.regenerate}, and these would be renewed: {lines}",
                reasons=self._refused,
            )

    def certificates(self) -> dict[str, t.Any]:
        """The servers' certificates by name, as they are now or will be."""
        return {
            identity.name: outcome.certificate
            for identity, outcome in self.outcomes.items()
            if identity.kind == "servers"
        }

    def _others(self) -> list[Identity]:
        """Identities that are ours and that the options do not name."""
        named = {(wanted.identity.kind, wanted.identity.name.lower()) for wanted in self.changeset.options.wanted}
        found = dict.fromkeys(identity for path in self.changeset.before.files if (identity := identity_of(path)))
        for identity in found:
            if (identity.kind, identity.name.lower()) in named and identity not in self.outcomes:
                raise OptionError(
                    "hosts" if identity.kind == "servers" else identity.kind,
                    f"{identity.label} is there already, and the name given differs in upper and lower case only;"
                    " write it as it is, or remove it first (state: absent)",
                )
        return [identity for identity in found if (identity.kind, identity.name.lower()) not in named]

    # One identity

    def _converge(self, wanted: CertificateSpec) -> None:
        changeset, identity = self.changeset, wanted.identity
        found = look(identity, changeset.files)
        signer = self.ca_set.signer(identity.kind)
        problems = self._reasons(wanted, found, signer)
        outcome = LeafResult(identity, found, found.certificate, [reason.text for reason in problems])
        self.outcomes[identity] = outcome
        self._claim(identity, problems)
        if changeset.options.regenerate == "always" and not changeset.options.external and not problems:
            problems = [Reason(ASKED_FOR)]
            outcome.reasons = [ASKED_FOR]
        if problems and not changeset.foreign and self._may_renew(identity, found, problems):
            if changeset.options.external:
                self._request(wanted, outcome, problems)
            else:
                self._renew(wanted, outcome, problems, signer)
        if not outcome.waits:
            changeset.remove(identity.request)
        self._trust(identity)

    def _look_after(self, identity: Identity) -> None:
        """Report on an identity that is not asked for; a rotation takes it along."""
        changeset = self.changeset
        found = look(identity, changeset.files)
        signer = self.ca_set.signer(identity.kind)
        rotating = self.ca_set.rotation is not None and signer is self.ca_set.next
        certificate = found.certificate
        wanted = self._as_it_is(identity, found)
        problems = self._reasons(wanted, found, signer) if changeset.data(identity.cert) is not None else []
        outcome = LeafResult(identity, found, certificate, [reason.text for reason in problems])
        self.outcomes[identity] = outcome
        left_behind = rotating and certificate is not None and signer is not None and not signer.signed(certificate)
        if left_behind and not changeset.foreign and not changeset.options.external:
            self._renew(wanted, outcome, problems, signer)
        self._trust(identity)

    def _as_it_is(self, identity: Identity, found: Found) -> CertificateSpec:
        options = self.changeset.options
        template = options.hosts_template if identity.kind == "servers" else options.clients[0]
        dns_names, addresses = names.read_san(found.certificate) if found.certificate else ([], [])
        common_name = names.attribute(found.certificate.subject, "CN") if found.certificate else None
        return replace(
            template,
            identity=identity,
            common_name=common_name or identity.name or template.common_name,
            dns_names=tuple(dns_names),
            ip_addresses=tuple(addresses),
            names_matter=False,
            check_common_name=False,
            fields={},
            key_type=None,
        )

    def _reasons(self, wanted: CertificateSpec, found: Found, signer: CertificateAuthority | None) -> list[Reason]:
        end = min(wanted.not_after, signer.not_after()) if signer else wanted.not_after
        return reasons_for(wanted, found, signer, self.changeset.now, new_end=end)

    def _claim(self, identity: Identity, problems: list[Reason]) -> None:
        """Take over somebody else's pair when that is asked for and it is usable."""
        changeset = self.changeset
        foreign = [path for path in (identity.cert, identity.key) if changeset.is_foreign(path)]
        hard = [reason.text for reason in problems if reason.hard]
        if foreign and hard:
            fault = f"{identity.label}: {', '.join(hard)}"
            if changeset.options.adopt:
                raise DockerHostError(
                    f"{changeset.options.cert_dir}: {', '.join(foreign)} cannot be taken over: {fault}."
                    " Move them away, or choose another cert_dir."
                )
            changeset.faults.append(fault)
        for path in (identity.cert, identity.key):
            changeset.claim(path)

    def _may_renew(self, identity: Identity, found: Found, problems: list[Reason]) -> bool:
        """What ``regenerate`` says; unreadable files stop a run that is not to replace them."""
        regenerate = self.changeset.options.regenerate
        rotating = self.ca_set.rotation is not None and self.ca_set.signer(identity.kind) is self.ca_set.next
        if regenerate in ("full_idempotence", "always") or all(reason.kind == "missing" for reason in problems):
            return True
        unreadable = any(reason.kind == "unreadable" for reason in problems)
        if regenerate == "fail" or unreadable:
            self._refused[identity.label] = [reason.text for reason in problems]
            return False
        if regenerate == "partial_idempotence" or (rotating and found.certificate is not None):
            return True
        texts = ", ".join(reason.text for reason in problems)
        self.changeset.warnings.append(f"{identity.label} is kept as it is (regenerate: never), although: {texts}")
        return False

    # Making

    def _renew(
        self, wanted: CertificateSpec, outcome: LeafResult, problems: list[Reason], signer: CertificateAuthority | None
    ) -> None:
        changeset, identity = self.changeset, wanted.identity
        if signer is None:
            raise DockerHostError("There is no CA that could sign")
        signer = self.ca_set.require_key(signer, identity.label)
        ca_check = CertificateAuthority(signer.chain)
        try:
            ca.check_may_sign(ca_check.chain, changeset.now)
        except ca.CaError as error:
            raise DockerHostError(f"{changeset.options.cert_dir}: {error}; rotate the CA (rotate_ca)") from error
        key, key_is_new = self._key(wanted, outcome.found, problems)
        if changeset.dry and not changeset.shown:
            for path in (identity.cert, *([identity.key] if key_is_new else [])):
                changeset.changes.put_public(path, b"")  # That there is a change is all that is asked.
            return
        certificate = ca.sign(signer, self._leaf(wanted), key, changeset.now, wanted.not_after)
        if key_is_new:
            changeset.put(identity.key, changeset.key_pem(key, None), private=True)
        chain = signer.intermediates if identity.kind == "servers" else ()
        changeset.put(identity.cert, ca.to_pem([certificate, *chain]))
        self._note(wanted, outcome, certificate, key_is_new)

    def _note(self, wanted: CertificateSpec, outcome: LeafResult, certificate: t.Any, key_is_new: bool) -> None:
        changeset = self.changeset
        what = "with a new key" if key_is_new else "with the same key"
        verb = "made" if outcome.found.is_nothing else f"renewed {what}"
        changeset.actions.append(f"{wanted.identity.label}: {verb}: {', '.join(outcome.reasons)}")
        if changeset.shown:
            before = describe(outcome.found.certificate) if outcome.found.certificate else None
            key_type = wanted.new_key_type if key_is_new else None
            after = {**describe(certificate, key_type), "reasons": outcome.reasons}
            changeset.differences.add(wanted.identity.label, before, after)
        outcome.certificate, outcome.renewed = certificate, True

    def _key(self, wanted: CertificateSpec, found: Found, problems: list[Reason]) -> tuple[keys.PrivateKey, bool]:
        """The key that the certificate is for, and whether it is new."""
        needed = found.key is None or self.changeset.options.new_keys or any(reason.needs_key for reason in problems)
        if found.key is not None and not needed:
            return found.key, False
        return self.changeset.new_key(self._key_type(wanted, found)), True

    @staticmethod
    def _key_type(wanted: CertificateSpec, found: Found) -> str:
        """The type asked for, else the one that was there, else the default."""
        if wanted.key_type is None and found.key is not None:
            present = keys.type_of(found.key.public_key())
            return present if present in keys.KEY_TYPES else keys.DEFAULT_KEY_TYPE
        return wanted.new_key_type

    def _leaf(self, wanted: CertificateSpec) -> ca.Leaf:
        subject = names.make_name(wanted.fields or {}, wanted.common_name)
        return ca.Leaf(subject, wanted.identity.purpose, wanted.dns_names, wanted.ip_addresses)

    def _trust(self, identity: Identity) -> None:
        """The trust list of a server, or of a further client."""
        if not identity.name or (self.changeset.foreign and self.ca_set.current is None):
            return
        data = self.ca_set.server_trust() if identity.kind == "servers" else self.ca_set.client_trust()
        was_there = identity.ca in self.changeset.files
        if self.changeset.put(identity.ca, data) and was_there:
            self.changeset.actions.append(f"{identity.label}: trust list changed")

    # Signed elsewhere

    def _request(self, wanted: CertificateSpec, outcome: LeafResult, problems: list[Reason]) -> None:
        """Take the certificate that was signed elsewhere, or write a request for it."""
        changeset, identity = self.changeset, wanted.identity
        key, key_is_new = self._key_to_request(wanted, outcome.found, problems)
        if not key_is_new:
            certificate = self.signed.for_key(key)
            if certificate is not None and certificate != outcome.found.certificate:
                self.signed.check(certificate, wanted, self.ca_set.signer(identity.kind), key)
                changeset.put(identity.cert, self.signed.text(certificate, identity.kind, self.ca_set))
                self._note(wanted, outcome, certificate, key_is_new=False)
                return
        outcome.waits = True
        leaf = self._leaf(wanted)
        present = changeset.files.get(identity.request)
        if not key_is_new and present and request_fits(read_request(present.data), leaf, key):
            changeset.claim(identity.request)
            return
        if key_is_new:
            changeset.put(identity.key, changeset.key_pem(key, None), private=True)
        changeset.put(identity.request, ca.csr_pem(ca.create_csr(leaf, key)))
        changeset.actions.append(f"{identity.label}: request written: {', '.join(outcome.reasons)}")
        changeset.differences.add(
            f"{identity.label} request", None, {"subject": leaf.subject.rfc4514_string(), "reasons": outcome.reasons}
        )

    def _key_to_request(
        self, wanted: CertificateSpec, found: Found, problems: list[Reason]
    ) -> tuple[keys.PrivateKey, bool]:
        """As :meth:`_key`, but a key that already waits with its request is kept."""
        spoilt = any(reason.needs_key and reason.kind == "other" for reason in problems)
        if found.key is not None and spoilt and found.certificate is not None:
            raise OptionError(
                f"{wanted.identity.kind.removesuffix('s')}_key_type",
                f"the key of {wanted.identity.label} is in use until another certificate is signed, so with signing:"
                " external it is not replaced; remove the identity (state: absent) and request it anew",
            )
        if found.key is not None and not spoilt:
            return found.key, False
        return self._key(wanted, found, problems)


def describe(certificate: t.Any, key_type: str | None = None) -> dict[str, t.Any]:
    """The fields of a certificate for a diff."""
    dns_names, addresses = names.read_san(certificate)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "dns_names": dns_names,
        "ip_addresses": addresses,
        "key_type": key_type or keys.type_of(certificate.public_key()),
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
    }
