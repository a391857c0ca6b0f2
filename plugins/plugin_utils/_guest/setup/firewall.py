# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``firewall``: the engine's port in the machine's own firewall."""

import json
import re

from .facts import load_json
from .machine import Problem
from .paths import OPENED
from .record import open_ports


def firewall(machine, settings, facts):
    """Open the port in the machine's own firewall, once the engine listens on it, and close what was open before."""
    if not machine.alive:
        return
    ours = opened_by_us(machine, facts)
    if settings.port:
        if not is_open(machine, settings.port):
            ours |= {settings.port}
        note_opened(machine, ours)
        set_port(machine, settings.port, True)
    for port in sorted((open_ports(facts.state) & ours) - {settings.port}):
        set_port(machine, port, False)
    note_opened(machine, ours & {settings.port})


def opened_by_us(machine, facts):
    """Return the ports that were closed before this program opened them; without a note, all that it ever opened."""
    try:
        noted = load_json(machine, OPENED, None)
    except Problem:  # a damaged note: they may be the administrator's
        return set()
    return open_ports(facts.state) if noted is None else set(noted.get("ports") or [])


def note_opened(machine, ports):
    """Note the ports before they are opened: a killed run leaves no port open for good."""
    content = (json.dumps({"ports": sorted(ports)}) + "\n").encode()
    if not machine.check and machine.differs(OPENED, content, 0o600):
        machine.write(OPENED, content, 0o600)


def is_open(machine, port):
    """Return whether nothing that guards the machine keeps the port closed, or the administrator has opened it."""
    if uses_firewalld(machine):
        return is_in_firewalld(machine, port, zone(machine))
    if uses_ufw(machine):
        return is_in_ufw(machine, port)
    if machine.has("iptables"):
        return rule_for(port) in machine.run(["iptables", "-S", "INPUT"], ok=None)
    return True


def uses_firewalld(machine):
    return machine.has("firewall-cmd") and machine.run(["firewall-cmd", "--state"], ok=None).strip() == "running"


def uses_ufw(machine):
    return machine.has("ufw") and "Status: active" in machine.run(["ufw", "status"], ok=None)


def set_port(machine, port, wanted):
    """Open or close the port in what guards the machine: firewalld, ufw, or iptables with a policy that drops."""
    if uses_firewalld(machine):
        set_in_firewalld(machine, port, wanted)
    elif uses_ufw(machine):
        set_in_ufw(machine, port, wanted)
    elif machine.has("iptables"):
        set_in_iptables(machine, port, wanted)


def zone(machine):
    """Return the option that names the zone of the interface with the default route; none for the default zone."""
    routes = [line.split() for line in machine.text("/proc/net/route").splitlines()]
    for words in routes:
        if words[1:2] == ["00000000"]:
            found = machine.run(["firewall-cmd", "--get-zone-of-interface=" + words[0]], ok=None).strip()
            return ["--zone=" + found] if re.fullmatch(r"[\w-]+", found) else []  # it may say "no zone"
    return []


def is_in_firewalld(machine, port, options):
    """Return whether a zone opens the port, alone or in a range such as ``2300-2400/tcp``."""
    listed = machine.run(["firewall-cmd", *options, "--list-ports"], ok=None)
    ranges = re.findall(r"(\d+)(?:-(\d+))?/tcp", listed)
    return any(int(first) <= int(port) <= int(last or first) for first, last in ranges)


def set_in_firewalld(machine, port, wanted):
    rule, options = "{}/tcp".format(port), zone(machine)
    if is_in_firewalld(machine, port, options) == wanted:
        return
    option = "--{}-port={}".format("add" if wanted else "remove", rule)

    def act():
        machine.run(["firewall-cmd", "--permanent", *options, option])
        machine.run(["firewall-cmd", *options, option])

    machine.change("{} port {} in firewalld".format("open" if wanted else "close", rule), act)


def set_in_ufw(machine, port, wanted):
    rule = "{}/tcp".format(port)
    if is_in_ufw(machine, port) != wanted:
        words = ["ufw", "allow", rule] if wanted else ["ufw", "delete", "allow", rule]
        machine.change("{} port {} in ufw".format("open" if wanted else "close", rule), lambda: machine.run(words))


def is_in_ufw(machine, port):
    """Return whether ufw has a rule for the port, for example one of the administrator's for some sources."""
    status = machine.run(["ufw", "status"], ok=None)
    return re.search(r"^{}/tcp\s".format(port), status, re.MULTILINE) is not None


# Where distributions keep the rules that they load at boot: Azure Linux, Enterprise Linux, Debian.
SAVED_RULES = ("/etc/systemd/scripts/ip4save", "/etc/sysconfig/iptables", "/etc/iptables/rules.v4")


def set_in_iptables(machine, port, wanted):
    """Open or close the port in the running rules and in those that are loaded at boot.

    Azure Linux 3 drops all but SSH with iptables.service (microsoft/azurelinux, SPECS/iptables/ip4save). The engine
    listens on IPv4 only.
    """
    rules = machine.run(["iptables", "-S", "INPUT"], ok=None)
    line = rule_for(port)
    drops = re.search(r"^-P INPUT DROP$|^-A INPUT( -j (DROP|REJECT)\b.*)$", rules, re.MULTILINE)
    if wanted and drops and line not in rules:
        words = ["iptables", "-I", "INPUT", "1", *line.split()[2:]]
        machine.change("open port {}/tcp in iptables".format(port), lambda: machine.run(words))
    elif not wanted and line in rules:
        words = ["iptables", "-D", *line.split()[1:]]
        machine.change("close port {}/tcp in iptables".format(port), lambda: machine.run(words))
    saved = [path for path in SAVED_RULES if "-A INPUT" in machine.text(path)]
    if wanted and drops and not saved:
        machine.notes.append("port {} is open until the next boot: no saved rules of iptables were found".format(port))
    for path in saved if drops or not wanted else []:
        save_rule(machine, path, line, wanted)


def rule_for(port):
    """Return the rule as iptables lists it."""
    return "-A INPUT -p tcp -m tcp --dport {} -j ACCEPT".format(port)


def save_rule(machine, path, line, wanted):
    """Add the rule before the first one of its chain, or take it away."""
    text = machine.text(path)
    lines = [one for one in text.splitlines() if one.strip() != line]
    if wanted:
        lines.insert(next(place for place, one in enumerate(lines) if one.startswith("-A INPUT")), line)
    if lines != text.splitlines():
        verb = "add" if wanted else "remove"
        content = ("\n".join(lines) + "\n").encode()
        machine.change(
            "{} the rule for port {} in {}".format(verb, line.split()[7], path),
            lambda: machine.write(path, content, machine.mode(path)),
        )
