# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network security groups and their rules."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import network_error
from . import common, rule_values
from .names import DEFAULT_RULE, NSG, RULE
from .writes import (
    Change,
    Children,
    ChildWriter,
    Progress,
    Writer,
    draft_child,
    parent_of,
    serve_children,
    serve_put,
)

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/{{parent}}"
RETRY_AFTER = 3

DEFAULTS = (
    (
        "AllowVnetInBound",
        "Allow inbound traffic from all VMs in VNET",
        "VirtualNetwork",
        "VirtualNetwork",
        "Allow",
        65000,
    ),
    (
        "AllowAzureLoadBalancerInBound",
        "Allow inbound traffic from azure load balancer",
        "AzureLoadBalancer",
        "*",
        "Allow",
        65001,
    ),
    ("DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", 65500),
    (
        "AllowVnetOutBound",
        "Allow outbound traffic from all VMs to all VMs in VNET",
        "VirtualNetwork",
        "VirtualNetwork",
        "Allow",
        65000,
    ),
    ("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet", "Allow", 65001),
    ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", 65500),
)
"""Name, description, source, destination, access, priority of the rules that every group has."""
ALTERNATIVES = {
    "sourcePortRange": ("sourcePortRanges", "sourceApplicationSecurityGroups"),
    "destinationPortRange": ("destinationPortRanges", "destinationApplicationSecurityGroups"),
    "sourceAddressPrefix": ("sourceAddressPrefixes", "sourceApplicationSecurityGroups"),
    "destinationAddressPrefix": ("destinationAddressPrefixes", "destinationApplicationSecurityGroups"),
}
"""Of each of these members a rule has the singular one or one of the others."""
LISTS = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")


def default_rules() -> list[Json]:
    """Return the properties of the default rules, each with its ``name``."""
    return [
        {
            "name": name,
            "description": description,
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": "Inbound" if name.endswith("InBound") else "Outbound",
        }
        for name, description, source, destination, access, priority in DEFAULTS
    ]


def _with_lists(properties: Json, api_version: str) -> Json:
    """Add the plural members, which a rule shows since 2017-06-01 even when they are empty."""
    if api_version < "2017-06-01":
        return properties
    return {**{k: v for k, v in properties.items() if k not in LISTS}, **{k: properties.get(k) or [] for k in LISTS}}


def render_group(cloud: Cloud, group: Resource, api_version: str) -> Json:
    """Return the body of a security group, its rules expanded."""
    properties: Json = {
        "provisioningState": group.provisioning_state,
        "resourceGuid": group.properties["resourceGuid"],
    }
    if "flushConnection" in group.properties:
        properties["flushConnection"] = group.properties["flushConnection"]
    rules = cloud.store.children(group.id, RULE)
    properties["securityRules"] = [render_rule(cloud, rule, api_version) for rule in rules]
    properties["defaultSecurityRules"] = [render_default(group, rule, api_version) for rule in default_rules()]
    for name, word in (("networkInterfaces", "/networkinterfaces/"), ("subnets", "/subnets/")):
        users = [{"id": user} for user in cloud.store.users(group.id) if word in user.lower()]
        if users:
            properties[name] = users
    return {**common.base_body(group), "properties": properties}


def render_rule(_cloud: Cloud, rule: Resource, api_version: str) -> Json:
    """Return the body of a rule."""
    properties = {"provisioningState": rule.provisioning_state, **rule.properties}
    return {
        "name": rule.name,
        "id": rule.id,
        "etag": rule.etag,
        "type": RULE,
        "properties": _with_lists(properties, api_version),
    }


def render_default(group: Resource, rule: Json, api_version: str) -> Json:
    """Return the body of one of the rules that cannot be changed."""
    properties = {"provisioningState": group.provisioning_state, **rule}
    name = properties.pop("name")
    return {
        "name": name,
        "id": f"{group.id}/defaultSecurityRules/{name}",
        "etag": group.etag,
        "type": DEFAULT_RULE,
        "properties": _with_lists(properties, api_version),
    }


