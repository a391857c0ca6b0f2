# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that are sold with a plan, and the acceptance of the plan's terms."""

from __future__ import annotations

import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.resource import Json
from .arm.routing import SUBSCRIPTION, route
from .errors import ApiError

if t.TYPE_CHECKING:
    from .cloud import Cloud

FREE = ("resf",)
"""Publishers all of whose images have a plan that costs nothing."""
TYPE = "Microsoft.MarketplaceOrdering/offerTypes"
PLAN = f"{SUBSCRIPTION}/providers/{TYPE}/virtualmachine/publishers/{{publisher}}/offers/{{offer}}/plans/{{plan}}"
AGREEMENT = f"{PLAN}/agreements/current"


def plan_of(cloud: Cloud, publisher: str, offer: str, sku: str) -> Json | None:
    """Return the plan of an image, None when it has none."""
    sold = [urn.lower() for urn in cloud.switches["sold_images"]]
    if f"{publisher}:{offer}:{sku}".lower() not in sold and publisher.lower() not in FREE:
        return None
    return {"publisher": publisher, "name": sku, "product": offer}


def check_plan(cloud: Cloud, body: Json, vm_id: str) -> None:
    """Refuse a VM whose image is sold, when the plan is not named or its terms are not accepted.

    :raises ApiError: 400 in the words of public issue threads (hashicorp/terraform-provider-azurerm#1125, #3492).
    """
    reference = ((body.get("properties") or {}).get("storageProfile") or {}).get("imageReference") or {}
    plan = plan_of(cloud, *(str(reference.get(key)) for key in ("publisher", "offer", "sku")))
    if plan is None:
        return
    given = {key: str(value).lower() for key, value in (body.get("plan") or {}).items()}
    if any(given.get(key) != value.lower() for key, value in plan.items()):
        raise ApiError(
            400,
            "VMMarketplaceInvalidInput",
            "Creating a virtual machine from Marketplace image or a custom image sourced from a Marketplace image "
            f"requires Plan information in the request. VM: '{vm_id}'.",
        )
    if not _accepted(cloud, plan):
        raise ApiError(
            400,
            "MarketplacePurchaseEligibilityFailed",
            "Marketplace purchase eligibilty check returned errors. See inner errors for details. ",
            details=[
                {
                    "code": "BadRequest",
                    "message": f"Offer with PublisherId: '{plan['publisher']}', OfferId: '{plan['product']}' cannot be "
                    "purchased due to validation errors. For more information see details.",
                }
            ],
        )


def _name(plan: Json) -> str:
    return f"{plan['publisher']}:{plan['product']}:{plan['name']}".lower()


def _accepted(cloud: Cloud, plan: Json) -> bool:
    return _name(plan) in [name.lower() for name in cloud.switches["accepted_terms"]]


@route("GET", AGREEMENT, TYPE)
async def read_terms(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the terms of a plan."""
    return Reply(200, _terms(cloud, request))


@route("PUT", AGREEMENT, TYPE)
async def accept_terms(cloud: Cloud, request: ArmRequest) -> Reply:
    """Accept the terms, or withdraw the acceptance."""
    plan = _plan(request)
    others = [name for name in cloud.switches["accepted_terms"] if name.lower() != _name(plan)]
    if (request.required_json().get("properties") or {}).get("accepted"):
        others.append(_name(plan))
    cloud.switches.set("accepted_terms", others)
    return Reply(200, _terms(cloud, request))


def _plan(request: ArmRequest) -> Json:
    params = request.params
    return {"publisher": params["publisher"], "product": params["offer"], "name": params["plan"]}


def _terms(cloud: Cloud, request: ArmRequest) -> Json:
    plan = _plan(request)
    return {
        "id": request.path,
        "name": plan["name"],
        "type": TYPE,
        "properties": {
            "publisher": plan["publisher"],
            "product": plan["product"],
            "plan": plan["name"],
            "accepted": _accepted(cloud, plan),
        },
    }
