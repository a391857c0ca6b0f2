# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for a power state."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import Plan
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.power import plan_power

from ..conftest import SUBSCRIPTION, changed, created, desired, plan_of


def power(state: str, state_now: str) -> Plan:
    """The plan for a power state."""
    view = {"statuses": [{"code": f"PowerState/{state_now}"}]}
    current = changed(created(desired()), "virtual_machine", instanceView=view)
    host = desired(state=state)
    if state == "started":
        return plan_of(host, current)
    return plan_power(host, resolve_resources(host, SUBSCRIPTION), current)


@pytest.mark.parametrize(
    ("state", "current", "actions"),
    [
        ("started", "running", []),
        ("started", "deallocated", ["start virtual machine web1"]),
        ("started", "stopped", ["start virtual machine web1"]),
        ("stopped", "running", ["power off virtual machine web1"]),
        ("stopped", "stopped", []),
        ("stopped", "deallocated", []),
        ("deallocated", "running", ["deallocate virtual machine web1"]),
        ("deallocated", "stopped", ["deallocate virtual machine web1"]),
        ("deallocated", "deallocated", []),
        ("restarted", "running", ["restart virtual machine web1"]),
        ("restarted", "deallocated", ["start virtual machine web1"]),
    ],
)
def test_power_states(state: str, current: str, actions: list[str]) -> None:
    assert power(state, current).lines == actions


@pytest.mark.parametrize("state", ["stopped", "deallocated", "restarted"])
def test_power_states_need_a_host(state: str) -> None:
    host = desired(state=state)
    with pytest.raises(DockerHostError, match="host web1 does not exist"):
        plan_power(host, resolve_resources(host, SUBSCRIPTION), HostState())
