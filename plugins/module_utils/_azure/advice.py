# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advice on errors of Azure."""

from __future__ import annotations

import re

# Azure's codes, as seen in recorded traffic and in public issue threads; the text follows the error's own message.
_TERMS = (
    "Set the image's plan, and accept its terms once for the subscription:"
    " `az vm image terms accept --publisher PUBLISHER --offer PRODUCT --plan NAME`."
)
_FEATURES = (
    "Register the feature once for the subscription, which takes some minutes:"
    " `az feature register --namespace NAMESPACE --name FEATURE`, then `az provider register --namespace NAMESPACE`."
)
_MFA = (
    "Azure requires multi-factor authentication of users who change anything: sign in again with it (`az logout`, then"
    " `az login`). A password alone is no longer enough. For jobs use a service principal or a managed identity, which"
    " need no multi-factor authentication."
)
_RELAX = "Relax the requirements of the VM: vm_size, zone, ephemeral_os_disk, enable_accelerated_networking."
_THROTTLED = (
    "Azure limits the number of requests of a subscription in some minutes: try again later, or with fewer hosts at"
    " once (`forks`, `serial`)."
)
_BY_CODE = {
    "SkuNotAvailable": (
        "Choose another vm_size, zone or location: `az vm list-skus --location LOCATION` lists what this subscription"
        " can use."
    ),
    "AllocationFailed": "The region has no capacity for this size now: try another vm_size or zone, or try"
    " again later.",
    "ZonalAllocationFailed": "The zone has no capacity for this size now: try another zone or vm_size, or try"
    " again later.",
    "OverconstrainedAllocationRequest": _RELAX,
    "OverconstrainedZonalAllocationRequest": _RELAX,
    "VMSizeIsNotPermittedToEnableAcceleratedNetworking": "Set enable_accelerated_networking: false, or choose a vm_size"
    " that supports it (`az vm list-skus` shows AcceleratedNetworkingEnabled).",
    "ImageVersionDeprecated": "The publisher has withdrawn this version: use a newer one, or `latest`.",
    "PlatformImageNotFound": "dockerhost.azure.docker_vm_image_info lists the existing images.",
    "MarketplacePurchaseEligibilityFailed": _TERMS,
    "ResourcePurchaseValidationFailed": _TERMS,
    "VMMarketplaceInvalidInput": "The image has a purchase plan: set plan (name, product, publisher).",
    "DnsRecordInUse": "Choose another dns_label: it must be unique in the region.",
    "InvalidDomainNameLabel": "Choose a dns_label of 3 to 63 lower-case letters, digits and hyphens.",
    "NoRegisteredProviderFound": (
        "The region does not exist or does not support this: check location (`az account list-locations -o table`),"
        " or, in a private cloud, that it supports this API version."
    ),
    "PublicIPCountLimitReached": (
        "The subscription has reached its limit of public addresses in this region: delete unused ones, use another"
        " location, create the host without one (assign_public_ip: false), or request more (`az network list-usages"
        " --location LOCATION` shows usage and limits)."
    ),
    "SubnetIsFull": (
        "The subnet has no free address (Azure reserves five): use another subnet_name, in the shared network with"
        " its own subnet_prefix, or delete hosts that you do not need."
    ),
    "RequestDisallowedByPolicy": "A policy of the subscription forbids this; its administrators know what it allows.",
    "DenyAssignmentAuthorizationFailed": (
        "A deny assignment forbids this even to owners, for example that of a managed application or of a deployment"
        " stack: use another resource group, or ask its administrators."
    ),
    "FeatureNotRegistered": _FEATURES,
    "FeatureNotAvailableForSubscription": _FEATURES,
    "RequestDisallowedByAzure": (
        "Azure itself restricts this subscription, often to some regions or sizes: try another location or vm_size, or"
        " ask Azure's support."
    ),
    "InvalidAuthenticationTokenTenant": "The subscription belongs to another tenant: check tenant and subscription_id.",
    "SubscriptionNotFound": "Check subscription_id and that the identity has a role in it.",
    "ResourceGroupBeingDeleted": "The group is being deleted: wait for the end of the deletion, or use another group.",
    "ReadOnlyDisabledSubscription": "The subscription is disabled, so nothing in it can change.",
    "ScopeLocked": "A lock on the resource or its group forbids this: `az lock list` shows it.",
}

