# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another size: with leave to stop, by a restart where the VM's hardware has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec

from ..conftest import changed, created, desired, plan_of


def test_a_size_needs_leave_to_stop(host: HostSpec) -> None:
    # Nothing else: the role refuses a host that is off.
    with pytest.raises(OptionError, match=r"allow that with allow_stop: true$"):
        plan_of(desired(vm_size="Standard_D2s_v5"), created(host))


def test_a_size_at_hand_restarts_and_another_deallocates(host: HostSpec) -> None:
    bigger = desired(vm_size="Standard_D2s_v5", allow_stop=True)
    current = replace(created(host), available_sizes=frozenset({"standard_d2s_v5"}))
    assert plan_of(bigger, current).lines == ["update virtual machine web1 (restarts it)"]
    current = replace(current, available_sizes=frozenset({"Standard_B2ts_v2"}))
    assert plan_of(bigger, current).lines == [
        "deallocate virtual machine web1",
        "update virtual machine web1",
        "start virtual machine web1",
    ]


def test_a_size_of_a_stopped_host_needs_no_leave(host: HostSpec) -> None:
    view = {"statuses": [{"code": "PowerState/deallocated"}]}
    current = changed(created(host), "virtual_machine", instanceView=view)
    assert plan_of(desired(vm_size="Standard_D2s_v5"), current).lines == ["update virtual machine web1"]
