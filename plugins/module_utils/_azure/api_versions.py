# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API versions that the collection uses.

They are sent with every operation, so that behaviour does not change with the SDK. They are the ones of
Microsoft's published specifications that the local Azure checks requests against.
"""

from __future__ import annotations

import re

COMPUTE = "2024-07-01"
DISKS = "2024-03-02"
SKUS = "2021-07-01"
GALLERIES = "2023-07-03"
NETWORK = "2024-05-01"
RESOURCES = "2022-09-01"
SUBSCRIPTIONS = "2022-12-01"
AUTHORIZATION = "2022-04-01"
MARKETPLACE = "2021-01-01"
MANAGED_IDENTITY = "2023-01-31"
METADATA = "2022-09-01"
KEY_VAULT = "7.4"
DEVTEST_LABS = "2018-09-15"


# The first pattern that a path in lower case matches counts.
_BY_PATH = tuple(
    (re.compile(pattern), version)
    for pattern, version in (
        (r"/register$", RESOURCES),
        (r"^/subscriptions/[^/]+/locations$", SUBSCRIPTIONS),
        (r"/providers/microsoft\.authorization/", AUTHORIZATION),
        (r"/providers/microsoft\.marketplaceordering/", MARKETPLACE),
        (r"/providers/microsoft\.managedidentity/", MANAGED_IDENTITY),
        (r"/providers/microsoft\.network/", NETWORK),
        (r"/providers/microsoft\.devtestlab/", DEVTEST_LABS),
        (r"/microsoft\.compute/(locations/[^/]+/(shared|community))?galleries/", GALLERIES),
        (r"/providers/microsoft\.compute/disks", DISKS),
        (r"/providers/microsoft\.compute/skus", SKUS),
        (r"/providers/microsoft\.compute/", COMPUTE),
    )
)


def api_version_of(path: str) -> str:
    """Return the version for a resource id or the path of a request on one.

    :param path: for example ``/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/...``.
    """
    lowered = path.lower()
    return next((version for pattern, version in _BY_PATH if pattern.search(lowered)), RESOURCES)
