# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces."""

from __future__ import annotations

import secrets
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import begin, check_preconditions, found, listing, started, written
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..errors import network_error
from ..settings import new_guid
from . import common, public_ips
from .names import IP_CONFIGURATION, NIC, NSG, PUBLIC_IP, SUBNET
from .pool import check_static, private_addresses, take_private

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
ONE = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{{nic}}"


def render_nic(cloud: Cloud, nic: Resource, api_version: str) -> Json:
    """The body of an interface. ``macAddress`` and ``virtualMachine`` are there once a machine has it."""
    stored = nic.properties
    properties: Json = {
        "provisioningState": nic.provisioning_state,
        "resourceGuid": stored["resourceGuid"],
        "ipConfigurations": [render_configuration(nic, item, api_version) for item in stored["ipConfigurations"]],
        "dnsSettings": stored["dnsSettings"],
    }
    if nic.hidden.get("macAddress"):
        properties["macAddress"] = nic.hidden["macAddress"]
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if stored.get("enableAcceleratedNetworking") is not None or api_version < "2022-01-01":
        properties["enableAcceleratedNetworking"] = stored.get("enableAcceleratedNetworking", False)
    if api_version >= "2021-01-01":
        properties["vnetEncryptionSupported"] = False
    properties["enableIPForwarding"] = stored.get("enableIPForwarding", False)
    if api_version >= "2022-07-01":
        properties["disableTcpStateTracking"] = stored.get("disableTcpStateTracking", False)
    if "networkSecurityGroup" in stored:
        properties["networkSecurityGroup"] = stored["networkSecurityGroup"]
    if machine is not None:
        properties["primary"] = nic.hidden.get("primary", True)
        properties["virtualMachine"] = {"id": machine.id}
    for name, since, value in (
        ("hostedWorkloads", "2018-11-01", []),
        ("tapConfigurations", "2018-11-01", []),
        ("nicType", "2020-08-01", "Standard"),
        ("auxiliaryMode", "2022-01-01", "None"),
        ("auxiliarySku", "2022-11-01", "None"),
    ):
        if api_version >= since:
            properties[name] = stored.get(name, value)
    body: Json = {"name": nic.name, "id": nic.id, "etag": nic.etag}
    if nic.tags is not None:
        body["tags"] = nic.tags
    body.update(properties=properties, type=nic.type, location=nic.location)
    return body


def render_configuration(nic: Resource, item: Json, api_version: str) -> Json:
    """The body of an ip configuration; it carries the etag and the state of its interface."""
    properties = {"provisioningState": nic.provisioning_state, **item["properties"]}
    body = {"name": item["name"], "id": item["id"], "etag": nic.etag}
    if api_version >= "2018-01-01":
        body["type"] = IP_CONFIGURATION
    return {**body, "properties": properties}


common.RENDERERS[NIC] = render_nic


def in_use(cloud: Cloud, nic: Resource) -> None:
    """Refuse to remove an interface that a machine has."""
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if machine is not None:
        raise network_error(
            "NicInUse",
            f"Network Interface {nic.id} is used by existing resource {machine.id}. In order to delete the network "
            "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
        )


common.serve(NIC, in_use)


