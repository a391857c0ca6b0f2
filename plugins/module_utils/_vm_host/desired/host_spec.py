# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host that the options describe, checked.

Nothing here queries Azure: every error in the options alone is found before the first request.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, replace

from ..._azure.tags import RESERVED_PREFIX
from ..._errors import OptionError
from ..argument_spec import DEFAULT_ACCESS, DEFAULT_KEY_PATH, DEFAULT_USER
from . import option_checks, validators
from .auto_shutdown import AutoShutdown, read_auto_shutdown
from .engine_at_boot import read_boot_script
from .image_reference import URN_PART, Image, plan_of_alias, read_image
from .inbound_rules import InboundRule, PortOptions, check_ports, inbound_rules, read_port_options
from .names import ExtraNames, KnownNames, read_extra_names, read_known_names
from .options import (
    Behaviour,
    DataDisk,
    DeletionScope,
    NetworkOptions,
    OsDiskOptions,
    SecurityProfile,
    SpotOptions,
    VmIdentity,
)
from .ssh_keys import ensure_key_pair, public_keys

Params = t.Mapping[str, t.Any]
# GiB. "Azure premium storage: design for high performance" (learn.microsoft.com): no cache for disks of 4 TiB or more.
MOST_CACHED = 4095
_OF_THE_NETWORK = frozenset(
    ("network_interface", "virtual_network", "subnet_name", "virtual_network_prefix", "subnet_prefix", "security_group")
    + ("public_ip_address", "assign_public_ip", "dns_label", "assign_dns_label", "private_ip_address")
    + ("enable_accelerated_networking", *DEFAULT_ACCESS)
)


@dataclass(frozen=True)
class HostSpec:
    """A host as the options describe it. An option that was not set is None: see :mod:`~.options`.

    :param boot_script: starts the installation of the engine at the first boot; None installs nothing then.
    :param explicit: the names of the options that were set, or are reset.
    :param reset: the options for which an existing host gets the default again.
    """

    name: str
    resource_group: str
    state: str
    location: str | None
    tags: t.Mapping[str, str]
    append_tags: bool
    ports: PortOptions
    names: ExtraNames
    known_names: KnownNames | None
    vm_size: str | None
    image: Image | None
    plan: t.Mapping[str, str] | None
    admin_username: str | None
    admin_password: str | None
    ssh_public_keys: tuple[str, ...]
    ssh_private_key_path: str
    ssh_password_enabled: bool | None
    zone: str | None
    availability_set: str | None
    proximity_placement_group: str | None
    spot: SpotOptions
    license_type: str | None
    boot_diagnostics: bool | None
    custom_data: str | None
    user_data: str | None
    boot_script: str | None
    identity: VmIdentity | None
    security: SecurityProfile
    os_disk: OsDiskOptions
    data_disks: tuple[DataDisk, ...]
    auto_shutdown: AutoShutdown | None
    network: NetworkOptions
    behaviour: Behaviour
    deletion_scope: DeletionScope
    explicit: frozenset[str]
    reset: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"HostSpec({self.name!r})"

    @property
    def inbound_rules(self) -> tuple[InboundRule, ...]:
        """The rules of the host's security group."""
        return inbound_rules(self.ports)

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
        check_ports(ports)
        return replace(self, ports=ports)

    @property
    def creates(self) -> bool:
        """Return whether the state requires the host to be created or updated."""
        return self.state in ("present", "started")

    @property
    def decides_about_network(self) -> bool:
        """Return whether the options name resources of the host's network, or set their properties."""
        return bool((self.explicit & _OF_THE_NETWORK) - self.ports.kept)

    @property
    def user(self) -> str:
        """The administrator of a new host."""
        return self.admin_username or DEFAULT_USER

    @property
    def needs_generated_key(self) -> bool:
        """Return whether a new host needs a generated key, because the options have neither keys nor a password."""
        has_keys = self.ssh_public_keys and "ssh_public_keys" not in self.reset
        return not has_keys and self.admin_password is None


def read_host_spec(params: Params) -> HostSpec:
    """Return the host that the options describe.

    :raises OptionError: an option is wrong, or two contradict each other.
    """
    validators.check_name("name", params["name"])
    validators.check_group_name("resource_group", params["resource_group"])
    option_checks.check_all(params)
    ports = read_port_options(params)
    check_ports(ports)
    keys = _keys(params)
    option_checks.check_sign_in(params, bool(keys) and "ssh_public_keys" not in params["reset"])
    location = params["location"]
    return HostSpec(
        name=params["name"],
        resource_group=params["resource_group"],
        state=params["state"],
        location=validators.location_of("location", location) if location else None,
        tags=_tags(params),
        append_tags=params["append_tags"],
        ports=ports,
        names=read_extra_names(params),
        known_names=read_known_names(params),
        vm_size=_vm_size(params),
        image=None if params["image"] in (None, "") else read_image("image", params["image"]),
        plan=_plan(params) or plan_of_alias(params["image"]),
        admin_username=params["admin_username"] or None,
        admin_password=params["admin_password"] or None,
        ssh_public_keys=keys,
        ssh_private_key_path=params["ssh_private_key_path"] or DEFAULT_KEY_PATH,
        ssh_password_enabled=params["ssh_password_enabled"],
        zone=params["zone"] or None,
        availability_set=params["availability_set"] or None,
        proximity_placement_group=params["proximity_placement_group"] or None,
        spot=SpotOptions(params["priority"], params["eviction_policy"], params["max_price"]),
        license_type=params["license_type"] or None,
        boot_diagnostics=params["boot_diagnostics"],
        custom_data=params["custom_data"] or None,
        user_data=params["user_data"] or None,
        boot_script=read_boot_script(params),
        identity=_identity(params),
        security=SecurityProfile(**(params["security_profile"] or {})),
        os_disk=OsDiskOptions(params["managed_disk_type"], params["os_disk_size_gb"], params["ephemeral_os_disk"]),
        data_disks=_data_disks(params),
        auto_shutdown=read_auto_shutdown(params),
        network=_network(params),
        behaviour=_behaviour(params),
        deletion_scope=DeletionScope(frozenset(params["remove_on_absent"])),
        explicit=frozenset((*(name for name, value in params.items() if value is not None), *params["reset"])),
        reset=frozenset(params["reset"]),
    )


