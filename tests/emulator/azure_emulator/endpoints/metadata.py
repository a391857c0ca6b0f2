# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud's metadata: what a client of a private cloud asks first."""

from __future__ import annotations

import typing as t
import urllib.parse

from ..arm.messages import Reply
from ..compute import catalogue
from ..errors import Json
from ..vault.names import domain

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def endpoints(cloud: Cloud, api_version: str) -> Reply:
    """``/metadata/endpoints``: one object; before 2019 without suffixes, in the older form."""
    if not api_version:
        return Reply(
            400,
            {
                "error": {
                    "code": "MissingApiVersionParameter",
                    "message": "The api-version query parameter (?api-version=) is required for all requests.",
                }
            },
        )
    origin, tenant = cloud.origin, cloud.identity.tenant
    authentication = {
        "loginEndpoint": origin,
        "audiences": [origin, f"{origin}/"],
        "tenant": tenant,
        "identityProvider": "AAD",
    }
    if api_version < "2018":
        body: Json = {
            "galleryEndpoint": f"{origin}/",
            "graphEndpoint": f"{origin}/",
            "portalEndpoint": f"{origin}/",
            "authentication": {"loginEndpoint": f"{origin}/", "audiences": [origin, f"{origin}/"]},
        }
        return Reply(200, body)
    body = {
        "portal": origin,
        "authentication": authentication,
        "media": origin,
        "graphAudience": f"{origin}/",
        "graph": f"{origin}/",
        "name": "LocalAzure",
        "suffixes": _suffixes(cloud),
        "batch": f"{origin}/",
        "resourceManager": f"{origin}/",
        "vmImageAliasDoc": f"{origin}/metadata/aliases.json",
        "activeDirectoryDataLake": f"{origin}/",
        "sqlManagement": f"{origin}/",
        "microsoftGraphResourceId": f"{origin}/",
        "appInsightsResourceId": f"{origin}/",
        "appInsightsTelemetryChannelResourceId": f"{origin}/v2/track",
        "attestationResourceId": f"{origin}/",
        "synapseAnalyticsResourceId": f"{origin}/",
        "logAnalyticsResourceId": f"{origin}/",
        "ossrDbmsResourceId": f"{origin}/",
        "gallery": f"{origin}/",
    }
    return Reply(200, body)


def image_aliases(cloud: Cloud) -> Reply:
    """``/metadata/aliases.json``: the short names of images that the Azure CLI takes.

    The document has the form of the one that ``vmImageAliasDoc`` of the public cloud leads to: an empty template with
    the aliases as its output.
    """
    aliases: Json = {}
    for name, image in catalogue.ALIASES.items():
        found = catalogue.find_image(cloud, {**image, "version": "latest"})
        if found is not None:
            entry = {**image, "version": "latest", "architecture": found.architecture}
            aliases.setdefault(found.os_type, {})[name] = entry
    body = {
        "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json",
        "contentVersion": "1.0.0.0",
        "parameters": {},
        "variables": {},
        "resources": [],
        "outputs": {"aliases": {"type": "object", "value": aliases}},
    }
    return Reply(200, body)


def discovery(cloud: Cloud) -> Reply:
    """``/common/discovery/instance``: which authorities are one and the same."""
    host = urllib.parse.urlsplit(cloud.origin).netloc
    tenant = f"{cloud.origin}/{cloud.identity.tenant}"
    body = {
        "tenant_discovery_endpoint": f"{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    return Reply(200, body)


def _suffixes(cloud: Cloud) -> Json:
    suffix = "local.invalid"
    return {
        "azureDataLakeStoreFileSystem": f"azuredatalakestore.{suffix}",
        "acrLoginServer": f"azurecr.{suffix}",
        "sqlServerHostname": f"database.{suffix}",
        "azureDataLakeAnalyticsCatalogAndJob": f"azuredatalakeanalytics.{suffix}",
        "keyVaultDns": domain(cloud),
        "storage": f"core.{suffix}",
        "azureFrontDoorEndpointSuffix": f"azurefd.{suffix}",
        "storageSyncEndpointSuffix": f"afs.{suffix}",
        "mhsmDns": f"managedhsm.{suffix}",
        "mysqlServerEndpoint": f"mysql.database.{suffix}",
        "postgresqlServerEndpoint": f"postgres.database.{suffix}",
        "mariadbServerEndpoint": f"mariadb.database.{suffix}",
        "synapseAnalytics": f"dev.azuresynapse.{suffix}",
        "attestationEndpoint": f"attest.{suffix}",
        "cloudapp": cloud.settings.dns_suffix,
    }
