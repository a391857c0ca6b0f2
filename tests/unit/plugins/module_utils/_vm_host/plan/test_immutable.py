# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure cannot change in place is one error, with all of it and without secrets."""

from __future__ import annotations

import base64
import gzip
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import ImmutableError

from ..conftest import KEY, changed, created, desired, plan_of


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"location": "northeurope"}, "location"),
        ({"zone": "2"}, "zone"),
        ({"image": "debian-12"}, "image"),
        ({"admin_username": "jo"}, "admin_username"),
        ({"ssh_port": 2222}, "ssh_port"),
        ({"priority": "Spot"}, "priority"),
        ({"availability_set": "as"}, "availability_set"),
        ({"managed_disk_type": "Premium_ZRS"}, "managed_disk_type"),
        ({"security_profile": {"security_type": "TrustedLaunch"}}, "security_profile.security_type"),
        ({"security_profile": {"secure_boot_enabled": True}}, "security_profile.secure_boot_enabled"),
        ({"security_profile": {"v_tpm_enabled": True}}, "security_profile.v_tpm_enabled"),
        ({"admin_password": "Abcdefghij12"}, "admin_password"),
        ({"ephemeral_os_disk": True}, "ephemeral_os_disk"),
        ({"ssh_public_keys": [KEY.replace("8d me", "8e me")]}, "ssh_public_keys"),
    ],
)
def test_what_azure_cannot_change_is_an_error(host: HostSpec, given: dict[str, t.Any], path: str) -> None:
    with pytest.raises(ImmutableError) as caught:
        plan_of(desired(**given), created(host))
    assert [entry["property"] for entry in caught.value.details["immutable"]] == [path]


def test_a_password_is_not_shown(host: HostSpec) -> None:
    with pytest.raises(ImmutableError, match=r"admin_password is 'none.*off', desired is '.not shown.'") as caught:
        plan_of(desired(admin_password="Abcdefghij12"), created(host))
    assert "Abcdefghij12" not in f"{caught.value} {caught.value.details}"


def test_keys_for_a_host_that_has_a_password_only() -> None:
    host = desired(admin_password="Abcdefghij12")
    current = created(host)
    (current.virtual_machine or {})["properties"]["osProfile"]["linuxConfiguration"].pop("ssh", None)
    with pytest.raises(ImmutableError) as caught:
        plan_of(desired(ssh_public_keys=[KEY]), current)
    (entry,) = caught.value.details["immutable"]
    assert (entry["property"], entry["current"], entry["desired"]) == ("ssh_public_keys", [], [KEY.rpartition(" ")[0]])
    bare = changed(current, "virtual_machine", osProfile={})
    assert not plan_of(desired(ssh_public_keys=[KEY]), bare)


def test_other_custom_data_is_noticed_and_not_shown() -> None:
    host = desired(custom_data="#!/bin/sh\necho secret1\n")
    current = created(host)
    tag = (current.virtual_machine or {})["tags"]["docker-host-custom-data"]
    # The same in check mode and in a real run, and another for another host.
    assert (created(host).virtual_machine or {})["tags"]["docker-host-custom-data"] == tag
    other = created(desired(name="web2", custom_data="#!/bin/sh\necho secret1\n")).virtual_machine or {}
    assert other["tags"]["docker-host-custom-data"] != tag
    assert not plan_of(host, current)
    assert not plan_of(desired(), current)
    with pytest.raises(ImmutableError) as caught:
        plan_of(desired(custom_data="#!/bin/sh\necho secret2\n"), current)
    assert [entry["property"] for entry in caught.value.details["immutable"]] == ["custom_data"]
    assert "secret" not in f"{caught.value} {caught.value.details} {tag}"


def test_custom_data_of_a_host_without_the_tag_cannot_be_seen(host: HostSpec) -> None:
    plan = plan_of(desired(custom_data="#!/bin/sh\n"), created(host))
    assert not plan.actions
    assert ["custom_data" in note for note in plan.notes] == [True]


@pytest.mark.parametrize("own", [None, "#!/bin/sh\necho secret1\n"])
def test_an_installation_at_boot_is_for_new_hosts_and_counts_in_no_comparison(own: str | None) -> None:
    at_boot = {"engine": {"at_boot": True}, "setup_program": "print()"}
    host = desired(custom_data=own, **at_boot)
    plan = plan_of(host, HostState())
    creation = plan.action("virtual_machine")
    assert creation is not None
    assert creation.also == "engine at first boot"
    assert "print()" not in str(creation.differences)
    data = gzip.decompress(base64.b64decode((creation.body or {})["properties"]["osProfile"]["customData"]))
    assert b"print()" in data
    current = created(host)
    assert ("docker-host-custom-data" in (current.virtual_machine or {})["tags"]) is bool(own)
    for later in (host, desired(custom_data=own), desired(custom_data=own, **{**at_boot, "setup_program": "other"})):
        assert not plan_of(later, current)
    assert not plan_of(host, created(desired(custom_data=own)))


def test_all_that_cannot_be_changed_is_in_one_error(host: HostSpec) -> None:
    with pytest.raises(ImmutableError, match=r"zone.*image.*admin_username"):
        plan_of(desired(zone="2", image="debian-12", admin_username="jo"), created(host))
