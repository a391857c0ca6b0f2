# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long-running operations: their progress, their end, and the answers to polls.

What an operation does is an *action*, registered by name. It receives only the operation's record, so that an
operation that was under way when the server died is resumed at the next start.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
import typing as t
from dataclasses import asdict, dataclass, field

from .arm.resource import timestamp, utc_now
from .errors import ApiError, Json
from .settings import new_guid

if t.TYPE_CHECKING:
    from .cloud import Cloud

LOG = logging.getLogger(__name__)
KEPT = 2000
"""Ended operations that can still be polled; Azure forgets them after some hours."""
UNPOLLED = 0.5
"""Seconds after which an instant operation ends although nobody asked for it."""

Provider = t.Literal["compute", "disk", "gallery", "network", "group", "deployment"]
WORDS: t.Mapping[str, str] = {"compute": "operations", "disk": "DiskOperations", "gallery": "capsOperations"}
"""Of the compute provider's parts: the segment of the path that their operations are under."""
Status = t.Literal["InProgress", "Succeeded", "Failed", "Canceled"]
Ending = tuple[Status | None, Json | None]


@dataclass
class Operation:
    """One long-running operation.

    :param provider: whose conventions its answers follow.
    :param kind: the name of its action, which is also the key of its latency.
    :param duration: what was drawn for it, in seconds.
    :param counts_from_end: whether the duration counts from the end of its work, not from its start.
    :param end_fault: how a fault wants it to end, see :mod:`azure_emulator.faults`.
    :param retry_after: seconds in the header of the answer that started it.
    """

    id: str
    provider: Provider
    kind: str
    target: str
    subscription: str
    location: str
    api_version: str
    args: Json = field(default_factory=dict, repr=False)
    duration: float = 0.0
    counts_from_end: bool = False
    started: float = field(default_factory=time.time)
    start_time: str = field(default_factory=timestamp)
    end_time: str | None = None
    status: Status = "InProgress"
    error: Json | None = None
    output: t.Any = None
    first_poll_waits: bool = True
    end_fault: Json | None = None
    polls: int = 0
    retry_after: int | None = None


@dataclass(frozen=True)
class OperationSpec:
    """An operation that a request starts; the parameters are those of :class:`Operation`.

    :param latency: the key of its duration where that is not its kind.
    :param retry_after: seconds that the answer which starts it tells the client to wait; None for no such header.
    """

    provider: Provider
    kind: str
    target: str
    location: str
    args: Json = field(default_factory=dict, repr=False)
    id: str | None = None
    latency: str | None = None
    first_poll_waits: bool = True
    retry_after: int | None = None


class Action(t.Protocol):
    """What an operation does."""

    async def work(self, cloud: Cloud, operation: Operation) -> t.Any:
        """Return the real work; what it returns is the operation's output. An :class:`ApiError` makes it fail."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Called when the operation has ended: makes the effect, or its failure, visible."""


ACTIONS: dict[str, Action] = {}


def action(*kinds: str) -> t.Callable[[type], type]:
    """Class decorator: register an action under the names of operations."""

    def register(class_: type) -> type:
        for kind in kinds:
            ACTIONS[kind] = class_()
        return class_

    return register


