# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image from which a host is created."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ..._errors import OptionError

DEFAULT_IMAGE = "ubuntu"

# Names for ready-made families, second generation, newest version. Publishers and offers as Azure's own documents
# and `az vm image list` name them; a family's arm64 twin is chosen by its URN.
ALIASES: t.Mapping[str, str] = {
    "ubuntu": "Canonical:ubuntu-24_04-lts:server:latest",
    "ubuntu-26.04": "Canonical:ubuntu-26_04-lts:server:latest",
    "ubuntu-24.04": "Canonical:ubuntu-24_04-lts:server:latest",
    "ubuntu-22.04": "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest",
    "debian": "Debian:debian-12:12-gen2:latest",
    "debian-13": "Debian:debian-13:13-gen2:latest",
    "debian-12": "Debian:debian-12:12-gen2:latest",
    "almalinux-10": "almalinux:almalinux-x86_64:10-gen2:latest",
    "almalinux-9": "almalinux:almalinux-x86_64:9-gen2:latest",
    "rocky-10": "resf:rockylinux-x86_64:10-base:latest",
    "rocky-9": "resf:rockylinux-x86_64:9-base:latest",
    # One partition that cloud-init grows. In the images with LVM, /var has 8 GiB, whatever the size of the disk
    # ("Expand virtual hard disks on a Linux VM", learn.microsoft.com).
    "rhel-10": "RedHat:rhel-raw:10-raw-gen2:latest",
    "rhel-9": "RedHat:rhel-raw:9-raw-gen2:latest",
    "sles-15": "SUSE:sles-15-sp7:gen2:latest",
    "azurelinux-3": "MicrosoftCBLMariner:azure-linux-3:azure-linux-3-gen2:latest",
}
# Names of families that the collection had and that get no security updates any more, with their URN.
RETIRED: t.Mapping[str, str] = {"debian-11": "Debian:debian-11:11-gen2:latest"}
# Images of these are free, but have a plan whose terms a subscription accepts once (`az vm image terms accept`).
_PLAN_PUBLISHERS = frozenset(("resf",))

# "Find Azure Marketplace image information" (learn.microsoft.com); the names of purchase plans have the same form.
URN_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_GALLERY = re.compile(
    r"/(subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/galleries|SharedGalleries"
    r"|CommunityGalleries)/[^/]+/images/[^/]+(/versions/[^/]+)?",
    re.IGNORECASE,
)
_MANAGED = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/images/[^/]+", re.IGNORECASE
)


@dataclass(frozen=True)
class Image:
    """An image.

    :param reference: the wire format's ``imageReference``.
    """

    reference: t.Mapping[str, str]

    @property
    def is_platform(self) -> bool:
        """Return whether the image comes from a publisher in Azure's catalogue."""
        return "publisher" in self.reference

    def __str__(self) -> str:
        if self.is_platform:
            return ":".join(self.reference[key] for key in ("publisher", "offer", "sku", "version"))
        return next(iter(self.reference.values()))

    def matches(self, current: t.Mapping[str, t.Any]) -> bool:
        """Return whether a VM's ``imageReference`` is this image. ``latest`` matches every version."""
        for key, value in self.reference.items():
            value_now = str(current.get(key, ""))
            exact = str(current.get("exactVersion", ""))
            if key == "version" and (value == "latest" or exact == value):
                continue
            if value_now.lower() != value.lower():
                return False
        return True


def read_image(option: str, value: t.Any) -> Image:
    """Return the image that an option names.

    :param value: an alias, a URN, the id of a managed or gallery image, or a dictionary of the wire format's keys.
    :raises OptionError: the value is something else.
    """
    if isinstance(value, t.Mapping):
        return _from_dictionary(option, value)
    text = str(value).strip()
    if text.lower() in RETIRED:
        raise OptionError(
            option,
            f"must be a system with security updates, got {text!r}: choose debian-13, or for an existing host the URN"
            f" {RETIRED[text.lower()]}",
        )
    if text.lower() in ALIASES:
        text = ALIASES[text.lower()]
    if text.startswith("/"):
        return _from_id(option, text)
    parts = text.split(":")
    if len(parts) == 4 and all(URN_PART.fullmatch(part) for part in parts):
        return Image(dict(zip(("publisher", "offer", "sku", "version"), parts, strict=True)))
    raise OptionError(
        option,
        f"must be publisher:offer:sku:version, a resource ID, or one of {', '.join(ALIASES)}, got {text!r}",
    )


