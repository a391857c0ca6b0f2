# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a subnet shows of the services that it is open to, and of those that it is delegated to."""

from __future__ import annotations

from ..arm.resource import Json, Resource

REGIONAL = ("microsoft.sql",)
KEPT = ("serviceEndpointPolicies", "routeTable", "natGateway", "ipAllocations", "ipamPoolPrefixAllocations")
"""References to types that are not served: kept and shown, not looked up, and without effect."""
DELEGATION = "Microsoft.Network/virtualNetworks/subnets/delegations"


def described(requested: Json, location: str) -> Json:
    """Return the services of a request as they are stored: without what the service computes."""
    stored: Json = {}
    if requested.get("serviceEndpoints") is not None:
        stored["serviceEndpoints"] = [_endpoint(item, location) for item in requested["serviceEndpoints"]]
    if requested.get("delegations") is not None:
        stored["delegations"] = [
            {"name": item.get("name", ""), "serviceName": (item.get("properties") or {}).get("serviceName", "")}
            for item in requested["delegations"]
        ]
    return stored


def _endpoint(item: Json, location: str) -> Json:
    service = str(item.get("service", ""))
    locations = item.get("locations") or _locations(service, location)
    network = {"networkIdentifier": item["networkIdentifier"]} if item.get("networkIdentifier") else {}
    return {"service": service, "locations": locations, **network}


def _locations(service: str, location: str) -> list[str]:
    """Return the regions of a service that a subnet reaches: of most, everywhere (of storage since 2024)."""
    return [location] if service.lower() in REGIONAL else ["*"]


def shown(subnet: Resource) -> Json:
    """Return the services as answers show them: with their state, and delegations with their actions."""
    stored = subnet.properties
    state = subnet.provisioning_state
    parts: Json = {}
    if "serviceEndpoints" in stored:
        parts["serviceEndpoints"] = [{"provisioningState": state, **item} for item in stored["serviceEndpoints"]]
    if "delegations" in stored:
        parts["delegations"] = [_delegation(subnet, item) for item in stored["delegations"]]
    return parts


def _delegation(subnet: Resource, item: Json) -> Json:
    return {
        "name": item["name"],
        "id": f"{subnet.id}/delegations/{item['name']}",
        "etag": subnet.etag,
        "properties": {
            "provisioningState": "Succeeded",
            "serviceName": item["serviceName"],
            "actions": ["Microsoft.Network/virtualNetworks/subnets/action"],
        },
        "type": DELEGATION,
    }
