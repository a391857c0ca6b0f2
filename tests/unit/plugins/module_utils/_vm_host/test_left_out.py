# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every property of a host in Azure: kept when its variable is left out, given up with the value ``default``.

The rows are those of the table in the role's README; :mod:`.test_known_names` has the names, which Azure does not know.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import PREFIX, STAGES, RoleVariables

from ....tools.loading import load
from .conftest import KEY, Cloud
from .support import D2S, NETWORK, OTHERS, PLACE, SPOT, STOP, Json, check_kept, filled

role_table = load("tools/role_table.py")
STAGE = STAGES["docker_vm_host"]
ROWS = {row.variable.strip("`"): row.left_out for row in role_table.rows()}
KEPT = {option: ROWS[name] for option, name in STAGE.variables().items() if ROWS[name].startswith("kept")}
"""By option of docker_vm_host, what the table says of a variable that is left out."""
ELSEWHERE = ("address", "dns_names", "ip_addresses", "engine")
"""What Azure does not know of a host; other tests have these."""
VALUES: t.Mapping[str, Json] = {
    "location": {"location": "northeurope"},
    "vm_size": {"vm_size": D2S},
    "image": {"image": "debian-12"},
    "plan": {"image": "own:", "preflight": False, "plan": {"name": "p", "product": "o", "publisher": "contoso"}},
    "admin_username": {"admin_username": "jo"},
    "admin_password": {"admin_password": "Abcdefghij12"},
    "ssh_public_keys": {"ssh_public_keys": [KEY]},
    "ssh_password_enabled": {"admin_password": "Abcdefghij12", "ssh_password_enabled": True},
    "zone": {"zone": "1"},
    "availability_set": {"availability_set": "set"},
    "proximity_placement_group": {"proximity_placement_group": "others:near"},
    "priority": SPOT,
    "eviction_policy": {**SPOT, "eviction_policy": "Delete"},
    "max_price": {**SPOT, "max_price": 0.5},
    "license_type": {"license_type": "UBUNTU_PRO"},
    "boot_diagnostics": {"boot_diagnostics": False},
    "custom_data": {"custom_data": "#!/bin/sh\n"},
    "user_data": {"user_data": "role=web"},
    "vm_identity": {"vm_identity": {"type": "SystemAssigned"}},
    "security_profile": {"security_profile": {"encryption_at_host": True}},
    "managed_disk_type": {"managed_disk_type": "Premium_LRS"},
    "os_disk_size_gb": {"os_disk_size_gb": 64},
    "ephemeral_os_disk": {"ephemeral_os_disk": True, "vm_size": D2S},
    "data_disks": {"data_disks": [{"lun": 0, "disk_size_gb": 8}]},
    "auto_shutdown": {"auto_shutdown": {"time": "19:00", "time_zone": "UTC"}},
    "tags": {"tags": {"team": "web"}},
    "docker_port": {"docker_port": 2376},
    "allowed_sources": {"allowed_sources": ["192.0.2.0/24"]},
    "open_ports": {"open_ports": [80]},
    "ssh_port": {"ssh_port": 2222},
    "ssh_allowed_sources": {"ssh_allowed_sources": ["192.0.2.0/24"]},
    "assign_public_ip": {"assign_public_ip": False},
    "public_ip_address": {"public_ip_address": "ip"},
    "assign_dns_label": {"assign_dns_label": False},
    "dns_label": {"dns_label": "label-of-somebody"},
    "virtual_network": {"virtual_network": "others:net", "subnet_name": "s"},
    "subnet_name": {"subnet_name": "more"},
    "virtual_network_prefix": {"virtual_network_prefix": "10.7.0.0/16"},
    "subnet_prefix": {"subnet_prefix": "10.0.9.0/24"},
    "security_group": {"security_group": "others:nsg"},
    "network_interface": {"network_interface": "nic"},
    "private_ip_address": {"private_ip_address": "10.0.0.77"},
    "enable_accelerated_networking": {"vm_size": D2S, "enable_accelerated_networking": False},
}
"""By option, a host that has something else than the default."""
IMMUTABLE = frozenset(
    ("admin_username", "admin_password", "ssh_public_keys", "image", "plan", "zone", "availability_set", "priority")
    + ("custom_data", "ephemeral_os_disk", "ssh_port", "virtual_network", "virtual_network_prefix", "network_interface")
    + ("eviction_policy",)
)
"""Options whose default Azure cannot give to an existing host: the run says so and changes nothing."""
ALWAYS_THE_DEFAULT = frozenset(("ssh_password_enabled", "subnet_prefix"))
"""Options of which each host has the default: a password's, and any free range."""
OFTEN = ("user_data", "private_ip_address", "tags", "zone", "docker_port")
"""What is tested often; the others, which are as many, are slow together."""


def reset(option: str) -> Json:
    """The options that the role passes on for ``default``, without those that are so for every host."""

    def options(variables: Json) -> Json:
        known = {f"{PREFIX}name": "web1", f"{PREFIX}resource_group": "rg", **variables}
        return RoleVariables(known.get).options("create", "docker_vm_host")

    before, after = options({}), options({STAGE.variable(option): "default"})
    return {name: value for name, value in after.items() if value != before.get(name)}


def create_interface(cloud: Cloud) -> None:
    """An interface of others in the host's group."""
    group = f"/subscriptions/{cloud.azure.subscription_id}/resourceGroups/{OTHERS}"
    subnet = f"{group}{NETWORK}/virtualNetworks/net/subnets/s"
    configuration = {"name": "primary", "properties": {"subnet": {"id": subnet}}}
    body = {**PLACE, "properties": {"ipConfigurations": [configuration]}}
    cloud.arm("PUT", f"{NETWORK}/networkInterfaces/nic", body)


def test_each_row_of_the_table_has_a_value_here() -> None:
    assert {*VALUES, *ELSEWHERE} == {*KEPT}


@pytest.mark.parametrize("option", [pytest.param(o, marks=[] if o in OFTEN else [pytest.mark.slow]) for o in VALUES])
def test_an_option_is_kept_and_reset_as_the_table_says(place: Cloud, option: str) -> None:
    given = filled(place, VALUES[option])
    if option == "network_interface":
        create_interface(place)
    host = place.run(**given)["host"]
    left_out = place.run(location=None)
    assert (left_out["actions"], place.writes, left_out["host"]) == ([], [], host)
    if KEPT[option] != "kept, resettable":
        return
    again = {**reset(option), **STOP}
    if option in IMMUTABLE:
        with pytest.raises(DockerHostError, match="subnet" if option == "virtual_network" else option):
            place.run(location=None, **again)
        assert place.writes == []
        return
    predicted = place.run(check=True, **again)
    real = place.run(**again)
    assert real["actions"] == predicted["actions"]
    assert bool(real["changed"]) is (option not in ALWAYS_THE_DEFAULT)
    assert not place.refused
    assert place.run(**again)["changed"] is False
    check_kept(place, real["host"])
