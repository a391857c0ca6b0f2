# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud's metadata: what a client of a private cloud asks first."""

from __future__ import annotations

import typing as t

from ..arm.messages import Reply
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