# "... Reasons: MFA is required" (MicrosoftDocs/azure-docs-cli#5403, Azure/azure-cli#31009).
_NEEDS_MFA = re.compile(r"\bMFA\b|multi-?\s?factor", re.IGNORECASE)
# "... is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription."
_FEATURE = re.compile(r"'([\w.]+)/(\w+)' feature is not (?:enabled|registered)", re.IGNORECASE)
_QUOTA = re.compile(r"quota", re.IGNORECASE)
# "The VM size 'S' cannot boot with OS image or disk. Please check that disk controller types supported by ..."
_CONTROLLER = re.compile(r"disk ?controller ?type", re.IGNORECASE)
_TOO_MANY = re.compile(r"too many requests|TooManyRequests|Throttled", re.IGNORECASE)
# "... does not have authorization to perform action 'A' over scope 'S' ..."
# "... does not have permission to perform action(s) 'A, B' on the linked scope(s) 'S, T' ..."
_RIGHT = re.compile(r"does not have .*?action(?:\(s\))? '([^']+)'.*?scope(?:\(s\))? '([^']+)'", re.DOTALL)
_NAMESPACE = re.compile(r"namespace '([^']+)'")
RIGHTS_HELP = (
    "docs/rights.md of the collection has a minimal role. A fresh role assignment can take some minutes to apply."
)


def advice_for(code: str, message: str) -> str:
    """Return one or two sentences of advice, empty without any.

    :param code: Azure's code.
    :param message: Azure's message.
    """
    if code == "QuotaExceeded" or (code == "OperationNotAllowed" and _QUOTA.search(message)):
        return (
            "The quota of the subscription in this region is used up: choose a smaller vm_size, another family or"
            " location, or request more (`az vm list-usage --location LOCATION` shows usage and limits)."
        )
    if code in ("RequestDisallowedByPolicy", "RequestDisallowedByAzure") and _NEEDS_MFA.search(message):
        return _MFA
    if code in ("AuthorizationFailed", "LinkedAuthorizationFailed"):
        return _missing_right(message)
    if code == "MissingSubscriptionRegistration":
        found = _NAMESPACE.search(message)
        return registration_help(found[1] if found else "NAME")
    if code == "ServiceRequestError":
        return "Check that the endpoint can be reached from here (proxy, name resolution, cloud_ca_path)."
    return _BY_CODE.get(code) or _by_text(code, message)


def _by_text(code: str, message: str) -> str:
    """Return advice on what Azure says with codes that say little, empty without any."""
    feature = _FEATURE.search(message)
    if feature:
        return _FEATURES.replace("NAMESPACE", feature[1]).replace("FEATURE", feature[2])
    if code == "InvalidParameter" and _CONTROLLER.search(message):
        return (
            "Image and size must have a disk controller in common: choose another vm_size, or an image whose feature"
            " DiskControllerTypes has NVMe."
        )
    if _TOO_MANY.search(code) or _TOO_MANY.search(message):
        return _THROTTLED
    if code.endswith("CountLimitReached"):
        return (
            "The subscription has reached a limit of this region: delete unused resources, use another location, or"
            " request more (`az network list-usages --location LOCATION` shows usage and limits)."
        )
    return ""


def _missing_right(message: str) -> str:
    found = _RIGHT.search(message)
    if not found:
        return f"The identity lacks a permission; {RIGHTS_HELP}"
    return f"The identity lacks the permission {found[1]} on {found[2]}; {RIGHTS_HELP}"


def registration_help(namespace: str) -> str:
    """Return how to register a resource provider, as a sentence.

    :param namespace: for example ``Microsoft.Compute``.
    """
    return (
        f"Someone with the permission {namespace}/register/action on the subscription must register it once:"
        f" `az provider register --namespace {namespace} --wait`."
    )
