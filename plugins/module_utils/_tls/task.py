# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``docker_tls_certs``, independent of the store that keeps the set.

The task itself, which knows the stores, is in ``_vault/task.py``.
"""

from __future__ import annotations

import contextlib
import typing as t
from datetime import datetime

from .._awx import is_discarded
from .._backend import Request
from .._errors import DockerHostError, OptionError
from . import ca, keys, removal
from .ca import CertificateAuthority
from .ca_set import CaSet
from .changeset import ChangeSet
from .client_requests import check_ca_exists, sign_client_requests
from .directory import DirectoryStore
from .external_signing import SignedCertificates
from .filesystem import FileSystem
from .leaves import Leaves
from .options import Options, parse
from .recorded_names import record_names
from .report import Report
from .rotation import rotate
from .state import State
from .store import STATE, Interrupted, Outdated, Session, Store
from .times import utc_now

ATTEMPTS = 10
FINISHED = "finish the changes of an interrupted run"
Result = t.Callable[[t.Mapping[str, str]], dict[str, t.Any]]


def run(
    request: Request,
    *,
    files: FileSystem | None = None,
    clock: t.Callable[[], datetime] = utc_now,
    keep: t.Callable[[DirectoryStore], Store] | None = None,
) -> dict[str, t.Any]:
    """Create, renew, rotate or remove a set of certificates.

    :param keep: returns the store that keeps the set; a part of the set may be in the directory.

    A prediction comes first: it finds every error before anything is changed, and whether there is anything to change.
    Only then is the set locked, decided upon again and committed.
    """
    keys.require_cryptography()
    now = clock()
    options = parse(request.params, now, check_mode=request.check_mode)
    own = read_own_ca(options, now)
    directory = DirectoryStore(options.cert_dir, files or FileSystem(), progress=request.progress)
    store: Store = keep(directory) if keep else directory
    if not options.vault:
        warn_if_temporary(options.cert_dir, request.warn)
    warn_if_masked(options, request.warn)
    with store.reading() as session:
        interrupted, pending = session.interrupted, list(session.pending)
        changeset, result = decide(options, own, session, now, diff=request.diff, dry=True, check=request.check_mode)
    kept: dict[str, str] = {}
    if (changeset.changes or pending or interrupted is not Interrupted.NOTHING) and not request.check_mode:
        changeset, result, kept, pending = commit(store, options, own, now, diff=request.diff)
    for warning in changeset.warnings:
        request.warn(warning)
    done = result(kept)
    if pending:
        done["changed"] = True
        done["actions"][:0] = pending
    if interrupted is Interrupted.COMMIT:
        done["changed"] = True
        done["actions"].insert(0, FINISHED)
    return done


def commit(
    store: Store, options: Options, own: CertificateAuthority | None, now: datetime, *, diff: bool
) -> tuple[ChangeSet, Result, dict[str, str], list[str]]:
    """Lock the set, decide again and make the changes. Start over if another run changed the set meanwhile.

    :raises DockerHostError: a change cannot be made; the text says why.
    """
    for _attempt in range(ATTEMPTS):
        with contextlib.suppress(Outdated), store.writing() as session:
            changeset, result = decide(options, own, session, now, diff=diff, dry=False)
            pending = list(session.pending)
            kept = session.commit(changeset.changes) if changeset.changes or pending else {}
            return changeset, result, kept, pending
    raise DockerHostError(f"{options.vault or options.cert_dir}: other runs keep changing it; run the task again")


def decide(
    options: Options,
    own: CertificateAuthority | None,
    session: Session,
    now: datetime,
    *,
    diff: bool,
    dry: bool,
    check: bool = False,
) -> tuple[ChangeSet, Result]:
    """Decide on all changes, and return them with a function that builds the result once they are made.

    :raises DockerHostError: a change cannot be made; the text says why.
    """
    stored = session.files.get(STATE)
    before = State.load(stored.data if stored else None)
    changeset = ChangeSet(options, session.files, before, now, dry, shown=diff and (check or not dry))
    if own is not None and own.chain[-1].issuer != own.chain[-1].subject:
        changeset.warnings.append(
            "The chain of your CA does not reach a root (a self-signed certificate). Docker takes that; Python before"
            " 3.13 does not. Add the certificates above it."
        )
    if options.absent:
        gone = removal.remove(changeset)
        changeset.finish()
        return changeset, lambda kept: removal.result_of_removal(changeset, gone, kept, diff=diff)
    ca_set = CaSet(changeset, own)
    check_ca_exists(changeset, ca_set)
    ca_set.converge()
    rotate(ca_set)
    ca_set.write_trust()
    leaves = Leaves(changeset, ca_set, SignedCertificates(changeset))
    leaves.converge()
    record_names(changeset)
    changeset.finish()
    signed = sign_client_requests(changeset, ca_set, check=check)
    return changeset, lambda kept: Report(changeset, ca_set, leaves, signed).build(kept, diff=diff)


def read_own_ca(options: Options, now: datetime) -> CertificateAuthority | None:
    """Read the CA of the user's own, and check it.

    :raises OptionError: it cannot be read, or it may not sign.
    """
    if options.ca_text is None:
        return None
    option, data = options.ca_text
    try:
        certificates = ca.load_certificates(data)
    except ValueError as error:
        raise OptionError(option, str(error)) from error
    key = None
    if options.ca_key_text is not None:
        key_option, key_data = options.ca_key_text
        try:
            key = keys.load(key_data, options.passphrase)
        except keys.PassphraseError as error:
            raise OptionError("ca_key_passphrase", f"the key in {key_option} cannot be read: {error}") from error
        except keys.KeyFileError as error:
            raise OptionError(key_option, str(error)) from error
    try:
        chain = ca.arrange(certificates, key)
        ca.check_may_sign(chain, now)
    except ca.CaError as error:
        raise OptionError(option, str(error)) from error
    return CertificateAuthority(chain, key)


def warn_if_temporary(cert_dir: str, warn: t.Callable[[str], None]) -> None:
    """Warn that a directory inside the home of an AWX job is discarded with the job."""
    if is_discarded(cert_dir):
        warn(
            f"{cert_dir} is in this job's own home and is discarded with this job; the next job would create a new"
            " CA, which no host trusts. Set O(cert_dir) to a path that is exposed to jobs (Settings, Jobs, Paths to"
            " expose to isolated jobs), pass the CA itself in O(ca_content) and O(ca_key_content) from a credential, or"
            " keep it in a key vault (O(store=key_vault))."
        )


def warn_if_masked(options: Options, warn: t.Callable[[str], None]) -> None:
    """Warn if the passphrase is a part of what the result shows, because Ansible would mask it there."""
    names = [desired.identity.name for desired in options.desired]
    if options.passphrase and any(options.passphrase in text for text in [options.cert_dir, *names]):
        warn(
            "The passphrase of the CA's key is a part of cert_dir or of a name. Ansible masks it in every result, so"
            " that paths there cannot be used; choose another passphrase."
        )
