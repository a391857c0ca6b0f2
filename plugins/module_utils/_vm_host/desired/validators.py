# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure's rules for names and values, checked before the first request."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ..._azure.resource_ids import normalize_location
from ..._errors import OptionError

# "Resource naming restrictions" (learn.microsoft.com, resource-name-rules): Linux VMs have 1 to 64 characters, none of
# them one of \/"[]:|<>+=;,?*@& or a space, no underscore first, no period or hyphen last. Narrowed to letters, digits,
# underscore, period and hyphen, so that the name also serves in file names, tags and docker contexts.
_VM_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?")
# The same page: 1 to 90 letters, digits, underscores, parentheses, hyphens and periods, no period last.
_GROUP_NAME = re.compile(r"[\w().-]{0,89}[\w()-]")
# Microsoft.Network, publicIPAddresses: the error InvalidDomainNameLabel quotes this expression.
_DNS_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
# "Resource naming restrictions": subnets have 1 to 80 of these.
_SUBNET_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")
# "Virtual network FAQ" (learn.microsoft.com): /2 to /29, and none of these: multicast, broadcast, loopback, link-local,
# and the address of Azure's own services.
_KEPT_NETWORKS = tuple(
    ipaddress.IPv4Network(text)
    for text in ("224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32")
)
# The Linux VM FAQ allows 1 to 32 characters; these are what useradd takes without being forced.
_USER_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
# OSProfile.adminUsername of the Compute API 2024-07-01 ("Disallowed values") and the Linux VM FAQ.
_BANNED_USERS = frozenset(
    re.findall(
        r"\S+",
        "administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console"
        " david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5 video",
    )
)
# OSProfile.adminPassword of the Compute API 2024-07-01 ("Disallowed values").
_BANNED_PASSWORDS = frozenset(
    (
        "abc@123",
        "P@$$w0rd",
        "P@ssw0rd",
        "P@ssword123",
        "Pa$$word",
        "pass@word1",
        "Password!",
        "Password1",
        "Password22",
        "iloveyou!",
    )
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# "Virtual network service tags" (learn.microsoft.com) and ServiceTagInformation of the Network API: words that begin
# with an upper-case letter, some with a region after a dot: Internet, VirtualNetwork, Storage.WestUS,
# AzureCloud.westeurope.
_SERVICE_TAG = re.compile(r"[A-Z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)?")
# The texts into which templates turn values that are not text.
_NO_TAGS = ("None", "True", "False")
# SecurityRulePropertiesFormat.sourceAddressPrefix of the Network API: "CIDR". An address may stand for its /32.
_CIDR = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}")
# SecurityRulePropertiesFormat.destinationPortRange of the Network API: "Integer or range between 0 and 65535"; port 0
# is reserved (RFC 6335, section 6), so that nothing can listen on it.
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_LAST_PORT = 65535
# "Subscriptions - List Locations" (Resources API): Location.name, such as westeurope; displayName is West Europe.
_LOCATION = re.compile(r"[a-z0-9]+")
# "Azure virtual machine sizes naming conventions" (learn.microsoft.com): Standard_B2s_v2, Standard_NC4as_T4_v3,
# Standard_E4-2s_v5; HardwareProfile.vmSize of the Compute API has Basic_A0 besides.
_SIZE = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9]+(?:_[A-Za-z0-9-]+)+")
# "Virtual network FAQ", "What is Azure Bastion?", "Azure Firewall FAQ", "What is Azure Route Server?"
# (learn.microsoft.com): subnets of these names are for those services alone.
_KEPT_SUBNETS = (
    "GatewaySubnet",
    "AzureFirewallSubnet",
    "AzureFirewallManagementSubnet",
    "AzureBastionSubnet",
    "RouteServerSubnet",
)


def check_name(option: str, name: str) -> None:
    """Refuse a text that cannot be a host's name."""
    if not _VM_NAME.fullmatch(name):
        raise OptionError(
            option,
            "must be 1 to 64 letters, digits, underscores, periods and hyphens, starting with a letter or digit and"
            f" not ending with a period or hyphen, got {name!r}",
        )


