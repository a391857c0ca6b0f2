# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host that the options ask for, checked. Private to this collection.

Nothing here asks Azure: whatever is wrong with the options alone is found before the first request.
"""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass, replace

from ..._azure.tags import RESERVED_PREFIX
from ..._errors import OptionError
from ..argument_spec import DEFAULT_KEY_PATH, DEFAULT_SOURCES, DEFAULT_USER, EXCLUSIVE
from . import image_reference as images
from . import validators as rules
from .image_reference import Image
from .inbound_rules import InboundRule, PortOptions, inbound_rules, read_port_options
from .names import ExtraNames, read_extra_names
from .ssh_keys import public_keys

Params = t.Mapping[str, t.Any]
# GiB. "Azure premium storage: design for high performance" (learn.microsoft.com): no cache for disks of 4 TiB or more.
MOST_CACHED = 4095


@dataclass(frozen=True)
class DataDisk:
    """A data disk: logical unit number, size in GiB, and what else was asked."""

    lun: int
    size_gb: int
    kind: str | None = None
    caching: str | None = None


@dataclass(frozen=True)
class HostSpec:
    """A host as asked for. None means that nothing was asked: what is there stays, and a new host gets the default."""

    name: str
    resource_group: str
    state: str
    location: str | None
    tags: t.Mapping[str, str]
    append_tags: bool
    ports: PortOptions
    inbound_rules: tuple[InboundRule, ...]
    names: ExtraNames
    vm_size: str | None
    image: Image | None
    plan: t.Mapping[str, str] | None
    admin_username: str | None
    admin_password: str | None
    ssh_public_keys: tuple[str, ...]
    ssh_private_key_path: str
    ssh_password_enabled: bool
    zone: str | None
    data_disks: tuple[DataDisk, ...]
    params: Params

    def __repr__(self) -> str:
        return f"Wanted({self.name!r})"

    @property
    def docker_port(self) -> int:
        """The port of the engine."""
        return self.ports.docker_port

    @property
    def ssh_port(self) -> int:
        """The port of SSH."""
        return self.ports.ssh_port

    def with_ports(self, docker_port: int, ssh_port: int) -> HostSpec:
        """Return the host with the ports that it has already.

        :raises OptionError: O(open_ports) contains one of them.
        """
        ports = replace(self.ports, docker_port=docker_port, ssh_port=ssh_port)
        return replace(self, ports=ports, inbound_rules=inbound_rules(ports))

    @property
    def creates(self) -> bool:
        """Tell whether the state asks for a host to be made and converged."""
        return self.state in ("present", "started")

    @property
    def user(self) -> str:
        """The administrator of a new host."""
        return self.admin_username or DEFAULT_USER

    @property
    def needs_generated_key(self) -> bool:
        """Tell whether a new host would have no way in without a key of our making."""
        return not self.ssh_public_keys and self.admin_password is None


def read_host_spec(params: Params) -> HostSpec:
    """The host that a task's options ask for.

    :raises OptionError: an option is wrong, or two do not go together.
    """
    rules.check_name("name", params["name"])
    rules.check_group_name("resource_group", params["resource_group"])
    tags = {str(key): str(value) for key, value in (params["tags"] or {}).items()}
    rules.check_tags("tags", tags, RESERVED_PREFIX)
    _check_pairs(params)
    ports = read_port_options(params)
    names = read_extra_names(params)
    _check_network(params)
    _check_spot(params)
    _check_ephemeral(params)
    _check_waiting(params)
    _check_existing_names(params)
    _check_security(params)
    if params["vm_size"]:
        rules.check_size("vm_size", params["vm_size"])
    keys = public_keys("ssh_public_keys", params["ssh_public_keys"] or ())
    password_enabled = _sign_in(params, bool(keys))
    location = params["location"]
    return HostSpec(
        name=params["name"],
        resource_group=params["resource_group"],
        state=params["state"],
        location=rules.location_of("location", location) if location else None,
        tags=tags,
        append_tags=params["append_tags"],
        ports=ports,
        inbound_rules=inbound_rules(ports),
        names=names,
        vm_size=params["vm_size"] or None,
        image=None if params["image"] in (None, "") else images.read_image("image", params["image"]),
        plan=_plan(params),
        admin_username=params["admin_username"] or None,
        admin_password=params["admin_password"] or None,
        ssh_public_keys=keys,
        ssh_private_key_path=params["ssh_private_key_path"] or DEFAULT_KEY_PATH,
        ssh_password_enabled=password_enabled,
        zone=params["zone"] or None,
        data_disks=_data_disks(params),
        params=params,
    )


def _check_pairs(params: Params) -> None:
    """Not by the argument spec, for which an empty string, as surveys of AWX send it, is a value."""
    for one, other, why in EXCLUSIVE:
        if params[one] and params[other]:
            raise OptionError(
                other, f"{params[other]!r} contradicts {one} {params[one]!r}: {why}. Give one of the two, not both."
            )


def _sign_in(params: Params, keys: bool) -> bool:
    """Tell whether one may sign in by password; it is off unless a password is given."""
    password, enabled = params["admin_password"], params["ssh_password_enabled"]
    if params["admin_username"]:
        rules.check_user_name("admin_username", params["admin_username"])
    if password:
        rules.check_password("admin_password", password)
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
    return bool(password)


def _check_network(params: Params) -> None:
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
        rules.check_dns_label("dns_label", params["dns_label"])
    if params["subnet_name"]:
        rules.check_subnet_name("subnet_name", params["subnet_name"])
    if params["private_ip_address"]:
        rules.address_of("private_ip_address", params["private_ip_address"])
    _check_prefixes(params)


def _check_prefixes(params: Params) -> None:
    """What can be said of them before the network is looked at; the rest is in :mod:`subnets`."""
    network = subnet = None
    if params["virtual_network_prefix"]:
        network = rules.network_of("virtual_network_prefix", params["virtual_network_prefix"])
        rules.check_address_space("virtual_network_prefix", network)
    if params["subnet_prefix"]:
        subnet = rules.network_of("subnet_prefix", params["subnet_prefix"])
        # "Virtual network FAQ": subnets from /29 up; Azure keeps the first four addresses and the last.
        if subnet.prefixlen > 29:
            raise OptionError("subnet_prefix", f"{subnet} is too small: the smallest subnet of Azure is a /29.")
    if network and subnet and not subnet.subnet_of(network):
        raise OptionError("subnet_prefix", f"{subnet} is not part of the network {network}.")


def _check_spot(params: Params) -> None:
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
            "max_price", f"{price} is no price: give US dollars an hour, or -1 for up to the usual price."
        )
    # "Azure Spot Virtual Machines" (learn.microsoft.com): up to five decimal places.
    if price is not None and round(price, 5) != price:
        raise OptionError("max_price", f"{price} is too exact: Azure takes up to five decimals.")


def _check_ephemeral(params: Params) -> None:
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


def _check_existing_names(params: Params) -> None:
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


def _check_security(params: Params) -> None:
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


def _check_waiting(params: Params) -> None:
    if params["wait_timeout"] < 1:
        raise OptionError("wait_timeout", f"{params['wait_timeout']} is no time: give seconds, at least 1.")
    # "Availability zones" (learn.microsoft.com): a subscription's zones are called 1, 2 and 3.
    if params["zone"] and params["zone"] not in ("1", "2", "3"):
        raise OptionError("zone", f"{params['zone']!r} is no availability zone: 1, 2 and 3 are.")
    for option, limit in (("custom_data", 65535), ("user_data", 65535)):
        size = len((params[option] or "").encode())
        # OSProfile.customData and VirtualMachineProperties.userData of the Compute API: 64 KiB at most.
        if size > limit:
            raise OptionError(option, f"{size} bytes are too many: Azure takes {limit}.")
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


def _plan(params: Params) -> dict[str, str] | None:
    plan = params["plan"]
    if not plan:
        return None
    for key in ("name", "product", "publisher"):
        # Plan of the Compute API: all three tell which plan it is.
        if not plan[key].strip():
            raise OptionError(
                f"plan.{key}", f"{plan[key]!r} is no {key} of a plan; leave out plan where there is none."
            )
    names = {"name": "name", "product": "product", "publisher": "publisher", "promotion_code": "promotionCode"}
    return {wire: plan[key] for key, wire in names.items() if plan[key]}


def _data_disks(params: Params) -> tuple[DataDisk, ...]:
    disks = []
    for place, entry in enumerate(params["data_disks"] or ()):
        option = f"data_disks[{place}]"
        # "Azure Linux VM sizes" (learn.microsoft.com): no size takes more than 64 data disks.
        if not 0 <= entry["lun"] <= 63:
            raise OptionError(f"{option}.lun", f"{entry['lun']} is no logical unit number: 0 to 63 are.")
        size = entry["disk_size_gb"]
        # "Scalability targets for VM disks": managed disks have 1 to 32767 GiB.
        if not 1 <= size <= 32767:
            raise OptionError(f"{option}.disk_size_gb", f"{size} GiB: 1 to 32767 are possible.")
        if size > MOST_CACHED and entry["caching"] not in (None, "None"):
            raise OptionError(
                f"{option}.caching",
                f"{entry['caching']!r} is not possible for {size} GiB: Azure caches disks up to {MOST_CACHED} GiB. Give"
                " None, or a smaller disk_size_gb.",
            )
        disks.append(DataDisk(entry["lun"], size, entry["managed_disk_type"], entry["caching"]))
    luns = [disk.lun for disk in disks]
    twice = sorted({lun for lun in luns if luns.count(lun) > 1})
    if twice:
        raise OptionError("data_disks", f"lun {twice[0]} is given twice: each disk needs one of its own, 0 to 63.")
    size = params["os_disk_size_gb"]
    # "Introduction to Azure managed disks" (learn.microsoft.com): an OS disk has up to 4095 GiB.
    if size is not None and not 1 <= size <= 4095:
        raise OptionError("os_disk_size_gb", f"{size} GiB: an OS disk can have 1 to 4095.")
    return tuple(sorted(disks, key=lambda disk: disk.lun))
