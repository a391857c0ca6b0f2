# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One local Azure and its parts."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import logging
import secrets
import typing as t
from pathlib import Path

from .arm.resource import Json, Resource, group_id
from .compute.machines import MachineRoom
from .errors import group_not_found, resource_not_found
from .faults import Faults
from .hosts import HostsFile
from .latencies import Latencies
from .locks import Locks
from .machines.wireserver.handlers import supplied_handlers
from .network.pool import AddressPool
from .operations import Operations
from .request_log import RequestLog
from .settings import Identity, Settings
from .state import StateFile, Store
from .switches import Switches

LOG = logging.getLogger(__name__)


class Cloud:
    """The parts, wired together. Made before the event loop runs; :meth:`open` and :meth:`close` run in it.

    :param directory: where state, machines and the hosts file live; None for a cloud that is in memory alone, which
        can have no machines.
    :param durable: whether the state outlives the server.
    :param identity: who may sign in; made, or read from the state, when it is not given.
    """

    def __init__(
        self, settings: Settings, directory: Path | None, *, durable: bool = False, identity: Identity | None = None
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.file = StateFile(directory / "state.sqlite") if durable and directory is not None else None
        self.identity = identity or self._load_identity()
        self.switches = Switches(settings.switches)
        self.latencies = Latencies(settings.latency, settings.seed)
        self.faults = Faults(settings.faults)
        self.log = RequestLog(settings.request_log)
        self.store = Store(self.file)
        self.locks = Locks(self)
        self.machines = MachineRoom(self, settings.machines, directory)
        supplied = supplied_handlers(settings.handlers) if settings.handlers is not None else []
        #: Types of extensions whose packages were supplied, each ``Publisher.Type:VERSION``.
        self.supplied_extensions = tuple(f"{handler.name}:{handler.version}" for handler in supplied)
        self.pool = AddressPool(self)
        self.hosts = HostsFile(self, directory)
        self.operations = Operations(self)
        self.origin = ""
        self._chores: set[asyncio.Task[None]] = set()

    def _load_identity(self) -> Identity:
        saved = self.load("values").get("identity")
        if saved is not None:
            return Identity(**saved)
        identity = Identity(
            secret=base64.urlsafe_b64encode(secrets.token_bytes(30)).decode(), control_token=secrets.token_hex(24)
        )
        self.put("values", "identity", dataclasses.asdict(identity))
        return identity

    def save_identity(self) -> None:
        """Write down a change of the identity."""
        self.put("values", "identity", dataclasses.asdict(self.identity))

    def load(self, kind: str) -> dict[str, Json]:
        """Return a table of the state file; empty without a state file."""
        return self.file.load(kind) if self.file is not None else {}

    def put(self, kind: str, key: str, value: t.Any) -> None:
        """Write to the state file, if there is one."""
        if self.file is not None:
            self.file.put(kind, key, value)

    async def open(self) -> None:
        """Start the machines' provider, and resume what a previous server left."""
        await self.machines.open()
        self.operations.resume()
        self.hosts.update()

    async def close(self) -> None:
        """Stop operations and machines, and close files."""
        await self.operations.close()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self.machines.close()
        self.log.close()
        if self.file is not None:
            self.file.close()

    def signature(self, path: str) -> str:
        """Return the signature with which a client can follow a link to ``path`` without a token."""
        return hmac.new(self.identity.control_token.encode(), path.lower().encode(), hashlib.sha256).hexdigest()

    @property
    def subscriptions(self) -> list[str]:
        """The subscriptions that the client may see, its own first."""
        return [self.identity.subscription_id, *self.switches["extra_subscriptions"]]

    def forget_disk(self, disk_id: str) -> None:
        """Remove a managed disk's content, some time soon."""
        self.soon(self.machines.delete_disk(disk_id))

    def soon(self, chore: t.Coroutine[t.Any, t.Any, None]) -> None:
        """Run a coroutine in the background; only the end of the server waits for it."""
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def group(self, subscription: str, name: str) -> Resource:
        """Return a resource group.

        :raises ApiError: 404.
        """
        found = self.store.get(group_id(subscription, name))
        if found is None:
            raise group_not_found(name)
        return found

    def resource(self, resource_id: str) -> Resource:
        """Return a resource by its id.

        :raises ApiError: 404, naming the group or the resource.
        """
        found = self.store.get(resource_id)
        if found is not None:
            return found
        parts = resource_id.strip("/").split("/")
        group = self.group(parts[1], parts[3])
        raise resource_not_found("/".join(parts[5:]), group.name)
