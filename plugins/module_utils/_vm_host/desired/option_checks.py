# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check options that contradict each other or that Azure would refuse, before the first request."""

from __future__ import annotations

import math
import os
import re
import typing as t

from ..._azure.origins import is_url
from ..._errors import OptionError
from ..._ports import DEFAULT_SSH_PORT
from ..argument_spec import DEFAULT_ACCESS, EXCLUSIVE
from . import validators
from .custom_data import LIMIT, assemble_custom_data
from .inbound_rules import given_or_default

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
    check_zone(params)
    check_identity(params)
    check_data(params)
    check_existing_names(params)
    check_security(params)
    check_reset(params)


def check_pairs(params: Params) -> None:
    """Refuse options that exclude each other. The argument spec would treat an empty string of a survey as a value."""
    for one, other, why in EXCLUSIVE:
        if params[one] and params[other]:
            raise OptionError(
                other, f"{params[other]!r} contradicts {one} {params[one]!r}: {why}. Give one of the two, not both."
            )


def check_reset(params: Params) -> None:
    """Refuse an option that is set and reset."""
    for option in params["reset"]:
        if params[option] is not None and params[option] != "":
            raise OptionError("reset", f"must not contain {option} while that option is set: leave out one of the two")


def check_sign_in(params: Params, keys: bool) -> None:
    """Check the ways to sign in to a new host.

    :param keys: whether the host gets public keys.
    """
    password, enabled = params["admin_password"], params["ssh_password_enabled"]
    if params["admin_username"]:
        validators.check_user_name("admin_username", params["admin_username"])
    if password:
        validators.check_password("admin_password", password)
        if enabled is False:
            raise OptionError(
                "ssh_password_enabled",
                "must not be false with O(admin_password), because nobody could sign in: leave out one of the two",
            )
    elif enabled:
        raise OptionError("ssh_password_enabled", "needs O(admin_password)")
    if params["ssh_private_key_path"] and os.path.isdir(os.path.expanduser(params["ssh_private_key_path"])):
        raise OptionError(
            "ssh_private_key_path", f"must be the path of a file, got the directory {params['ssh_private_key_path']!r}"
        )
    if params["ssh_private_key_path"] and (keys or password):
        raise OptionError(
            "ssh_private_key_path",
            "has no effect with O(ssh_public_keys) or O(admin_password), because no key is generated: leave it out,"
            f" got {params['ssh_private_key_path']!r}",
        )


def check_network(params: Params) -> None:
    """Check the public address, the DNS label and the addresses of the network."""
    if params["assign_public_ip"] is False:
        for option in ("public_ip_address", "dns_label"):
            if params[option]:
                raise OptionError(
                    option,
                    f"contradicts O(assign_public_ip=false): leave out one of the two, got {params[option]!r}",
                )
    if params["dns_label"]:
        if params["assign_dns_label"] is False:
            raise OptionError(
                "dns_label",
                f"contradicts O(assign_dns_label=false): leave out one of the two, got {params['dns_label']!r}",
            )
        validators.check_dns_label("dns_label", params["dns_label"])
    if params["subnet_name"]:
        validators.check_subnet_name("subnet_name", params["subnet_name"])
    if params["private_ip_address"]:
        validators.address_of("private_ip_address", params["private_ip_address"])
    _check_prefixes(params)


def _check_prefixes(params: Params) -> None:
    """Check the ranges as far as they do not depend on the existing network; :mod:`subnets` checks the rest."""
    network = subnet = None
    if params["virtual_network_prefix"]:
        network = validators.network_of("virtual_network_prefix", params["virtual_network_prefix"])
        validators.check_address_space("virtual_network_prefix", network)
    if params["subnet_prefix"]:
        subnet = validators.network_of("subnet_prefix", params["subnet_prefix"])
        # "Virtual network FAQ": subnets from /29 up; Azure keeps the first four addresses and the last.
        if subnet.prefixlen > 29:
            raise OptionError("subnet_prefix", f"must be a /29 or larger, got {subnet}")
    if network and subnet and not subnet.subnet_of(network):
        raise OptionError("subnet_prefix", f"must be part of the network {network}, got {subnet}")


def check_spot(params: Params) -> None:
    """Check the options of spot VMs."""
    spot = params["priority"] == "Spot"
    # VirtualMachineProperties.evictionPolicy and billingProfile of the Compute API: of spot VMs.
    for option in ("eviction_policy", "max_price"):
        if params[option] is not None and not spot:
            raise OptionError(option, f"needs O(priority=Spot), got {params[option]!r}")
    # "Error messages for Azure Spot Virtual Machines" (learn.microsoft.com): not supported in an availability set.
    if spot and params["availability_set"]:
        raise OptionError(
            "availability_set",
            "contradicts O(priority=Spot), because a spot VM cannot be in an availability set: leave out one of the"
            f" two, got {params['availability_set']!r}",
        )
    # The same page, and BillingProfile.maxPrice of the Compute API: -1, or more than zero.
    price = params["max_price"]
    if price is not None and price != -1 and not (price > 0 and math.isfinite(price)):
        raise OptionError(
            "max_price", f"must be a price in US dollars per hour, or -1 for up to the usual price, got {price}"
        )
    # "Azure Spot Virtual Machines" (learn.microsoft.com): up to five decimal places.
    if price is not None and round(price, 5) != price:
        raise OptionError("max_price", f"must have at most five decimal places, got {price}")