def check_group_name(option: str, name: str) -> None:
    """Refuse a text that cannot be a resource group's name."""
    if not _GROUP_NAME.fullmatch(name):
        raise OptionError(
            option,
            f"must be 1 to 90 letters, digits, underscores, parentheses, hyphens and periods, not ending with a period,"
            f" got {name!r}",
        )


def check_dns_label(option: str, label: str) -> None:
    """Refuse a text that cannot be a public address's DNS label."""
    if not _DNS_LABEL.fullmatch(label):
        raise OptionError(
            option,
            f"must be 3 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a"
            f" hyphen, got {label!r}",
        )


def check_user_name(option: str, name: str) -> None:
    """Refuse user names that Azure or Linux does not accept, and that of Docker's group."""
    if name.lower() == "docker":
        raise OptionError(option, "must not be 'docker', which is the name of Docker's group on the host")
    if name.lower() in _BANNED_USERS:
        raise OptionError(option, f"must be a user name that Azure allows, got {name!r}")
    if not _USER_NAME.fullmatch(name):
        raise OptionError(
            option,
            f"must be 1 to 32 lower-case letters, digits, underscores, periods and hyphens, starting with a letter or"
            f" underscore, got {name!r}",
        )


def check_password(option: str, password: str) -> None:
    """Refuse passwords that Azure refuses (Linux VM FAQ: 12 to 72 characters, 3 of 4 classes). None is ever shown."""
    if not 12 <= len(password) <= 72:
        raise OptionError(option, f"must have 12 to 72 characters, got {len(password)}")
    classes = [r"[a-z]", r"[A-Z]", r"[0-9]", r"[\W_]"]
    if sum(bool(re.search(kind, password)) for kind in classes) < 3:
        raise OptionError(
            option,
            "must have three of: a lower-case letter, an upper-case letter, a digit, a special character",
        )
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in password):
        raise OptionError(option, "must not contain a control character")
    if password in _BANNED_PASSWORDS:
        raise OptionError(option, "must not be one of the passwords that Azure bans")


def check_port(option: str, port: int) -> None:
    """Refuse anything but a TCP or UDP port."""
    if not 1 <= port <= _LAST_PORT:
        raise OptionError(option, f"must be a port from 1 to {_LAST_PORT}, got {port}")


def port_in(text: object) -> int | None:
    """Return the port that a security rule or a tag names, None for anything else: others can write both."""
    match = _PORTS.fullmatch(str(text))
    port = int(match[1]) if match and not match[2] else 0
    return port if 1 <= port <= _LAST_PORT else None


def port_range(option: str, text: str) -> tuple[int, int]:
    """Return the first and last port of ``80`` or ``8000-8010``."""
    match = _PORTS.fullmatch(text)
    if not match:
        raise OptionError(option, f"must be a port or a range, such as 80 or 8000-8010, got {text!r}")
    first, last = int(match[1]), int(match[2] or match[1])
    for port in (first, last):
        check_port(option, port)
    if first > last:
        raise OptionError(option, f"must be a range that ends after its beginning, got {text!r}")
    return first, last


def check_source(option: str, source: str) -> None:
    """Refuse anything but a source of a security rule: a CIDR range, an address, a service tag or ``*``."""
    if source == "*" or (_SERVICE_TAG.fullmatch(source) and source not in _NO_TAGS):
        return
    network = _lenient_network(source)
    if network is not None and network.version != 4:
        raise OptionError(option, f"must be IPv4, because the hosts have no IPv6 addresses, got {source!r}")
    if network is None or source not in (str(network), str(network.network_address)):
        hint = f" Did you mean {network}?" if network else ""
        raise OptionError(
            option,
            "must be an address, a CIDR range (such as 10.0.0.0/8), a service tag (such as Internet or VirtualNetwork)"
            f" or *, got {source!r}.{hint}",
        )