def _keys(params: Params) -> tuple[str, ...]:
    """Return the public keys in the options; the generated one if that is the default again, and exists."""
    path = os.path.expanduser(params["ssh_private_key_path"] or DEFAULT_KEY_PATH)
    if "ssh_public_keys" in params["reset"] and os.path.exists(path):
        return (ensure_key_pair(path, True).public,)
    return public_keys("ssh_public_keys", params["ssh_public_keys"] or ())


def _tags(params: Params) -> dict[str, str]:
    for key, value in (params["tags"] or {}).items():
        if value is None or isinstance(value, (list, dict)):
            raise OptionError("tags", f"must have texts as values, but that of {key!r} is not a text")
    tags = {str(key): str(value) for key, value in (params["tags"] or {}).items()}
    validators.check_tags("tags", tags, RESERVED_PREFIX)
    return tags


def _vm_size(params: Params) -> str | None:
    if params["vm_size"]:
        validators.check_size("vm_size", params["vm_size"])
    return params["vm_size"] or None


def _identity(params: Params) -> VmIdentity | None:
    identity = params["vm_identity"]
    return VmIdentity(identity["type"], tuple(identity["user_assigned_identities"] or ())) if identity else None


def _network(params: Params) -> NetworkOptions:
    kinds = ("network_interface", "security_group", "public_ip_address", "virtual_network")
    return NetworkOptions(
        references={kind: params[kind] for kind in kinds if params[kind]},
        subnet_name=params["subnet_name"] or None,
        virtual_network_prefix=params["virtual_network_prefix"] or None,
        subnet_prefix=params["subnet_prefix"] or None,
        private_ip_address=params["private_ip_address"] or None,
        assign_public_ip=params["assign_public_ip"],
        assign_dns_label=params["assign_dns_label"],
        dns_label=params["dns_label"] or None,
        accelerated_networking=params["enable_accelerated_networking"],
    )


def _behaviour(params: Params) -> Behaviour:
    return Behaviour(
        adopt=params["adopt"],
        allow_stop=params["allow_stop"],
        require_running=params["require_running"],
        require_ssh=params["require_ssh"],
        preflight=params["preflight"],
        wait=params["wait"],
        undo_on_failure=params["on_failure"] == "remove",
    )


def _plan(params: Params) -> dict[str, str] | None:
    plan = params["plan"]
    if not plan:
        return None
    for key in ("name", "product", "publisher"):
        # Plan of the Compute API: all three identify the plan.
        if not URN_PART.fullmatch(plan[key]):
            raise OptionError(
                f"plan.{key}",
                f"must be the {key} of the plan, got {plan[key]!r}. Leave O(plan) out if the image has none.",
            )
    if re.search(r"\s", plan["promotion_code"] or ""):
        raise OptionError(
            "plan.promotion_code", f"must not contain spaces or line breaks, got {plan['promotion_code']!r}"
        )
    names = {"name": "name", "product": "product", "publisher": "publisher", "promotion_code": "promotionCode"}
    return {wire: plan[key] for key, wire in names.items() if plan[key]}


def _data_disks(params: Params) -> tuple[DataDisk, ...]:
    disks = []
    for place, entry in enumerate(params["data_disks"] or ()):
        option = f"data_disks[{place}]"
        # "Azure Linux VM sizes" (learn.microsoft.com): no size takes more than 64 data disks.
        if not 0 <= entry["lun"] <= 63:
            raise OptionError(f"{option}.lun", f"must be a logical unit number from 0 to 63, got {entry['lun']}")
        size = entry["disk_size_gb"]
        # "Scalability targets for VM disks": managed disks have 1 to 32767 GiB.
        if not 1 <= size <= 32767:
            raise OptionError(f"{option}.disk_size_gb", f"must be 1 to 32767 GiB, got {size}")
        if size > MOST_CACHED and entry["caching"] not in (None, "None"):
            raise OptionError(
                f"{option}.caching",
                f"must be None for {size} GiB, got {entry['caching']!r}: Azure caches disks up to {MOST_CACHED} GiB",
            )
        disks.append(DataDisk(entry["lun"], size, entry["managed_disk_type"], entry["caching"]))
    luns = [disk.lun for disk in disks]
    twice = sorted({lun for lun in luns if luns.count(lun) > 1})
    if twice:
        raise OptionError("data_disks", f"must have a different lun for each disk, got {twice[0]} twice")
    size = params["os_disk_size_gb"]
    # "Introduction to Azure managed disks" (learn.microsoft.com): an OS disk has up to 4095 GiB.
    if size is not None and not 1 <= size <= 4095:
        raise OptionError("os_disk_size_gb", f"must be 1 to 4095 GiB for an OS disk, got {size}")
    return tuple(sorted(disks, key=lambda disk: disk.lun))
