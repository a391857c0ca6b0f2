# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A size, an image and a region's answers to start from, and a local Azure that is left as it was."""

from __future__ import annotations

import typing as t

import pytest

from ..conftest import Cloud

LISTS = (
    "accepted_terms",
    "extra_images",
    "forbidden",
    "sku_not_available",
    "sold_images",
    "taken_labels",
    "unregistered",
    "withdrawn_images",
)
DEFAULTS: dict[str, t.Any] = {"cores_quota": 1_000_000, **{name: [] for name in LISTS}}


@pytest.fixture(autouse=True)
def switched_back(cloud: Cloud) -> t.Iterator[None]:
    """Leave the local Azure as it was."""
    yield
    for name, value in DEFAULTS.items():
        cloud.azure.switch(name, value)


SIZE: dict[str, t.Any] = {
    "resourceType": "virtualMachines",
    "name": "Standard_B2als_v2",
    "family": "standardBasv2Family",
    "locationInfo": [{"location": "westeurope", "zones": ["1", "3"]}],
    "capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "HyperVGenerations", "value": "V1,V2"}],
}
IMAGE = {
    "properties": {
        "hyperVGeneration": "V2",
        "osDiskImage": {"operatingSystem": "Linux"},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }
}


def image(**properties: t.Any) -> dict[str, t.Any]:
    """The image with other properties."""
    return {"properties": {**IMAGE["properties"], **properties}}


def size(**capabilities: str) -> list[dict[str, t.Any]]:
    """The one size, with further capabilities."""
    more = [{"name": name, "value": value} for name, value in capabilities.items()]
    return [{**SIZE, "capabilities": [*SIZE["capabilities"], *more]}]


BOTH = [{"name": "DiskControllerTypes", "value": "SCSI, NVMe"}]


def offered(name: str, zones: str = "123", family: str = "standardDv5Family", **capabilities: str) -> dict[str, t.Any]:
    """A size that is offered in zones."""
    shown = {"vCPUs": "2", "HyperVGenerations": "V1,V2", "CpuArchitectureType": "x64", **capabilities}
    return {
        **SIZE,
        "name": name,
        "family": family,
        "locationInfo": [{"location": "westeurope", "zones": list(zones)}],
        "capabilities": [{"name": key, "value": value} for key, value in shown.items()],
    }
