# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a host in Azure, read before anything is planned."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..._azure.wire import Json, instance_view
from ..._azure.wire import power_state as power_state_of


@dataclass(frozen=True)
class HostState:
    """A host's resources in wire format; None for a resource that does not exist or was not read.

    :param complete: whether the host is complete, so that its group and network were not read.
    :param available_sizes: the sizes that the running VM can change to without being deallocated, if they were read.
    :param user_data: the VM's user data (base64), if it was read.
    :param former: by kind, resources with the name of the host's own one, where the options name another one.
    """

    resource_group: Json | None = None
    virtual_network: Json | None = None
    security_group: Json | None = None
    public_ip_address: Json | None = None
    network_interface: Json | None = None
    virtual_machine: Json | None = None
    auto_shutdown: Json | None = None
    complete: bool = False
    available_sizes: frozenset[str] | None = None
    user_data: str | None = None
    former: t.Mapping[str, Json] = field(default_factory=dict)

    @property
    def power_state(self) -> str | None:
        """The VM's power state: running, stopped, deallocated, starting ...; None without a VM."""
        if not self.virtual_machine:
            return None
        return power_state_of(instance_view(self.virtual_machine))