def _lenient_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return the network that a text means, even if Azure does not accept its form: with host bits or a netmask."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def check_subnet_name(option: str, name: str) -> None:
    """Refuse a text that cannot be a subnet's name."""
    if not _SUBNET_NAME.fullmatch(name):
        raise OptionError(
            option,
            "must be 1 to 80 letters, digits, underscores, periods and hyphens, starting with a letter or digit and"
            f" not ending with a period or hyphen, got {name!r}",
        )
    if name.lower() in (kept.lower() for kept in _KEPT_SUBNETS):
        raise OptionError(option, f"must not be {name!r}, which Azure reserves for one of its services")


def check_address_space(option: str, network: ipaddress.IPv4Network) -> None:
    """Refuse address spaces that no virtual network of Azure can have."""
    if not 2 <= network.prefixlen <= 29:
        raise OptionError(option, f"must be a /2 to /29, got {network}")
    for kept in _KEPT_NETWORKS:
        if network.overlaps(kept):
            raise OptionError(option, f"must not overlap {kept}, which Azure reserves, got {network}")


def network_of(option: str, text: str) -> ipaddress.IPv4Network:
    """Return an IPv4 network in CIDR form."""
    network = _lenient_network(text)
    if _CIDR.fullmatch(text) and network is not None and str(network) == text:
        return t.cast("ipaddress.IPv4Network", network)
    hint = f" Did you mean {network}?" if network is not None and network.version == 4 and "/" in text else ""
    raise OptionError(option, f"must be an IPv4 network in CIDR notation, such as 10.0.0.0/24, got {text!r}.{hint}")


def address_of(option: str, text: str) -> ipaddress.IPv4Address:
    """Return an IPv4 address that a host in a virtual network can have."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise OptionError(option, f"must be an IPv4 address, got {text!r}") from error
    if address.is_unspecified or any(address in kept for kept in _KEPT_NETWORKS):
        raise OptionError(option, f"must be an address that a host can have, got {text!r}")
    return address


def location_of(option: str, text: str) -> str:
    """Return a region's name as Azure returns it: ``West Europe`` is ``westeurope``."""
    name = normalize_location(text)
    if not _LOCATION.fullmatch(name):
        raise OptionError(option, f"must be the name of a region, such as westeurope, got {text!r}")
    return name


def check_size(option: str, size: str) -> None:
    """Refuse a text without the form of a VM size."""
    if not _SIZE.fullmatch(size):
        raise OptionError(option, f"must be a VM size, such as Standard_B2s_v2, got {size!r}")


def check_tags(option: str, tags: t.Mapping[str, t.Any], reserved: str) -> None:
    """Refuse tags that Azure refuses or that are the collection's own.

    "Use tags to organize your Azure resources" (learn.microsoft.com): names up to 512 characters without <>%&\\?/,
    values up to 256, at most 50 of them; seven are reserved for the collection.
    """
    if len(tags) > 43:
        raise OptionError(
            option, f"must be at most 43 tags, got {len(tags)}: Azure allows 50, and the collection uses seven"
        )
    seen: dict[str, str] = {}
    for name, value in tags.items():
        # The same page: "Tag names are case-insensitive for operations."
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise OptionError(
                option, f"must not contain both {other!r} and {name!r}: Azure ignores the case of tag names"
            )
        if not name or len(name) > 512 or re.search(r"[<>%&\\?/]", name):
            raise OptionError(option, rf"must have names of 1 to 512 characters without <>%&\?/, got {name!r}")
        if name.lower() == reserved or name.lower().startswith(f"{reserved}-"):
            raise OptionError(
                option, f"must not contain {name!r}: the collection uses the tags {reserved} and {reserved}-*"
            )
        if _CONTROL.search(f"{name}{value}"):
            raise OptionError(option, f"must not contain control characters, but the tag {name!r} does")
        if len(str(value)) > 256:
            raise OptionError(option, f"must have values of at most 256 characters, but that of {name!r} is longer")
