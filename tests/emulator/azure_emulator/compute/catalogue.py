# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue: sizes, platform images, extension types."""

from __future__ import annotations

import dataclasses
import itertools
import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ..cloud import Cloud


@dataclass(frozen=True)
class Size:
    """A VM size."""

    name: str
    vcpus: int
    memory_mb: int
    family: str
    data_disks: int
    temporary_mb: int = 0


FIRST_SERIES = {0: (1, 0.75), 1: (1, 1.75), 2: (2, 3.5), 3: (4, 7), 4: (8, 14), 5: (2, 14), 6: (4, 28), 7: (8, 56)}
"""Of the first A series by number: cores and GiB."""
NUMBERED = {1: (1, 3.5), 2: (2, 7), 3: (4, 14), 4: (8, 28), 11: (2, 14), 12: (4, 28), 13: (8, 56)}
"""Of D and DS by number: cores and GiB."""
BURSTABLE = {
    "B1ls": (1, 0.5),
    "B1s": (1, 1),
    "B1ms": (1, 2),
    "B2s": (2, 4),
    "B2ms": (2, 8),
    "B4ms": (4, 16),
    "B8ms": (8, 32),
}
CORES = (2, 4, 8, 16, 32, 48, 64)
GENERAL = (("D", 4, (3, 4, 5, 6)), ("E", 8, (3, 4, 5, 6)), ("F", 2, (2,)))
"""Letter, GiB for each core, generations."""
SUFFIXES = ("", "s", "as", "ds", "ads", "ps", "pds")
LOW_MEMORY = {5: ("ls", "lds", "pls", "plds"), 6: ("ls", "als", "lds", "alds", "pls", "plds")}
"""Suffixes of D with half the memory, by generation."""
PREVIOUS = re.compile(r"(Basic_.*|Standard_(A.*|B\d+[a-z]*|[DE]S?\d+[a-z]*(_v[2-4])?|F\d+[a-z]*(_v2)?))", re.IGNORECASE)
"""Series that a new subscription cannot deploy since July 2026 ("Previous-generation VM size series capacity growth
restrictions"), and retired ones."""


def _size(name: str, vcpus: int, memory_gb: float, family: str, temporary_gb: int = 0) -> Size:
    disks = min(64, max(2, vcpus * 2))
    return Size(name, vcpus, int(memory_gb * 1024), family, disks, temporary_gb * 1024)


def _burstable_sizes() -> t.Iterator[Size]:
    for name, (vcpus, memory) in BURSTABLE.items():
        yield _size(f"Standard_{name}", vcpus, memory, "standardBSFamily", vcpus * 4)
    for vcpus, letter in itertools.product((2, 4, 8, 16, 32), ("", "a", "p")):
        if (vcpus, letter) == (32, "p"):
            continue
        yield _size(f"Standard_B{vcpus}{letter}s_v2", vcpus, vcpus * 4, f"standardB{letter}sv2Family")
        yield _size(f"Standard_B{vcpus}{letter}ls_v2", vcpus, vcpus * 2, f"standardB{letter}sv2Family")
    for letter in ("", "a", "p"):
        yield _size(f"Standard_B2{letter}ts_v2", 2, 1, f"standardB{letter}sv2Family")


def _previous_sizes() -> t.Iterator[Size]:
    for number, (vcpus, memory) in FIRST_SERIES.items():
        yield _size(f"Standard_A{number}", vcpus, memory, "standardA0_A7Family")
        yield _size(f"Basic_A{number}", vcpus, memory, "basicAFamily")
    for vcpus in (1, 2, 4, 8):
        yield _size(f"Standard_A{vcpus}_v2", vcpus, vcpus * 2, "standardAv2Family", vcpus * 10)
    for letter, (number, (vcpus, memory)) in itertools.product(("D", "DS"), NUMBERED.items()):
        yield _size(f"Standard_{letter}{number}", vcpus, memory, f"standard{letter}Family", vcpus * 7)
        yield _size(f"Standard_{letter}{number}_v2", vcpus, memory, f"standard{letter}v2Family", vcpus * 7)
    for vcpus in (1, 2, 4, 8, 16):
        yield _size(f"Standard_F{vcpus}", vcpus, vcpus * 2, "standardFFamily", vcpus * 16)
        yield _size(f"Standard_F{vcpus}s", vcpus, vcpus * 2, "standardFSFamily", vcpus * 4)


