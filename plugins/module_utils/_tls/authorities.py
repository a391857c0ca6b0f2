# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CAs a set has, and how one follows the other. Private to this collection."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import timedelta

from .._errors import DockerHostError, OptionError
from . import authority as ca
from . import keys, names
from .authority import Authority, AuthorityError
from .draft import Draft
from .policy import plural
from .rotation import rotate
from .state import PHASES, Rotation
from .store import CA, CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY
from .times import iso, whole_days

NEW = ""  # The fingerprint of a CA that a prediction cannot know yet.


class Authorities:
    """The current CA and, while they are being rotated, the next.

    :param own: the CA of the user's own that the options name.
    """

    def __init__(self, draft: Draft, own: Authority | None) -> None:
        self.draft = draft
        self.own = own
        self.reasons: list[str] = []
        self.made: set[str] = set()
        self._key_problem: str | None = None
        self.current: Authority | None = self._find_current()
        self.found = self.current
        self.next: Authority | None = self._find_next()
        self._check_own()

    @property
    def rotation(self) -> Rotation | None:
        return self.draft.state.rotation

    # What is there

    def _find_current(self) -> Authority | None:
        draft = self.draft
        if CURRENT_CA in draft.files:
            chain = tuple(_read_certificates(draft, CURRENT_CA))
            return self._with_key(chain, CA_KEY, draft.before.is_own)
        if CA in draft.files or CA_KEY in draft.files:
            return self._find_foreign()
        return None

    def _find_foreign(self) -> Authority | None:
        """Somebody else's CA in the place of ours; usable or not, it takes ``adopt``."""
        draft = self.draft
        if self.own is not None:
            return None
        if not draft.options.adopt:
            draft.foreign += [path for path in (CA, CA_KEY) if path in draft.files]
        try:
            if CA not in draft.files:
                raise AuthorityError(f"{CA_KEY} is there without {CA}")
            found = self._load_foreign()
        except (AuthorityError, keys.KeyFileError) as error:
            if draft.options.adopt:
                raise DockerHostError(f"{draft.options.cert_dir}: the files cannot be taken over: {error}") from error
            draft.faults.append(str(error))
            return None
        if draft.options.adopt:
            complaint = ca.strict_complaint(found.certificate)
            if complaint:
                draft.warnings.append(
                    f"{draft.options.cert_dir}/{CA}: Docker takes this CA, Python 3.13 and later do not: {complaint}."
                    " Rotate it (rotate_ca) if such clients are to connect."
                )
            draft.put(CURRENT_CA, ca.to_pem(found.chain))
            draft.claim(CA)
            draft.claim(CA_KEY)
        return found

    def _load_foreign(self) -> Authority:
        draft = self.draft
        try:
            certificates = ca.load_certificates(draft.files[CA].data)
        except ValueError as error:
            raise AuthorityError(f"{CA}: {error}") from error
        key = None
        if CA_KEY in draft.files:
            try:
                key = keys.load(draft.files[CA_KEY].data, draft.options.passphrase)
            except keys.KeyFileError as error:
                raise AuthorityError(f"{CA_KEY}: {error}") from error
        chain = ca.arrange(certificates, key)
        ca.check_may_sign(chain, draft.now)
        if any(ca.uses_sha1(certificate) for certificate in chain):
            raise AuthorityError(f"{CA} is signed with SHA-1")
        return Authority(chain, key)

    def _find_next(self) -> Authority | None:
        rotation = self.rotation
        if rotation is None:
            return None
        chain = tuple(_read_certificates(self.draft, NEXT_CA))
        return self._with_key(chain, NEXT_CA_KEY, rotation.new_is_own)

    def _with_key(self, chain: tuple[t.Any, ...], path: str, is_own: bool) -> Authority:
        """The CA with its key: the user's where it is their own, else the one kept here."""
        draft = self.draft
        plain = Authority(chain)
        if self.own is not None and ca.same_authority(self.own, plain):
            return replace(self.own, chain=self.own.chain)
        if is_own or path not in draft.files:
            return plain
        where = draft.where(path)
        try:
            key = keys.load(draft.files[path].data, draft.options.passphrase)
        except keys.PassphraseError as error:
            if draft.options.passphrase:
                raise OptionError("ca_key_passphrase", f"{where} cannot be read: {error}") from error
            self._key_problem = f"{where} is encrypted"
            return plain
        except keys.KeyFileError as error:
            raise DockerHostError(f"{where} cannot be used: {error}; restore it from a backup") from error
        if not keys.same_public_key(key.public_key(), plain.certificate.public_key()):
            raise DockerHostError(
                f"{where} does not match the CA's certificate; restore the key that belongs to it,"
                " or choose another cert_dir"
            )
        return replace(plain, key=key)

    def _check_own(self) -> None:
        """A CA of the user's own must be the current one, the next one, or the one to rotate to."""
        own, draft = self.own, self.draft
        if own is None or self.current is None or (draft.options.rotate == "start" and self.rotation is None):
            return
        if not any(known and ca.same_authority(own, known) for known in (self.current, self.next)):
            option = draft.options.ca_text[0] if draft.options.ca_text else "ca_path"
            raise OptionError(
                option,
                f"{draft.place} belongs to another CA (SHA-256 {self.current.fingerprint}), and hosts"
                " that trust that one would be cut off; rotate to the new CA (rotate_ca: start), or choose another"
                " cert_dir",
            )

    # What signs, and what is trusted

    def signer(self, kind: str) -> Authority | None:
        """The CA that signs for servers or clients now."""
        if self.rotation is None or self.next is None:
            return self.current
        phase = PHASES.index(self.rotation.phase)
        return self.next if phase >= (1 if kind == "servers" else 2) else self.current

    def server_trust(self) -> bytes:
        """What a server is to trust: the issuing CAs alone, never a chain above them."""
        return ca.to_pem(entry.certificate for entry in (self.current, self.next) if entry)

    def client_trust(self) -> bytes:
        """What a client is to trust: the CAs with their chains."""
        certificates = [certificate for entry in (self.current, self.next) if entry for certificate in entry.chain]
        return ca.to_pem(dict.fromkeys(certificates))

    def trusted(self) -> list[str | None]:
        """Fingerprints of what a server is to trust; ``None`` for one that a prediction cannot know."""
        known = [entry.fingerprint for entry in (self.current, self.next) if entry]
        return [None if self.draft.dry and entry in self.made else entry for entry in known]

    def require_key(self, signer: Authority, what: str) -> Authority:
        """The signer, if its key is at hand.

        :raises DockerHostError: it is not; how to bring it.
        """
        if signer.key is not None:
            return signer
        if self._key_problem:
            raise OptionError("ca_key_passphrase", f"{self._key_problem}, and its passphrase is needed to sign {what}")
        rotation = self.rotation
        is_own = rotation.new_is_own if rotation and signer is self.next else self.draft.state.is_own
        if is_own:
            raise OptionError(
                "ca_key_path",
                f"the CA is your own and its key is not kept here, but it is needed to sign {what};"
                " give ca_path or ca_content with ca_key_path or ca_key_content, or have it signed elsewhere (signing)",
            )
        raise DockerHostError(
            f"{self.draft.where(CA_KEY)} is missing and needed to sign {what}. Restore it from a backup."
            " Nothing was replaced, because hosts that trust this CA would be cut off; for a new CA choose another"
            " cert_dir."
        )

    # What is to be

    def converge(self) -> None:
        """Make the CA if there is none, renew it before it ends, rotate it when asked."""
        if self.current is None:
            self._make_current()
        else:
            self._keep_current()
        rotate(self)
        self._write_trust()

    def _make_current(self) -> None:
        draft = self.draft
        if draft.options.rotate:
            raise OptionError("rotate_ca", f"there is no CA in {draft.place} yet that could be rotated")
        if draft.foreign:
            # The run is going to stop; a stand-in lets it find the other files that are in the way.
            self.current = self.own or self.generate()
            return
        self.reasons = ["it does not exist"]
        if self.own is not None:
            self.current = self.own
            draft.state.is_own = True
            draft.actions.append("ca: your own CA is used")
        else:
            self.current = self.generate()
            draft.put(CA_KEY, draft.key_pem(ca.key_of(self.current), draft.options.passphrase), private=True)
            draft.actions.append("ca: made")
        draft.put(CURRENT_CA, ca.to_pem(self.current.chain))
        draft.differences.add("ca", None, self._after(self.current, draft.options.ca_key_type))

    def generate(self) -> Authority:
        """A new CA of ours, with its key."""
        options = self.draft.options
        key = self.draft.new_key(options.ca_key_type or keys.DEFAULT_KEY_TYPE)
        subject = names.make_name(options.fields, options.ca_common_name)
        made = ca.make_authority(key, subject, self.draft.now, options.ca_not_after)
        self.made.add(made.fingerprint)
        return made

    def _keep_current(self) -> None:
        draft, current = self.draft, t.cast(Authority, self.current)
        if draft.foreign:
            return
        if draft.put(CURRENT_CA, ca.to_pem(current.chain)):
            draft.actions.append("ca: the chain of your own CA is updated")
        if not draft.state.is_own:
            if CA_KEY not in draft.files:
                self.reasons.append("the key is missing")
            self._protect_key(CA_KEY, current)
            if self.next is not None and self.rotation and not self.rotation.new_is_own:
                self._protect_key(NEXT_CA_KEY, self.next)
        self._renew_current(current)

    def _protect_key(self, path: str, authority: Authority) -> None:
        """Encrypt a key that is not, when there is a passphrase; take it away from other users."""
        draft = self.draft
        if path not in draft.files:
            return
        data = draft.files[path].data
        if draft.options.passphrase and authority.key is not None and not keys.is_encrypted(data):
            draft.put(path, keys.to_pem(authority.key, draft.options.passphrase), private=True)
            # The point of encrypting is that no readable copy stays.
            draft.changes.keep.discard(path)
            draft.actions.append(f"{path}: encrypted with the passphrase")
            draft.differences.add(path, {"encrypted": False}, {"encrypted": True})
        else:
            draft.claim(path)

    def _renew_current(self, current: Authority) -> None:
        draft, options = self.draft, self.draft.options
        end = current.not_after()
        left = end - draft.now
        if left >= options.ca_renew_before:
            return
        days = whole_days(left)
        reason = f"expires in {plural(days, 'day')}" if left > timedelta(0) else f"expired at {iso(end)}"
        self.reasons.append(reason)
        if draft.state.is_own or current.key is None or not current.self_signed:
            why = "is your own" if draft.state.is_own else "has no key here"
            draft.warnings.append(
                f"The CA {reason} and cannot be renewed here, because it {why}. Rotate it in time (rotate_ca)."
            )
            return
        if options.ca_not_after <= end or options.regenerate == "never" or self.rotation or options.rotate:
            return
        if options.regenerate == "fail":
            raise DockerHostError(
                f"regenerate is fail, and these would be renewed: ca: {reason}", reasons={"ca": [reason]}
            )
        renewed = ca.renew_authority(current, draft.now, options.ca_not_after)
        self.made.add(renewed.fingerprint)
        draft.put(CURRENT_CA, ca.to_pem(renewed.chain))
        draft.actions.append(f"ca: renewed with the same key: {reason}")
        draft.differences.add("ca", describe_authority(current), self._after(renewed))
        self.current = renewed

    def _after(self, authority: Authority, key_type: str | None = None) -> dict[str, t.Any]:
        return {**describe_authority(authority, key_type), "reasons": list(self.reasons)}

    def _write_trust(self) -> None:
        """The trust list of clients, which is also the CA's certificate."""
        draft = self.draft
        data = self.client_trust()
        present = draft.files.get(CA)
        if (
            present
            and present.data != data
            and draft.before.owns(CA)
            and not draft.before.is_as_written(CA, present.data)
        ):
            self._refuse_changed_ca(present.data)
        if draft.put(CA, data) and not self.made and not draft.actions:
            draft.actions.append(f"{CA}: restored" if present is None else f"{CA}: rewritten")

    def _refuse_changed_ca(self, data: bytes) -> None:
        """Somebody put another CA in the place of ours: neither theirs nor ours may be lost."""
        draft = self.draft
        try:
            certificates = ca.load_certificates(data)
        except ValueError:
            return  # A broken file is repaired; what it held is kept beside it.
        ours = [certificate for entry in (self.current, self.next) if entry for certificate in entry.chain]
        if any(certificate not in ours for certificate in certificates):
            raise DockerHostError(
                f"{draft.options.cert_dir}/{CA} was replaced by somebody: it holds another CA now."
                f" Restore it (a copy is {draft.where(CURRENT_CA)}), or choose another cert_dir.",
                foreign_files=[f"{draft.options.cert_dir}/{CA}"],
            )


def _read_certificates(draft: Draft, path: str) -> list[t.Any]:
    try:
        return ca.load_certificates(draft.files[path].data)
    except (KeyError, ValueError) as error:
        raise DockerHostError(f"{draft.where(path)} is missing or damaged; restore it from a backup") from error


def describe_authority(authority: Authority, key_type: str | None = None) -> dict[str, t.Any]:
    """The fields of a CA's certificate for a diff."""
    certificate = authority.certificate
    return {
        "subject": certificate.subject.rfc4514_string(),
        "key_type": key_type or keys.type_of(certificate.public_key()),
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
    }
