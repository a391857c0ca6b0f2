# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real guests: boot, networks, agent, engine, power, disks. Skipped, with the reason, where guests cannot run."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import time
import typing as t

import pytest

from azure_emulator.machines.base import (
    AgentUnreachable,
    DataDisk,
    ExtensionSettings,
    HandlerReference,
    MachineError,
    Rule,
    RunCommandSpec,
)
from azure_emulator.machines.wireserver import agent

from .conftest import Guests, allow

pytestmark = pytest.mark.guests

INSTALL = """export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends docker.io >/root/apt.log
"""


def reaches(address: str | None, port: int, limit: float = 1.5) -> bool:
    """Whether a connection from the host opens; a filtered port never answers."""
    try:
        socket.create_connection((str(address), port), limit).close()
    except OSError:
        return False
    return True


def public(machine: t.Any) -> str:
    return str(machine.spec.interfaces[0].public_address)


def private(machine: t.Any) -> str:
    return str(machine.spec.interfaces[0].private_address)


@pytest.fixture(scope="module")
def web(guests: Guests) -> t.Any:
    return guests.start("web", admin_password="Correct-horse-1", disable_password_authentication=False)


def test_guest_is_a_machine_of_its_own(guests: Guests, web: t.Any) -> None:
    assert guests.sh(web, "cat /proc/1/comm; hostname").split() == ["systemd", "web"]
    assert private(web) in guests.sh(web, "hostname -I").split()
    mac = web.spec.interfaces[0].mac_address.replace("-", ":").lower()
    assert guests.sh(web, "cat /sys/class/net/eth0/address").strip() == mac
    assert "azureuser" in guests.sh(web, "id azureuser; getent group sudo")
    guests.sh(web, "cloud-init status --wait; test ! -e /var/lib/waagent/provision.json")
    assert "Debian GNU/Linux 12" in guests.sh(web, "cat /etc/os-release")
    assert "Reached target" in web.console_log()
    assert reaches(public(web), 22)


def test_password_signs_in_and_stays_nowhere(guests: Guests, web: t.Any) -> None:
    hashed = guests.sh(web, "getent shadow azureuser").split(":")[1]
    assert hashed.startswith("$")
    guests.sh(web, "! grep -rs Correct-horse-1 /var/lib/waagent /var/lib/cloud /run/cloud-init /etc")


def test_two_guests_meet_and_the_real_outside_is_closed(guests: Guests, web: t.Any) -> None:
    other = guests.start("other", rules=allow())
    guests.sh(web, f"ping -c1 -W2 {private(other)}")
    assert guests.sh(other, "ping -c1 -W2 10.0.0.1 >/dev/null && ip route show default").startswith(
        "default via 10.0.0.1"
    )
    assert not reaches(public(other), 22), "no rule lets the Internet in"
    assert guests.fails(web, "ping -c1 -W1 1.1.1.1")
    assert guests.fails(web, f"ping -c1 -W1 {guests.provider.fabric.host_address}")
    guests.run(other.delete())
    assert not other.home.exists()


def test_overlapping_networks_do_not_meet(guests: Guests, web: t.Any) -> None:
    twin = guests.start("twin", network="b", private_address=private(web))
    stranger = guests.start("stranger", network="b", private_address="10.0.0.200")
    assert reaches(public(twin), 22)
    guests.sh(twin, "ping -c1 -W2 10.0.0.200")
    assert guests.fails(web, "ping -c1 -W1 10.0.0.200")
    assert not guests.fails(web, f"timeout 2 bash -c '</dev/tcp/{public(stranger)}/22'"), "by public address they do"
    for machine in (twin, stranger):
        guests.run(machine.delete())


def networks(guests: Guests) -> set[str]:
    listed = guests.run(guests.provider.supervisor.run(["ip", "netns", "list"])).splitlines()
    return {line.split()[0] for line in listed if line.startswith("net")}


def test_a_network_goes_with_its_last_guest(guests: Guests, web: t.Any) -> None:
    before = networks(guests)
    first = guests.start("first", network="c")
    second = guests.run(guests.provider.create(guests.spec("second", network="c")))
    assert len(networks(guests) - before) == 1

    async def relay() -> None:
        """The last guest leaves while the next one comes."""
        await asyncio.gather(first.delete(), second.start())

    guests.run(relay())
    assert len(networks(guests) - before) == 1
    assert reaches(public(second), 22)
    guests.run(second.power_off())
    assert networks(guests) == before
    devices = guests.run(guests.provider.supervisor.run(["ip", "-o", "link"]))
    assert len(before) == devices.count(": n")
    guests.run(second.start())
    assert reaches(public(second), 22)
    guests.run(second.delete())
    assert networks(guests) == before
    assert reaches(public(web), 22)


