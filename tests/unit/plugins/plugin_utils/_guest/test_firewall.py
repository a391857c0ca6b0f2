# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's port in the machine's own firewall."""

from __future__ import annotations

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
