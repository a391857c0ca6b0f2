# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``firewall``: the engine's port in the machine's own firewall."""

import re

from .record import open_ports


def firewall(machine, settings, facts):
    """Open the port in the machine's own firewall, once the engine listens on it, and close what was open before."""
    if not machine.alive:
        return
    if settings.port:
        set_port(machine, settings.port, True)
    for port in sorted(open_ports(facts.state) - {settings.port}):
        set_port(machine, port, False)


def set_port(machine, port, wanted):
    """Open or close the port in firewalld or ufw, if one of them is active."""
    rule = "{}/tcp".format(port)
    verb = "open" if wanted else "close"
    if machine.has("firewall-cmd") and machine.run(["firewall-cmd", "--state"], ok=None).strip() == "running":
        if (rule in machine.run(["firewall-cmd", "--list-ports"], ok=None).split()) != wanted:
            option = "--{}-port={}".format("add" if wanted else "remove", rule)

            def act():
                machine.run(["firewall-cmd", "--permanent", option])
                machine.run(["firewall-cmd", option])

            machine.change("{} port {} in firewalld".format(verb, rule), act)
    elif machine.has("ufw"):
        status = machine.run(["ufw", "status"], ok=None)
        if "Status: active" in status and bool(re.search(r"^{}\s".format(rule), status, re.MULTILINE)) != wanted:
            words = ["ufw", "allow", rule] if wanted else ["ufw", "delete", "allow", rule]
            machine.change("{} port {} in ufw".format(verb, rule), lambda: machine.run(words))
