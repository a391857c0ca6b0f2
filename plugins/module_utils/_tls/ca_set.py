# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CAs of a set of certificates: the current one, and during a rotation the next one."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import timedelta

from .._errors import DockerHostError, OptionError
from . import ca, keys, names
from .ca import CaError, CertificateAuthority
from .changeset import ChangeSet
from .renewal import plural
from .state import PHASES, Rotation
from .store import CA, CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY
from .times import iso, whole_days


class CaSet:
    """The current CA and, while they are being rotated, the next.

    :param own: the CA of the user's own that the options name.
    """

    def __init__(self, changeset: ChangeSet, own: CertificateAuthority | None) -> None:
        self.changeset = changeset
        self.own = own
        self.reasons: list[str] = []
        self.made: set[str] = set()
        self._key_problem: str | None = None
        self.current: CertificateAuthority | None = self._find_current()
        self.before = self.current
        self.next: CertificateAuthority | None = self._find_next()
        self._check_own()

    @property
    def rotation(self) -> Rotation | None:
        """The rotation that is in progress, None without one."""
        return self.changeset.state.rotation

    @property
    def concerns_all_hosts(self) -> bool:
        """Whether this run must examine every host, because the CA changes or is being rotated."""
        before, options = self.changeset.before.rotation, self.changeset.options
        return bool(before or self.rotation or options.rotate) or CURRENT_CA in self.changeset.changes.puts

    # Reading it

    def _find_current(self) -> CertificateAuthority | None:
        changeset = self.changeset
        if CURRENT_CA in changeset.files:
            chain = tuple(_read_certificates(changeset, CURRENT_CA))
            return self._with_key(chain, CA_KEY, changeset.before.is_own)
        if CA in changeset.files or CA_KEY in changeset.files:
            return self._find_foreign()
        return None

    def _find_foreign(self) -> CertificateAuthority | None:
        """Read a foreign CA in place of the module's own. Usable or not, it needs ``adopt``."""
        changeset = self.changeset
        if self.own is not None:
            return None
        if not changeset.options.adopt:
            changeset.foreign += [path for path in (CA, CA_KEY) if path in changeset.files]
        try:
            if CA not in changeset.files:
                raise CaError(f"{CA_KEY} exists without {CA}")
            adopted = self._load_foreign()
        except (CaError, keys.KeyFileError) as error:
            if changeset.options.adopt:
                raise DockerHostError(
                    f"{changeset.options.cert_dir}: the files cannot be taken over: {error}"
                ) from error
            changeset.faults.append(str(error))
            return None
        if changeset.options.adopt:
            complaint = ca.strict_complaint(adopted.certificate)
            if complaint:
                changeset.warnings.append(
                    f"{changeset.options.cert_dir}/{CA}: Docker accepts this CA, Python 3.13 and later do not:"
                    f" {complaint}. Rotate it (O(rotate_ca=start)) if such clients are to connect."
                )
            changeset.put(CURRENT_CA, ca.to_pem(adopted.chain))
            changeset.claim(CA)
            changeset.claim(CA_KEY)
        return adopted

    def _load_foreign(self) -> CertificateAuthority:
        changeset = self.changeset
        try:
            certificates = ca.load_certificates(changeset.files[CA].data)
        except ValueError as error:
            raise CaError(f"{CA}: {error}") from error
        key = None
        if CA_KEY in changeset.files:
            try:
                key = keys.load(changeset.files[CA_KEY].data, changeset.options.passphrase)
            except keys.KeyFileError as error:
                raise CaError(f"{CA_KEY}: {error}") from error
        chain = ca.arrange(certificates, key)
        ca.check_may_sign(chain, changeset.now)
        if any(ca.uses_sha1(certificate) for certificate in chain):
            raise CaError(f"{CA} is signed with SHA-1")
        return CertificateAuthority(chain, key)

    def _find_next(self) -> CertificateAuthority | None:
        rotation = self.rotation
        if rotation is None:
            return None
        chain = tuple(_read_certificates(self.changeset, NEXT_CA))
        return self._with_key(chain, NEXT_CA_KEY, rotation.new_is_own)

    def _with_key(self, chain: tuple[t.Any, ...], path: str, is_own: bool) -> CertificateAuthority:
        """Return the CA with its key: the user's key if the CA is their own, else the one kept here."""
        changeset = self.changeset
        plain = CertificateAuthority(chain)
        if self.own is not None and ca.is_same_ca(self.own, plain):
            return replace(self.own, chain=self.own.chain)
        if is_own or path not in changeset.files:
            return plain
        where = changeset.where(path)
        try:
            key = keys.load(changeset.files[path].data, changeset.options.passphrase)
        except keys.PassphraseError as error:
            if changeset.options.passphrase:
                raise OptionError("ca_key_passphrase", f"{where} cannot be read: {error}") from error
            self._key_problem = f"{where} is encrypted"
            return plain
        except keys.KeyFileError as error:
            raise DockerHostError(f"{where} cannot be used: {error}; restore it from a backup") from error
        if not keys.same_public_key(key.public_key(), plain.certificate.public_key()):
            raise DockerHostError(
                f"{where} does not match the CA's certificate; restore the key that belongs to it,"
                " or choose another O(cert_dir)"
            )
        return replace(plain, key=key)

    def _check_own(self) -> None:
        """Check that a CA of the user's own is the current one, the next one, or the one to rotate to."""
        own, changeset = self.own, self.changeset
        if own is None or self.current is None or (changeset.options.rotate == "start" and self.rotation is None):
            return
        if not any(known and ca.is_same_ca(own, known) for known in (self.current, self.next)):
            option = changeset.options.ca_text[0] if changeset.options.ca_text else "ca_path"
            raise OptionError(
                option,
                f"{changeset.place} belongs to another CA (SHA-256 {self.current.fingerprint}), and hosts"
                " that trust that one would be cut off; rotate to the new CA (rotate_ca: start), or choose another"
                " O(cert_dir)",
            )

    # What signs, and what is trusted

    def signer(self, kind: str) -> CertificateAuthority | None:
        """Return the CA that currently signs for servers or clients."""
        if self.rotation is None or self.next is None:
            return self.current
        phase = PHASES.index(self.rotation.phase)
        return self.next if phase >= (1 if kind == "servers" else 2) else self.current

    def server_trust(self) -> bytes:
        """Return the CAs that a server must trust: the issuing CAs alone, never a chain above them."""
        return ca.to_pem(entry.certificate for entry in (self.current, self.next) if entry)

    def client_trust(self) -> bytes:
        """Return the CAs that a client must trust, with their chains."""
        certificates = [certificate for entry in (self.current, self.next) if entry for certificate in entry.chain]
        return ca.to_pem(dict.fromkeys(certificates))

    def trusted(self) -> list[str | None]:
        """Return the fingerprints of the CAs that a server must trust; ``None`` for one that check mode cannot know."""
        known = [entry.fingerprint for entry in (self.current, self.next) if entry]
        return [None if self.changeset.dry and entry in self.made else entry for entry in known]

    def require_key(self, signer: CertificateAuthority, what: str) -> CertificateAuthority:
        """Return the signer with its key.

        :raises DockerHostError: the key is not available here; the text says how to provide it.
        """
        if signer.key is not None:
            return signer
        if self._key_problem:
            raise OptionError("ca_key_passphrase", f"{self._key_problem}, and its passphrase is needed to sign {what}")
        rotation = self.rotation
        is_own = rotation.new_is_own if rotation and signer is self.next else self.changeset.state.is_own
        if is_own:
            raise OptionError(
                "ca_key_path",
                f"the CA is your own and its key is not kept here, but it is needed to sign {what};"
                " pass O(ca_path) or O(ca_content) with O(ca_key_path) or O(ca_key_content), or sign elsewhere"
                " (O(signing=external))",
            )
        raise DockerHostError(
            f"{self.changeset.where(CA_KEY)} is missing and needed to sign {what}. Restore it from a backup."
            " Nothing was replaced, because hosts that trust this CA would be cut off; for a new CA choose another"
            " O(cert_dir)."
        )

    # Changing it

    def converge(self) -> None:
        """Create the CA if the set has none, and renew it before it expires."""
        if self.current is None:
            self._make_current()
        else:
            self._keep_current()

    def _make_current(self) -> None:
        changeset = self.changeset
        if changeset.options.rotate:
            raise OptionError("rotate_ca", f"there is no CA in {changeset.place} to rotate yet")
        if changeset.foreign:
            # The run is going to stop; a stand-in lets it find the other files that are in the way.
            self.current = self.own or self.generate()
            return
        self.reasons = ["it does not exist"]
        if self.own is not None:
            self.current = self.own
            changeset.state.is_own = True
            changeset.actions.append("use your own CA")
        else:
            self.current = self.generate()
            changeset.put(
                CA_KEY, changeset.key_pem(ca.key_of(self.current), changeset.options.passphrase), private=True
            )
            changeset.note_ca_change("create the CA")
        changeset.put(CURRENT_CA, ca.to_pem(self.current.chain))
        changeset.differences.add("ca", None, self._after(self.current, changeset.options.ca_key_type))

    def generate(self) -> CertificateAuthority:
        """Return a new CA of the module, with its key."""
        options = self.changeset.options
        key = self.changeset.new_key(options.ca_key_type or keys.DEFAULT_KEY_TYPE)
        subject = names.make_name(options.fields, options.ca_common_name)
        made = ca.create_ca(key, subject, self.changeset.now, options.ca_not_after)
        self.made.add(made.fingerprint)
        return made

    def _keep_current(self) -> None:
        changeset, current = self.changeset, t.cast(CertificateAuthority, self.current)
        if changeset.foreign:
            return
        if changeset.put(CURRENT_CA, ca.to_pem(current.chain)):
            changeset.note_ca_change("update the chain of your own CA")
        if not changeset.state.is_own:
            if CA_KEY not in changeset.files:
                self.reasons.append("the key is missing")
            self._protect_key(CA_KEY, current)
            if self.next is not None and self.rotation and not self.rotation.new_is_own:
                self._protect_key(NEXT_CA_KEY, self.next)
        self._renew_current(current)

    def _protect_key(self, path: str, issuer: CertificateAuthority) -> None:
        """Encrypt a plain key if the options have a passphrase, and remove other users' access to it."""
        changeset = self.changeset
        if path not in changeset.files:
            return
        data = changeset.files[path].data
        if changeset.options.passphrase and issuer.key is not None and not keys.is_encrypted(data):
            changeset.put(path, keys.to_pem(issuer.key, changeset.options.passphrase), private=True)
            # The point of encrypting is that no readable copy stays.
            changeset.changes.keep.discard(path)
            changeset.actions.append(f"encrypt {path} with the passphrase")
            changeset.differences.add(path, {"encrypted": False}, {"encrypted": True})
        else:
            changeset.claim(path)

    def _renew_current(self, current: CertificateAuthority) -> None:
        changeset, options = self.changeset, self.changeset.options
        end = current.not_after()
        left = end - changeset.now
        if left >= options.ca_renew_before:
            return
        days = whole_days(left)
        reason = f"expires in {plural(days, 'day')}" if left > timedelta(0) else f"expired at {iso(end)}"
        self.reasons.append(reason)
        if changeset.state.is_own or current.key is None or not current.self_signed:
            why = "is your own" if changeset.state.is_own else "has no key here"
            changeset.warnings.append(
                f"The CA {reason} and cannot be renewed here, because it {why}. Rotate it in time (O(rotate_ca=start))."
            )
            return
        if options.ca_not_after <= end or options.regenerate == "never" or self.rotation or options.rotate:
            return
        if options.regenerate == "fail":
            raise DockerHostError(
                f"regenerate is fail, and these would be renewed: ca: {reason}", reasons={"ca": [reason]}
            )
        renewed = ca.renew_ca(current, changeset.now, options.ca_not_after)
        self.made.add(renewed.fingerprint)
        changeset.put(CURRENT_CA, ca.to_pem(renewed.chain))
        changeset.note_ca_change(f"renew the CA with the same key: {reason}")
        changeset.differences.add("ca", describe_ca(current), self._after(renewed))
        self.current = renewed

    def _after(self, issuer: CertificateAuthority, key_type: str | None = None) -> dict[str, t.Any]:
        return {**describe_ca(issuer, key_type), "reasons": list(self.reasons)}

    def write_trust(self) -> None:
        """Write the trust list of clients, which is also the CA's certificate."""
        changeset = self.changeset
        data = self.client_trust()
        present = changeset.files.get(CA)
        if (
            present
            and present.data != data
            and changeset.before.owns(CA)
            and not changeset.before.is_as_written(CA, present.data)
        ):
            self._refuse_changed_ca(present.data)
        if changeset.put(CA, data) and not self.made and not changeset.actions:
            changeset.actions.append(f"restore {CA}" if present is None else f"rewrite {CA}")

    def _refuse_changed_ca(self, data: bytes) -> None:
        """Refuse to go on if somebody replaced the module's own CA, because neither CA may be lost."""
        changeset = self.changeset
        try:
            certificates = ca.load_certificates(data)
        except ValueError:
            return  # A broken file is repaired; what it held is kept beside it.
        ours = [certificate for entry in (self.current, self.next) if entry for certificate in entry.chain]
        if any(certificate not in ours for certificate in certificates):
            raise DockerHostError(
                f"{changeset.options.cert_dir}/{CA} was replaced by somebody and contains another CA now."
                f" Restore it (a copy is {changeset.where(CURRENT_CA)}), or choose another O(cert_dir).",
                foreign_files=[f"{changeset.options.cert_dir}/{CA}"],
            )


def _read_certificates(changeset: ChangeSet, path: str) -> list[t.Any]:
    try:
        return ca.load_certificates(changeset.files[path].data)
    except (KeyError, ValueError) as error:
        raise DockerHostError(f"{changeset.where(path)} is missing or damaged; restore it from a backup") from error


def describe_ca(issuer: CertificateAuthority, key_type: str | None = None) -> dict[str, t.Any]:
    """Return the fields of a CA's certificate for a diff."""
    certificate = issuer.certificate
    return {
        "subject": certificate.subject.rfc4514_string(),
        "key_type": key_type or keys.type_of(certificate.public_key()),
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
    }
