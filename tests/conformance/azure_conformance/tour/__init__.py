# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tour of everything that the local Azure serves, errors included, to be recorded and validated.

Each stop says which status it expects, so that the tour also fails when an operation stops working.
"""

from __future__ import annotations

from azure_conformance.local import LocalCloud
from azure_conformance.tour import catalogues, compute, machines, network, resources
from azure_conformance.tour.visits import Tour

STOPS = (
    resources.subscriptions,
    resources.groups,
    network.application_security_groups,
    network.security_groups,
    network.virtual_networks,
    network.addresses,
    network.interfaces,
    catalogues.catalogues,
    compute.disks,
    compute.placement,
    compute.ssh_keys,
    catalogues.images,
    catalogues.galleries,
    resources.vaults,
    resources.identities,
    catalogues.rights_and_terms,
    resources.deployments,
    resources.schedules,
    resources.tags_and_locks,
    machines.machines,
    machines.power,
    machines.extensions,
    machines.run_commands,
    resources.mistakes,
    resources.unserved,
    resources.removal,
)
"""In an order in which they work: each uses what earlier ones have created."""


async def visit_everything(azure: LocalCloud) -> list[tuple[str, str]]:
    """Return the method and path of every request of the tour."""
    tour = Tour(azure)
    for stop in STOPS:
        await stop(tour)
    return tour.visited
