# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ports that a host's security group lets in, read from the options and checked."""

from __future__ import annotations

import ipaddress
import itertools
import re
import typing as t
from dataclasses import dataclass

from ..._errors import OptionError
from ..._ports import DEFAULT_PORT, DEFAULT_SSH_PORT
from ..argument_spec import DEFAULT_ACCESS, DEFAULT_SOURCES, RESET
from . import validators

Params = t.Mapping[str, t.Any]
ME = "me"
"""The source that is replaced by the address of the machine that runs the task, before anything is sent to Azure."""
DOCKER_RULE = "docker-host-docker"
SSH_RULE = "docker-host-ssh"
_OPEN_RULE = re.compile(r"docker-host-open-(\d{1,5}(?:-\d{1,5})?)-(tcp|udp)", re.IGNORECASE)
_EVERYBODY = ("*", "any", "internet")
_SOURCES = ("allowed_sources", "ssh_allowed_sources")


@dataclass(frozen=True)
class InboundRule:
    """One port that the security group lets in.

    :param name: the rule's name.
    :param protocol: ``Tcp`` or ``Udp``.
    :param ports: ``80`` or ``8000-8010``.
    :param sources: CIDRs and addresses, or one service tag, or ``*``; the IDs of application security groups that
        somebody has set in Azure. An empty sequence creates no rule.
    """

    name: str
    protocol: str
    ports: str
    sources: tuple[str, ...]

    def overlaps(self, other: InboundRule) -> bool:
        """Return whether both rules open the same port."""
        first, last = _ends(self.ports)
        other_first, other_last = _ends(other.ports)
        return self.protocol == other.protocol and first <= other_last and other_first <= last


@dataclass(frozen=True)
class PortOptions:
    """The ports of a host, and who may reach them.

    :param explicit: the options among ``docker_port`` and ``ssh_port`` that the user set; the others are defaults.
    :param open_ports: the rules for further ports.
    :param kept: the options among ``allowed_sources``, ``ssh_allowed_sources`` and ``open_ports`` that are left out, or
        blank as a survey leaves them: an existing host keeps its rules, a new one has the defaults.
    """

    docker_port: int
    ssh_port: int
    explicit: frozenset[str]
    allowed_sources: tuple[str, ...]
    ssh_allowed_sources: tuple[str, ...]
    open_ports: tuple[InboundRule, ...]
    kept: frozenset[str] = frozenset()


def read_port_options(params: Params) -> PortOptions:
    """Return the ports that the options describe.

    :raises OptionError: a port or a source is wrong.
    """
    explicit = frozenset(option for option in ("docker_port", "ssh_port") if params[option] is not None)
    for option in sorted(explicit):
        validators.check_port(option, params[option])
    kept = {option for option in DEFAULT_ACCESS if params[option] is None}
    kept |= {option for option in _SOURCES if is_blank(params[option] or ())}
    given = {option: given_or_default(option, params[option]) for option in DEFAULT_ACCESS}
    for option in _SOURCES:
        check_sources(option, given[option])
    return PortOptions(
        docker_port=params["docker_port"] if "docker_port" in explicit else DEFAULT_PORT,
        ssh_port=params["ssh_port"] if "ssh_port" in explicit else DEFAULT_SSH_PORT,
        explicit=explicit,
        allowed_sources=tuple(given["allowed_sources"]),
        ssh_allowed_sources=tuple(given["ssh_allowed_sources"]),
        open_ports=tuple(_opening(f"open_ports[{place}]", entry) for place, entry in enumerate(given["open_ports"])),
        kept=frozenset(kept),
    )


def given_or_default(option: str, value: t.Sequence[t.Any] | None) -> list[t.Any]:
    """Return the value of an option that decides about access, or its default if it is left out, blank or ``default``.

    :param option: a key of :data:`DEFAULT_ACCESS`.
    """
    is_left_out = value is None or list(value) == [RESET] or (option in _SOURCES and is_blank(value))
    return list(DEFAULT_ACCESS[option] if value is None or is_left_out else value)


