# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images for which a source of the engine has no packages: nothing could be installed on the VM."""

from __future__ import annotations

import typing as t

from ..._extension.engine_rules import requested_source
from .image_reference import Image, read_image, system_without_docker_packages

# Publishers, how their offers begin, and systems that have no engine of their own.
_WITHOUT_ENGINE = (
    ("redhat", "", "RHEL"),
    ("almalinux", "", "AlmaLinux"),
    ("resf", "", "Rocky Linux"),
    ("openlogic", "centos", "CentOS"),
    ("oracle", "oracle-linux", "Oracle Linux"),
)


def engine_source_fault(image: t.Any, engine: t.Mapping[str, t.Any]) -> str:
    """Return what is wrong with the option ``engine`` for an image, to follow its name; empty without a fault.

    :param image: the option ``image``.
    """
    read, source = read_image("image", image) if image else None, requested_source(engine)
    if read is None:
        return ""
    if source == "distribution":
        name = system_without_engine(read)
        advice = "leave it out, and the engine comes from Docker's repository"
        return (
            f"must not contain source=distribution for {name}, which has no engine of its own: {advice}" if name else ""
        )
    system = system_without_docker_packages(read)
    if system is None or source != "docker":
        return ""
    if not system.takes_mirrors:
        return (
            f"must not contain source=docker, mirror, key or channel for {system.name}, because Docker has no"
            " repository for it: leave them out, and the engine comes from the distribution"
        )
    if engine.get("mirror"):
        return ""
    return (
        f"must not contain source=docker, key or channel for {system.name}, because Docker builds no packages for"
        " it: leave them out, and the engine comes from the distribution, or add a mirror that has them"
    )


def system_without_engine(image: Image) -> str:
    """Return the system of a platform image whose distribution has no engine; empty for other images."""
    publisher, offer = (image.reference.get(key, "").lower() for key in ("publisher", "offer"))
    return next((name for one, start, name in _WITHOUT_ENGINE if publisher == one and offer.startswith(start)), "")