def plan_of_alias(value: t.Any) -> dict[str, str] | None:
    """Return the plan of an alias's image, in wire format; None if the value is no alias or the image has no plan."""
    urn = ALIASES.get(value.strip().lower()) if isinstance(value, str) else None
    publisher, product, name, _version = (urn or ":::").split(":")
    return {"name": name, "product": product, "publisher": publisher} if publisher in _PLAN_PUBLISHERS else None


class SystemWithoutDocker(t.NamedTuple):
    """A system for which Docker builds no packages, so that the engine comes from the distribution.

    :param publisher: of its images.
    :param offer: how the offers of its images begin.
    :param takes_mirrors: whether a mirror with the layout of Docker's repository can have packages for it.
    """

    name: str
    publisher: str
    offer: str
    takes_mirrors: bool


_WITHOUT_DOCKER = (
    SystemWithoutDocker("SLES", "suse", "sles", True),
    SystemWithoutDocker("openSUSE", "suse", "opensuse", True),
    SystemWithoutDocker("Azure Linux", "microsoftcblmariner", "", False),
)


def system_without_docker_packages(image: Image) -> SystemWithoutDocker | None:
    """Return the system of a platform image for which Docker builds no packages, None for other images."""
    publisher = image.reference.get("publisher", "").lower()
    offer = image.reference.get("offer", "").lower()
    found = (one for one in _WITHOUT_DOCKER if one.publisher == publisher and offer.startswith(one.offer))
    return next(found, None)


_REGISTERED_BY: t.Mapping[str, tuple[str, str]] = {
    "suse": ("registercloudguest", "sles-15"),
    "redhat": ("subscription-manager", "rhel-10"),
}
"""By the publisher: the program that registers a VM, and the alias of an image that has a subscription."""


def registration_of(image: Image) -> tuple[str, str] | None:
    """Return what registers a VM of a bring-your-own-subscription image, and an image that needs no registration.

    Before it is registered, such a VM has no package sources. The offers contain ``byos``, for example
    ``sles-15-sp7-byos`` and ``rhel-byos`` ("Overview of Red Hat Enterprise Linux images", learn.microsoft.com).

    :returns: None for every other image.
    """
    is_own = "byos" in image.reference.get("offer", "").lower().split("-")
    return _REGISTERED_BY.get(image.reference.get("publisher", "").lower()) if is_own else None


def _from_id(option: str, text: str) -> Image:
    text = text.rstrip("/")
    if _MANAGED.fullmatch(text):
        return Image({"id": text})
    match = _GALLERY.fullmatch(text)
    if not match:
        raise OptionError(option, f"must be the resource ID of a managed image or of a gallery image, got {text!r}")
    kinds = {"sharedgalleries": "sharedGalleryImageId", "communitygalleries": "communityGalleryImageId"}
    return Image({kinds.get(match[1].lower(), "id"): text})


def _from_dictionary(option: str, value: t.Mapping[str, t.Any]) -> Image:
    given = {str(key): str(item) for key, item in value.items() if item not in (None, "")}
    if set(given) == {"id"}:
        return _from_id(option, given["id"])
    if set(given) | {"version"} == {"publisher", "offer", "sku", "version"} and all(
        URN_PART.fullmatch(part) for part in given.values()
    ):
        return Image({**given, "version": given.get("version", "latest")})
    raise OptionError(option, f"must contain publisher, offer, sku and optionally version, or only id, got {given}")
