# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task ``docker_tls_certs`` with both of its stores.

The modules that sign in to Azure are imported only if a key vault is used, so that other tasks do not pay for them.
"""

from __future__ import annotations

import contextlib
import typing as t
from datetime import datetime

from .._azure.argument_spec import azure_argument_spec
from .._backend import Backend, Request
from .._errors import OptionError
from .._tls import task as certificates
from .._tls.argument_spec import SPEC as CERTIFICATES
from .._tls.directory import DirectoryStore
from .._tls.filesystem import FileSystem
from .._tls.store import Store
from .._tls.times import utc_now

if t.TYPE_CHECKING:
    from .store import VaultStore
    from .versioned_secret import VersionedSecret

SPEC = CERTIFICATES.merge(azure_argument_spec())


def run(
    request: Request,
    *,
    files: FileSystem | None = None,
    clock: t.Callable[[], datetime] = utc_now,
    settle: float | None = None,
) -> dict[str, t.Any]:
    """Issue, renew, rotate or remove a set of certificates, whose CA is in a directory or in a key vault.

    :param settle: see :mod:`versioned_secret`; None takes its default.
    """
    with opened(request, settle) as kept:
        return {**certificates.run(request, files=files, clock=clock, keep=kept.store), **kept.result()}


class Kept:
    """The place of a CA that is kept in the directory of its set."""

    def store(self, directory: DirectoryStore) -> Store:
        """Return the store of the set with this directory."""
        return directory

    def result(self) -> dict[str, t.Any]:
        """Return the fields of a result that describe it."""
        return {"key_vault": None}


class KeptInVault(Kept):
    """The place of a CA that is kept in a secret of a key vault."""

    def __init__(self, secret: VersionedSecret) -> None:
        self._secret = secret
        self._store: VaultStore | None = None

    def store(self, directory: DirectoryStore) -> Store:
        from .store import VaultStore

        self._store = VaultStore(directory, self._secret)
        return self._store

    def result(self) -> dict[str, t.Any]:
        secret = self._secret
        version = self._store.version if self._store else None
        return {"key_vault": {"url": secret.vault.url, "secret": secret.name, "version": version}}


@contextlib.contextmanager
def opened(request: Request, settle: float | None = None) -> t.Iterator[Kept]:
    """Yield the place of the CA. If it is in a key vault, sign in to Azure.

    :raises OptionError: the options for the key vault do not fit together.
    """
    params = request.params
    if params["store"] != "key_vault":
        if params["key_vault"]:
            raise OptionError("key_vault", "has an effect with O(store=key_vault) only")
        yield Kept()
        return
    if not params["key_vault"]:
        raise OptionError("key_vault", "O(store=key_vault) needs the name or the URL of a key vault")
    from .._azure.key_vault import KeyVault, check_secret_name, check_vault
    from .versioned_secret import SETTLE, VersionedSecret

    vault = check_vault("key_vault", params["key_vault"])
    name = check_secret_name("key_vault_secret", params["key_vault_secret"])
    with KeyVault.from_params(params, vault, request.token_cache) as client:
        pause = SETTLE if settle is None else settle
        yield KeptInVault(VersionedSecret(client, name, settle=pause, progress=request.progress))


BACKEND = Backend(name="docker_tls_certs", spec=SPEC, run=run)
