# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's port in the machine's own firewall."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Recorder

SAVE = "/etc/systemd/scripts/ip4save"
# microsoft/azurelinux 3.0, SPECS/iptables/ip4save
SAVED = (
    "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
    "-A OUTPUT -j ACCEPT\nCOMMIT\n"
)
RULE = "-A INPUT -p tcp -m tcp --dport {} -j ACCEPT"
DROPS = "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
REJECTS = "-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"


def machine(setup: t.Any, root: Path, rules: str, saved: str = SAVED) -> Recorder:
    """A machine that iptables guards."""
    answers = {"iptables -S INPUT": rules, "ufw status": "Status: inactive\n", "firewall-cmd": (252, "not running")}
    programs = ("iptables", "ufw", "firewall-cmd", "rpm")
    recorder = Recorder(setup, root, OS_RELEASES["azurelinux3"], answers, programs)
    if saved:
        recorder.put(SAVE, saved)
    return recorder


@pytest.mark.parametrize("rules", [DROPS, REJECTS])
def test_the_port_is_opened_now_and_at_the_next_boot_and_closed_again(setup: t.Any, tmp_path: Path, rules: str) -> None:
    recorder = machine(setup, tmp_path / "root", rules)
    setup.set_port(recorder.machine, 4243, True)
    assert recorder.commands[-1] == "iptables -I INPUT 1 -p tcp -m tcp --dport 4243 -j ACCEPT"
    lines = recorder.machine.text(SAVE).splitlines()
    assert lines.index(RULE.format(4243)) == lines.index("-A INPUT -i lo -j ACCEPT") - 1
    assert recorder.machine.changes == ["open port 4243/tcp in iptables", f"add the rule for port 4243 in {SAVE}"]
    recorder.answers["iptables -S INPUT"] = rules + RULE.format(4243) + "\n"
    recorder.machine.changes.clear()
    setup.set_port(recorder.machine, 4243, True)
    assert not recorder.machine.changes
    setup.set_port(recorder.machine, 4243, False)
    assert recorder.commands[-1] == "iptables -D INPUT -p tcp -m tcp --dport 4243 -j ACCEPT"
    assert recorder.machine.text(SAVE) == SAVED


def test_a_rule_that_no_boot_would_load_is_said(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(setup, tmp_path / "root", DROPS, saved="")
    setup.set_port(recorder.machine, 4243, True)
    assert recorder.machine.changes == ["open port 4243/tcp in iptables"]
    assert "until the next boot" in recorder.machine.notes[0]


def test_a_machine_that_lets_everything_in_is_left_alone(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(setup, tmp_path / "root", "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.1/32 -j DROP\n")
    setup.set_port(recorder.machine, 4243, True)
    assert not recorder.machine.changes
    assert recorder.machine.text(SAVE) == SAVED


class Guarded(Recorder):
    """A machine with one firewall that opens and closes ports."""

    def __init__(self, setup: t.Any, root: Path, program: str, ports: set[int]) -> None:
        self.ports = ports
        super().__init__(setup, root, OS_RELEASES["debian12"], programs=(program,))

    def answer(self, argv: list[str], command: str) -> tuple[int, str]:
        """Do what the three firewalls do."""
        number = re.search(r"\d{2,}", command)
        if number and ("-D" in argv or "delete" in argv or "--remove-port" in command):
            self.ports.discard(int(number[0]))
        elif number and argv[0] != "dpkg":
            self.ports.add(int(number[0]))
        answers = {
            "firewall-cmd --state": "running",
            "firewall-cmd --list-ports": " ".join(f"{port}/tcp" for port in self.ports),
            "ufw status": "Status: active\n" + "".join(f"{port}/tcp ALLOW Anywhere\n" for port in self.ports),
            "iptables -S INPUT": "-P INPUT DROP\n" + "".join(f"{RULE.format(port)}\n" for port in self.ports),
        }
        return 0, answers.get(command, "")

    def run(self, port: int | None, state: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the stage with settings of this port, and return the record that a run leaves."""
        facts = self.facts()
        facts.state = state
        settings = self.setup.Settings({})
        settings.port = port
        self.setup.firewall(self.machine, settings, facts)
        return {"port": port}


@pytest.mark.parametrize("program", ["firewall-cmd", "ufw", "iptables"])
@pytest.mark.parametrize("before", [set(), {4243}])
def test_a_port_that_the_administrator_had_opened_stays_open(
    setup: t.Any, tmp_path: Path, program: str, before: set[int]
) -> None:
    guarded = Guarded(setup, tmp_path / "root", program, {22, *before})
    state = guarded.run(4243, {})
    state = guarded.run(4243, state)
    assert guarded.ports == {22, 4243}
    state = guarded.run(4300, state)
    assert guarded.ports == {22, 4300, *before}
    guarded.run(None, state)
    assert guarded.ports == {22, *before}


def test_a_port_that_a_run_without_a_note_had_opened_is_closed(setup: t.Any, tmp_path: Path) -> None:
    guarded = Guarded(setup, tmp_path / "root", "ufw", {22, 4243})
    guarded.run(4300, {"port": 4243})
    assert guarded.ports == {22, 4300}


def test_firewalld_opens_the_port_in_the_zone_of_the_interface(setup: t.Any, tmp_path: Path) -> None:
    answers = {
        "firewall-cmd --state": "running",
        "firewall-cmd --get-zone-of-interface=eth0": "internal",
    }
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rocky9"], answers, ("firewall-cmd",))
    recorder.put("/proc/net/route", "Iface\tDestination\tGateway\neth1\t0002000A\t0\neth0\t00000000\t010200C0\n")
    setup.set_port(recorder.machine, 2376, True)
    assert "firewall-cmd --permanent --zone=internal --add-port=2376/tcp" in recorder.commands
    assert "firewall-cmd --zone=internal --add-port=2376/tcp" in recorder.commands


def test_a_range_of_firewallds_that_has_the_port_opens_it(setup: t.Any, tmp_path: Path) -> None:
    answers = {"firewall-cmd --state": "running", "firewall-cmd --list-ports": "22/tcp 2300-2400/tcp 4243/udp"}
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rocky9"], answers, ("firewall-cmd",))
    setup.set_port(recorder.machine, 2376, True)
    assert recorder.machine.changes == []
    setup.set_port(recorder.machine, 4243, True)
    assert recorder.machine.changes == ["open port 4243/tcp in firewalld"]
