# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SDK's transport for requests, with a TLS context that all connections share.

The library requests reads the certificates of all CAs again for each connection, which takes 30 ms of processor
time; a run of one host opens half a dozen connections.
"""

from __future__ import annotations

import functools
import os
import ssl
import threading
import typing as t

from .._errors import MissingLibraryError
from .origins import check_same_service

COMPUTE_REQUIREMENT = "azure-mgmt-compute>=33.0.0"
"""It brings azure-core."""
SHORTEST_PAUSE_SECONDS = 0.5
"""Seconds between the SDK's last attempts, when the time to wait is over."""
_reading = threading.Lock()


def make_transport(
    ca_path: str | None = None,
    left: t.Callable[[], float | None] = lambda: None,
    service: str | None = None,
) -> t.Any:
    """Return a transport for azure-core.

    :param ca_path: file with the authorities of a private cloud's endpoints; None means those that requests trusts.
    :param left: returns the seconds after which a refused request is not repeated any more, even if the service asks
        to wait longer; None for no end.
    :param service: URL of the one service that requests may go to; None means any.
    :raises MissingLibraryError: azure-core is not installed.
    """
    try:
        from azure.core.pipeline.transport import RequestsTransport
        from requests import Session
        from urllib3.util import Retry
    except ImportError as error:
        raise MissingLibraryError(COMPUTE_REQUIREMENT, error) from error

    class BoundedTransport(RequestsTransport):  # type: ignore[misc]
        """The SDK's own transport, which stays with one service and does not pause beyond the deadline."""

        def send(self, request: t.Any, **keywords: t.Any) -> t.Any:
            if service:
                check_same_service(request.url, service)
            return super().send(request, **keywords)

        def sleep(self, duration: float) -> None:
            most = left()
            super().sleep(duration if most is None else min(duration, max(most, SHORTEST_PAUSE_SECONDS)))

    session = Session()
    session.auth = _keep_authorization
    # Retries are the business of the SDK's policies.
    adapter = _adapter_class()(max_retries=Retry(total=False, redirect=False, raise_on_status=False))
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return BoundedTransport(session=session, **({"connection_verify": ca_path} if ca_path else {}))


def _keep_authorization(request: t.Any) -> t.Any:
    """Return the request unchanged. Without any ``auth``, requests replaces the token by a password from ``.netrc``."""
    return request


def tls_context(location: str) -> ssl.SSLContext:
    """Return a TLS context that trusts the authorities in a file or directory. It is reused while they do not change.

    :raises OSError: the authorities cannot be read.
    """
    with _reading:
        return _read(location, os.stat(location).st_mtime_ns)


@functools.lru_cache
def _read(location: str, _changed: int) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    context: ssl.SSLContext = create_urllib3_context()
    context.load_verify_locations(**{"capath" if os.path.isdir(location) else "cafile": location})
    return context


@functools.lru_cache
def _adapter_class() -> type[t.Any]:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import SSLError

    class SharingAdapter(HTTPAdapter):
        """The adapter of requests, with a TLS context that its connections share."""

        def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
            location = conn.ca_certs or conn.ca_cert_dir
            # An encrypted connection to a proxy takes its authorities from the pool.
            if not location or (conn.proxy is not None and conn.proxy.scheme == "https"):
                return
            try:
                conn.conn_kw["ssl_context"] = tls_context(location)
            except ssl.SSLError as error:
                raise SSLError(error) from error
            conn.ca_certs = conn.ca_cert_dir = None

    return SharingAdapter