def _general_sizes() -> t.Iterator[Size]:
    for (letter, ratio, generations), vcpus in itertools.product(GENERAL, CORES):
        for generation, suffix in itertools.product(generations, SUFFIXES):
            name = f"Standard_{letter}{vcpus}{suffix}_v{generation}"
            yield _size(name, vcpus, vcpus * ratio, f"standard{letter}{suffix.upper()}v{generation}Family")
    for vcpus, (generation, suffixes) in itertools.product(CORES, LOW_MEMORY.items()):
        for suffix in suffixes:
            name = f"Standard_D{vcpus}{suffix}_v{generation}"
            yield _size(name, vcpus, vcpus * 2, f"standardD{suffix.upper()}v{generation}Family")


def _sizes() -> dict[str, Size]:
    """Return the sizes of every family, which follow from the rules for their names."""
    every = itertools.chain(_burstable_sizes(), _previous_sizes(), _general_sizes())
    return {size.name.lower(): size for size in every}


SIZES = _sizes()


def size_of(_cloud: Cloud, name: str) -> Size:
    """Return a size by its name; one that is not in the catalogue counts as two cores."""
    return SIZES.get(name.lower()) or Size(name, 2, 4096, "standardFamily", 4)


def is_restricted(cloud: Cloud, name: str) -> bool:
    """Return whether the subscription cannot deploy a size."""
    return is_size_restricted(name, cloud.switches["previous_sizes"], cloud.switches["sku_not_available"])


def is_size_restricted(name: str, previous: bool, unavailable: t.Iterable[str]) -> bool:
    """Return whether a subscription cannot deploy a size.

    :param previous: whether it has quota for sizes of previous generations.
    :param unavailable: further sizes that it cannot deploy.
    """
    if PREVIOUS.fullmatch(name) and not previous:
        return True
    return name.lower() in {entry.lower() for entry in unavailable}


def size_body(size: Size) -> dict[str, t.Any]:
    """Return a size as lists show it."""
    return {
        "name": size.name,
        "numberOfCores": size.vcpus,
        "osDiskSizeInMB": 1047552,
        "resourceDiskSizeInMB": size.temporary_mb,
        "memoryInMB": size.memory_mb,
        "maxDataDiskCount": size.data_disks,
    }


@dataclass(frozen=True)
class Image:
    """A platform image."""

    publisher: str
    offer: str
    sku: str
    version: str
    os_name: str
    os_version: str
    generation: str = "V2"
    size_gb: int = 30
    architecture: str = "x64"
    os_type: str = "Linux"
    trusted: bool | None = None
    nvme: bool = True

    @property
    def controllers(self) -> tuple[str, ...]:
        """The disk controllers from which it can boot."""
        return ("SCSI", "NVMe") if self.nvme else ("SCSI",)

    @property
    def hibernates(self) -> bool:
        """Whether a machine that was made of it can hibernate: recorded of Ubuntu with True, of Debian with False."""
        return self.publisher.lower() == "canonical"

    @property
    def path(self) -> str:
        """The image's place among those of its publisher, as ids write it."""
        place = f"{self.publisher}/ArtifactTypes/VMImage/Offers/{self.offer}/Skus/{self.sku}"
        return f"{place}/Versions/{self.version}"

    @property
    def trusted_launch(self) -> bool:
        """Whether it can be booted with Trusted Launch; platform images of the second generation can."""
        known = self.generation == "V2" and self.architecture == "x64" and self.os_type == "Linux"
        return known if self.trusted is None else self.trusted


