# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published api-versions of the types that are served."""

from __future__ import annotations

import datetime
import re
import typing as t

from ..errors import ApiError

PUBLISHED = re.compile(r"(\d{4}-\d{2}-\d{2})(-preview)?")
"""The form of an api-version."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NETWORK = _words(
    """
    2014-12-01-preview 2015-05-01-preview 2015-06-15 2016-03-30 2016-06-01 2016-07-01 2016-08-01 2016-09-01
    2016-10-01 2016-11-01 2016-12-01 2017-03-01 2017-04-01 2017-06-01 2017-08-01 2017-09-01 2017-10-01 2017-11-01
    2018-01-01 2018-02-01 2018-03-01 2018-04-01 2018-05-01 2018-06-01 2018-07-01 2018-08-01 2018-10-01 2018-11-01
    2018-12-01 2019-02-01 2019-04-01 2019-06-01 2019-07-01 2019-08-01 2019-09-01 2019-11-01 2019-12-01 2020-01-01
    2020-03-01 2020-04-01 2020-05-01 2020-06-01 2020-07-01 2020-08-01 2020-11-01 2021-01-01 2021-02-01 2021-03-01
    2021-04-01 2021-05-01 2021-06-01 2021-08-01 2021-12-01 2022-01-01 2022-05-01 2022-07-01 2022-09-01 2022-11-01
    2023-02-01 2023-04-01 2023-05-01 2023-06-01 2023-09-01 2023-11-01 2024-01-01 2024-03-01 2024-05-01 2024-07-01
    2024-10-01 2025-01-01 2025-03-01 2025-05-01 2025-07-01 2025-09-01
    2026-01-01 2026-03-01
    """
)
COMPUTE = _words(
    """
    2015-05-01-preview 2015-06-15 2016-03-30 2016-04-30-preview 2016-08-30 2017-03-30 2017-12-01 2018-04-01
    2018-06-01 2018-10-01 2019-03-01 2019-07-01 2019-12-01 2020-06-01 2020-12-01 2021-03-01 2021-04-01 2021-07-01
    2021-11-01 2022-03-01 2022-08-01 2022-11-01 2023-03-01 2023-07-01 2023-09-01 2024-03-01 2024-07-01 2024-11-01
    2025-04-01 2025-11-01 2026-03-01 2026-04-01
    """
)
DISKS = _words(
    """
    2016-04-30-preview 2017-03-30 2018-04-01 2018-06-01 2018-09-30 2019-03-01 2019-07-01 2019-11-01 2020-05-01
    2020-06-30 2020-09-30 2020-12-01 2021-04-01 2021-08-01 2021-12-01 2022-03-02 2022-07-02 2023-01-02 2023-04-02
    2023-10-02 2024-03-02 2025-01-02 2026-03-02
    """
)
GALLERIES = _words(
    "2018-06-01 2019-03-01 2019-07-01 2019-12-01 2020-09-30 2021-07-01 2021-10-01 2022-01-03 2022-03-03 2022-08-03"
    " 2023-07-03 2024-03-03 2025-03-03 2026-03-03"
)
SKUS = ["2017-03-30", "2017-09-01", "2019-04-01", "2021-07-01"]
RESOURCES = _words(
    """
    2014-04-01 2014-04-01-preview 2014-11-01 2015-01-01 2015-11-01 2016-02-01 2016-06-01 2016-07-01 2016-09-01
    2017-05-01 2017-05-10 2017-06-01 2017-08-01 2018-01-01 2018-02-01 2018-05-01 2018-06-01 2018-08-01 2019-03-01
    2019-05-01 2019-05-10 2019-06-01 2019-07-01 2019-08-01 2019-09-01 2019-10-01 2019-11-01 2020-01-01 2020-05-01
    2020-06-01 2020-08-01 2020-09-01 2020-10-01 2021-01-01 2021-04-01 2022-01-01 2022-06-01 2022-09-01 2022-12-01
    2023-03-01-preview 2023-07-01 2023-07-01-preview 2024-03-01 2024-07-01 2024-08-01 2024-11-01 2025-03-01 2025-04-01
    """
)

AUTHORIZATION = _words("2014-07-01-preview 2015-07-01 2018-01-01-preview 2018-07-01 2022-04-01 2022-05-01-preview")
DEV_TEST_LAB = _words("2015-05-21-preview 2016-05-15 2017-04-26-preview 2018-09-15")
LOCKS = _words("2015-01-01 2015-06-01 2016-09-01 2017-04-01 2020-05-01")
MARKETPLACE = _words("2015-06-01 2021-01-01")

STORAGE = _words(
    """
    2015-05-01-preview 2015-06-15 2016-01-01 2016-05-01 2016-12-01 2017-06-01 2017-10-01 2018-02-01
    2018-03-01-preview 2018-07-01 2018-11-01 2019-04-01 2019-06-01 2020-08-01-preview 2021-01-01 2021-02-01 2021-04-01
    2021-05-01 2021-06-01 2021-08-01 2021-09-01 2022-05-01 2022-09-01 2023-01-01 2023-04-01 2023-05-01 2024-01-01
    2025-01-01 2025-06-01
    """
)

KEY_VAULT = _words(
    """
    2015-06-01 2016-10-01 2018-02-14 2019-09-01 2021-10-01 2022-07-01 2022-11-01 2023-02-01 2023-07-01 2024-11-01
    2025-05-01 2026-02-01
    """
)
MANAGED_IDENTITY = _words(
    "2015-08-31-preview 2018-11-30 2021-09-30-preview 2022-01-31-preview 2023-01-31 2023-07-31-preview 2024-11-30"
    " 2025-01-31-preview"
)

VERSIONS: t.Mapping[str, t.Sequence[str]] = {
    "microsoft.network": NETWORK,
    "microsoft.compute": COMPUTE,
    "microsoft.compute/disks": DISKS,
    "microsoft.compute/snapshots": DISKS,
    "microsoft.compute/diskaccesses": DISKS,
    "microsoft.compute/diskencryptionsets": DISKS,
    "microsoft.compute/skus": SKUS,
    "microsoft.compute/locations/operations": [*COMPUTE, *GALLERIES],
    "microsoft.compute/galleries": GALLERIES,
    "microsoft.compute/galleries/images": GALLERIES,
    "microsoft.compute/galleries/images/versions": GALLERIES,
    "microsoft.compute/locations/sharedgalleries": GALLERIES,
    "microsoft.compute/locations/communitygalleries": GALLERIES,
    "microsoft.keyvault": KEY_VAULT,
    "microsoft.managedidentity": MANAGED_IDENTITY,
    "microsoft.resources": RESOURCES,
    "microsoft.authorization": AUTHORIZATION,
    "microsoft.authorization/locks": LOCKS,
    "microsoft.devtestlab": DEV_TEST_LAB,
    "microsoft.marketplaceordering": MARKETPLACE,
    "microsoft.storage": STORAGE,
}

LOCATIONS = _words(
    """
    eastus eastus2 westus centralus northcentralus southcentralus northeurope westeurope eastasia southeastasia
    japaneast japanwest australiaeast australiasoutheast australiacentral brazilsouth southindia centralindia
    westindia canadacentral canadaeast westus2 westcentralus uksouth ukwest koreacentral koreasouth francecentral
    southafricanorth uaenorth switzerlandnorth germanywestcentral norwayeast westus3 swedencentral qatarcentral
    polandcentral italynorth israelcentral spaincentral mexicocentral newzealandnorth eastus2euap centraluseuap
    """
)


_WORDS = (
    "south central us|north central us|west central us|central us|east us|west us|north europe|west europe|east asia"
    "|southeast asia|japan east|japan west|australia central|australia east|australia southeast|brazil south"
    "|south india|central india|west india|canada central|canada east|uk south|uk west|korea central|korea south"
    "|france central|south africa north|uae north|switzerland north|germany west central|norway east|sweden central"
    "|qatar central|poland central|italy north|israel central|spain central|mexico central|new zealand north"
)
_UPPER = {"us": "US", "uk": "UK", "uae": "UAE", "euap": "EUAP"}


def display_name(location: str) -> str:
    """Return a region's name as people write it: ``East US 2``."""
    short = location.replace(" ", "").lower()
    for words in _WORDS.split("|"):
        rest = short.removeprefix(words.replace(" ", ""))
        if rest != short and re.fullmatch(r"\d?(euap)?", rest):
            parts = [*words.split(), *re.findall(r"\d|euap", rest)]
            return " ".join(_UPPER.get(part, part.capitalize()) for part in parts)
    return location


