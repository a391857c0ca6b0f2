# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of this machine as the internet sees it, for sources that are called ``me``."""

from __future__ import annotations

import http.client
import ipaddress
import os
import typing as t

from ansible.module_utils.urls import open_url

from .._azure.settings import first_set
from .._errors import OptionError
from .desired.inbound_rules import ME

TIMEOUT = 15.0
"""Seconds that the service may take."""
_LONGEST = 200
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LISTS = ("allowed_sources", "ssh_allowed_sources")

Params = t.Mapping[str, t.Any]


def with_own_address(params: Params) -> Params:
    """Return the options with the address of this machine in place of each source ``me``.

    The service is queried only if a source is ``me``.

    :raises OptionError: the service does not say the address.
    """
    option = next(_options_with_me(params), None)
    if option is None:
        return params
    address = _query(option, params["address_service"])
    replaced: dict[str, t.Any] = {name: _replaced(params[name], address) for name in _LISTS if params[name]}
    if params["open_ports"]:
        replaced["open_ports"] = [_opening(entry, address) for entry in params["open_ports"]]
    return {**params, **replaced}


def _options_with_me(params: Params) -> t.Iterator[str]:
    yield from (name for name in _LISTS if ME in (params[name] or ()))
    for place, entry in enumerate(params["open_ports"] or ()):
        if isinstance(entry, t.Mapping) and ME in (entry.get("allowed_sources") or ()):
            yield f"open_ports[{place}].allowed_sources"


def _opening(entry: t.Any, address: str) -> t.Any:
    if not isinstance(entry, t.Mapping) or entry.get("allowed_sources") is None:
        return entry
    sources = entry["allowed_sources"]
    given = [sources] if isinstance(sources, str) else sources
    return {**entry, "allowed_sources": _replaced(given, address)}


def _replaced(sources: t.Sequence[str], address: str) -> list[str]:
    """Return sources with an address for ``me``, which is left out where another source contains it."""
    others = [source for source in sources if source != ME]
    if len(others) == len(sources):
        return list(sources)
    contained = any(ipaddress.IPv4Address(address) in ipaddress.IPv4Network(source) for source in others)
    return others if contained else [*others, address]


def _query(option: str, service: str) -> str:
    """Return what a service says.

    :raises OptionError: it cannot be reached, or answers with something else than an IPv4 address.
    """
    remedy = "Give addresses instead, or set O(address_service) to an HTTPS service that answers with the address."
    try:
        # A redirect could lead away from HTTPS.
        bundle = first_set(os.environ, *_BUNDLES)
        response = open_url(service, timeout=TIMEOUT, ca_path=bundle, follow_redirects="none")
        text = response.read(_LONGEST).decode("ascii", "replace").strip()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise OptionError(
            option, f"{ME!r} needs the address of this machine, but {service} cannot be queried ({reason}). {remedy}"
        ) from error
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise OptionError(
            option, f"{ME!r} needs the IPv4 address of this machine, but {service} answers {text[:60]!r}. {remedy}"
        ) from error
