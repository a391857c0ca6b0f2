# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check options that contradict each other or that Azure would refuse, before the first request."""

from __future__ import annotations

import math
import re
import typing as t

from ..._errors import OptionError
from ..argument_spec import DEFAULT_SOURCES, EXCLUSIVE
from . import validators

Params = t.Mapping[str, t.Any]


def check_all(params: Params) -> None:
    """Check everything but the ways to sign in.

    :raises OptionError: an option is wrong, or two contradict each other.
    """
    check_pairs(params)
    check_network(params)
    check_spot(params)
    check_ephemeral(params)
    check_waiting(params)
    check_existing_names(params)
    check_security(params)


def check_pairs(params: Params) -> None:
    """Not by the argument spec, for which an empty string, as surveys of AWX send it, is a value."""
    for one, other, why in EXCLUSIVE:
        if params[one] and params[other]:
            raise OptionError(
                other, f"{params[other]!r} contradicts {one} {params[one]!r}: {why}. Give one of the two, not both."
            )


def check_sign_in(params: Params, keys: bool) -> None:
    """Check the ways to sign in to a new host.

    :param keys: there are public keys.
    """
    password, enabled = params["admin_password"], params["ssh_password_enabled"]
    if params["admin_username"]:
        validators.check_user_name("admin_username", params["admin_username"])
    if password:
        validators.check_password("admin_password", password)
        if enabled is False:
            raise OptionError(
                "ssh_password_enabled",
                "False contradicts admin_password, with which nobody could sign in: leave out one of the two.",
            )
    elif enabled:
        raise OptionError("ssh_password_enabled", "True needs admin_password, to sign in with.")
    if params["ssh_private_key_path"] and (keys or password):
        raise OptionError(
            "ssh_private_key_path",
            f"{params['ssh_private_key_path']!r} is for a key that is generated, and none is when ssh_public_keys or"
            " admin_password are given: leave it out.",
        )


def check_network(params: Params) -> None:
    if not params["assign_public_ip"]:
        for option in ("public_ip_address", "dns_label"):
            if params[option]:
                raise OptionError(
                    option,
                    f"{params[option]!r} contradicts assign_public_ip: false, by which the host has no public address."
                    " Give one of the two.",
                )
    if params["dns_label"]:
        if not params["assign_dns_label"]:
            raise OptionError(
                "dns_label", f"{params['dns_label']!r} contradicts assign_dns_label: false. Give one of the two."
            )
        validators.check_dns_label("dns_label", params["dns_label"])
    if params["subnet_name"]:
        validators.check_subnet_name("subnet_name", params["subnet_name"])
    if params["private_ip_address"]:
        validators.address_of("private_ip_address", params["private_ip_address"])
    _check_prefixes(params)


def _check_prefixes(params: Params) -> None:
    """What can be said of them before the network is looked at; the rest is in :mod:`subnets`."""
    network = subnet = None
    if params["virtual_network_prefix"]:
        network = validators.network_of("virtual_network_prefix", params["virtual_network_prefix"])
        validators.check_address_space("virtual_network_prefix", network)
    if params["subnet_prefix"]:
        subnet = validators.network_of("subnet_prefix", params["subnet_prefix"])
        # "Virtual network FAQ": subnets from /29 up; Azure keeps the first four addresses and the last.
        if subnet.prefixlen > 29:
            raise OptionError("subnet_prefix", f"{subnet} is too small: the smallest subnet of Azure is a /29.")
    if network and subnet and not subnet.subnet_of(network):
        raise OptionError("subnet_prefix", f"{subnet} is not part of the network {network}.")


def check_spot(params: Params) -> None:
    spot = params["priority"] == "Spot"
    # VirtualMachineProperties.evictionPolicy and billingProfile of the Compute API: of spot VMs.
    for option in ("eviction_policy", "max_price"):
        if params[option] is not None and not spot:
            raise OptionError(option, f"{params[option]!r} is for priority: Spot only.")
    # "Error messages for Azure Spot Virtual Machines" (learn.microsoft.com): not supported in an availability set.
    if spot and params["availability_set"]:
        raise OptionError(
            "availability_set",
            f"{params['availability_set']!r} contradicts priority: Spot; a spot VM cannot be in an availability set."
            " Give one of the two, not both.",
        )
    # The same page, and BillingProfile.maxPrice of the Compute API: -1, or more than zero.
    price = params["max_price"]
    if price is not None and price != -1 and not (price > 0 and math.isfinite(price)):
        raise OptionError(
            "max_price", f"must be a price in US dollars an hour, or -1 for up to the usual price, got {price}"
        )
    # "Azure Spot Virtual Machines" (learn.microsoft.com): up to five decimal places.
    if price is not None and round(price, 5) != price:
        raise OptionError("max_price", f"must have at most five decimal places, got {price}")


