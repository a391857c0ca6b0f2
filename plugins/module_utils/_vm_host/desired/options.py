# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a host by subject. None means that the option was not set: an existing host keeps what it has."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

DEFAULT_EVICTION = "Deallocate"
"""What happens to a spot VM that Azure evicts, unless the options say otherwise."""
DEFAULT_PRICE = -1.0
"""The most that a spot VM may cost: the usual price."""


@dataclass(frozen=True)
class DataDisk:
    """A data disk.

    :param lun: its logical unit number.
    :param size_gb: its size in GiB.
    :param kind: its type, such as ``Premium_LRS``.
    """

    lun: int
    size_gb: int
    kind: str | None = None
    caching: str | None = None


@dataclass(frozen=True)
class OsDiskOptions:
    """The OS disk: its type, its size in GiB, and whether it is ephemeral."""

    kind: str | None = None
    size_gb: int | None = None
    ephemeral: bool | None = None


@dataclass(frozen=True)
class SecurityProfile:
    """The security settings of the VM, by the names of the suboptions."""

    security_type: str | None = None
    secure_boot_enabled: bool | None = None
    v_tpm_enabled: bool | None = None
    encryption_at_host: bool | None = None

    @property
    def firmware(self) -> dict[str, bool | None]:
        """The settings that need Trusted Launch, by suboption."""
        return {"secure_boot_enabled": self.secure_boot_enabled, "v_tpm_enabled": self.v_tpm_enabled}


@dataclass(frozen=True)
class SpotOptions:
    """The VM's priority, and the settings of a spot VM."""

    priority: str | None = None
    eviction_policy: str | None = None
    max_price: float | None = None

    @property
    def is_spot(self) -> bool:
        """Return whether the options request a spot VM."""
        return self.priority == "Spot"


@dataclass(frozen=True)
class VmIdentity:
    """The identities of the VM: their kinds, and references to those that are user-assigned."""

    kinds: str
    user_assigned: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkOptions:
    """The network of the host. References are names, ``group:name``, or ids.

    :param references: by kind, the existing resources to use.
    """

    references: t.Mapping[str, str]
    subnet_name: str | None = None
    virtual_network_prefix: str | None = None
    subnet_prefix: str | None = None
    private_ip_address: str | None = None
    assign_public_ip: bool | None = None
    assign_dns_label: bool | None = None
    dns_label: str | None = None
    accelerated_networking: bool | None = None


@dataclass(frozen=True)
class Behaviour:
    """The options that control how the task works.

    :param adopt: whether to take over resources that the collection did not create.
    :param allow_stop: whether a running host may be stopped for a change.
    :param require_running: whether to refuse an existing host that is off.
    :param require_ssh: whether to refuse a host whose SSH port would be closed.
    :param preflight: whether to query Azure before the first change.
    :param wait: whether to wait for the VM's own operation.
    :param undo_on_failure: whether to remove what a failed run created.
    """

    adopt: bool = False
    allow_stop: bool = False
    require_running: bool = False
    require_ssh: bool = False
    preflight: bool = True
    wait: bool = True
    undo_on_failure: bool = False


@dataclass(frozen=True)
class DeletionScope:
    """The resources that are deleted with the host: the values of the option ``remove_on_absent``."""

    kinds: frozenset[str]

    def __contains__(self, kind: str) -> bool:
        # Deleting the group deletes everything in it.
        return kind in self.kinds or (kind != "resource_group" and bool({"all", "resource_group"} & self.kinds))
