# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accelerated networking of a host whose options leave it open.

Azure expects it with current sizes ("Create an Azure Virtual Machine with Accelerated Networking", learn.microsoft.com)
and refuses it with sizes that lack it (VMSizeIsNotPermittedToEnableAcceleratedNetworking).
"""

from __future__ import annotations

from dataclasses import replace

from ..._azure.resource_ids import name_in
from ..._azure.wire import dig
from ..._errors import OptionError
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources


def with_accelerated_networking(
    desired: HostSpec, resources: HostResources, current: HostState, supported: bool | None
) -> HostSpec:
    """Return the options with accelerated networking decided where the size decides it.

    A new interface has it if the size allows it. An existing one keeps what it has, and loses it only with a size that
    does not allow it. What the options say counts first.

    :param supported: whether the VM's size, the new one if it changes, allows it; None if that is unknown.
    :raises OptionError: an interface that the options name has it, and the size does not allow it.
    """
    if desired.network.accelerated_networking is not None or supported is None:
        return desired
    interface = current.network_interface
    has = bool(dig(interface, "properties", "enableAcceleratedNetworking"))
    if resources.is_given("network_interface"):
        if has and not supported:
            raise OptionError(
                "network_interface",
                f"{name_in(resources.network_interface)} has accelerated networking, which this O(vm_size) or image"
                " does not support: turn it off on the interface, or choose another size",
            )
        return desired
    keeps = interface and "enable_accelerated_networking" not in desired.reset
    wanted = has and supported if keeps else supported
    if wanted == has:
        return desired
    return replace(desired, network=replace(desired.network, accelerated_networking=wanted))
