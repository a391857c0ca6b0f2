# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces."""

from __future__ import annotations

import secrets
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import network_error
from . import common, public_ips
from .names import IP_CONFIGURATION, NIC, NSG, PUBLIC_IP, SUBNET
from .pool import check_static, private_addresses, take_private
from .writes import NO_CHILDREN, Change, Children, Progress, Writer, parent_of, serve_put

if t.TYPE_CHECKING:
    from ..cloud import Cloud

PASSED_ON = (
    "applicationGatewayBackendAddressPools",
    "applicationSecurityGroups",
    "gatewayLoadBalancer",
    "loadBalancerBackendAddressPools",
    "loadBalancerInboundNatRules",
    "virtualNetworkTaps",
)
"""References of an ip configuration to types that are not served here: kept and shown, not looked up."""
DEFAULTS: t.Mapping[str, tuple[str, t.Any]] = {
    "vnetEncryptionSupported": ("2021-01-01", False),
    "enableIPForwarding": ("", False),
    "disableTcpStateTracking": ("2022-07-01", False),
    "hostedWorkloads": ("2018-10-01", []),
    "tapConfigurations": ("2018-10-01", []),
    "nicType": ("2020-04-01", "Standard"),
    "auxiliaryMode": ("2022-01-01", "None"),
    "auxiliarySku": ("2022-11-01", "None"),
}
"""Members that every interface shows: since which api-version, and the value that it has by itself."""
GIVEN = (
    "auxiliaryMode",
    "auxiliarySku",
    "disableTcpStateTracking",
    "enableAcceleratedNetworking",
    "enableIPForwarding",
    "nicType",
    "workloadType",
)
"""Properties that a request decides."""
MEMBERSHIPS = ("applicationSecurityGroups", "loadBalancerBackendAddressPools", "loadBalancerInboundNatRules")
ONE = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{{parent}}"


def render_nic(cloud: Cloud, nic: Resource, api_version: str) -> Json:
    """Return the body of an interface. ``macAddress`` and ``virtualMachine`` appear once a machine uses it."""
    stored = nic.properties
    properties: Json = {
        "provisioningState": nic.provisioning_state,
        "resourceGuid": stored["resourceGuid"],
        "ipConfigurations": [render_configuration(nic, item, api_version) for item in stored["ipConfigurations"]],
        "dnsSettings": _dns_settings(cloud, nic),
    }
    properties.update(_attachment(cloud, nic))
    if stored.get("enableAcceleratedNetworking") is not None or api_version < "2022-01-01":
        properties["enableAcceleratedNetworking"] = stored.get("enableAcceleratedNetworking", False)
    for name in ("networkSecurityGroup", "workloadType"):
        if name in stored:
            properties[name] = stored[name]
    for name, (since, value) in DEFAULTS.items():
        if api_version >= since:
            properties[name] = stored.get(name, value)
    body: Json = {"name": nic.name, "id": nic.id, "etag": nic.etag}
    if nic.tags is not None:
        body["tags"] = nic.tags
    body.update(properties=properties, type=nic.type, location=nic.location, **nic.top)
    return body


def _dns_settings(cloud: Cloud, nic: Resource) -> Json:
    """Return the DNS settings; while its machine is deallocated, an interface has no internal suffix."""
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    hidden = (
        ("internalDomainNameSuffix",) if machine is not None and machine.hidden.get("power") == "deallocated" else ()
    )
    return {name: value for name, value in nic.properties["dnsSettings"].items() if name not in hidden}


def _attachment(cloud: Cloud, nic: Resource) -> Json:
    """Return what an interface shows once a machine uses it."""
    shown: Json = {"macAddress": nic.hidden["macAddress"]} if nic.hidden.get("macAddress") else {}
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if machine is not None:
        shown.update(primary=nic.hidden.get("primary", True), virtualMachine={"id": machine.id})
    return shown


def render_configuration(nic: Resource, item: Json, api_version: str) -> Json:
    """Return the body of an ip configuration; it carries the etag and the state of its interface."""
    properties = {"provisioningState": nic.provisioning_state, **item["properties"]}
    body = {"name": item["name"], "id": item["id"], "etag": nic.etag}
    if api_version >= "2018-01-01":
        body["type"] = IP_CONFIGURATION
    return {**body, "properties": properties}


common.RENDERERS[NIC] = render_nic


def in_use(cloud: Cloud, nic: Resource) -> None:
    """Refuse to delete an interface that a machine uses."""
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if machine is not None:
        raise network_error(
            "NicInUse",
            f"Network Interface {nic.id} is used by existing resource {machine.id}. In order to delete the network "
            "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
        )


