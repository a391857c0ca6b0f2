# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network security groups and their rules."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import begin, check_preconditions, found, listing, started
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..errors import network_error
from ..schema import accept
from ..settings import new_guid
from . import common, rule_values
from .names import DEFAULT_RULE, NSG, RULE

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/{{security}}"
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
LISTS = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")


def default_rules() -> list[Json]:
    """The properties of the default rules, each with its ``name``."""
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
    """Since 2017-06-01 a rule shows its plural members even when they are empty."""
    if api_version < "2017-06-01":
        return properties
    return {**{k: v for k, v in properties.items() if k not in LISTS}, **{k: properties.get(k) or [] for k in LISTS}}


def render_group(cloud: Cloud, group: Resource, api_version: str) -> Json:
    """The body of a security group, its rules expanded."""
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
    """The body of a rule."""
    properties = {"provisioningState": rule.provisioning_state, **rule.properties}
    return {
        "name": rule.name,
        "id": rule.id,
        "etag": rule.etag,
        "type": RULE,
        "properties": _with_lists(properties, api_version),
    }


def render_default(group: Resource, rule: Json, api_version: str) -> Json:
    """The body of one of the rules that cannot be changed."""
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
    """Refuse to remove a group that guards something."""
    users = cloud.store.users(group.id)
    if users:
        raise network_error(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {group.id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(users)}. In order to delete the Network security group, remove the association with the "
            "resource(s). To learn how to do this, see aka.ms/deletensg.",
        )


common.serve(NSG, in_use)


