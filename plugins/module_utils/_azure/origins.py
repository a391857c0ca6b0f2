# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts that access tokens and secrets may be sent to.

An answer can name the next request: by ``nextLink``, ``Location``, ``Azure-AsyncOperation`` or a redirect. The SDK
follows all of them and sends the token along; here it stays with the service that it was issued for.
"""

from __future__ import annotations

import functools
import re
import typing as t
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}
# A host and a port. Parsers disagree about everything else: in https://a\@b, urlsplit reads the host b, urllib3 a.
_AUTHORITY = re.compile(r"[A-Za-z0-9._:\[\]-]+")


def is_same_service(url: str, service: str) -> bool:
    """Return whether a URL belongs to a service: its own host, or one of its regional endpoints, and its port.

    :param service: the service's URL, for example ``https://management.azure.com``, whose regional endpoints are
        ``https://westeurope.management.azure.com`` and so on.
    """
    try:
        one, other = urlsplit(url), urlsplit(service)
        same_port = (one.port or _PORTS.get(one.scheme)) == (other.port or _PORTS.get(other.scheme))
    except ValueError:
        return False
    if not _AUTHORITY.fullmatch(one.netloc):
        return False
    host, own = (one.hostname or "").lower(), (other.hostname or "").lower()
    return same_port and one.scheme == other.scheme and bool(own) and (host == own or host.endswith(f".{own}"))


def is_url(text: str, *schemes: str, with_user: bool = False) -> bool:
    """Return whether a text is a URL that every program reads in the same way: visible ASCII characters, host and port.

    :param schemes: one of which the URL must have, in lower case.
    :param with_user: name and password may come before the host.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    _user, at, authority = parts.netloc.rpartition("@")
    return (
        re.fullmatch("[!-~]+", text) is not None
        and parts.scheme in schemes
        and (with_user or not at)
        and _AUTHORITY.fullmatch(authority) is not None
        and bool(parts.hostname)
        and port != 0
    )


def check_same_service(url: str, service: str) -> None:
    """Refuse a request to another service.

    :raises azure.core.exceptions.ClientAuthenticationError: it is another one. The SDK does not try that again.
    """
    if not is_same_service(url, service):
        raise foreign_host_error()(
            f"an answer of {service} refers to {_origin(url)}, which is another host. No access token is sent there."
        )


def _origin(url: str) -> str:
    """Return the scheme, host and port to which urllib3 would connect, without user information."""
    try:
        parts = urlsplit(url.partition("\\")[0])
    except ValueError:
        return "an invalid address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@functools.lru_cache
def foreign_host_error() -> type[Exception]:
    """Return the class of the error for a request that would leave the service."""
    from azure.core.exceptions import ClientAuthenticationError

    class ForeignHostError(ClientAuthenticationError):  # type: ignore[misc]
        """An answer of Azure refers to a host that is not the cloud's."""

    return ForeignHostError


def redirect_policy() -> t.Any:
    """Return azure-core's redirect policy for reading requests: what is written goes to one address only."""
    from azure.core.pipeline.policies import RedirectPolicy

    class ReadingRedirectPolicy(RedirectPolicy):  # type: ignore[misc]
        """Follows no redirect of a request that changes something."""

        def send(self, request: t.Any) -> t.Any:
            if request.http_request.method not in ("GET", "HEAD"):
                request.context.options["permit_redirects"] = False
            return super().send(request)

    return ReadingRedirectPolicy()
