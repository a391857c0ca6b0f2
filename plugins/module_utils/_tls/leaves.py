# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which certificates of servers and clients are needed, and issue them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._errors import DockerHostError, OptionError
from . import ca, keys, names
from .ca import CertificateAuthority
from .ca_set import CaSet
from .changeset import ChangeSet
from .external_signing import SignedCertificates
from .identities import CurrentPair, Identity, identity_of, read_pair, read_request, request_fits, spelling_error
from .renewal import ASKED_FOR, CertificateSpec, Reason, reasons_for, remedies
from .times import iso


@dataclass
class LeafResult:
    """The result of a run for one identity.

    :param current: the content of its files before the run.
    :param certificate: its certificate after the run, ``None`` without one.
    :param reasons: why the certificate was issued or renewed, or would be.
    :param renewed: the certificate is new in this run.
    :param waits: a request waits to be signed elsewhere.
    """

    identity: Identity
    current: CurrentPair
    certificate: t.Any = None
    reasons: list[str] = field(default_factory=list)
    renewed: bool = False
    waits: bool = False


class Leaves:
    """Decide about every server and client, and issue the certificates that they need."""

    def __init__(self, changeset: ChangeSet, ca_set: CaSet, signed: SignedCertificates) -> None:
        self.changeset = changeset
        self.ca_set = ca_set
        self.signed = signed
        self.results: dict[Identity, LeafResult] = {}
        self._refused: dict[str, list[str]] = {}

    def converge(self) -> None:
        """Issue or renew the certificates that the options name, and report on the others.

        Hosts that the options do not name are left out, unless they name none or all hosts are to follow the CA.

        :raises DockerHostError: ``regenerate`` forbids a change that is needed.
        """
        for desired in self.changeset.options.desired:
            self._converge(desired)
        only_named = bool(self.changeset.options.hosts) and not self.ca_set.concerns_all_hosts
        for identity in self._others():
            if identity.kind == "clients" or not only_named:
                self._keep_unnamed(identity)
        if self._refused:
            lines = "; ".join(f"{label}: {', '.join(reasons)}" for label, reasons in self._refused.items())
            raise DockerHostError(
                f"regenerate is {self.changeset.options.regenerate}, and these would be renewed: {lines}",
                reasons=self._refused,
            )

    def certificates(self) -> dict[str, t.Any]:
        """Return the servers' certificates after the run, by name."""
        return {
            identity.name: result.certificate for identity, result in self.results.items() if identity.kind == "servers"
        }

    def _others(self) -> list[Identity]:
        """Return the identities that the module owns and the options do not name."""
        named = {(desired.identity.kind, desired.identity.name.lower()) for desired in self.changeset.options.desired}
        current = dict.fromkeys(identity for path in self.changeset.before.files if (identity := identity_of(path)))
        for identity in current:
            if (identity.kind, identity.name.lower()) in named and identity not in self.results:
                raise spelling_error(identity)
        return [identity for identity in current if (identity.kind, identity.name.lower()) not in named]

    # One identity

    def _converge(self, desired: CertificateSpec) -> None:
        changeset, identity = self.changeset, desired.identity
        current = read_pair(identity, changeset.files)
        signer = self.ca_set.signer(identity.kind)
        problems = self._reasons(desired, current, signer)
        result = LeafResult(identity, current, current.certificate, [reason.text for reason in problems])
        self.results[identity] = result
        self._claim(identity, problems)
        if changeset.options.regenerate == "always" and not changeset.options.external and not problems:
            problems = [Reason(ASKED_FOR)]
            result.reasons = [ASKED_FOR]
        if problems and not changeset.foreign and self._may_renew(identity, current, problems):
            if changeset.options.external:
                self._request(desired, result, problems)
            else:
                self._renew(desired, result, problems, signer)
        if not result.waits:
            changeset.remove(identity.request)
        self._trust(identity)

    def _keep_unnamed(self, identity: Identity) -> None:
        """Report on an identity that the options do not name. A rotation renews its certificate too."""
        changeset = self.changeset
        current = read_pair(identity, changeset.files)
        signer = self.ca_set.signer(identity.kind)
        rotating = self.ca_set.rotation is not None and signer is self.ca_set.next
        certificate = current.certificate
        desired = self._as_it_is(identity, current)
        problems = self._reasons(desired, current, signer) if changeset.data(identity.cert) is not None else []
        result = LeafResult(identity, current, certificate, [reason.text for reason in problems])
        self.results[identity] = result
        left_behind = rotating and certificate is not None and signer is not None and not signer.signed(certificate)
        if left_behind and not changeset.foreign and not changeset.options.external:
            self._renew(desired, result, problems, signer)
        self._trust(identity)

    def _as_it_is(self, identity: Identity, current: CurrentPair) -> CertificateSpec:
        options = self.changeset.options
        template = options.hosts_template if identity.kind == "servers" else options.clients[0]
        dns_names, addresses = names.read_san(current.certificate) if current.certificate else ([], [])
        common_name = names.attribute(current.certificate.subject, "CN") if current.certificate else None
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

    def _reasons(
        self, desired: CertificateSpec, current: CurrentPair, signer: CertificateAuthority | None
    ) -> list[Reason]:
        end = min(desired.not_after, signer.not_after()) if signer else desired.not_after
        return reasons_for(desired, current, signer, self.changeset.now, new_end=end)

    def _claim(self, identity: Identity, problems: list[Reason]) -> None:
        """Adopt somebody else's certificate and key, if the options ask for it and both are usable."""
        changeset = self.changeset
        foreign = [path for path in (identity.cert, identity.key) if changeset.is_foreign(path)]
        hard = [reason for reason in problems if reason.hard]
        if foreign and hard:
            fault = f"{identity.label}: {', '.join(reason.text for reason in hard)}"
            if changeset.options.adopt:
                raise DockerHostError(
                    f"{changeset.options.cert_dir}: {', '.join(foreign)} cannot be taken over: {fault}."
                    " Move them away, or choose another O(cert_dir)." + remedies(hard)
                )
            changeset.faults.append(fault)
        for path in (identity.cert, identity.key):
            changeset.claim(path)

    def _may_renew(self, identity: Identity, current: CurrentPair, problems: list[Reason]) -> bool:
        """Return whether ``regenerate`` allows a renewal. Unreadable files that it protects fail the run."""
        regenerate = self.changeset.options.regenerate
        rotating = self.ca_set.rotation is not None and self.ca_set.signer(identity.kind) is self.ca_set.next
        if regenerate in ("full_idempotence", "always") or all(reason.kind == "missing" for reason in problems):
            return True
        unreadable = any(reason.kind == "unreadable" for reason in problems)
        if regenerate == "fail" or unreadable:
            self._refused[identity.label] = [reason.text for reason in problems]
            return False
        if regenerate == "partial_idempotence" or (rotating and current.certificate is not None):
            return True
        texts = ", ".join(reason.text for reason in problems)
        self.changeset.warnings.append(
            f"{identity.label} is not renewed because of O(regenerate=never), although: {texts}"
        )
        return False

    # Making

    def _renew(
        self, desired: CertificateSpec, result: LeafResult, problems: list[Reason], signer: CertificateAuthority | None
    ) -> None:
        changeset, identity = self.changeset, desired.identity
        if signer is None:
            raise DockerHostError("There is no CA to sign with")
        signer = self.ca_set.require_key(signer, identity.label)
        ca_check = CertificateAuthority(signer.chain)
        try:
            ca.check_may_sign(ca_check.chain, changeset.now)
        except ca.CaError as error:
            raise DockerHostError(
                f"{changeset.options.cert_dir}: {error}; rotate the CA (O(rotate_ca=start))"
            ) from error
        key, key_is_new = self._key(desired, result.current, problems)
        if changeset.dry and not changeset.shown:
            for path in (identity.cert, *([identity.key] if key_is_new else [])):
                changeset.changes.put_public(path, b"")  # Only the fact that it changes is needed.
            self._note_action(desired, result, key_is_new)
            return
        certificate = ca.sign(signer, self._leaf(desired), key, changeset.now, desired.not_after)
        if key_is_new:
            changeset.put(identity.key, changeset.key_pem(key, None), private=True)
        changeset.put(identity.cert, self._with_chain(certificate, identity, signer))
        self._note(desired, result, certificate, key_is_new)

    def _note_action(self, desired: CertificateSpec, result: LeafResult, key_is_new: bool) -> None:
        label = desired.identity.label
        action = f"renew certificate {label} with {'a new key' if key_is_new else 'the same key'}"
        if result.current.is_nothing:
            action = f"issue certificate {label}"
        self.changeset.actions.append(f"{action}: {', '.join(result.reasons)}")

    def _note(self, desired: CertificateSpec, result: LeafResult, certificate: t.Any, key_is_new: bool) -> None:
        changeset = self.changeset
        self._note_action(desired, result, key_is_new)
        if changeset.shown:
            before = describe(result.current.certificate) if result.current.certificate else None
            key_type = desired.new_key_type if key_is_new else None
            after = {**describe(certificate, key_type), "reasons": result.reasons}
            changeset.differences.add(desired.identity.label, before, after)
        result.certificate, result.renewed = certificate, True

    def _key(
        self, desired: CertificateSpec, current: CurrentPair, problems: list[Reason]
    ) -> tuple[keys.PrivateKey, bool]:
        """Return the key for the certificate, and whether the key is new."""
        needed = current.key is None or self.changeset.options.new_keys or any(reason.needs_key for reason in problems)
        if current.key is not None and not needed:
            return current.key, False
        return self.changeset.new_key(self._key_type(desired, current)), True

    @staticmethod
    def _key_type(desired: CertificateSpec, current: CurrentPair) -> str:
        """Return the key type of the options, else that of the current key, else the default."""
        if desired.key_type is None and current.key is not None:
            present = keys.type_of(current.key.public_key())
            return present if present in keys.KEY_TYPES else keys.DEFAULT_KEY_TYPE
        return desired.new_key_type

    def _leaf(self, desired: CertificateSpec) -> ca.Leaf:
        subject = names.make_name(desired.fields or {}, desired.common_name)
        return ca.Leaf(subject, desired.identity.purpose, desired.dns_names, desired.ip_addresses)

    @staticmethod
    def _with_chain(certificate: t.Any, identity: Identity, signer: CertificateAuthority | None) -> bytes:
        """Return the text of ``cert.pem``: a server sends the chain along."""
        chain = signer.intermediates if signer and identity.kind == "servers" else ()
        return ca.to_pem([certificate, *chain])

    def _trust(self, identity: Identity) -> None:
        """Write the trust list of a server, or of a further client."""
        if not identity.name or (self.changeset.foreign and self.ca_set.current is None):
            return
        data = self.ca_set.server_trust() if identity.kind == "servers" else self.ca_set.client_trust()
        was_there = identity.ca in self.changeset.files
        if self.changeset.put(identity.ca, data) and was_there:
            self.changeset.actions.append(f"update the trust list of {identity.label}")

    # Signed elsewhere

    def _request(self, desired: CertificateSpec, result: LeafResult, problems: list[Reason]) -> None:
        """Use the certificate that was signed elsewhere, or write a request for one."""
        changeset, identity = self.changeset, desired.identity
        key, key_is_new = self._key_to_request(desired, result.current, problems)
        if not key_is_new:
            certificate = self.signed.for_key(key)
            if certificate is not None and certificate != result.current.certificate:
                signer = self.ca_set.signer(identity.kind)
                self.signed.check(certificate, desired, signer, key)
                changeset.put(identity.cert, self._with_chain(certificate, identity, signer))
                self._note(desired, result, certificate, key_is_new=False)
                return
        result.waits = True
        leaf = self._leaf(desired)
        present = changeset.files.get(identity.request)
        if not key_is_new and present and request_fits(read_request(present.data), leaf, key):
            changeset.claim(identity.request)
            return
        if key_is_new:
            changeset.put(identity.key, changeset.key_pem(key, None), private=True)
        changeset.put(identity.request, ca.csr_pem(ca.create_csr(leaf, key)))
        changeset.actions.append(f"write the signing request of {identity.label}: {', '.join(result.reasons)}")
        changeset.differences.add(
            f"{identity.label} request", None, {"subject": leaf.subject.rfc4514_string(), "reasons": result.reasons}
        )

    def _key_to_request(
        self, desired: CertificateSpec, current: CurrentPair, problems: list[Reason]
    ) -> tuple[keys.PrivateKey, bool]:
        """Do the same as :meth:`_key`, but keep a key whose request already waits for a signature."""
        spoilt = any(reason.needs_key and reason.kind == "other" for reason in problems)
        if current.key is not None and spoilt and current.certificate is not None:
            raise OptionError(
                f"{desired.identity.kind.removesuffix('s')}_key_type",
                f"the key of {desired.identity.label} is in use until another certificate is signed, so it is not"
                " replaced with O(signing=external); remove the identity (O(state=absent)) and request it again",
            )
        if current.key is not None and not spoilt:
            return current.key, False
        return self._key(desired, current, problems)


def describe(certificate: t.Any, key_type: str | None = None) -> dict[str, t.Any]:
    """Return the fields of a certificate for a diff."""
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
