# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The capabilities of VM sizes, by the rules in the documentation of the size families."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .catalogue import SIZES, Size

_NAME = re.compile(r"(?:Standard|Basic)_([A-Z]+)\d+([a-z]*)(?:_v(\d+))?", re.IGNORECASE)
GIB = 2**30


@dataclass(frozen=True)
class Capabilities:
    """The capabilities of one size.

    :param generations: of virtual hardware: ``V1``, ``V2``.
    :param cache_gib: of the host's cache for the OS disk.
    :param temporary_gib: of the temporary disk.
    :param controllers: of disks. Sizes of generation 6 and later have NVMe only (kubermatic/machine-controller#2071).
    """

    premium: bool
    generations: tuple[str, ...]
    arm: bool
    trusted_launch: bool
    accelerated_networking: bool
    ephemeral: bool
    cache_gib: int
    temporary_gib: int
    spot: bool
    encryption_at_host: bool
    controllers: tuple[str, ...]


def capabilities_of(size: Size) -> Capabilities:
    """Return the capabilities of a size; an unknown one can do everything."""
    match = _NAME.fullmatch(size.name)
    letters, suffix, version = (match[1].upper(), match[2].lower(), int(match[3] or 1)) if match else ("D", "ds", 5)
    premium = "s" in suffix or letters.endswith("S")
    old = letters == "A" or (letters in ("D", "DS") and version == 1)
    burstable, arm = letters == "B", "p" in suffix
    cache = _cache(letters, suffix, version) * size.vcpus
    temporary = size.temporary_mb // 1024 or _temporary(suffix, version, size.vcpus)
    first_only = old or (version in (2, 3) and not premium and letters in ("D", "E"))
    generations = ("V2",) if arm or version >= 6 else ("V1",) if first_only else ("V1", "V2")
    ephemeral = premium and bool(cache or temporary) and not (burstable and version == 2)
    return Capabilities(
        premium=premium,
        generations=generations,
        arm=arm,
        trusted_launch="V2" in generations and not arm,
        accelerated_networking=size.vcpus >= 2 and version >= 2 and letters != "A",
        ephemeral=ephemeral,
        cache_gib=cache if ephemeral else 0,
        temporary_gib=temporary,
        spot=not burstable and not size.name.startswith("Basic"),
        encryption_at_host=premium,
        controllers=("NVMe",) if version >= 6 else ("SCSI",),
    )


def default_controller(size: str) -> str:
    """Return the disk controller of a machine that asks for none: SCSI where the size supports it."""
    known = SIZES.get(size.lower())
    return capabilities_of(known).controllers[0] if known is not None else "SCSI"


def _cache(letters: str, suffix: str, version: int) -> int:
    """GiB for each core."""
    if letters == "DS" and version == 2:
        return 43
    if letters in ("D", "E") and version == 3 and "s" in suffix:
        return 25
    if letters == "F" and version == 2 and "s" in suffix:
        return 16
    return 25 if letters in ("D", "E") and version in (4, 5) and "ds" in suffix else 0


def _temporary(suffix: str, version: int, cores: int) -> int:
    if "d" in suffix:
        return int(cores * 37.5)
    return cores * 8 if version == 3 else 0


def as_listed(size: Size) -> dict[str, str]:
    """Return the capabilities as lists of SKUs name them."""
    can = capabilities_of(size)
    return {
        "MaxResourceVolumeMB": str(can.temporary_gib * 1024),
        "OSVhdSizeMB": "1047552",
        "vCPUs": str(size.vcpus),
        "HyperVGenerations": ",".join(can.generations),
        "MemoryGB": str(round(size.memory_mb / 1024, 2)),
        "MaxDataDiskCount": str(size.data_disks),
        "CpuArchitectureType": "Arm64" if can.arm else "x64",
        "LowPriorityCapable": str(can.spot),
        "PremiumIO": str(can.premium),
        **({"CachedDiskBytes": str(can.cache_gib * GIB)} if can.cache_gib else {}),
        "EphemeralOSDiskSupported": str(can.ephemeral),
        "EncryptionAtHostSupported": str(can.encryption_at_host),
        "AcceleratedNetworkingEnabled": str(can.accelerated_networking),
        **({} if can.trusted_launch else {"TrustedLaunchDisabled": "True"}),
        # Sizes with SCSI only do not list it (Azure/SAP-on-Azure-Scripts-and-Utilities#131).
        **({} if can.controllers == ("SCSI",) else {"DiskControllerTypes": ", ".join(can.controllers)}),
    }