class Operations:
    """All operations of one server."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._operations: dict[str, Operation] = {}
        self._going_on: dict[str, dict[str, Operation]] = {}
        self._polled: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.hold = False
        self._held: dict[str, asyncio.Future[Ending]] = {}
        self._key = cloud.identity.control_token.encode()
        self._certificate = hashlib.shake_256(self._key + b"certificate").digest(1400)

    def begin(self, operation: Operation, *, can_be_held: bool = True) -> Operation:
        """Start an operation and return it as it is before any of its work is done.

        :param can_be_held: whether :attr:`hold` is obeyed. What a deployment does is held with the deployment.
        """
        self._operations[operation.id] = operation
        if self.hold and can_be_held:
            self._held[operation.id] = asyncio.get_running_loop().create_future()
        self._save(operation)
        self._start(operation)
        return operation

    async def release(self, operation_id: str, status: Status | None = None, error: Json | None = None) -> None:
        """Let an operation end that began while :attr:`hold` was set; returns when its end can be seen.

        :param status: how it ends; None means as its work ended.
        """
        id_ = operation_id if operation_id in self._operations else operation_id.lower()
        held, task = self._held.get(id_), self._tasks.get(id_)
        if held is not None and task is not None and not held.done():
            held.set_result((status, error))
            if id_ in self._polled:
                self._polled[id_].set()
            await asyncio.wait([task])

    def _start(self, operation: Operation) -> None:
        self._going_on.setdefault(operation.target.lower(), {})[operation.id] = operation
        self._polled[operation.id] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(operation), name=f"{operation.kind} {operation.id}")
        self._tasks[operation.id] = task
        task.add_done_callback(lambda _task: self._tasks.pop(operation.id, None))

    def resume(self) -> None:
        """Resume what a killed server left unfinished."""
        for data in self._cloud.load("operations").values():
            operation = Operation(**data)
            self._operations[operation.id] = operation
            if operation.status == "InProgress":
                self._start(operation)

    def _save(self, operation: Operation) -> None:
        if operation.status != "InProgress":
            going_on = self._going_on.get(operation.target.lower(), {})
            going_on.pop(operation.id, None)
            if not going_on:
                self._going_on.pop(operation.target.lower(), None)
        self._cloud.put("operations", operation.id, asdict(operation))

    async def _run(self, operation: Operation) -> None:
        handler = ACTIONS[operation.kind]
        status: Status = "Succeeded"
        fault = operation.end_fault or {}
        if fault.get("status") == "never":
            return
        try:
            if fault.get("status") in ("Failed", "Canceled"):
                status, operation.error = fault["status"], fault.get("error")
            else:
                operation.output = await handler.work(self._cloud, operation)
        except ApiError as refusal:
            status, operation.error = "Failed", refusal.error()
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("operation %s on %s", operation.kind, operation.target)
            status = "Failed"
            operation.error = {"code": "InternalExecutionError", "message": "An internal execution error occurred."}
        if operation.counts_from_end:
            operation.duration += time.time() - operation.started
        await self._wait(operation)
        if operation.id in self._held:
            ending, error = await self._held[operation.id]
            del self._held[operation.id]
            if ending is not None:
                status, operation.error = ending, error
        operation.end_time = timestamp()
        operation.status = status
        operation.args = {}
        handler.done(self._cloud, operation)
        self._save(operation)
        self._polled.pop(operation.id, None)
        self._forget()

    def _forget(self) -> None:
        """Drop the oldest of the ended operations, so that a server can run for long."""
        surplus = len(self._operations) - KEPT
        ended = [o.id for o in self._operations.values() if o.status != "InProgress"] if surplus > 0 else []
        for id_ in ended[:surplus]:
            del self._operations[id_]
            if self._cloud.file is not None:
                self._cloud.file.remove("operations", id_)

    async def _wait(self, operation: Operation) -> None:
        """Wait until the end of the operation may become visible."""
        left = operation.started + operation.duration - time.time()
        if left > 0:
            await asyncio.sleep(left)
        elif operation.first_poll_waits and operation.polls == 0 and operation.duration == 0:
            try:
                await asyncio.wait_for(self._polled[operation.id].wait(), UNPOLLED)
            except asyncio.TimeoutError:
                return

    async def close(self) -> None:
        """Stop; unfinished operations stay in the state file."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until nothing is under way (operations that never end are not)."""
        while going := [task for id_, task in self._tasks.items() if self._free(id_)]:
            for event in self._polled.values():
                event.set()
            await asyncio.wait(going, timeout=0.1)

    @property
    def held(self) -> list[str]:
        """The ids of the operations that wait to be released."""
        return [id_ for id_, held in self._held.items() if not held.done()]

    def _free(self, operation_id: str) -> bool:
        """Return whether an operation ends by itself: it is not held, or has been released."""
        held = self._held.get(operation_id)
        return held is None or held.done()

    def all(self) -> list[Operation]:
        """Return every operation, oldest first."""
        return list(self._operations.values())

    def under_way(self, target: str) -> list[Operation]:
        """Return the operations that are still going on for a resource."""
        return [o for o in self._going_on.get(target.lower(), {}).values() if o.status == "InProgress"]

    def ending(self, target: str) -> list[Operation]:
        """the operations that will end by themselves: no fault keeps them going, and they are not held."""
        return [o for o in self.under_way(target) if (o.end_fault or {}).get("status") != "never" and self._free(o.id)]

    async def finished(self, operation_id: str) -> Operation:
        """Wait until an operation has ended, and return it."""
        operation = self._operations[operation_id]
        self.note_poll(operation)
        while operation.status == "InProgress":
            task = self._tasks.get(operation_id)
            await (asyncio.wait([task]) if task is not None else asyncio.sleep(UNPOLLED))
        return operation

    def cancel(self, operation: Operation, error: Json) -> None:
        """End an operation without its effect, because another one takes its place."""
        task = self._tasks.get(operation.id)
        if task is not None:
            task.cancel()
        operation.status, operation.error = "Canceled", error
        operation.end_time, operation.args = timestamp(), {}
        self._held.pop(operation.id, None)
        self._polled.pop(operation.id, None)
        self._save(operation)

    def preempt(self, operation: Operation) -> None:
        """End an operation whose work can no longer be done, because a newer one takes its machine away."""
        self.cancel(
            operation,
            {
                "code": "OperationPreempted",
                "message": "The operation execution has been preempted by a more recent operation.",
            },
        )
        ACTIONS[operation.kind].done(self._cloud, operation)

    def find(self, operation_id: str, query: t.Mapping[str, str]) -> Operation:
        """Return the operation that a poll asks for.

        :raises ApiError: 404, there is no such operation; 400, the URL was not issued by this server.
        """
        operation = self._operations.get(operation_id) or self._operations.get(operation_id.lower())
        if operation is None or (operation.end_fault or {}).get("status") == "lost":
            raise ApiError(404, "NotFound", f"The entity was not found. Operation id '{operation_id}'.")
        expected = self._signature(operation, query.get("t", ""), query.get("api-version", ""))
        if not hmac.compare_digest(query.get("s", ""), expected):
            raise ApiError(
                400, "InvalidAsyncOperationToken", "The signature of the operation URL is missing or invalid."
            )
        return operation

    def note_poll(self, operation: Operation) -> None:
        """Record that a poll was answered."""
        operation.polls += 1
        event = self._polled.get(operation.id)
        if event is not None:
            event.set()

    def _signature(self, operation: Operation, ticks: str, api_version: str) -> str:
        text = f"{operation.id}|{ticks}|{api_version}".encode()
        return _base64url(hmac.new(self._key, text, hashlib.sha256).digest() * 8)

    def url(self, origin: str, operation: Operation, *, location: bool = False) -> str:
        """Return where to ask how an operation is doing: ``Azure-AsyncOperation``, or ``Location``."""
        ticks = str(int(operation.started * 10_000_000) + 621355968000000000)
        signature = self._signature(operation, ticks, operation.api_version)
        query = (
            f"api-version={operation.api_version}&t={ticks}&c={_base64url(self._certificate)}&s={signature}"
            f"&h={_base64url(hashlib.sha256(signature.encode()).digest())}"
        )
        base = f"{origin}/subscriptions/{operation.subscription}"
        if operation.provider == "group":
            return f"{base}/operationresults/{operation.id}?{query}"
        if operation.provider == "deployment":
            target = operation.target.replace("/resourceGroups/", "/resourcegroups/", 1)
            return f"{origin}{target}/operationStatuses/{operation.id}?{query}"
        if operation.provider in WORDS:
            pool = hashlib.md5(operation.subscription.encode(), usedforsecurity=False).hexdigest()
            guid = f"{pool[:8]}-{pool[8:12]}-{pool[12:16]}-{pool[16:20]}-{pool[20:]}"
            monitor = "monitor=true&" if location else ""
            word = WORDS[operation.provider]
            place = f"/providers/Microsoft.Compute/locations/{operation.location}/{word}/{operation.id}"
            return f"{base}{place}?p={guid}&{monitor}{query}"
        word = "operationResults" if location else "operations"
        return f"{base}/providers/Microsoft.Network/locations/{operation.location}/{word}/{operation.id}?{query}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def async_body(operation: Operation) -> Json:
    """Return the answer to a poll of ``Azure-AsyncOperation``."""
    body: Json
    if operation.provider == "network":
        body = {"status": operation.status}
        if operation.status != "InProgress" and operation.error is not None:
            body["error"] = {"details": [], **operation.error}
        return body
    body = {"startTime": operation.start_time}
    if operation.end_time is not None:
        body["endTime"] = operation.end_time
    body["status"] = operation.status
    if operation.output is not None and operation.status == "Succeeded":
        body["properties"] = {"output": operation.output}
    if operation.error is not None and operation.status != "InProgress":
        body["error"] = operation.error
    body["name"] = operation.id
    return body


def deployment_operation_id() -> str:
    """Return the id of a deployment's operation: a number that falls with time, as the Resource Manager's does."""
    ticks = int(time.time() * 10_000_000) + 621355968000000000
    return f"{2**63 - 1 - ticks:020d}"


def group_operation_id(group: str, location: str) -> str:
    """Return the id of a group's deletion: a base64 job name, as the Resource Manager makes it."""
    job = f"RESOURCEGROUPDELETIONJOB-{group.upper().replace('_', ':5F').replace('-', ':2D')}-{location.upper()}"
    text = f'{{"jobId":"{job}-{new_guid()[:8]}","jobLocation":"{location}","at":"{utc_now():%H%M%S%f}"}}'
    return _base64url(text.encode())