common.RENDERERS[NSG] = render_group
common.RENDERERS[RULE] = render_rule


def in_use(cloud: Cloud, group: Resource) -> None:
    """Refuse to delete a group that is associated with something."""
    users = cloud.store.users(group.id)
    if users:
        raise network_error(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {group.id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(users)}. In order to delete the Network security group, remove the association with the "
            "resource(s). To learn how to do this, see aka.ms/deletensg.",
        )


def describe_group(cloud: Cloud, security: Resource, body: Json) -> Children:
    """Take a request's body into a security group."""
    requested: Json = body.get("properties") or {}
    rules = [describe_rule(cloud, security, item) for item in requested.get("securityRules") or []]
    check_rules(rules)
    if "flushConnection" in requested:
        security.properties["flushConnection"] = requested["flushConnection"]
    return Children(rules)


def _progress(change: Change) -> Progress:
    return Progress("Updating" if change.is_change else "Succeeded", retry_after=RETRY_AFTER, first_poll_waits=False)


def describe_rule(cloud: Cloud, security: Resource, item: Json) -> Resource:
    """Return a rule as a request describes it, checked, not yet saved."""
    rule = draft_child(cloud, security, RULE, common.name_of(item, "properties.securityRules"))
    requested: Json = item.get("properties") or {}
    _check_required(requested, rule.id)
    rule_values.check(requested, rule.id)
    state = rule.provisioning_state
    rule.properties = {key: value for key, value in requested.items() if value is not None}
    rule.properties["provisioningState"] = state
    return rule


def _check_required(requested: Json, rule_id: str) -> None:
    for name in ("protocol", "access", "direction", "priority"):
        if requested.get(name) is None:
            raise network_error(
                "SecurityRuleMissingRequiredProperty",
                f"Required security rule parameters are missing for security rule with Id: {rule_id}. Security rule "
                f"must specify {name}.",
            )
    if not 100 <= requested["priority"] <= 4096:
        raise network_error(
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid priority. Value provided: {requested['priority']} Allowed range 100-4096.",
        )
    for one, alternatives in ALTERNATIVES.items():
        if not any(requested.get(name) for name in (one, *alternatives)):
            raise network_error(
                "SecurityRuleParameterContainsNoValue",
                f"Required security rule parameters are missing for security rule with Id: {rule_id}. Security rule "
                f"must specify either {one} or {alternatives[0]}.",
            )


def check_rules(rules: list[Resource]) -> None:
    """Refuse two rules with the same direction and priority.

    :raises ApiError: 400 SecurityRuleConflict.
    """
    seen: dict[tuple[str, int], str] = {}
    for rule in rules:
        place = (rule.properties["direction"], rule.properties["priority"])
        if place in seen:
            raise network_error(
                "SecurityRuleConflict",
                f"Security rule {rule.name} conflicts with rule {seen[place]}. Rules cannot have the same Priority and "
                "Direction.",
            )
        seen[place] = rule.name


common.serve(NSG, in_use)
serve_put(Writer(NSG, "networkSecurityGroup", describe_group, _progress))
serve_children(
    ChildWriter(
        RULE,
        "securityRule.create",
        describe_rule,
        check_rules,
        Progress(retry_after=RETRY_AFTER, first_poll_waits=False),
    )
)


@route("GET", f"{ONE}/defaultSecurityRules", DEFAULT_RULE)
async def list_defaults(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the rules that every group has."""
    security = parent_of(cloud, request, RULE)
    return listing([render_default(security, rule, request.api_version) for rule in default_rules()])


@route("GET", f"{ONE}/defaultSecurityRules/{{name}}", DEFAULT_RULE)
async def get_default(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one of them."""
    security = parent_of(cloud, request, RULE)
    for rule in default_rules():
        if rule["name"].lower() == request.params["name"].lower():
            return found(render_default(security, rule, request.api_version), security.etag)
    raise common.child_missing(f"{security.id}/defaultSecurityRules/{request.params['name']}")