@route("PUT", f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{{name}}", NIC)
async def put_nic(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create an interface, or update one: at once, unless a machine has it, then it takes a while."""
    body = read_body(cloud, request, NIC)
    id_ = request.id_of(NIC, request.params["name"])
    nic = cloud.store.get(id_)
    check_preconditions(request, nic)
    if nic is not None:
        common.refuse_while_deleting(nic)
    group = cloud.group(request.subscription, request.group)
    created = nic is None
    if nic is None:
        nic = Resource(id_, NIC, request.params["name"], group.name, request.subscription)
        nic.properties["resourceGuid"] = new_guid()
        nic.location = body.get("location")
    before = nic.copy()
    candidate = _described(cloud, nic.copy(), body)
    same = not created and _settled(candidate) == _settled(before)
    cloud.store.save(candidate)
    if not created and same:
        return written(200, render_nic(cloud, candidate, request.api_version))
    at_once = not candidate.hidden.get("virtualMachine")
    common.touch(candidate, "Succeeded" if at_once else "Updating")
    cloud.store.save(candidate)
    _address_changes(cloud, before, candidate)
    if created:
        operation = begin(
            cloud, request, "network", "networkInterface.create", nic.id, nic.location or "", first_poll_waits=False
        )
        return started(cloud, request, operation, 201, render_nic(cloud, candidate, request.api_version), None)
    if at_once:
        return written(200, render_nic(cloud, candidate, request.api_version))
    operation = begin(cloud, request, "network", "networkInterface.update", nic.id, candidate.location or "")
    common.supersede(cloud, candidate, operation)
    return started(cloud, request, operation, 200, render_nic(cloud, candidate, request.api_version), 10)


def _settled(nic: Resource) -> Json:
    properties = {k: v for k, v in nic.properties.items() if k != "provisioningState"}
    return {"properties": properties, "tags": nic.tags}


def _described(cloud: Cloud, nic: Resource, body: Json) -> Resource:
    """The interface as the request describes it, checked, not yet saved."""
    wanted: Json = body.get("properties") or {}
    items = wanted.get("ipConfigurations") or []
    if not items:
        raise network_error(
            "NetworkInterfaceMustHaveAtleastOneIpConfiguration",
            f"Network interface {nic.id} must have one or more IP configurations.",
        )
    refs: list[tuple[str, str]] = []
    used: dict[str, dict[str, str]] = {}
    configurations = []
    for number, item in enumerate(items):
        primary = item.get("properties", {}).get("primary", (number == 0 and len(items) == 1) or None)
        if primary is None:
            primary = number == 0 and not any((i.get("properties") or {}).get("primary") for i in items)
        configurations.append(_configuration(cloud, nic, item, refs, used, primary=bool(primary)))
    properties: Json = {
        "resourceGuid": nic.properties["resourceGuid"],
        "ipConfigurations": configurations,
        "dnsSettings": {
            "dnsServers": (wanted.get("dnsSettings") or {}).get("dnsServers") or [],
            "appliedDnsServers": [],
            **_internal_names(nic, wanted),
        },
    }
    for name in ("enableAcceleratedNetworking", "enableIPForwarding", "disableTcpStateTracking", "auxiliaryMode"):
        if wanted.get(name) is not None:
            properties[name] = wanted[name]
    security = (wanted.get("networkSecurityGroup") or {}).get("id")
    if security:
        common.referenced(cloud, security, nic.id, nic.location, NSG)
        properties["networkSecurityGroup"] = {"id": security}
        refs.append((security, nic.id))
    properties["provisioningState"] = nic.provisioning_state
    nic.properties, nic.refs = properties, refs
    nic.tags = body.get("tags")
    return nic


def _internal_names(nic: Resource, wanted: Json) -> Json:
    suffix = nic.properties.get("dnsSettings", {}).get("internalDomainNameSuffix")
    if suffix is None:
        letters = "abcdefghijklmnopqrstuvwxyz012345"
        suffix = "".join(letters[byte % 32] for byte in secrets.token_bytes(26)) + ".bx.internal.cloudapp.net"
    label = (wanted.get("dnsSettings") or {}).get("internalDnsNameLabel")
    return {**({"internalDnsNameLabel": label} if label else {}), "internalDomainNameSuffix": suffix}


def _configuration(
    cloud: Cloud,
    nic: Resource,
    item: Json,
    refs: list[tuple[str, str]],
    used: dict[str, dict[str, str]],
    *,
    primary: bool,
) -> Json:
    """One ip configuration, with its address; what it refers to is added to ``refs``."""
    name = common.name_of(item, "properties.ipConfigurations")
    id_ = f"{nic.id}/ipConfigurations/{name}"
    wanted: Json = item.get("properties") or {}
    subnet_id = (wanted.get("subnet") or {}).get("id")
    if not subnet_id and wanted.get("privateIPAddressPrefixLength"):
        # A block of addresses comes from the subnet of the interface's other configurations.
        subnet_id = next((target for target, _shown in refs if "/subnets/" in target.lower()), None)
    if not subnet_id:
        raise network_error("SubnetReferenceMissing", f"IP configuration {id_} does not have a reference to a subnet.")
    subnet = common.referenced(cloud, subnet_id, nic.id, None, SUBNET)
    network = cloud.store.get(subnet.container)
    if network is not None:
        common.referenced(cloud, network.id, nic.id, nic.location)
    taken = used.setdefault(subnet.key, private_addresses(cloud, subnet, except_for=nic.key))
    address = _private_address(nic, item, subnet, taken, id_)
    taken[address] = id_
    properties: Json = {
        "privateIPAddress": address,
        "privateIPAllocationMethod": wanted.get("privateIPAllocationMethod", "Dynamic"),
    }
    public = (wanted.get("publicIPAddress") or {}).get("id")
    if public:
        _check_public(cloud, public, nic, id_, wanted.get("privateIPAddressVersion", "IPv4"))
        properties["publicIPAddress"] = {"id": public}
        refs.append((public, id_))
    properties["subnet"] = {"id": subnet_id}
    properties["primary"] = primary
    properties["privateIPAddressVersion"] = wanted.get("privateIPAddressVersion", "IPv4")
    for passed in PASSED_ON:
        if wanted.get(passed):
            properties[passed] = wanted[passed]
    refs.append((subnet_id, id_))
    return {"name": name, "id": id_, "properties": properties}


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


def _address_changes(cloud: Cloud, before: Resource, after: Resource) -> None:
    """Addresses that came to the interface, or left it."""
    for target in {target for target, _shown in [*before.refs, *after.refs]}:
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


@route("GET", f"{ONE}/ipConfigurations", IP_CONFIGURATION)
async def list_configurations(cloud: Cloud, request: ArmRequest) -> Reply:
    """The ip configurations of an interface."""
    nic_id = request.id_of(NIC, request.params["nic"])
    nic = common.parent(cloud, request, nic_id, IP_CONFIGURATION)
    return listing([render_configuration(nic, i, request.api_version) for i in nic.properties["ipConfigurations"]])


@route("GET", f"{ONE}/ipConfigurations/{{name}}", IP_CONFIGURATION)
async def get_configuration(cloud: Cloud, request: ArmRequest) -> Reply:
    """One of them."""
    nic_id = request.id_of(NIC, request.params["nic"])
    nic = common.parent(cloud, request, nic_id, IP_CONFIGURATION)
    for item in nic.properties["ipConfigurations"]:
        if item["name"].lower() == request.params["name"].lower():
            return found(render_configuration(nic, item, request.api_version), nic.etag)
    raise common.child_missing(f"{nic.id}/ipConfigurations/{request.params['name']}")