def describe_nic(cloud: Cloud, nic: Resource, body: Json) -> Children:
    """Take a request's body into an interface."""
    requested: Json = body.get("properties") or {}
    refs: list[tuple[str, str]] = []
    properties: Json = {
        "resourceGuid": nic.properties["resourceGuid"],
        "ipConfigurations": _configurations(cloud, nic, requested.get("ipConfigurations") or [], refs),
        "dnsSettings": {
            "dnsServers": (requested.get("dnsSettings") or {}).get("dnsServers") or [],
            "appliedDnsServers": [],
            **_internal_names(nic, requested),
        },
    }
    for name in GIVEN:
        if requested.get(name) is not None:
            properties[name] = requested[name]
    _check_acceleration(cloud, nic, properties)
    security = (requested.get("networkSecurityGroup") or {}).get("id")
    if security:
        common.referenced(cloud, security, nic.id, nic.location, NSG)
        properties["networkSecurityGroup"] = {"id": security}
        refs.append((security, nic.id))
    properties["provisioningState"] = nic.provisioning_state
    nic.properties, nic.refs = properties, refs
    return NO_CHILDREN


def _check_acceleration(cloud: Cloud, nic: Resource, properties: Json) -> None:
    """Refuse accelerated networking where the size of the interface's machine lacks it."""
    from ..compute.checks import check_acceleration

    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if machine is not None and properties.get("enableAcceleratedNetworking"):
        check_acceleration(cloud, machine, machine.properties["hardwareProfile"]["vmSize"])


def _progress(change: Change) -> Progress:
    """Return how a write proceeds: changes of groups, and those of a machine's interface, take a while."""
    if change.current is None:
        return Progress("Succeeded", first_poll_waits=False)
    attached = bool(change.desired.hidden.get("virtualMachine"))
    if change.is_change and (
        attached or _in_pool(change.desired) or _deployed(change.current) != _deployed(change.desired)
    ):
        return Progress(retry_after=10)
    return Progress("Succeeded", has_operation=False)


def _in_pool(nic: Resource) -> bool:
    """Return whether a load balancer sends traffic to an interface: then a change of an address takes a while, too.

    Recorded in 2024-09 for the private address, the public one and the subnet.
    """
    return any(item["properties"].get("loadBalancerBackendAddressPools") for item in nic.properties["ipConfigurations"])


def _deployed(nic: Resource) -> set[str]:
    """Return the ids of what takes a while to change: the security group, and the groups and pools that it is in.

    Recorded 11 of 11 times. An address, and a gateway load balancer, change at once.
    """
    references = [nic.properties.get("networkSecurityGroup") or {}]
    for item in nic.properties["ipConfigurations"]:
        for name in MEMBERSHIPS:
            references += item["properties"].get(name) or []
    return {str(reference.get("id", "")).lower() for reference in references} - {""}


def _address_changes(cloud: Cloud, change: Change) -> None:
    """Update the addresses that the interface gained or lost."""
    before = change.current.refs if change.current is not None else []
    for target in {target for target, _shown in [*before, *change.desired.refs]}:
        address = cloud.store.get(target)
        if address is None or address.type != PUBLIC_IP:
            continue
        attached = public_ips.configuration_of(cloud, address) is not None
        if attached:
            public_ips.allocate(cloud, address)
        elif address.properties["publicIPAllocationMethod"] == "Dynamic":
            address.properties.pop("ipAddress", None)
        common.touch(address)
        cloud.store.save(address)
    cloud.hosts.update()


common.serve(NIC, in_use)
serve_put(Writer(NIC, "networkInterface", describe_nic, _progress, _address_changes))


def _internal_names(nic: Resource, wanted: Json) -> Json:
    suffix = nic.properties.get("dnsSettings", {}).get("internalDomainNameSuffix")
    if suffix is None:
        letters = "abcdefghijklmnopqrstuvwxyz012345"
        suffix = "".join(letters[byte % 32] for byte in secrets.token_bytes(26)) + ".bx.internal.cloudapp.net"
    label = (wanted.get("dnsSettings") or {}).get("internalDnsNameLabel")
    names = {"internalDnsNameLabel": label, "internalFqdn": f"{label}.{suffix}"} if label else {}
    return {**names, "internalDomainNameSuffix": suffix}


def _configurations(cloud: Cloud, nic: Resource, items: list[Json], refs: list[tuple[str, str]]) -> list[Json]:
    """Return the ip configurations with their addresses; what they refer to is added to ``refs``."""
    if not items:
        raise network_error(
            "NetworkInterfaceMustHaveAtleastOneIpConfiguration",
            f"Network interface {nic.id} must have one or more IP configurations.",
        )
    taken: dict[str, dict[str, str]] = {}
    configurations: list[Json] = []
    for item, primary in zip(items, _primaries(items), strict=True):
        id_ = f"{nic.id}/ipConfigurations/{common.name_of(item, 'properties.ipConfigurations')}"
        subnet = _subnet_of(cloud, nic, item, configurations, id_)
        if subnet.key not in taken:
            taken[subnet.key] = private_addresses(cloud, subnet, except_for=nic.key)
        address = _private_address(nic, item, subnet, taken[subnet.key], id_)
        taken[subnet.key][address] = id_
        properties = {"privateIPAddress": address, **_requested(item, subnet, primary=primary)}
        public = (properties.get("publicIPAddress") or {}).get("id")
        if public:
            _check_public(cloud, public, nic, id_, properties["privateIPAddressVersion"])
            refs.append((public, id_))
        refs.append((properties["subnet"]["id"], id_))
        configurations.append({"name": item["name"], "id": id_, "properties": properties})
    return configurations


