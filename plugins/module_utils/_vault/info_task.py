# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``docker_tls_certs_info``: read a set of certificates, wherever its CA is kept."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._azure.argument_spec import azure_argument_spec
from .._backend import Backend, Request
from .._tls import keys
from .._tls.directory import DirectoryStore
from .._tls.filesystem import FileSystem
from .._tls.info import SPEC as SET
from .._tls.info import SetReader
from .._tls.options import cert_dir
from .._tls.times import utc_now
from .task import opened

SPEC = SET.merge(azure_argument_spec())


def run(
    request: Request,
    *,
    files: FileSystem | None = None,
    clock: t.Callable[[], datetime] = utc_now,
    settle: float | None = None,
) -> dict[str, t.Any]:
    """Describe a set of certificates. Nothing is created or changed, here or in a vault.

    :raises DockerHostError: the directory or the vault cannot be read, or a certificate is damaged.
    """
    keys.require_cryptography()
    directory = DirectoryStore(cert_dir(request.params), files or FileSystem(), progress=request.progress)
    with opened(request, settle) as kept, kept.store(directory).reading() as session:
        return {**SetReader(request.params, session, clock()).describe(), **kept.result()}


BACKEND = Backend(name="docker_tls_certs_info", spec=SPEC, run=run)
