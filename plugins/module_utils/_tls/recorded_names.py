# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that a user added to those of a host in Azure, in the record of the certificates.

A later run that leaves them out issues the same names again. They are kept beside the certificates, which only those
who may issue them can write: anybody who may write tags in Azure must not get a certificate for a name of his choice.
"""

from __future__ import annotations

import os
import typing as t

from .._files import read_if_exists
from .changeset import ChangeSet
from .state import State
from .store import STATE

KINDS = ("address", "dns_names", "ip_addresses")
"""The options of docker_vm_host that add names."""
Names = dict[str, t.Any]


def record_names(changeset: ChangeSet) -> None:
    """Record the names that the options' hosts say that the user added."""
    for host, names in changeset.options.extra_names.items():
        has_names = any(names[kind] for kind in KINDS)
        if (changeset.before.names.get(host) or {}) == (names if has_names else {}):
            continue
        if has_names:
            changeset.state.names[host] = names
        else:
            changeset.state.names.pop(host)
        changeset.actions.append(f"record the names that you added for {host}")


def read_recorded_names(cert_dir: str, host: str) -> Names | None:
    """Return the names that were recorded for a host, with the ID of its VM; None without a record.

    :raises DockerHostError: the record cannot be read.
    """
    data = read_if_exists(os.path.join(cert_dir, STATE))
    return State.load(data).names.get(host)