def is_blank(sources: t.Sequence[str]) -> bool:
    """Return whether a list of sources is the one of a survey's field that was left blank."""
    return len(sources) == 1 and not sources[0].strip()


def is_own_rule(name: str) -> bool:
    """Return whether a security rule of this name is the collection's. Azure ignores the case of names."""
    return name.lower() in (DOCKER_RULE, SSH_RULE) or _OPEN_RULE.fullmatch(name) is not None


def open_rule(name: str, sources: tuple[str, ...]) -> InboundRule | None:
    """Return the inbound rule that ``open_ports`` created under this name, None if it is not one of them."""
    found = _OPEN_RULE.fullmatch(name)
    return InboundRule(name.lower(), found[2].capitalize(), found[1], sources) if found else None


def sources_in(properties: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return the sources of a security rule in wire format; application security groups by their IDs."""
    groups = [group.get("id") for group in properties.get("sourceApplicationSecurityGroups") or []]
    several = [properties.get("sourceAddressPrefix"), *(properties.get("sourceAddressPrefixes") or []), *groups]
    return tuple(str(source) for source in several if source)


def shown_port(rule: InboundRule) -> dict[str, t.Any]:
    """Return a rule as an entry of O(open_ports)."""
    port = rule.ports if rule.protocol == "Tcp" else f"{rule.ports}/{rule.protocol.lower()}"
    return {"port": port, "allowed_sources": list(rule.sources)}


def is_everybody(source: str) -> bool:
    """Return whether a source of a security rule contains the whole internet, in any spelling that Azure accepts."""
    return source.lower() in _EVERYBODY or (source.endswith("/0") and ":" not in source)


def inbound_rules(ports: PortOptions) -> tuple[InboundRule, ...]:
    """Return the rules of the host's security group."""
    return tuple(rule for rule in every_rule(ports) if rule.sources)


def every_rule(ports: PortOptions) -> tuple[InboundRule, ...]:
    """Return the rules of the host's security group, and those of ports that are closed, without a source."""
    return (*_own_rules(ports), *ports.open_ports)


def _own_rules(ports: PortOptions) -> tuple[InboundRule, InboundRule]:
    return (
        InboundRule(DOCKER_RULE, "Tcp", str(ports.docker_port), ports.allowed_sources),
        InboundRule(SSH_RULE, "Tcp", str(ports.ssh_port), ports.ssh_allowed_sources),
    )


def check_ports(ports: PortOptions) -> None:
    """Refuse two rules that open the same port.

    :raises OptionError: which port.
    """
    if ports.docker_port == ports.ssh_port:
        option = "ssh_port" if "docker_port" not in ports.explicit else "docker_port"
        other = "the Docker port" if option == "ssh_port" else "the SSH port"
        raise OptionError(option, f"must differ from {other}, got {ports.docker_port} for both: choose another port")
    _check_twice(_own_rules(ports), ports.open_ports, kept="open_ports" in ports.kept)


def _check_twice(own: tuple[InboundRule, ...], further: tuple[InboundRule, ...], *, kept: bool) -> None:
    """Refuse two rules for one port: what one entry restricts, another must not open by accident.

    :param kept: whether the further rules are those that the host has.
    """
    for place, inbound in enumerate(further):
        for port, option in zip(own, _SOURCES, strict=True):
            if inbound.overlaps(port):
                word = {"allowed_sources": "docker", "ssh_allowed_sources": "SSH"}[option]
                if kept:
                    problem = f"must not contain the {word} port, but the host keeps {inbound.ports} open"
                    raise OptionError("open_ports", f"{problem}: set it to the ports that remain open")
                raise OptionError(
                    f"open_ports[{place}]",
                    f"must not contain the {word} port, got {inbound.ports}: set O({option}) instead",
                )
    for one, other in itertools.combinations(further, 2):
        if one.overlaps(other):
            shown = f"{one.ports} and {other.ports}" if one.ports != other.ports else one.ports
            raise OptionError("open_ports", f"must open each port once, got {shown} ({one.protocol.lower()}) twice")


def _opening(option: str, entry: t.Any) -> InboundRule:
    """Return the rule of ``80``, ``8000-8010``, ``53/udp``, or a dict with port, protocol and allowed_sources."""
    given = dict(entry) if isinstance(entry, t.Mapping) else {"port": entry}
    port = given.get("port")
    if set(given) - {"port", "protocol", "allowed_sources"} or not _is_scalar(port):
        raise OptionError(
            option, f"must be a port, or a dictionary with port, protocol and allowed_sources, got {entry!r}"
        )
    ports, _slash, suffix = str(port).partition("/")
    protocol = _protocol(option, given.get("protocol"), suffix)
    first, last = validators.port_range(option, ports)
    everybody = tuple(DEFAULT_SOURCES)
    sources = (
        _sources(f"{option}.allowed_sources", given["allowed_sources"]) if "allowed_sources" in given else everybody
    )
    shown = str(first) if first == last else f"{first}-{last}"
    return InboundRule(f"docker-host-open-{shown}-{protocol}", protocol.capitalize(), shown, sources)


def _is_scalar(port: t.Any) -> bool:
    return isinstance(port, (str, int)) and not isinstance(port, bool) and port != ""


def _protocol(option: str, named: t.Any, suffix: str) -> str:
    for protocol in (named, suffix):
        if protocol and str(protocol).lower() not in ("tcp", "udp"):
            raise OptionError(option, f"must have the protocol tcp or udp, got {protocol!r}")
    if named and suffix and str(named).lower() != suffix.lower():
        raise OptionError(option, f"must have one protocol, got {named} and {suffix}")
    return str(named or suffix or "tcp").lower()


def _sources(option: str, given: t.Any) -> tuple[str, ...]:
    """Return the sources that may connect to a port, with an empty list none. Null and blanks are errors."""
    sources = [given] if isinstance(given, str) else given
    if not isinstance(sources, (list, tuple)) or not all(isinstance(source, str) for source in sources):
        raise OptionError(option, f"must be a list of addresses, CIDR ranges and service tags, got {given!r}")
    check_sources(option, sources)
    return tuple(sources)


def check_sources(option: str, sources: t.Sequence[str]) -> None:
    """Refuse sources that Azure does not accept, or not in one rule.

    :raises OptionError: which, and why.
    """
    if sources and not any(source.strip() for source in sources):
        raise OptionError(
            option, f"must have at least one source, or be an empty list to close the port, got {list(sources)}"
        )
    for place, source in enumerate(sources):
        if source != ME and source.strip().lower() == ME:
            raise OptionError(f"{option}[{place}]", f"must be written {ME!r}, got {source!r}")
        if source != ME:
            validators.check_source(f"{option}[{place}]", source)
    words = [source for source in sources if source != ME and not source[:1].isdigit()]
    # SecurityRulePropertiesFormat of the Network API: service tags and * stand alone in sourceAddressPrefix.
    if words and len(sources) > 1:
        raise OptionError(
            option, f"must not contain anything else with {words[0]!r}: Azure allows one service tag, or addresses"
        )
    # Azure refuses them as OverlappingSubnetsNotPermittedInSecurityRule (kubernetes-sigs/cloud-provider-azure#6775).
    addresses = [] if words else [source for source in sources if source != ME]
    for one, other in itertools.combinations(addresses, 2):
        if ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other)):
            raise OptionError(option, f"must not overlap, got {one} and {other}: leave out the smaller one")


def _ends(ports: str) -> tuple[int, int]:
    first, _dash, last = ports.partition("-")
    return int(first), int(last or first)
