# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs of Docker engines, in the form of the Docker CLI's ``DOCKER_HOST``."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .._errors import OptionError

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_FORMS = {"tcp": "tcp://ADDRESS:PORT", "ssh": "ssh://USER@ADDRESS", "unix": "unix:///PATH"}


@dataclass(frozen=True)
class DockerUrl:
    """The checked URL of an engine.

    :param text: the URL as the user wrote it.
    :param host: DNS name or IP address without brackets; empty for a unix socket.
    :param port: TCP port; None if the URL has none.
    :param path: the path of the unix socket; empty for other schemes.
    """

    text: str
    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""


def parse_docker_host(option: str, text: str, schemes: t.Collection[str]) -> DockerUrl:
    """Return the parts of an engine's URL.

    :param schemes: the schemes that are accepted.
    :raises OptionError: the text is not such a URL. The error never quotes user information.
    """
    advice = "write " + " or ".join(form for scheme, form in _FORMS.items() if scheme in schemes)
    scheme, separator, rest = text.partition("://")
    if "@" in rest and (scheme != "ssh" or ":" in rest.rpartition("@")[0]):
        raise OptionError(option, f"must not contain a password, or a user except with ssh://; {advice}")
    if not separator or scheme not in schemes:
        raise OptionError(option, f"must be a URL that starts with {_listed(schemes)}, got {text!r}; {advice}")
    if scheme == "unix":
        if not rest.startswith("/"):
            raise OptionError(option, f"must contain an absolute path, got {text!r}; {advice}")
        return DockerUrl(text, scheme, path=rest)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise OptionError(option, f"{text!r} is not a valid URL ({error}); {advice}") from error
    if port == 0:
        raise OptionError(option, f"must have a port from 1 to 65535, got 0; {advice}")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise OptionError(option, f"must end after the address and port, got {text!r}; {advice}")
    return DockerUrl(text, scheme, _host(option, url, advice), port)


def _host(option: str, url: SplitResult, advice: str) -> str:
    """Return the host of a URL. It must not be a pattern of ``known_hosts``."""
    host = url.hostname or ""
    if not is_host(host):
        raise OptionError(option, f"must contain one DNS name or IP address, got {host!r}; {advice}")
    if url.username is not None and not _USER.fullmatch(url.username):
        raise OptionError(option, f"must contain the name of a Linux user, got {url.username!r}; {advice}")
    return host


def is_host(host: str) -> bool:
    """Return whether a text is one DNS name or IP address, without brackets."""
    if _HOST_NAME.fullmatch(host):
        return True
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _listed(schemes: t.Collection[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in sorted(schemes))
