# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the result ``host`` of docker_vm_host, which other modules accept as it is."""

from __future__ import annotations

import difflib
import typing as t

from ._errors import OptionError

HOST_KEYS = (
    "name",
    "resource_group",
    "subscription_id",
    "location",
    "id",
    "vm_size",
    "power_state",
    "fqdn",
    "public_ip_address",
    "private_ip_address",
    "dns_names",
    "ip_addresses",
    "extra_names",
    "docker_port",
    "docker_host",
    "ssh_port",
    "ssh_url",
    "admin_username",
    "tags",
    "resources",
    "unknown",
)


def check_host_keys(option: str, host: t.Mapping[str, t.Any]) -> None:
    """Refuse keys that docker_vm_host does not return, so that a misspelt one does not go unnoticed.

    :param option: the option that holds the host, for the error.
    :raises OptionError: there is such a key; the text suggests the nearest known one.
    """
    for key in host:
        if key not in HOST_KEYS:
            nearest = difflib.get_close_matches(str(key), HOST_KEYS, 1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise OptionError(f"{option}.{key}", f"is not a key of a host as docker_vm_host returns it{hint}")
