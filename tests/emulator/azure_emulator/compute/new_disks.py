# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New managed disks: what is refused, their SKU, and disks whose content is uploaded."""

from __future__ import annotations

import re

from ..arm.resource import Json, Resource
from ..errors import invalid_parameter

NAME_RULE = r"^[^_\W][\w-._]{0,79}(?<![-.])$"
"""As Azure shows it."""
_NAME = re.compile(r"[^\W_][\w.-]{0,79}(?<![-.])")
LARGEST = {"UltraSSD_LRS": 65536, "PremiumV2_LRS": 65536}
"""In GiB; other disks can have 32,767 ("Azure managed disk types", learn.microsoft.com)."""
TIERS = {"UltraSSD": "Ultra", "PremiumV2": "Premium", "StandardSSD": "Standard"}
UPLOADS = ("upload", "uploadpreparedsecure")
FOOTER = 512
"""Bytes of a VHD's footer, which ``uploadSizeBytes`` includes."""


def disk_sku(name: str) -> Json:
    """Return a disk's SKU with its tier, as the specification's examples show it: that of ``UltraSSD_LRS`` is Ultra."""
    kind = name.partition("_")[0]
    return {"name": name, "tier": TIERS.get(kind, kind)}


def check_new_disk(name: str, requested: Json, sku: str) -> None:
    """Refuse a disk that lacks a size, or has an impossible name or size.

    :raises ApiError: 400 (Azure/azure-cli#25308 and reports of Terraform's users).
    """
    if not _NAME.fullmatch(name):
        raise invalid_parameter(
            f"The entity name 'disk.name' is invalid according to its validation rule: {NAME_RULE}.", "disk.name"
        )
    option = str((requested.get("creationData") or {}).get("createOption")).lower()
    if option == "empty" and not requested.get("diskSizeGB"):
        raise _missing("disk.diskSizeGb")
    if option in UPLOADS and not requested["creationData"].get("uploadSizeBytes"):
        raise _missing("creationData.uploadSizeBytes")
    check_size(requested, sku)


def check_size(requested: Json, sku: str) -> None:
    """Refuse a size that no disk of a SKU has.

    :raises ApiError: 400.
    """
    size, most = requested.get("diskSizeGB"), LARGEST.get(sku, 32767)
    if size is not None and not 1 <= size <= most:
        raise invalid_parameter(
            f"The value '{size}' of parameter 'disk.diskSizeGb' is out of range. The value must be between '1' and"
            f" '{most}', inclusive.",
            "disk.diskSizeGb",
        )


def _missing(name: str) -> Exception:
    return invalid_parameter(f"Required parameter '{name}' is missing (null).", name)


def size_of_upload(requested: Json) -> int | None:
    """Return the size in GiB of a disk whose content is uploaded, None for others."""
    size = (requested.get("creationData") or {}).get("uploadSizeBytes")
    return None if not size else -(-(int(size) - FOOTER) // 2**30)


def awaits_upload(disk: Resource) -> bool:
    """Return whether the content of a disk must still be uploaded."""
    option = str((disk.properties.get("creationData") or {}).get("createOption")).lower()
    return option in UPLOADS and not disk.hidden.get("uploaded")


def access_state(disk: Resource) -> str | None:
    """Return the state of a disk that is accessed by a URL, or waits for its content; None for others.

    DiskState of the specification: ReadyToUpload, ActiveUpload, ActiveSAS.
    """
    accessed = bool(disk.hidden.get("accessed"))
    if awaits_upload(disk):
        return "ActiveUpload" if accessed else "ReadyToUpload"
    return "ActiveSAS" if accessed else None
