# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host that the options ask for, checked. Private to this collection.

Nothing here asks Azure: whatever is wrong with the options alone is found before the first request.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._errors import OptionError
from . import images, rules
from .images import Image
from .names import RESERVED_PREFIX
from .options import DEFAULT_KEY_PATH, DEFAULT_USER

Params = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Opening:
    """One port that the security group lets in.

    :param name: the rule's name.
    :param protocol: ``Tcp`` or ``Udp``.
    :param ports: ``80`` or ``8000-8010``.
    :param sources: CIDRs and addresses, or one service tag, or ``*``.
    """

    name: str
    protocol: str
    ports: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class DataDisk:
    """A data disk: logical unit number, size in GiB, and what else was asked."""

    lun: int
    size_gb: int
    kind: str | None = None
    caching: str | None = None


@dataclass(frozen=True)
class Wanted:
    """A host as asked for. None means that nothing was asked: what is there stays, and a new host gets the default."""

    name: str
    resource_group: str
    state: str
    location: str | None
    tags: t.Mapping[str, str]
    append_tags: bool
    docker_port: int
    ssh_port: int
    openings: tuple[Opening, ...]
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


def read_options(params: Params) -> Wanted:
    """The host that a task's options ask for.

    :raises OptionError: an option is wrong, or two do not go together.
    """
    rules.check_name("name", params["name"])
    rules.check_group_name("resource_group", params["resource_group"])
    tags = {str(key): str(value) for key, value in (params["tags"] or {}).items()}
    rules.check_tags("tags", tags, RESERVED_PREFIX)
    _check_ports(params)
    _check_network(params)
    _check_spot(params)
    _check_waiting(params)
    _check_given(params)
    _check_security(params)
    if params["vm_size"]:
        rules.check_size("vm_size", params["vm_size"])
    keys = tuple(public_key("ssh_public_keys", text) for text in params["ssh_public_keys"] or ())
    password_enabled = _sign_in(params, bool(keys))
    location = params["location"]
    return Wanted(
        name=params["name"],
        resource_group=params["resource_group"],
        state=params["state"],
        location=rules.location_of("location", location) if location else None,
        tags=tags,
        append_tags=params["append_tags"],
        docker_port=params["docker_port"],
        ssh_port=params["ssh_port"],
        openings=_openings(params),
        vm_size=params["vm_size"] or None,
        image=images.read_image("image", params["image"]) if params["image"] else None,
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


def public_key(option: str, text: str) -> str:
    """An OpenSSH public key, given as such or by the path of a file that holds one.

    :raises OptionError: it is neither, or a private key, or of a kind that Azure refuses.
    """
    from pathlib import Path

    line = text.strip()
    if not re.match(r"(ssh|ecdsa|sk)-\S+ ", line) and "PRIVATE KEY" not in line:
        path = Path(line).expanduser()
        if len(line) > 1000 or "\n" in line or not path.is_file():
            raise OptionError(option, f"{line[:60]!r} is neither an OpenSSH public key nor a file that exists.")
        line = path.read_text(encoding="utf-8", errors="replace").strip()
    if "PRIVATE KEY" in line:
        raise OptionError(option, "that is a private key; the public one is asked for (the file that ends in .pub).")
    match = re.fullmatch(r"(?P<kind>\S+) (?P<key>[A-Za-z0-9+/]{40,}={0,3})(?: .*)?", line)
    if not match:
        raise OptionError(option, f"{line[:60]!r} is not one OpenSSH public key.")
    # SshPublicKey of the Compute API: RSA of at least 2048 bits, or Ed25519.
    if match["kind"] not in ("ssh-rsa", "ssh-ed25519"):
        raise OptionError(option, f"Azure takes keys of type ssh-rsa and ssh-ed25519, not {match['kind']}.")
    if match["kind"] == "ssh-rsa" and len(match["key"]) < 360:
        raise OptionError(option, "Azure takes RSA keys of at least 2048 bits.")
    return line


def _check_ports(params: Params) -> None:
    rules.check_port("docker_port", params["docker_port"])
    rules.check_port("ssh_port", params["ssh_port"])
    if params["docker_port"] == params["ssh_port"]:
        raise OptionError("docker_port", f"{params['docker_port']} is the SSH port as well: choose another.")
    for option in ("allowed_sources", "ssh_allowed_sources"):
        _check_sources(option, params[option])


def _check_sources(option: str, sources: t.Sequence[str]) -> None:
    for place, source in enumerate(sources):
        rules.check_source(f"{option}[{place}]", source)
    words = [source for source in sources if not source[:1].isdigit()]
    # SecurityRulePropertiesFormat of the Network API: service tags and * stand alone in sourceAddressPrefix.
    if words and len(sources) > 1:
        raise OptionError(option, f"{words[0]!r} must stand alone: Azure takes several addresses, but one service tag.")


def _openings(params: Params) -> tuple[Opening, ...]:
    found: list[Opening] = []
    if params["allowed_sources"]:
        port = str(params["docker_port"])
        found.append(Opening("docker-host-docker", "Tcp", port, tuple(params["allowed_sources"])))
    if params["ssh_allowed_sources"]:
        found.append(Opening("docker-host-ssh", "Tcp", str(params["ssh_port"]), tuple(params["ssh_allowed_sources"])))
    for place, entry in enumerate(params["open_ports"]):
        found.append(_opening(f"open_ports[{place}]", entry, params))
    names = [opening.name for opening in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError("open_ports", f"the same port is opened twice ({', '.join(twice)}).")
    return tuple(found)


def _opening(option: str, entry: t.Any, params: Params) -> Opening:
    """``80``, ``8000-8010``, ``53/udp``, or a dict with port, protocol and allowed_sources."""
    given = dict(entry) if isinstance(entry, t.Mapping) else {"port": entry}
    unknown = set(given) - {"port", "protocol", "allowed_sources"}
    if unknown or given.get("port") in (None, ""):
        raise OptionError(
            option, "give a port, or a dictionary with port and, if wished, protocol and allowed_sources."
        )
    ports, _slash, protocol = str(given["port"]).partition("/")
    protocol = str(given.get("protocol") or protocol or "tcp").lower()
    if protocol not in ("tcp", "udp"):
        raise OptionError(option, f"{protocol!r} is no protocol: tcp and udp are.")
    first, last = rules.port_range(option, ports)
    if protocol == "tcp" and first <= params["docker_port"] <= last:
        raise OptionError(option, f"{ports} holds the docker port, which allowed_sources opens.")
    sources = given.get("allowed_sources") or ["Internet"]
    sources = [sources] if isinstance(sources, str) else [str(source) for source in sources]
    _check_sources(f"{option}.allowed_sources", sources)
    shown = str(first) if first == last else f"{first}-{last}"
    return Opening(f"docker-host-open-{shown}-{protocol}", protocol.capitalize(), shown, tuple(sources))


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
                "admin_password is given, but nobody could sign in with it: leave out one of the two.",
            )
    elif enabled:
        raise OptionError("ssh_password_enabled", "signing in by password needs admin_password.")
    if params["ssh_private_key_path"] and (keys or password):
        raise OptionError(
            "ssh_private_key_path",
            "no key is generated when ssh_public_keys or admin_password are given: leave it out.",
        )
    return bool(password)


def _check_network(params: Params) -> None:
    if not params["assign_public_ip"]:
        for option in ("public_ip_address", "dns_label"):
            if params[option]:
                raise OptionError(
                    option, "contradicts assign_public_ip: false, by which the host has no public address."
                )
    if params["dns_label"]:
        if not params["assign_dns_label"]:
            raise OptionError("dns_label", "contradicts assign_dns_label: false.")
        rules.check_dns_label("dns_label", params["dns_label"])
    network = rules.network_of("virtual_network_prefix", params["virtual_network_prefix"] or "10.0.0.0/16")
    if params["virtual_network_prefix"]:
        rules.check_address_space("virtual_network_prefix", network)
    if params["subnet_name"]:
        rules.check_subnet_name("subnet_name", params["subnet_name"])
    subnet = rules.network_of("subnet_prefix", params["subnet_prefix"] or f"{network.network_address}/24")
    # "Virtual network FAQ": subnets from /29 up; Azure keeps the first four addresses and the last.
    if subnet.prefixlen > 29:
        raise OptionError("subnet_prefix", f"{subnet} is too small: the smallest subnet of Azure is a /29.")
    if not subnet.subnet_of(network):
        raise OptionError("subnet_prefix", f"{subnet} is not part of the network {network}.")
    if params["private_ip_address"]:
        address = rules.address_of("private_ip_address", params["private_ip_address"])
        kept = [*(subnet.network_address + step for step in range(4)), subnet.broadcast_address]
        if not params["virtual_network"] and (address not in subnet or address in kept):
            raise OptionError(
                "private_ip_address",
                f"{address} is not free for use in {subnet}, whose first four addresses and last are Azure's own.",
            )


def _check_spot(params: Params) -> None:
    spot = params["priority"] == "Spot"
    for option in ("eviction_policy", "max_price"):
        if params[option] is not None and not spot:
            raise OptionError(option, "is for priority: Spot only.")
    if spot and params["availability_set"]:
        raise OptionError("availability_set", "a spot VM cannot be in an availability set.")
    price = params["max_price"]
    if price is not None and price != -1 and price <= 0:
        raise OptionError(
            "max_price", f"{price} is no price: give US dollars an hour, or -1 for up to the usual price."
        )
    # "Azure Spot Virtual Machines" (learn.microsoft.com): up to five decimal places.
    if price is not None and round(price, 5) != price:
        raise OptionError("max_price", f"{price} is too exact: Azure takes up to five decimals.")
    if params["ephemeral_os_disk"] and params["eviction_policy"] == "Deallocate":
        raise OptionError("eviction_policy", "a VM with an ephemeral OS disk cannot be deallocated: use Delete.")


def _check_given(params: Params) -> None:
    """What was given is never changed, so that options that would change it contradict it."""
    for given in ("network_interface", "security_group"):
        for option in ("open_ports", "ssh_allowed_sources"):
            if params[given] and params[option]:
                raise OptionError(
                    option, f"contradicts {given}: what is given is not changed. Open the ports in its security group."
                )
    if params["network_interface"] and params["enable_accelerated_networking"] is not None:
        raise OptionError(
            "enable_accelerated_networking", "contradicts network_interface: what is given is not changed."
        )


def _check_security(params: Params) -> None:
    asked = params["security_profile"] or {}
    if asked.get("security_type") == "Standard":
        for option in ("secure_boot_enabled", "v_tpm_enabled"):
            # SecurityProfile.securityType of the Compute API: without it there are no UEFI settings.
            if asked.get(option):
                raise OptionError(f"security_profile.{option}", "is for security_type: TrustedLaunch only.")
    # VirtualMachineProperties.licenseType of the Compute API; "Azure Hybrid Benefit for Linux" (learn.microsoft.com).
    license_type = params["license_type"]
    if license_type and not re.fullmatch(r"None|(RHEL|SLES|UBUNTU)(_[A-Z0-9]+)*", license_type):
        raise OptionError(
            "license_type", f"{license_type!r} is no license of a Linux host, such as RHEL_BYOS, SLES_BYOS or None."
        )


def _check_waiting(params: Params) -> None:
    if params["wait_timeout"] < 1:
        raise OptionError("wait_timeout", f"{params['wait_timeout']} is no time: give seconds, at least 1.")
    if params["zone"] and params["zone"] not in ("1", "2", "3"):
        raise OptionError("zone", f"{params['zone']!r} is no availability zone: 1, 2 and 3 are.")
    for option, limit in (("custom_data", 65535), ("user_data", 65535)):
        size = len((params[option] or "").encode())
        # OSProfile.customData and VirtualMachineProperties.userData of the Compute API: 64 KiB at most.
        if size > limit:
            raise OptionError(option, f"{size} bytes are too many: Azure takes {limit}.")
    own = (params["custom_data"] or "").lstrip()
    if own and params["ssh_port"] != 22 and not own.startswith(("#cloud-config", "#!")):
        raise OptionError(
            "custom_data",
            "with an ssh_port of its own, the host takes a script (#!) or #cloud-config only: both are merged.",
        )
    identity = params["vm_identity"]
    if identity and bool(identity["user_assigned_identities"]) != ("UserAssigned" in identity["type"]):
        raise OptionError(
            "vm_identity", "user_assigned_identities is for the types with UserAssigned, which need at least one."
        )


def _plan(params: Params) -> dict[str, str] | None:
    plan = params["plan"]
    if not plan:
        return None
    names = {"name": "name", "product": "product", "publisher": "publisher", "promotion_code": "promotionCode"}
    return {wire: plan[key] for key, wire in names.items() if plan[key]}


def _data_disks(params: Params) -> tuple[DataDisk, ...]:
    disks = []
    for place, entry in enumerate(params["data_disks"] or ()):
        option = f"data_disks[{place}]"
        if not 0 <= entry["lun"] <= 63:
            raise OptionError(f"{option}.lun", f"{entry['lun']} is no logical unit number: 0 to 63 are.")
        # "Scalability targets for VM disks": managed disks have 1 to 32767 GiB.
        if not 1 <= entry["disk_size_gb"] <= 32767:
            raise OptionError(f"{option}.disk_size_gb", f"{entry['disk_size_gb']} GiB: 1 to 32767 are possible.")
        disks.append(DataDisk(entry["lun"], entry["disk_size_gb"], entry["managed_disk_type"], entry["caching"]))
    luns = [disk.lun for disk in disks]
    if len(set(luns)) < len(luns):
        raise OptionError("data_disks", "each disk needs a lun of its own.")
    size = params["os_disk_size_gb"]
    if size is not None and not 1 <= size <= 4095:
        raise OptionError("os_disk_size_gb", f"{size} GiB: an OS disk can have up to 4095.")
    return tuple(sorted(disks, key=lambda disk: disk.lun))