def check_ephemeral(params: Params) -> None:
    """Refuse options that an ephemeral OS disk rules out: "Ephemeral OS disks" (learn.microsoft.com)."""
    if not params["ephemeral_os_disk"]:
        return
    if params["eviction_policy"] == "Deallocate":
        raise OptionError(
            "eviction_policy",
            "must be Delete with O(ephemeral_os_disk=true), because such a VM cannot be deallocated, got Deallocate",
        )
    kind = params["managed_disk_type"]
    if kind and kind.endswith("_ZRS"):
        raise OptionError(
            "managed_disk_type",
            f"must end in _LRS with O(ephemeral_os_disk=true), because such a disk is in one zone, got {kind!r}",
        )


def check_existing_names(params: Params) -> None:
    """Refuse options that would change existing resources, which the collection never changes."""
    for given in ("network_interface", "security_group"):
        # Silence would let the user believe that a port is open, or closed to others.
        options = ("open_ports", "ssh_allowed_sources", "allowed_sources")
        asked = [option for option in options if given_or_default(option, params[option]) != DEFAULT_ACCESS[option]]
        if params[given] and asked:
            raise OptionError(
                asked[0],
                f"contradicts O({given}), because its rules never change: set the sources and ports in its security"
                f" group, and leave this out, got {params[asked[0]]}",
            )
    if params["network_interface"] and params["enable_accelerated_networking"] is not None:
        raise OptionError(
            "enable_accelerated_networking",
            "contradicts O(network_interface), which never changes: leave it out, got"
            f" {params['enable_accelerated_networking']}",
        )
    if params["network_interface"] and params["assign_public_ip"] is False:
        raise OptionError(
            "assign_public_ip",
            "must not be false with O(network_interface), which never changes: leave it out",
        )


def check_security(params: Params) -> None:
    """Check the security profile and the license."""
    asked = params["security_profile"] or {}
    if asked.get("security_type") == "Standard":
        for option in ("secure_boot_enabled", "v_tpm_enabled"):
            # SecurityProfile.securityType of the Compute API: without it there are no UEFI settings.
            if asked.get(option):
                raise OptionError(f"security_profile.{option}", "needs O(security_profile.security_type=TrustedLaunch)")
    # VirtualMachineProperties.licenseType of the Compute API; "Azure Hybrid Benefit for Linux" (learn.microsoft.com).
    license_type = params["license_type"]
    if license_type and not re.fullmatch(r"None|(RHEL|SLES|UBUNTU)(_[A-Z0-9]+)*", license_type):
        raise OptionError(
            "license_type",
            f"must be a license of a Linux VM, such as RHEL_BYOS, SLES_BYOS or None, got {license_type!r}",
        )


def _check_first_line(custom_data: str) -> None:
    """Refuse custom data as editors on Windows save it: cloud-init would ignore it, or not find the interpreter.

    :raises OptionError: it has a byte order mark, or line breaks of Windows.
    """
    if custom_data.startswith("\ufeff"):
        raise OptionError("custom_data", "must start without a byte order mark: save the file as UTF-8 without one")
    if custom_data.startswith("#!") and custom_data.partition("\n")[0].endswith("\r"):
        raise OptionError("custom_data", "must be a script with line breaks of Linux (LF), got CR LF")


def check_waiting(params: Params) -> None:
    """Check how long to wait, and the service that tells the controller its own address."""
    if not is_url(params["address_service"], "https"):
        raise OptionError(
            "address_service", f"must be a URL that starts with https://, got {params['address_service']!r}"
        )
    if params["wait_timeout"] < 1:
        raise OptionError("wait_timeout", f"must be at least 1 second, got {params['wait_timeout']}")


def check_zone(params: Params) -> None:
    """Check the availability zone."""
    # "Availability zones" (learn.microsoft.com): a subscription's zones are called 1, 2 and 3.
    if params["zone"] and params["zone"] not in ("1", "2", "3"):
        raise OptionError("zone", f"must be 1, 2 or 3, got {params['zone']!r}")


def check_identity(params: Params) -> None:
    """Check the managed identities of the VM."""
    # VirtualMachineIdentity.type and userAssignedIdentities of the Compute API: ids with UserAssigned, and only then.
    identity = params["vm_identity"]
    if identity and bool(identity["user_assigned_identities"]) != ("UserAssigned" in identity["type"]):
        raise OptionError(
            "vm_identity",
            "must have user_assigned_identities with the types that contain UserAssigned, and only then, got type"
            f" {identity['type']!r} and {identity['user_assigned_identities'] or []}",
        )


def check_data(params: Params) -> None:
    """Check custom data and user data."""
    for option in ("custom_data", "user_data"):
        size = len((params[option] or "").encode())
        # OSProfile.customData and VirtualMachineProperties.userData of the Compute API: 64 KiB at most.
        if size > LIMIT:
            raise OptionError(option, f"must have at most {LIMIT} bytes, got {size}")
    own, ssh_port = params["custom_data"], params["ssh_port"]
    _check_first_line(own or "")
    if not own or ssh_port in (None, DEFAULT_SSH_PORT):
        return
    if not own.lstrip().startswith(("#cloud-config", "#!")):
        raise OptionError(
            "custom_data",
            f"must start with #! or #cloud-config with O(ssh_port={ssh_port}), which needs custom data of its own",
        )
    size = len(assemble_custom_data(own, ssh_port, None) or b"")
    if size > LIMIT:
        raise OptionError(
            "custom_data", f"must have at most {LIMIT} bytes with what O(ssh_port={ssh_port}) adds to it, got {size}"
        )
