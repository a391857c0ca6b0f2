# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sizes of a new VM when the options do not say one."""

from __future__ import annotations

import re

from .image_reference import Image

# Two vCPUs with 4 or 8 GiB, the cheapest first. Burstable ones cannot be spot VMs, and only the last has a local disk
# for an ephemeral OS disk ("Basv2 size series" and its neighbours, learn.microsoft.com). None is of the series that new
# subscriptions cannot deploy ("Previous-generation VM size series capacity growth restrictions").
DEFAULT_SIZES = (
    "Standard_B2als_v2",
    "Standard_B2ls_v2",
    "Standard_B2as_v2",
    "Standard_B2s_v2",
    "Standard_D2als_v6",
    "Standard_D2as_v5",
    "Standard_D2ads_v5",
)
DEFAULT_ARM_SIZES = (
    "Standard_B2pls_v2",
    "Standard_B2ps_v2",
    "Standard_D2pls_v6",
    "Standard_D2pls_v5",
    "Standard_D2pds_v5",
)
_ARM = re.compile(r"(?<![a-z])arm(64)?(?![a-z])", re.IGNORECASE)


def default_sizes(image: Image, architecture: str = "") -> tuple[str, ...]:
    """Return the sizes that suit an image, in the order in which a new host takes them.

    :param architecture: ``x64`` or ``Arm64``; empty if it is not known, so that the image's name decides.
    """
    is_arm = architecture.lower() == "arm64" if architecture else bool(_ARM.search(_name(image)))
    return DEFAULT_ARM_SIZES if is_arm else DEFAULT_SIZES


def _name(image: Image) -> str:
    """Return the part of an image's reference in which publishers name the architecture."""
    return f"{image.reference['offer']}:{image.reference['sku']}" if image.is_platform else ""
