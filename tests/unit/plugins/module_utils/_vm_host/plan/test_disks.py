# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data disks are added and grown, never shrunk; those of others stay as they are."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tags import owner_tags
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import (
    ImmutableError,
    OwnershipError,
)

from ..conftest import changed, created, desired, plan_of

OWN_DISK = f"web1_disk2_{'0f' * 16}"


def with_disk(name: str, **more: t.Any) -> HostState:
    """A host with one data disk of 8 GiB at lun 0."""
    current = created(desired(data_disks=[{"lun": 0, "disk_size_gb": 8}]))
    storage = (current.virtual_machine or {})["properties"]["storageProfile"]
    managed = {"id": f"/disks/{name}", "storageAccountType": "StandardSSD_LRS"}
    disk = {**storage["dataDisks"][0], "name": name, "managedDisk": managed, **more}
    return changed(current, "virtual_machine", storageProfile={**storage, "dataDisks": [disk]})


def disk_asked(size: int = 8, **more: t.Any) -> HostSpec:
    """A host that is to have one data disk at lun 0, and may be stopped."""
    caching = {"caching": more.pop("caching")} if "caching" in more else {}
    return desired(data_disks=[{"lun": 0, "disk_size_gb": size, **caching}], **{"allow_stop": True, **more})


def test_disks_are_added_and_grown_and_never_shrunk() -> None:
    current = with_disk(OWN_DISK)
    more = desired(data_disks=[{"lun": 0, "disk_size_gb": 16}, {"lun": 1, "disk_size_gb": 4}])
    plan = plan_of(more, current)
    assert plan.lines == [f"grow disk {OWN_DISK}", "update virtual machine web1"]
    disks = (plan.actions[1].body or {})["properties"]["storageProfile"]["dataDisks"]
    assert [(entry["lun"], entry["createOption"]) for entry in disks] == [(0, "Attach"), (1, "Empty")]
    with pytest.raises(ImmutableError, match="lun 0"):
        plan_of(desired(data_disks=[{"lun": 0, "disk_size_gb": 4}]), current)


def test_another_caching_is_given_to_a_disk_while_nothing_uses_it() -> None:
    current = with_disk(OWN_DISK)
    with pytest.raises(OptionError, match="allow_stop") as caught:
        plan_of(disk_asked(caching="ReadOnly", allow_stop=False), current)
    assert caught.value.option == "data_disks[lun 0].caching"
    plan = plan_of(disk_asked(caching="ReadOnly"), current)
    assert plan.lines == [
        "deallocate virtual machine web1",
        "update virtual machine web1",
        "start virtual machine web1",
    ]
    (disk,) = (plan.actions[1].body or {})["properties"]["storageProfile"]["dataDisks"]
    assert (disk["lun"], disk["createOption"], disk["caching"]) == (0, "Attach", "ReadOnly")
    assert not plan_of(disk_asked(caching="None"), current)
    assert not plan_of(disk_asked(), with_disk(OWN_DISK, caching="ReadOnly"))


def test_a_disk_that_grows_out_of_its_cache_loses_it_first() -> None:
    current = with_disk(OWN_DISK, caching="ReadOnly")
    with pytest.raises(OptionError, match=r"4095 GiB with the caching ReadOnly.*set caching to None") as caught:
        plan_of(disk_asked(5000), current)
    assert caught.value.option == "data_disks[lun 0].disk_size_gb"
    plan = plan_of(disk_asked(5000, caching="None"), current)
    grow = next(action for action in plan.actions if action.verb == "grow")
    assert {"stop", "virtual_machine"} <= set(grow.needs)
    assert grow.key in next(action for action in plan.actions if action.verb == "start").needs


@pytest.mark.parametrize("given", [{"size": 16}, {"caching": "ReadOnly"}])
def test_a_disk_of_others_is_left_alone(given: dict[str, t.Any]) -> None:
    for name in ("theirs", f"web10_disk2_{'0f' * 16}"):
        current = with_disk(name)
        with pytest.raises(
            OwnershipError, match=f"lun 0.*/disks/{name} was not created for the host web1.*another lun"
        ):
            plan_of(disk_asked(**given), current)
        assert plan_of(disk_asked(**given, adopt=True), current)
        assert not plan_of(disk_asked(), current)
        assert plan_of(disk_asked(**given), with_disk(name, tags=owner_tags("web1")))
