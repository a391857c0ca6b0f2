# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of a host that the user adds to those in Azure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._errors import OptionError
from ..._tls.names import check_dns_name, check_ip_address, is_ip_address


@dataclass(frozen=True)
class ExtraNames:
    """Names that the user adds to Azure's.

    :param address: a DNS name or IP address by which the host is reached instead of those in Azure.
    :param dns_names: further DNS names, the address included.
    :param ip_addresses: further IP addresses, the address included.
    """

    address: str | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """Return the names by the options that add them."""
        return {
            "address": self.address,
            "dns_names": [name for name in self.dns_names if name != self.address],
            "ip_addresses": [text for text in self.ip_addresses if text != self.address],
        }


class KnownNames(t.NamedTuple):
    """The names of an existing host where the options leave names out.

    :param id: the ID of the VM that they belong to.
    """

    id: str
    names: ExtraNames


def read_known_names(params: t.Mapping[str, t.Any]) -> KnownNames | None:
    """Return the names that the options add if the VM exists for which names were recorded; None without a record.

    :raises OptionError: one of them is neither a DNS name nor an IP address.
    """
    known = params["known_names"]
    if not known:
        return None
    recorded = {option: known[option] or () for option in ("address", "dns_names", "ip_addresses")}
    try:
        read_extra_names(recorded)
    except OptionError as error:
        raise error.below("known_names") from error
    names = {option: params[option] or value for option, value in recorded.items()}
    return KnownNames(known["id"], read_extra_names(names))


def read_extra_names(params: t.Mapping[str, t.Any]) -> ExtraNames:
    """Return the names that the options add.

    :raises OptionError: one of them is neither a DNS name nor an IP address.
    """
    dns_names = [check_dns_name(f"dns_names[{index}]", name) for index, name in enumerate(params["dns_names"])]
    addresses = [check_ip_address(f"ip_addresses[{index}]", text) for index, text in enumerate(params["ip_addresses"])]
    address = params["address"] or None
    if address and is_ip_address(address):
        address = check_ip_address("address", address)
        addresses.insert(0, address)
    elif address:
        address = check_dns_name("address", address)
        dns_names.insert(0, address)
    return ExtraNames(address, tuple(dict.fromkeys(dns_names)), tuple(dict.fromkeys(addresses)))