IMAGES: tuple[Image, ...] = (
    Image("Debian", "debian-12", "12-gen2", "0.20241004.1890", "debian", "12"),
    Image("Debian", "debian-12", "12-gen2", "0.20250115.1993", "debian", "12"),
    Image("Debian", "debian-12", "12", "0.20241004.1890", "debian", "12", "V1"),
    Image("Debian", "debian-12", "12", "0.20250115.1993", "debian", "12", "V1"),
    Image("Debian", "debian-11", "11-gen2", "0.20241202.1949", "debian", "11"),
    Image("Debian", "debian-11", "11", "0.20241202.1949", "debian", "11", "V1"),
    Image("Debian", "debian-10", "10", "0.20240430.1733", "debian", "10", "V1", nvme=False),
    Image("Debian", "debian-13", "13-gen2", "0.20251006.2257", "debian", "13"),
    Image("Canonical", "ubuntu-24_04-lts", "server", "24.04.202411030", "ubuntu", "24.04"),
    Image("Canonical", "ubuntu-24_04-lts", "server", "24.04.202501130", "ubuntu", "24.04"),
    Image("Canonical", "ubuntu-24_04-lts", "server-gen1", "24.04.202501130", "ubuntu", "24.04", "V1"),
    Image("Canonical", "ubuntu-24_04-lts", "server-arm64", "24.04.202501130", "ubuntu", "24.04", architecture="Arm64"),
    Image("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "22.04.202411010", "ubuntu", "22.04"),
    Image("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "22.04.202501100", "ubuntu", "22.04"),
    Image("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "22.04.202501100", "ubuntu", "22.04", "V1"),
    Image(
        "Canonical", "0001-com-ubuntu-server-focal", "20_04-lts-gen2", "20.04.202501080", "ubuntu", "20.04", nvme=False
    ),
    Image(
        "Canonical", "0001-com-ubuntu-server-focal", "20_04-lts", "20.04.202501080", "ubuntu", "20.04", "V1", nvme=False
    ),
    Image("Canonical", "UbuntuServer", "18.04-LTS", "18.04.202306070", "ubuntu", "18.04", "V1"),
    Image("Canonical", "UbuntuServer", "18_04-lts-gen2", "18.04.202306070", "ubuntu", "18.04"),
    Image("Canonical", "UbuntuServer", "16.04-LTS", "16.04.202109280", "ubuntu", "16.04", "V1", nvme=False),
    Image("Canonical", "UbuntuServer", "14.04.1-LTS", "14.04.201501230", "ubuntu", "14.04", "V1", nvme=False),
    Image("Canonical", "ubuntu-26_04-lts", "server", "26.04.202607150", "ubuntu", "26.04"),
    Image("RedHat", "rhel-raw", "9-raw-gen2", "9.8.2026062318", "redhat", "9.8", size_gb=64),
    Image("RedHat", "rhel-raw", "10-raw-gen2", "10.1.2026052713", "redhat", "10.1", size_gb=64),
    Image("RedHat", "RHEL", "9-lvm-gen2", "9.4.2024061300", "redhat", "9.4", size_gb=64),
    Image("RedHat", "RHEL", "8-lvm-gen2", "8.10.2024061300", "redhat", "8.10", size_gb=64),
    Image("almalinux", "almalinux-x86_64", "9-gen2", "9.5.202411260", "almalinux", "9.5"),
    Image("almalinux", "almalinux-x86_64", "10-gen2", "10.1.202605180", "almalinux", "10.1"),
    Image("resf", "rockylinux-x86_64", "9-base", "9.8.20260525", "rocky", "9.8"),
    Image("resf", "rockylinux-x86_64", "10-base", "10.1.20260525", "rocky", "10.1"),
    Image("SUSE", "sles-15-sp7", "gen2", "2026.07.22", "suse", "15.7"),
    Image("MicrosoftCBLMariner", "azure-linux-3", "azure-linux-3-gen2", "3.20260510.01", "azurelinux", "3.0"),
    Image("OpenLogic", "CentOS", "7.5", "7.5.201808150", "centos", "7.5", "V1", nvme=False),
)


def _alias(publisher: str, offer: str, sku: str) -> dict[str, str]:
    return {"publisher": publisher, "offer": offer, "sku": sku}


ALIASES: t.Mapping[str, t.Mapping[str, str]] = {
    "Debian11": _alias("Debian", "debian-11", "11-gen2"),
    "Debian12": _alias("Debian", "debian-12", "12-gen2"),
    "Debian13": _alias("Debian", "debian-13", "13-gen2"),
    "Ubuntu2204": _alias("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"),
    "Ubuntu2404": _alias("Canonical", "ubuntu-24_04-lts", "server"),
}
"""Short names of platform images for the Azure CLI."""


def images(cloud: Cloud) -> list[Image]:
    """Return the platform images, with those that the switch ``extra_images`` adds."""
    found = list(IMAGES)
    for urn in cloud.switches["extra_images"]:
        publisher, offer, sku, version, *details = urn.split(":")
        windows = publisher.lower().startswith("microsoftwindows") or "Windows" in details
        size, os_type = (127, "Windows") if windows else (30, "Linux")
        generation, trusted = "V2" if "V2" in details else "V1", "TrustedLaunch" in details
        image = Image(publisher, offer, sku, version, os_type.lower(), "", generation, size, os_type=os_type)
        found.append(dataclasses.replace(image, trusted=trusted))
    return found


def version_key(version: str) -> tuple[int, ...]:
    """Return a sort key for versions."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def find_image(cloud: Cloud, reference: t.Mapping[str, t.Any]) -> Image | None:
    """Return the image that a reference means; ``latest`` is the newest version."""
    wanted = [str(reference.get(name, "")).lower() for name in ("publisher", "offer", "sku")]
    fitting = [
        image for image in images(cloud) if [image.publisher.lower(), image.offer.lower(), image.sku.lower()] == wanted
    ]
    version = str(reference.get("version", "latest")).lower()
    if version == "latest":
        return max(fitting, key=lambda image: version_key(image.version), default=None)
    return next((image for image in fitting if image.version == version), None)


@dataclass(frozen=True)
class ExtensionType:
    """A type of VM extension; versions are full ones, oldest first."""

    publisher: str
    type: str
    versions: tuple[str, ...]
    troubleshoot: str = "VMExtensionCSELinuxTroubleshoot"


EXTENSION_TYPES: tuple[ExtensionType, ...] = (
    ExtensionType("Microsoft.Azure.Extensions", "CustomScript", ("2.0.7", "2.1.10", "2.1.13", "2.1.19")),
    ExtensionType("Microsoft.OSTCExtensions", "CustomScriptForLinux", ("1.5.5",)),
    ExtensionType("Microsoft.OSTCExtensions", "VMAccessForLinux", ("1.5.18",), "VMExtensionVMAccessLinuxTroubleshoot"),
    ExtensionType("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", ("1.33.1",), "VMExtensionAMALinuxTroubleshoot"),
    ExtensionType(
        "Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux", ("1.4.3422.1",), "vmextensionlinuxtroubleshoot"
    ),
    ExtensionType(
        "Microsoft.EnterpriseCloud.Monitoring", "OmsAgentForLinux", ("1.17.2",), "VMExtensionOMSAgentLinuxTroubleshoot"
    ),
    ExtensionType("Microsoft.CPlat.Core", "RunCommandHandlerLinux", ("1.3.9",)),
    ExtensionType(
        "Microsoft.Azure.ActiveDirectory", "AADSSHLoginForLinux", ("1.0.2644.1",), "vmextensionlinuxtroubleshoot"
    ),
)
DOCKER_EXTENSION = ExtensionType(
    "Microsoft.Azure.Extensions", "DockerExtension", ("1.0.1704090", "1.2.2"), "vmextensionlinuxtroubleshoot"
)
"""Retired in November 2018; the switch ``docker_extension`` brings it back for clouds that keep it."""


def extension_types(cloud: Cloud) -> list[ExtensionType]:
    """Return the catalogue, with what switch ``extra_extensions`` and supplied packages add."""
    found = list(EXTENSION_TYPES)
    if cloud.switches["docker_extension"]:
        found.append(DOCKER_EXTENSION)
    for text in [*cloud.switches["extra_extensions"], *cloud.supplied_extensions]:
        name, _unused, version = text.partition(":")
        publisher, _unused, type_ = name.rpartition(".")
        added = ExtensionType(publisher, type_, (version or "1.0.0",))
        for at, known in enumerate(found):
            if (known.publisher.lower(), known.type.lower()) == (publisher.lower(), type_.lower()):
                versions = tuple(sorted({*known.versions, *added.versions}, key=version_key))
                found[at] = dataclasses.replace(known, versions=versions)
                break
        else:
            found.append(added)
    return found


def find_extension_type(cloud: Cloud, publisher: str, type_: str) -> ExtensionType | None:
    """Return a type by publisher and name."""
    wanted = (publisher.lower(), type_.lower())
    return next((e for e in extension_types(cloud) if (e.publisher.lower(), e.type.lower()) == wanted), None)


def resolve_version(extension: ExtensionType, wanted: str, *, minor_upgrades: bool) -> str | None:
    """Return the full version that a request for ``2.1`` gets."""
    numbers = wanted.split(".")
    exact = [v for v in extension.versions if v.split(".")[: len(numbers)] == numbers]
    if minor_upgrades:
        floor = version_key(wanted)
        exact = [v for v in extension.versions if v.split(".")[0] == numbers[0] and version_key(v) >= floor]
    return exact[-1] if exact else None
