# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public IP addresses and their names."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found
from ..arm.resource import Json, Resource
from ..arm.routing import SUBSCRIPTION, route
from ..errors import network_error
from ..operations import Operation, action
from ..settings import new_guid
from . import common
from .names import NIC, PUBLIC_IP
from .writes import NO_CHILDREN, Change, Children, Progress, Writer, serve_put

if t.TYPE_CHECKING:
    from ..cloud import Cloud

KEPT = ("resourceGuid", "ipAddress")
"""Members that a PUT never changes."""
LABEL = re.compile(r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$")
SHOWN = (
    "publicIPAddressVersion",
    "publicIPAllocationMethod",
    "idleTimeoutInMinutes",
    "dnsSettings",
    "ipTags",
    "deleteOption",
    "publicIPPrefix",
)


def configuration_of(cloud: Cloud, address: Resource) -> str | None:
    """Return the ip configuration that has the address."""
    users = cloud.store.users(address.id)
    return users[0] if users else None


def render_address(cloud: Cloud, address: Resource, api_version: str) -> Json:
    """Return the body of a public address."""
    stored = address.properties
    properties: Json = {
        "provisioningState": address.provisioning_state,
        "resourceGuid": stored["resourceGuid"],
    }
    if stored.get("ipAddress"):
        properties["ipAddress"] = stored["ipAddress"]
    for name in SHOWN:
        if name in stored and not (name == "ipTags" and api_version < "2017-10-01"):
            properties[name] = stored[name]
    user = configuration_of(cloud, address)
    if user is not None:
        properties["ipConfiguration"] = {"id": user}
    if min(api_version, address.hidden.get("writtenWith", api_version)) >= "2022-05-01":
        # Shown if both the last write and the read know it (recorded in 2024-08).
        properties["ddosSettings"] = stored.get("ddosSettings") or {"protectionMode": "VirtualNetworkInherited"}
    top = dict(address.top)
    sku = top.pop("sku")
    body = {**common.base_body(address), **top, "properties": properties}
    body["type"] = body.pop("type")
    if api_version >= "2017-08-01":
        tier = {"tier": sku["tier"]} if api_version >= "2020-07-01" else {}
        body["sku"] = {"name": sku["name"], **tier}
    return body


common.RENDERERS[PUBLIC_IP] = render_address


def in_use(cloud: Cloud, address: Resource) -> None:
    """Refuse to delete an address that is in use."""
    user = configuration_of(cloud, address)
    if user is not None:
        raise network_error(
            "PublicIPAddressCannotBeDeleted",
            f"Public IP address {address.id} can not be deleted since it is still allocated to resource {user}. In "
            "order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how "
            "to do this, see aka.ms/deletepublicip.",
        )


@action("publicIPAddress.create", "publicIPAddress.update")
class ProvisionAddress(common.Provision):
    """The end of an address's write: a static address is allocated once it is provisioned."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Allocate the address, and make the name resolve."""
        address = cloud.store.get(operation.target)
        if address is not None and operation.status == "Succeeded":
            allocate(cloud, address)
        super().done(cloud, operation)
        cloud.hosts.update()


def allocate(cloud: Cloud, address: Resource) -> None:
    """Allocate an address if it is static, or used by a machine that is allocated."""
    if address.properties.get("ipAddress"):
        return
    if address.properties["publicIPAllocationMethod"] == "Static" or _behind_running_machine(cloud, address):
        address.properties["ipAddress"] = cloud.pool.take()


def _behind_running_machine(cloud: Cloud, address: Resource) -> bool:
    for nic in cloud.store.user_resources(address.id):
        machine = cloud.store.get(nic.hidden.get("virtualMachine", "")) if nic.type == NIC else None
        if machine is not None and machine.hidden.get("power") != "deallocated":
            return True
    return False


def fqdn(cloud: Cloud, settings: Json, address: Resource) -> str:
    """Return the name of an address with a DNS label."""
    subscription, group = address.subscription, address.group
    label, scope = settings["domainNameLabel"], settings.get("domainNameLabelScope")
    hash_ = ""
    if scope:
        parts = {"TenantReuse": "", "SubscriptionReuse": subscription, "ResourceGroupReuse": subscription + group}
        seed = parts.get(scope, new_guid())
        number = int.from_bytes(hashlib.sha256(f"{cloud.identity.tenant}{seed}".lower().encode()).digest()[:10], "big")
        hash_ = "." + "".join("abcdefghijklmnop"[(number >> 4 * place) & 15] for place in range(16))
    return f"{label}{hash_}.{address.location}.{cloud.settings.dns_suffix}"


def label_owner(cloud: Cloud, name: str) -> Resource | None:
    """Return the address that has a DNS name."""
    for address in cloud.store.of_type(PUBLIC_IP):
        if address.properties.get("dnsSettings", {}).get("fqdn", "").lower() == name.lower():
            return address
    return None


def _dns_settings(cloud: Cloud, address: Resource, requested: Json) -> Json | None:
    settings = {k: v for k, v in (requested.get("dnsSettings") or {}).items() if v is not None and k != "fqdn"}
    if not settings.get("domainNameLabel"):
        return {"reverseFqdn": settings["reverseFqdn"]} if settings.get("reverseFqdn") else None
    label = settings["domainNameLabel"]
    _check_label(label)
    name = fqdn(cloud, settings, address)
    owner = label_owner(cloud, name)
    if (owner is not None and owner.key != address.key) or label in cloud.switches["taken_labels"]:
        raise network_error("DnsRecordInUse", f"DNS record {name} is already used by another public IP.")
    return {**settings, "fqdn": name}


def _check_label(label: str) -> None:
    if not LABEL.match(label):
        raise network_error(
            "InvalidDomainNameLabel",
            f"The domain name label {label} is invalid. It must conform to the following regular expression: "
            f"{LABEL.pattern}.",
        )


def _sku(cloud: Cloud, address: Resource, body: Json) -> Json:
    requested: Json = body.get("properties") or {}
    current: Json | None = address.top.get("sku")
    sku = {"name": "Basic", "tier": "Regional", **(current or {}), **(body.get("sku") or {})}
    if sku["tier"] == "Global" and sku["name"] != "Standard":
        raise network_error(
            "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress",
            "Global publicIP addresses are only supported for standard SKU public IP addresses. Public IP address "
            f"{address.id} is not standard SKU.",
        )
    if current is not None and sku["name"] != current["name"] and configuration_of(cloud, address):
        raise network_error(
            "PublicIPAddressSkuCannotBeChanged",
            f"SKU of public IP address {address.id} cannot be changed while it is attached to a resource.",
        )
    if sku["name"] == "Basic" and current is None and not cloud.switches["basic_public_ip"]:
        raise network_error(
            "IPv4BasicSkuPublicIpCountLimitReached",
            "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
        )
    if sku["name"] == "Standard" and requested.get("publicIPAllocationMethod", "Dynamic") != "Static":
        raise network_error(
            "StandardSkuPublicIPAddressMustBeStatic",
            "Standard sku publicIp must have AllocationMethod set to Static.",
        )
    return sku


def check_zone(address: Resource, machine: Resource) -> None:
    """Refuse an address whose zone is not that of its machine (fortinet/azure-templates#43, azure-docs#64801).

    An address of the SKU Basic has no zone. A Standard one without zones is zone-redundant in most regions by now.

    :raises ApiError: 400.
    """
    zones, own = machine.top.get("zones") or [], address.top.get("zones") or []
    basic = address.top["sku"]["name"] == "Basic"
    if zones and (basic or own) and not set(zones) & set(own):
        raise network_error(
            "ComputeResourceZoneConstraintDoesNotMatchPublicIPAddressZoneConstraint",
            f"Compute resource {machine.id} has a zone constraint {','.join(zones)} but the PublicIPAddress "
            f"{address.id} used by the compute resource via NetworkInterface or LoadBalancer has a different zone "
            f"constraint {','.join(own) or 'Regional'}.",
        )


def describe_address(cloud: Cloud, address: Resource, body: Json) -> Children:
    """Take a request's body into a public address."""
    requested: Json = body.get("properties") or {}
    sku = _sku(cloud, address, body)
    dns = _dns_settings(cloud, address, requested)
    kept = {k: address.properties[k] for k in (*KEPT, "provisioningState") if k in address.properties}
    address.properties = {
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Dynamic",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
        **{k: v for k, v in requested.items() if v is not None and k not in ("dnsSettings", "ipAddress")},
        **({"dnsSettings": dns} if dns else {}),
        **kept,
    }
    address.top = {**({"zones": body["zones"]} if body.get("zones") else {}), "sku": sku}
    return NO_CHILDREN


def _progress(_change: Change) -> Progress:
    return Progress(retry_after=1)


def _update_hosts(cloud: Cloud, _change: Change) -> None:
    cloud.hosts.update()


common.serve(PUBLIC_IP, in_use)
serve_put(Writer(PUBLIC_IP, "publicIPAddress", describe_address, _progress, _update_hosts))


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}/CheckDnsNameAvailability", PUBLIC_IP)
async def check_dns_name(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return whether a DNS label is free in a region."""
    label = request.query.get("domainnamelabel", "")
    _check_label(label)
    name = f"{label}.{request.params['location'].lower()}.{cloud.settings.dns_suffix}"
    free = label_owner(cloud, name) is None and label not in cloud.switches["taken_labels"]
    return found({"available": free})