def check_ephemeral(params: Params) -> None:
    """What such a disk rules out: "Ephemeral OS disks" (learn.microsoft.com)."""
    if not params["ephemeral_os_disk"]:
        return
    if params["eviction_policy"] == "Deallocate":
        raise OptionError(
            "eviction_policy",
            "'Deallocate' contradicts ephemeral_os_disk, with which no VM is deallocated: use Delete.",
        )
    kind = params["managed_disk_type"]
    if kind and kind.endswith("_ZRS"):
        raise OptionError(
            "managed_disk_type",
            f"{kind!r} contradicts ephemeral_os_disk: such a disk is on one machine, so in one zone. A type that ends"
            " in _LRS, or none, is possible.",
        )


def check_existing_names(params: Params) -> None:
    """What was given is never changed, so that options that would change it contradict it."""
    for given in ("network_interface", "security_group"):
        # Silence would let the user believe that a port is open, or closed to others.
        asked = [option for option in ("open_ports", "ssh_allowed_sources") if params[option]]
        if list(params["allowed_sources"]) != DEFAULT_SOURCES:
            asked.append("allowed_sources")
        if params[given] and asked:
            raise OptionError(
                asked[0],
                f"{params[asked[0]]} contradicts {given}: what is given is not changed. Say who may reach which port in"
                " its security group, and leave it out here.",
            )
    if params["network_interface"] and params["enable_accelerated_networking"] is not None:
        raise OptionError(
            "enable_accelerated_networking",
            f"{params['enable_accelerated_networking']} contradicts network_interface: what is given is not changed."
            " Leave it out.",
        )
    if params["network_interface"] and not params["assign_public_ip"]:
        raise OptionError(
            "assign_public_ip",
            "false contradicts network_interface, which keeps the public address that it has or has not. Leave it out.",
        )


def check_security(params: Params) -> None:
    asked = params["security_profile"] or {}
    if asked.get("security_type") == "Standard":
        for option in ("secure_boot_enabled", "v_tpm_enabled"):
            # SecurityProfile.securityType of the Compute API: without it there are no UEFI settings.
            if asked.get(option):
                raise OptionError(f"security_profile.{option}", "True is for security_type: TrustedLaunch only.")
    # VirtualMachineProperties.licenseType of the Compute API; "Azure Hybrid Benefit for Linux" (learn.microsoft.com).
    license_type = params["license_type"]
    if license_type and not re.fullmatch(r"None|(RHEL|SLES|UBUNTU)(_[A-Z0-9]+)*", license_type):
        raise OptionError(
            "license_type", f"{license_type!r} is no license of a Linux host, such as RHEL_BYOS, SLES_BYOS or None."
        )


def check_waiting(params: Params) -> None:
    if params["wait_timeout"] < 1:
        raise OptionError("wait_timeout", f"must be at least 1 second, got {params['wait_timeout']}")
    # "Availability zones" (learn.microsoft.com): a subscription's zones are called 1, 2 and 3.
    if params["zone"] and params["zone"] not in ("1", "2", "3"):
        raise OptionError("zone", f"must be 1, 2 or 3, got {params['zone']!r}")
    for option, limit in (("custom_data", 65535), ("user_data", 65535)):
        size = len((params[option] or "").encode())
        # OSProfile.customData and VirtualMachineProperties.userData of the Compute API: 64 KiB at most.
        if size > limit:
            raise OptionError(option, f"must have at most {limit} bytes, got {size}")
    own = (params["custom_data"] or "").lstrip()
    if own and params["ssh_port"] not in (None, 22) and not own.startswith(("#cloud-config", "#!")):
        raise OptionError(
            "custom_data",
            f"with ssh_port {params['ssh_port']}, the host takes a script (#!) or #cloud-config only: both are merged.",
        )
    # VirtualMachineIdentity.type and userAssignedIdentities of the Compute API: ids with UserAssigned, and only then.
    identity = params["vm_identity"]
    if identity and bool(identity["user_assigned_identities"]) != ("UserAssigned" in identity["type"]):
        raise OptionError(
            "vm_identity",
            f"type {identity['type']!r} and user_assigned_identities {identity['user_assigned_identities'] or []}: "
            "these are for the types with UserAssigned, which need at least one.",
        )