@route("PUT", f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/{{name}}", NSG)
async def put_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or replace a security group with its rules."""
    body = read_body(cloud, request, NSG)
    id_ = request.id_of(NSG, request.params["name"])
    security = cloud.store.get(id_)
    check_preconditions(request, security)
    if security is not None:
        common.refuse_while_deleting(security)
    group = cloud.group(request.subscription, request.group)
    created = security is None
    if security is None:
        security = Resource(id_, NSG, request.params["name"], group.name, request.subscription)
        security.properties["resourceGuid"] = new_guid()
    wanted: Json = body.get("properties") or {}
    rules = [_rule(cloud, security, item) for item in wanted.get("securityRules") or []]
    check_rules(rules)
    security.location = body.get("location") or security.location
    security.tags = body.get("tags")
    if "flushConnection" in wanted:
        security.properties["flushConnection"] = wanted["flushConnection"]
    for old in cloud.store.children(security.id, RULE):
        cloud.store.remove(old)
    common.touch(security, "Updating")
    cloud.store.save(security)
    for rule in rules:
        rule.etag, rule.provisioning_state = security.etag, "Updating"
        cloud.store.save(rule)
    kind = "networkSecurityGroup.create" if created else "networkSecurityGroup.update"
    operation = begin(cloud, request, "network", kind, security.id, security.location or "", first_poll_waits=False)
    common.supersede(cloud, security, operation)
    answer = render_group(cloud, security, request.api_version)
    return started(cloud, request, operation, 201 if created else 200, answer, RETRY_AFTER)


def _rule(cloud: Cloud, security: Resource, item: Json) -> Resource:
    """A rule as a request describes it, checked, not yet saved."""
    name = common.name_of(item, "properties.securityRules")
    id_ = f"{security.id}/securityRules/{name}"
    existing = cloud.store.get(id_)
    rule = existing.copy() if existing else Resource(id_, RULE, name, security.group, security.subscription)
    wanted: Json = item.get("properties") or {}
    for required in ("protocol", "access", "direction", "priority"):
        if wanted.get(required) is None:
            raise network_error(
                "SecurityRuleMissingRequiredProperty",
                f"Required security rule parameters are missing for security rule with Id: {id_}. Security rule must "
                f"specify {required}.",
            )
    if not 100 <= wanted["priority"] <= 4096:
        raise network_error(
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid priority. Value provided: {wanted['priority']} Allowed range 100-4096.",
        )
    for one, many, code in (
        ("sourcePortRange", "sourcePortRanges", "SecurityRuleParameterContainsNoValue"),
        ("destinationPortRange", "destinationPortRanges", "SecurityRuleParameterContainsNoValue"),
        ("sourceAddressPrefix", "sourceAddressPrefixes", "SecurityRuleParameterContainsNoValue"),
        ("destinationAddressPrefix", "destinationAddressPrefixes", "SecurityRuleParameterContainsNoValue"),
    ):
        groups = (
            "sourceApplicationSecurityGroups" if one.startswith("source") else "destinationApplicationSecurityGroups"
        )
        if not wanted.get(one) and not wanted.get(many) and not wanted.get(groups):
            raise network_error(
                code,
                f"Required security rule parameters are missing for security rule with Id: {id_}. Security rule must "
                f"specify either {one} or {many}.",
            )
    rule_values.check(wanted, id_)
    rule.properties = {key: value for key, value in wanted.items() if value is not None}
    return rule


def check_rules(rules: list[Resource]) -> None:
    """Refuse two rules of one direction with one priority.

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


@route("PUT", f"{ONE}/securityRules/{{name}}", RULE)
async def put_rule(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update one rule; its group is being updated meanwhile."""
    body = accept(request, RULE)
    security = common.parent(cloud, request, request.id_of(NSG, request.params["security"]), RULE)
    name = request.params["name"]
    existing = cloud.store.get(f"{security.id}/securityRules/{name}")
    check_preconditions(request, existing)
    common.refuse_while_changing(cloud, security)
    rule = _rule(cloud, security, {**body, "name": name})
    check_rules([*[r for r in cloud.store.children(security.id, RULE) if r.key != rule.key], rule])
    common.touch(security, "Updating")
    rule.etag, rule.provisioning_state = security.etag, "Updating"
    cloud.store.save(security)
    cloud.store.save(rule)
    operation = begin(
        cloud, request, "network", "securityRule.create", rule.id, security.location or "", first_poll_waits=False
    )
    answer = render_rule(cloud, rule, request.api_version)
    return started(cloud, request, operation, 200 if existing else 201, answer, RETRY_AFTER)


def _rule_id(request: ArmRequest) -> str:
    return f"{request.id_of(NSG, request.params['security'])}/securityRules/{request.params['name']}"


@route("GET", f"{ONE}/securityRules/{{name}}", RULE)
async def get_rule(cloud: Cloud, request: ArmRequest) -> Reply:
    """One rule."""
    rule = common.child(cloud, request, _rule_id(request), RULE)
    return found(render_rule(cloud, rule, request.api_version), rule.etag)


@route("GET", f"{ONE}/securityRules", RULE)
async def list_rules(cloud: Cloud, request: ArmRequest) -> Reply:
    """The rules that were made."""
    security = common.parent(cloud, request, request.id_of(NSG, request.params["security"]), RULE)
    return listing([render_rule(cloud, rule, request.api_version) for rule in cloud.store.children(security.id, RULE)])


@route("DELETE", f"{ONE}/securityRules/{{name}}", RULE)
async def delete_rule(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove one rule."""
    return await common.delete(cloud, request, _rule_id(request), None)


@route("GET", f"{ONE}/defaultSecurityRules", DEFAULT_RULE)
async def list_defaults(cloud: Cloud, request: ArmRequest) -> Reply:
    """The rules that every group has."""
    security = common.parent(cloud, request, request.id_of(NSG, request.params["security"]), RULE)
    return listing([render_default(security, rule, request.api_version) for rule in default_rules()])


@route("GET", f"{ONE}/defaultSecurityRules/{{name}}", DEFAULT_RULE)
async def get_default(cloud: Cloud, request: ArmRequest) -> Reply:
    """One of them."""
    security = common.parent(cloud, request, request.id_of(NSG, request.params["security"]), RULE)
    for rule in default_rules():
        if rule["name"].lower() == request.params["name"].lower():
            return found(render_default(security, rule, request.api_version), security.etag)
    raise common.child_missing(f"{security.id}/defaultSecurityRules/{request.params['name']}")