def test_rules_decide_by_priority_source_and_direction(guests: Guests, web: t.Any) -> None:
    def apply(*rules: Rule) -> None:
        guests.run(web.reconfigure(dataclasses.replace(web.spec, rules=(*rules, *allow()))))

    host = guests.provider.fabric.host_address
    apply(Rule(100, "Inbound", "Allow", "Tcp", (host,), ("*",), ports=("20-30",)))
    assert reaches(public(web), 22)
    apply(Rule(100, "Inbound", "Allow", "Tcp", ("203.0.113.0/24",), ("*",), ports=("22",)))
    assert not reaches(public(web), 22)
    apply(
        Rule(200, "Inbound", "Allow", "Tcp", ("Internet",), ("*",), ports=("22",)),
        Rule(150, "Inbound", "Deny", "*", (host + "/32",), ("*",)),
    )
    assert not reaches(public(web), 22), "the lower number wins"
    apply(Rule(100, "Inbound", "Allow", "Udp", ("*",), ("*",), ports=("22",)))
    assert not reaches(public(web), 22)
    apply(Rule(100, "Inbound", "Allow", "*", ("AzureLoadBalancer", "VirtualNetwork"), ("*",)))
    assert not reaches(public(web), 22), "the host is the Internet"
    apply(*allow("22")[:1])
    assert reaches(public(web), 22)


def test_outbound_rules_hold_against_root_in_the_guest(guests: Guests, web: t.Any) -> None:
    other = guests.start("target", rules=allow("22"))
    address = private(other)
    attempt = f"timeout 2 bash -c '</dev/tcp/{address}/22'"
    assert not guests.fails(web, attempt)
    closed = Rule(100, "Outbound", "Deny", "Tcp", ("*",), ("VirtualNetwork",), ports=("22",))
    guests.run(web.reconfigure(dataclasses.replace(web.spec, rules=(closed, *allow("22")))))
    guests.sh(web, "nft flush ruleset; iptables -F; ip address add 10.0.0.77/24 dev eth0")
    assert guests.fails(web, attempt)
    assert guests.fails(web, f"ping -c1 -W1 -I 10.0.0.77 {address}"), "an address that is not the guest's own"
    guests.run(web.reconfigure(dataclasses.replace(web.spec, rules=allow("22"))))
    assert not guests.fails(web, attempt)
    guests.run(other.delete())


def test_public_address_comes_and_goes_live(guests: Guests, web: t.Any) -> None:
    before = web.spec
    nic = before.interfaces[0]
    other = guests.public_address(200)
    guests.run(
        web.reconfigure(dataclasses.replace(before, interfaces=(dataclasses.replace(nic, public_address=None),)))
    )
    assert not reaches(nic.public_address, 22)
    guests.run(
        web.reconfigure(dataclasses.replace(before, interfaces=(dataclasses.replace(nic, public_address=other),)))
    )
    assert reaches(other, 22)
    guests.run(web.reconfigure(before))
    assert reaches(nic.public_address, 22)
    assert not reaches(other, 22)


def test_custom_script_follows_the_handler_contract(guests: Guests) -> None:
    machine = guests.start("handler")
    good = guests.custom_script(machine, "#!/bin/sh\necho hello\necho err >&2\n", timestamp=1)
    assert (good.status, good.handler_version) == ("success", "2.1.19")
    assert good.message == "Enable succeeded: \n[stdout]\nhello\n\n[stderr]\nerr\n"
    bad = guests.custom_script(machine, "#!/bin/sh\necho doing\nexit 7\n", timestamp=2)
    what = "failed to execute command: command terminated with exit status=7"
    assert (bad.status, bad.message) == ("error", f"{what}\n[stdout]\ndoing\n\n[stderr]\n: {what}")
    (clarification,) = bad.substatus
    assert [clarification[key] for key in ("name", "status", "code")] == ["ErrorClarification", "error", 2]
    home = "/var/lib/waagent/Microsoft.Azure.Extensions.CustomScript-2.1.19"
    settings = json.loads(guests.sh(machine, f"cat {home}/config/1.settings"))["runtimeSettings"][0]["handlerSettings"]
    assert settings["publicSettings"] == {"timestamp": 2}
    thumbprint = settings["protectedSettingsCertThumbprint"]
    guests.sh(machine, f"test -s /var/lib/waagent/{thumbprint}.prv && grep -q doing {home}/status/1.status")
    data = "/var/lib/waagent/custom-script"
    assert guests.sh(machine, f"cat {home}/mrseq {data}/download/1/stdout; ls {data}/download") == "1doing\n1\n"
    guests.sh(machine, f"test ! -s {home}/config/0.settings; test $(stat -c %a {data}/download/1/stdout) = 600")
    guests.sh(machine, f"cd {home}; bin/shim update; grep -q 'Update succeeded' status/1.status")
    guests.sh(machine, "grep -q seq=1 /var/log/azure/Microsoft.Azure.Extensions.CustomScript/handler.log")
    guests.run(machine.remove_extension(HandlerReference("script", "Microsoft.Azure.Extensions", "CustomScript")))
    guests.sh(machine, f"test ! -e {home}; test ! -e {data}")
    guests.run(machine.delete())


