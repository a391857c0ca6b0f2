# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ports that an existing host has.

A user who may write tags must not be able to open a port by a tag. So the rule of the security group counts, and a tag
that names another port stops the run.
"""

from __future__ import annotations

from ..._azure.tags import PORT_TAG, SSH_PORT_TAG, tag_of
from ..._azure.wire import properties_of
from ..._errors import OptionError
from ..._ports import DEFAULT_PORT, DEFAULT_SSH_PORT
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import DOCKER_RULE, SSH_RULE
from ..desired.topology import HostResources
from ..desired.validators import port_in
from .state import HostState

# By option: the rule that opens the port, the tag that records it, and the default.
_PORTS = {
    "docker_port": (DOCKER_RULE, PORT_TAG, DEFAULT_PORT),
    "ssh_port": (SSH_RULE, SSH_PORT_TAG, DEFAULT_SSH_PORT),
}


def with_current_ports(desired: HostSpec, resources: HostResources, current: HostState) -> HostSpec:
    """Return the host with the ports that it has, where the options set none.

    :raises OptionError: the security group and the VM's tag name different ports, or a rule would be made for a port
        that only a tag names.
    """
    if not current.virtual_machine:
        return desired.with_ports(desired.docker_port, desired.ssh_port)
    ports = {option: current_port(option, current) for option in _PORTS}
    for option in _PORTS:
        if option in desired.ports.explicit:
            ports[option] = getattr(desired, option)
        elif desired.creates:
            _check_record(option, desired, resources, current)
    return desired.with_ports(ports["docker_port"], ports["ssh_port"])


def known_ports(option: str, current: HostState) -> set[int]:
    """Return the ports that an existing host may have: by its security rule, and by its tag, else by default.

    They differ only where somebody changed one of them. The user then decides which of them is right.
    """
    ports = {_port_of_rule(option, current), _port_of_tag(option, current) or _PORTS[option][2]}
    return {port for port in ports if port}


def current_port(option: str, current: HostState) -> int:
    """Return the port that an existing host has by its security rule, else by its tag, else by default."""
    _rule, _tag, default = _PORTS[option]
    return _port_of_rule(option, current) or _port_of_tag(option, current) or default


def _check_record(option: str, desired: HostSpec, resources: HostResources, current: HostState) -> None:
    rule_name, tag, default = _PORTS[option]
    recorded, opened = _port_of_tag(option, current) or default, _port_of_rule(option, current)
    if opened and opened != recorded:
        raise OptionError(
            option,
            f"the security rule {rule_name} of {desired.name} opens port {opened}, but the tag {tag} of its virtual"
            f" machine says {recorded}: set O({option}) to the right port",
        )
    sources = desired.ports.allowed_sources if option == "docker_port" else desired.ports.ssh_allowed_sources
    if not opened and recorded != default and sources and not resources.is_given("security_group"):
        raise OptionError(
            option,
            f"the tag {tag} of {desired.name} says {recorded}, but no security rule confirms it: set O({option}) to the"
            " right port",
        )


def _port_of_rule(option: str, current: HostState) -> int | None:
    name = _PORTS[option][0]
    for rule in properties_of(current.security_group).get("securityRules") or []:
        if str(rule.get("name")).lower() == name:
            return port_in(properties_of(rule).get("destinationPortRange"))
    return None


def _port_of_tag(option: str, current: HostState) -> int | None:
    return port_in(tag_of(current.virtual_machine, _PORTS[option][1]))