def _primaries(items: list[Json]) -> list[bool]:
    """Return which configurations are primary: those that say so; if none does, the first."""
    said = [(item.get("properties") or {}).get("primary") for item in items]
    nobody = not any(said)
    return [number == 0 and nobody if primary is None else bool(primary) for number, primary in enumerate(said)]


def _subnet_of(cloud: Cloud, nic: Resource, item: Json, others: list[Json], id_: str) -> Resource:
    """Return the subnet of a configuration."""
    requested: Json = item.get("properties") or {}
    subnet_id = (requested.get("subnet") or {}).get("id")
    if not subnet_id and requested.get("privateIPAddressPrefixLength") and others:
        # A block of addresses comes from the subnet of the interface's other configurations.
        subnet_id = others[0]["properties"]["subnet"]["id"]
    if not subnet_id:
        raise network_error("SubnetReferenceMissing", f"IP configuration {id_} does not have a reference to a subnet.")
    subnet = common.referenced(cloud, subnet_id, nic.id, None, SUBNET)
    network = cloud.store.get(subnet.container)
    if network is not None:
        common.referenced(cloud, network.id, nic.id, nic.location)
    return subnet


def _requested(item: Json, subnet: Resource, *, primary: bool) -> Json:
    """Return the properties of a configuration that a request decides."""
    requested: Json = item.get("properties") or {}
    public = (requested.get("publicIPAddress") or {}).get("id")
    return {
        "privateIPAllocationMethod": requested.get("privateIPAllocationMethod", "Dynamic"),
        **({"publicIPAddress": {"id": public}} if public else {}),
        "subnet": {"id": (requested.get("subnet") or {}).get("id") or subnet.id},
        "primary": primary,
        "privateIPAddressVersion": requested.get("privateIPAddressVersion", "IPv4"),
        **{name: requested[name] for name in (*PASSED_ON, "privateIPAddressPrefixLength") if requested.get(name)},
    }


def _private_address(nic: Resource, item: Json, subnet: Resource, taken: dict[str, str], id_: str) -> str:
    wanted: Json = item.get("properties") or {}
    if wanted.get("privateIPAllocationMethod") == "Static":
        address = wanted.get("privateIPAddress")
        if not address:
            raise network_error(
                "PrivateIPAddressMissing",
                f"IP configuration {id_} with static allocation method must have a private IP address.",
            )
        check_static(subnet, address, taken, id_)
        return str(address)
    for old in nic.properties.get("ipConfigurations", []):
        same_subnet = old["properties"]["subnet"]["id"].lower() == subnet.key
        if old["name"].lower() == item["name"].lower() and same_subnet:
            return str(old["properties"]["privateIPAddress"])
    return take_private(subnet, taken)


def _check_public(cloud: Cloud, public: str, nic: Resource, configuration: str, version: str) -> None:
    address = common.referenced(cloud, public, nic.id, nic.location, PUBLIC_IP)
    own = address.properties["publicIPAddressVersion"]
    if own != version:
        # Words: ansible-collections/azure#582.
        raise network_error(
            "IPVersionForPublicIpAndNicIpConfigurationMustMatch",
            f"IP version for publicIPAddress '{address.id}', version '{own}' and network interface ipConfiguration "
            f"'{configuration}', version '{version}' must match.",
        )
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if machine is not None:
        public_ips.check_zone(address, machine)
    user = public_ips.configuration_of(cloud, address)
    if user is not None and user.lower() != configuration.lower():
        raise network_error(
            "PublicIPAddressInUse",
            f"Resource {configuration} is referencing public IP address {address.id} that is already allocated to "
            f"resource {user}.",
        )


@route("GET", f"{ONE}/ipConfigurations", IP_CONFIGURATION)
async def list_configurations(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the ip configurations of an interface."""
    nic = parent_of(cloud, request, IP_CONFIGURATION)
    return listing([render_configuration(nic, i, request.api_version) for i in nic.properties["ipConfigurations"]])


@route("GET", f"{ONE}/ipConfigurations/{{name}}", IP_CONFIGURATION)
async def get_configuration(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one of them."""
    nic = parent_of(cloud, request, IP_CONFIGURATION)
    for item in nic.properties["ipConfigurations"]:
        if item["name"].lower() == request.params["name"].lower():
            return found(render_configuration(nic, item, request.api_version), nic.etag)
    raise common.child_missing(f"{nic.id}/ipConfigurations/{request.params['name']}")