def test_sequence_number_is_never_run_twice(guests: Guests, web: t.Any) -> None:
    guests.custom_script(web, "#!/bin/sh\necho ran >>/root/count\n", timestamp=3)
    home = "/var/lib/waagent/Microsoft.Azure.Extensions.CustomScript-2.1.19"
    guests.sh(web, f"cd {home} && ConfigSequenceNumber=$(cat mrseq) bin/shim enable; sleep 0.5")
    assert guests.sh(web, "cat /root/count") == "ran\n"


def test_script_that_is_no_base64_succeeds_and_runs_nothing(guests: Guests, web: t.Any) -> None:
    protected = {"script": "#!/bin/sh touch /root/never"}
    extension = ExtensionSettings(
        "script", "Microsoft.Azure.Extensions", "CustomScript", "2.1.19", {"timestamp": 4}, protected
    )
    result = guests.run(web.enable_extension(extension))
    assert result.status == "success"
    guests.sh(web, "test ! -e /root/never")


def test_long_output_keeps_its_end(guests: Guests, web: t.Any) -> None:
    result = guests.custom_script(web, "#!/bin/sh\nseq 1 5000\n", timestamp=5)
    assert "\n5000\n" in result.message
    assert "\n100\n" not in result.message


def test_run_command(guests: Guests, web: t.Any) -> None:
    script = "id -un; echo $FIRST $SECOND $1; echo oops >&2; exit 3"
    result = guests.run(
        web.run_command(
            RunCommandSpec(
                script,
                parameters=(("FIRST", "a b"), ("", "word")),
                protected_parameters=(("SECOND", "hidden"),),
                run_as_user="azureuser",
            )
        )
    )
    said = (result.exit_code, result.output, result.error)
    assert said == (3, "azureuser\nword\n", "oops\n"), "sudo drops the named parameters of a script for another user"
    late = guests.run(web.run_command(RunCommandSpec("echo begun; sleep 60", timeout=1)))
    assert (late.state, late.exit_code, late.output) == ("Failed", -1, "begun\n")


def test_vm_access_sets_password_and_key(guests: Guests, web: t.Any) -> None:
    settings = {"username": "opsuser", "password": "Another-horse-2", "ssh_key": "ssh-ed25519 AAAAC3 opsuser"}
    done = guests.run(
        web.enable_extension(
            ExtensionSettings("access", "Microsoft.OSTCExtensions", "VMAccessForLinux", "1.5.18", protected=settings)
        )
    )
    assert done.status == "success", done.message
    assert guests.sh(web, "getent shadow opsuser").split(":")[1].startswith("$")
    assert guests.sh(web, "cat ~opsuser/.ssh/authorized_keys").strip() == settings["ssh_key"]


