# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task ``docker_tls_certs`` with both of its stores. Private to this collection.

What signs in to Azure is imported only where a key vault is used: without one the task costs no more for it.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._azure.argument_spec import azure_argument_spec
from .._backend import Backend, Request
from .._errors import OptionError
from .._tls import task as certificates
from .._tls.directory import DirectoryStore
from .._tls.filesystem import FileSystem
from .._tls.options import SPEC as CERTIFICATES
from .._tls.store import Store
from .._tls.times import utc_now

SPEC = CERTIFICATES.merge(azure_argument_spec())


def run(
    request: Request,
    *,
    files: FileSystem | None = None,
    clock: t.Callable[[], datetime] = utc_now,
    settle: float | None = None,
) -> dict[str, t.Any]:
    """Make, keep or remove a set of certificates, whose CA is in a directory or in a key vault.

    :param settle: see :mod:`chain`; None takes its default.
    """
    params = request.params
    if params["store"] != "key_vault":
        if params["key_vault"]:
            raise OptionError("key_vault", "it is used with store: key_vault only")
        return {**certificates.run(request, files=files, clock=clock), "key_vault": None}
    if not params["key_vault"]:
        raise OptionError("key_vault", "store: key_vault needs the name or the URL of a key vault")
    return _run_with_vault(request, files, clock, settle)


def _run_with_vault(
    request: Request, files: FileSystem | None, clock: t.Callable[[], datetime], settle: float | None
) -> dict[str, t.Any]:
    from .._azure.key_vault import KeyVault, check_secret_name, check_vault
    from .store import VaultStore
    from .versioned_secret import SETTLE, VersionedSecret

    params = request.params
    vault = check_vault("key_vault", params["key_vault"])
    secret = check_secret_name("key_vault_secret", params["key_vault_secret"])
    with KeyVault.from_params(params, vault) as client:
        chain = VersionedSecret(client, secret, settle=SETTLE if settle is None else settle, progress=request.progress)
        stores: list[VaultStore] = []

        def keep(directory: DirectoryStore) -> Store:
            stores.append(VaultStore(directory, chain))
            return stores[-1]

        result = certificates.run(request, files=files, clock=clock, keep=keep)
        return {**result, "key_vault": {"url": client.url, "secret": secret, "version": stores[-1].version}}


BACKEND = Backend(name="docker_tls_certs", spec=SPEC, run=run)