def versions_of(type_: str) -> t.Sequence[str]:
    """Return the api-versions of a resource type."""
    key = type_.lower()
    return VERSIONS.get(key) or VERSIONS.get(key.partition("/")[0]) or RESOURCES


def check_version(type_: str, version: str, location: str = "*") -> None:
    """Refuse an api-version that was never published for the type.

    :raises ApiError: 400 in the Resource Manager's words (Azure/azure-cli#28496).
    """
    known = versions_of(type_)
    if version.lower() in known or is_newer(version, known):
        return
    if type_.lower().startswith("microsoft.resources"):
        raise ApiError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are '{','.join(reversed(known))}'.",
        )
    raise no_provider(type_, version, location)


def is_newer(version: str, known: t.Sequence[str]) -> bool:
    """Return whether a version looks published and is newer than every known one.

    The tables age, and clients send the api-versions of the day. Such a version is served like the newest known one.
    """
    match = PUBLISHED.fullmatch(version.lower())
    if match is None or match[1] <= max(known)[:10]:
        return False
    try:
        datetime.date.fromisoformat(match[1])
    except ValueError:
        return False
    return True


def no_provider(type_: str, version: str, location: str) -> ApiError:
    """Return 400: the type is not served there, or not in this api-version."""
    known = versions_of(type_)
    return ApiError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{version}' for type "
        f"'{type_.partition('/')[2]}'. The supported api-versions are '{', '.join(known)}'. "
        f"The supported locations are '{', '.join(LOCATIONS)}'.",
    )