def test_agent_that_does_not_run_is_unreachable(guests: Guests, web: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    guests.sh(web, "systemctl stop walinuxagent")
    assert guests.run(web.agent_status()).state == "ready", "Azure notices only by its silence"
    with monkeypatch.context() as patient:
        patient.setattr(agent, "SILENCE_LIMIT", 0.0)
        assert guests.run(web.agent_status()).state == "not_ready"
        with pytest.raises(AgentUnreachable):
            guests.custom_script(web, "#!/bin/sh\n", timestamp=6)
    guests.sh(web, "systemctl start walinuxagent")
    assert guests.run(web.agent_status()).state == "ready"


def test_guest_without_agent(guests: Guests) -> None:
    bare = guests.start("bare", provision_agent=False)
    assert guests.run(bare.agent_status()).state == "absent"
    with pytest.raises(AgentUnreachable):
        guests.run(bare.run_command(RunCommandSpec("true")))
    guests.run(bare.delete())


@pytest.fixture(scope="module")
def engine(guests: Guests) -> t.Any:
    """A guest whose engine was installed by CustomScript, with an image made on the spot."""
    machine = guests.start("engine")
    result = guests.custom_script(machine, f"#!/bin/sh\nset -e\n{INSTALL}docker version\n", timestamp=1)
    assert result.status == "success", result.message
    guests.sh(machine, "mkdir /tmp/i; cp /bin/busybox /tmp/i/; tar -C /tmp/i -c . | docker import - own")
    return machine


def test_engine_from_the_pool_runs_containers_and_survives_power_cycles(guests: Guests, engine: t.Any) -> None:
    assert guests.sh(engine, "docker run --rm -m 64m own /busybox echo from a container") == "from a container\n"
    guests.run(engine.power_off())
    assert guests.run(engine.agent_status()).state == "absent"
    assert not reaches(public(engine), 22)
    guests.run(engine.start())
    assert guests.sh(engine, "docker run --rm own /busybox echo again") == "again\n"
    assert reaches(public(engine), 22)
    guests.run(engine.power_off(skip_shutdown=True))
    guests.run(engine.start())
    assert "own" in guests.sh(engine, "docker images")


def test_published_port_is_behind_the_rules(guests: Guests, engine: t.Any) -> None:
    guests.sh(engine, "docker run -d -p 8080:80 own /busybox httpd -f -p 80")
    assert not reaches(public(engine), 8080)
    guests.run(engine.reconfigure(dataclasses.replace(engine.spec, rules=allow("22", "8080"))))
    assert reaches(public(engine), 8080)


def test_guest_that_reboots_itself_comes_back(guests: Guests, web: t.Any) -> None:
    guests.sh(web, "touch /run/before-the-reboot")
    guests.run(web.execute(["systemctl", "--no-block", "reboot"]))
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        guests.run(asyncio.sleep(0.2))
        try:
            if guests.fails(web, "test -e /run/before-the-reboot") and reaches(public(web), 22):
                break
        except MachineError:
            continue
    assert reaches(public(web), 22)
    assert guests.run(web.agent_status()).state == "ready"


def test_data_disk_is_partitioned_in_the_guest_and_outlives_it(guests: Guests) -> None:
    disk = DataDisk("/disks/data", "data", 0, 1)
    first = guests.start("store", data_disks=(disk,))
    link = "/dev/disk/azure/scsi1/lun0"
    guests.sh(first, f"echo type=linux | sfdisk -q --label gpt $(readlink -f {link})")
    guests.sh(first, f"for i in $(seq 100); do test -b {link}-part1 && exit; sleep 0.2; done; exit 1")
    uuid = guests.sh(first, f"mkfs.ext4 -q {link}-part1; blkid -o value -s UUID {link}-part1").strip()
    which = f"stat -c %i /sys/class/block/$(basename $(readlink -f {link}-part1))/"
    before = guests.sh(first, which)
    assert guests.sh(first, f"systemctl start azure-disks; {which}") == before, "an unchanged partition is not replaced"
    guests.sh(first, f"mkdir /data; echo UUID={uuid} /data ext4 nofail 0 2 >>/etc/fstab")
    guests.sh(first, "systemctl daemon-reload; mount /data; echo kept >/data/file")
    guests.run(first.restart())
    assert guests.sh(first, "findmnt -no FSTYPE /data; cat /data/file") == "ext4\nkept\n"
    guests.run(first.delete())
    second = guests.start("reader")
    assert guests.fails(second, f"test -b {link}")
    guests.run(second.reconfigure(dataclasses.replace(second.spec, data_disks=(dataclasses.replace(disk, size_gb=2),))))
    assert guests.sh(
        second, f"mount {link}-part1 /mnt; cat /mnt/file; umount /mnt; lsblk -bdno SIZE {link}"
    ).split() == ["kept", str(2 << 30)]
    guests.run(second.reconfigure(dataclasses.replace(second.spec, data_disks=())))
    assert guests.fails(second, f"test -b {link}")
    guests.run(second.delete())
    guests.run(guests.provider.delete_disk(disk.id))
    assert not guests.provider.disk_image(disk.id).exists()


def test_custom_data_script_runs_once(guests: Guests) -> None:
    machine = guests.start("cloudy", custom_data=b"#!/bin/sh\necho once >>/root/ran\n")
    assert guests.sh(machine, "cloud-init status --wait && cat /root/ran") == "status: done\nonce\n"
    guests.run(machine.restart())
    assert guests.sh(machine, "cloud-init status --wait && cat /root/ran") == "status: done\nonce\n"
    guests.run(machine.delete())
    failing = guests.start("cloudier", custom_data=b"#!/bin/sh\nexit 4\n")
    assert guests.fails(failing, "cloud-init status --wait")
    guests.run(failing.delete())


@pytest.mark.slow
def test_ten_guests_at_once(guests: Guests) -> None:
    async def all_of(works: t.Any) -> list[t.Any]:
        return list(await asyncio.gather(*works))

    machines = guests.run(all_of(guests.provider.create(guests.spec(f"many{i}")) for i in range(10)))
    guests.run(all_of(machine.start() for machine in machines))
    assert [guests.sh(machine, "hostname").strip() for machine in machines] == [f"many{i}" for i in range(10)]
    assert all(reaches(public(machine), 22) for machine in machines)
    guests.run(all_of(machine.delete() for machine in machines))
