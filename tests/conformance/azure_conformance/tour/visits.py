# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One visit: a request, the status that it expects, and its operation to the end."""

from __future__ import annotations

import typing as t

from azure_conformance.compare import Answer
from azure_conformance.local import LocalCloud

Json = dict[str, t.Any]
NETWORK, COMPUTE, DISKS, SKUS = "2024-05-01", "2024-07-01", "2024-03-02", "2021-07-01"
RESOURCES, SUBSCRIPTIONS = "2022-09-01", "2022-12-01"
GALLERIES = "2023-07-03"
KEY_VAULT, MANAGED_IDENTITY = "2023-07-01", "2023-01-31"
AUTHORIZATION, MARKETPLACE, LOCKS = "2022-04-01", "2021-01-01", "2020-05-01"
SCHEDULES = "2018-09-15"
PLACE = "westeurope"
IMAGE = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}


class Tour:
    """One visitor of a local Azure.

    :param azure: the cloud, which records what it is asked and what it answers.
    """

    def __init__(self, azure: LocalCloud) -> None:
        self.azure = azure
        self.visited: list[tuple[str, str]] = []
        self.subscription = f"/subscriptions/{azure.subscription}"
        self.group = f"{self.subscription}/resourceGroups/tour"
        self.network = f"{self.group}/providers/Microsoft.Network"
        self.compute = f"{self.group}/providers/Microsoft.Compute"
        self.vm = f"{self.compute}/virtualMachines/vm1"

    async def go(
        self, method: str, path: str, version: str, *expected: int, body: t.Any = None, query: str = "", **headers: str
    ) -> Answer:
        """One request; its operation, if it starts one, is followed to the end."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.azure.request(method, f"{path}?api-version={version}{query}", body, sent)
        self.visited.append((method, path))
        assert answer.status in (expected or (200,)), f"{method} {path}: {answer.status} {answer.body}"
        for header in ("azure-asyncoperation", "location"):
            # The place of a new identity is a path alone: nothing to poll.
            if answer.headers.get(header, "").startswith("http"):
                await self._poll(answer.headers[header])
                await self.azure.settle()
                await self._poll(answer.headers[header])
        return answer

    async def _poll(self, url: str) -> None:
        answer = await self.azure.request("GET", url)
        self.visited.append(("GET", url.partition("?")[0].partition("://")[2].partition("/")[2]))
        assert answer.status in (200, 202, 204, 409), f"{url}: {answer.status} {answer.body}"

    async def family(self, path: str) -> None:
        """What every top-level type of the network provider answers."""
        for listed in (path.rpartition("/")[0], path.rpartition("/")[0].replace("/resourceGroups/tour", "")):
            await self.go("GET", listed, NETWORK)
        answer = await self.go("GET", path, NETWORK)
        await self.go("PATCH", path, NETWORK, 200, body={"tags": {"tour": "yes"}})
        await self.go("GET", f"{path}-none", NETWORK, 404)
        await self.go("DELETE", f"{path}-none", NETWORK, 204)
        await self.go("PUT", path, NETWORK, 412, body={"location": PLACE, **answer.body}, if_match='W/"no"')
