# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest that Debian's own cloud-init provisions. The tests of the guest go in order."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from azure_emulator.machines.base import MachineSpec
from azure_emulator.machines.cloudinit.media import ovf_environment
from azure_emulator.machines.guests import GuestMachine
from azure_emulator.machines.possible import guests_possible

from .conftest import Guests

_BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)
KEY = f"ssh-ed25519 {base64.b64encode(_BLOB).decode()} me"
PASSWORD = "Correct-horse-<1>&'\""
SCRIPT = "#!/bin/sh\necho größer >> /root/mine\n"


def read(spec: MachineSpec) -> dict[str, str | None]:
    """The members of the provisioning media, by name."""
    elements = ElementTree.fromstring(ovf_environment(spec)).iter()
    return {element.tag.partition("}")[2]: element.text for element in elements if not len(element)}


def test_the_provisioning_media_say_who_the_user_is_and_what_to_run() -> None:
    spec = MachineSpec(
        "/vms/web", "web", "web1", "azureuser", {}, (), admin_password=PASSWORD, ssh_public_keys=(KEY,),
        custom_data=SCRIPT.encode(), disable_password_authentication=False, provision_agent=False,
    )  # fmt: skip
    assert read(spec) == {
        "Version": "1.0",
        "ConfigurationSetType": "LinuxProvisioningConfiguration",
        "HostName": "web1",
        "UserName": "azureuser",
        "UserPassword": PASSWORD,
        "DisableSshPasswordAuthentication": "false",
        "Path": "/home/azureuser/.ssh/authorized_keys",
        "Value": KEY,
        "CustomData": base64.b64encode(SCRIPT.encode()).decode(),
        "ProvisionGuestAgent": "false",
        "PreprovisionedVm": "false",
    }


def test_what_a_machine_has_not_is_not_on_the_media() -> None:
    said = read(MachineSpec("/vms/web", "web", "web1", "azureuser", {}, ()))
    assert not {"UserPassword", "CustomData", "PublicKey"} & said.keys()
    assert said["DisableSshPasswordAuthentication"] == "true"


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """Guests that the real cloud-init provisions."""
    reason = guests_possible()
    if reason:
        pytest.skip(reason)
    made = Guests(tmp_path_factory.mktemp("guests"), provision="cloud-init")
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(guests: Guests) -> GuestMachine:
    machine = guests.start(
        "web", computer_name="web1", admin_password=PASSWORD, disable_password_authentication=False,
        ssh_public_keys=(KEY,), custom_data=SCRIPT.encode(),
    )  # fmt: skip
    guests.sh(machine, "cloud-init status --wait")
    return machine


@pytest.mark.guests
def test_the_guest_is_as_cloud_init_makes_it(guests: Guests, web: GuestMachine) -> None:
    assert "DataSourceAzure" in guests.sh(web, "cat /run/cloud-init/result.json")
    assert guests.sh(web, "hostname; cat /root/mine").split() == ["web1", "größer"]
    assert guests.sh(web, "cat /home/azureuser/.ssh/authorized_keys").strip() == KEY
    assert "(sudo)" in guests.sh(web, "id azureuser")
    assert guests.sh(web, "cat /etc/ssh/sshd_config.d/50-cloud-init.conf") == "PasswordAuthentication yes\n"
    assert guests.sh(web, "systemctl is-system-running --wait") == "running\n"
    # The agent reports only after cloud-init has reported to the WireServer.
    assert guests.run(web.agent_status()).state == "ready"


@pytest.mark.guests
def test_its_password_signs_in_and_stays_nowhere(guests: Guests, web: GuestMachine) -> None:
    assert guests.sh(web, "getent shadow azureuser").split(":")[1].startswith("$6$")
    guests.sh(web, "! grep -rs Correct-horse /var/lib/waagent /var/lib/cloud /var/log /run/cloud-init /etc")


@pytest.mark.guests
def test_it_has_its_address_and_azures_routes_by_dhcp(guests: Guests, web: GuestMachine) -> None:
    routes = guests.sh(web, "ip route show proto dhcp")
    for destination in ("default", "168.63.129.16", "169.254.169.254"):
        assert f"{destination} via 10.0.0.1 dev eth0" in routes
    assert web.spec.interfaces[0].private_address in guests.sh(web, "hostname -I").split()


@pytest.mark.guests
def test_the_second_boot_provisions_nothing(guests: Guests, web: GuestMachine) -> None:
    before = guests.sh(web, "cat /etc/ssh/ssh_host_*_key.pub /var/lib/cloud/data/instance-id")
    guests.run(web.restart())
    guests.sh(web, "cloud-init status --wait")
    assert guests.sh(web, "cat /etc/ssh/ssh_host_*_key.pub /var/lib/cloud/data/instance-id") == before
    assert guests.sh(web, "hostname; cat /root/mine").split() == ["web1", "größer"]


@pytest.mark.guests
@pytest.mark.slow
def test_debian_13_has_its_own_cloud_init(guests: Guests) -> None:
    db = guests.start("db", image={"offer": "debian-13"}, custom_data=SCRIPT.encode())
    guests.sh(db, "cloud-init status --wait")
    assert guests.sh(db, "hostname; cat /root/mine").split() == ["db", "größer"]
    assert "trixie" in guests.sh(db, "cat /etc/os-release")
