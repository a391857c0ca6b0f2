# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replay one flow against a fresh local Azure."""

from __future__ import annotations

import logging
import typing as t
import urllib.parse
from dataclasses import dataclass, field

from azure_emulator.operations import Status

from . import error_recipes
from .bodies import Defaults, from_response, is_group, parent_of, with_secrets
from .compare import Answer, Comparison, compare
from .deployments import Deployments, deployed, with_usable_keys
from .local import LocalCloud
from .mapping import Mapping, subscription_of
from .paths import DEPLOYMENT_TYPE, Poll, Target, parse_poll, parse_target
from .preconditions import add_to_catalogue, starting_switches
from .records import Flow, Interaction
from .resource_history import ResourceHistory
from .scope import is_out_of_scope, is_page
from .secrets import learn_client, replay_secret, vault_of
from .seeding import Seeder

LOG = logging.getLogger(__name__)
Json = dict[str, t.Any]
ENDINGS: t.Mapping[str, Status] = {"succeeded": "Succeeded", "failed": "Failed", "canceled": "Canceled"}
Verdict = t.Literal["agree", "disagree", "not served"]


@dataclass
class Outcome:
    """The outcome of one interaction."""

    flow: Flow
    interaction: Interaction
    verdict: Verdict
    differences: list[str] = field(default_factory=list)
    excuses: list[str] = field(default_factory=list)


@dataclass
class _Operation:
    """An operation of the replay.

    :param urls: the local URLs by recorded key, see :func:`_poll_key`.
    :param target: key of the recorded resource that it changes.
    """

    urls: dict[str, str]
    target: str
    started: int
    ended: bool = False


async def replay(flow: Flow) -> list[Outcome]:
    """Replay a flow and compare each answer."""
    async with LocalCloud(starting_switches(flow)) as cloud:
        return await _Replay(flow, cloud).run()


class _Replay:
    def __init__(self, flow: Flow, cloud: LocalCloud) -> None:
        self._flow = flow
        self._cloud = cloud
        self._history = ResourceHistory(flow)
        self._mapping = Mapping()
        self._seeder = Seeder(cloud, self._history, self._mapping, self._going_on)
        self._defaults = Defaults(self._history)
        self._operations: list[_Operation] = []
        self._not_served: set[str] = set()
        self._deployments = Deployments()
        subscription = next((s for i in flow.interactions if (s := subscription_of(i.path))), None)
        if subscription is not None:
            self._mapping.subscription(subscription, cloud.subscription)
        self._subscription = subscription

    async def run(self) -> list[Outcome]:
        return [await self._guarded(position, record) for position, record in enumerate(self._flow.interactions)]

    async def _guarded(self, position: int, record: Interaction) -> Outcome:
        """Return one interaction; one that is not as interactions are is a disagreement, and the others go on."""
        try:
            return await self._one(position, record)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            LOG.debug("interaction %s", record.name, exc_info=True)
            said = f"could not be replayed: {type(error).__name__}: {error}"
            return Outcome(self._flow, record, "disagree", [said])

    async def _one(self, position: int, record: Interaction) -> Outcome:
        self._seeder.notes.clear()
        vault = vault_of(record)
        if vault is not None:
            return await self._secret(record, vault)
        poll = parse_poll(record.path)
        foreign = is_out_of_scope(record.path) or is_page(record.response.body) or self._deployments.is_foreign(record)
        if not self._is_arm(record) or foreign:
            self._remember_unserved(record)
            return Outcome(self._flow, record, "not served")
        if poll is not None:
            answer = await self._poll(position, record, poll)
        else:
            answer = await self._request(position, record)
        if answer is None:
            return Outcome(self._flow, record, "not served")
        self._learn(position, record, answer)
        await self._cloud.release_others(url for o in self._operations for url in o.urls.values())
        comparison = compare(record, answer, self._mapping)
        return self._outcome(record, comparison)

    async def _secret(self, record: Interaction, vault: str) -> Outcome:
        answer = await replay_secret(self._cloud, record, vault, self._mapping)
        if answer is None:
            return Outcome(self._flow, record, "not served")
        self._mapping.learn(record.response.body, answer.body)
        return self._outcome(record, compare(record, answer, self._mapping))

    def _outcome(self, record: Interaction, comparison: Comparison) -> Outcome:
        differences = comparison.differences
        if differences:
            differences = [*differences, *self._seeder.notes]
        verdict: Verdict = "disagree" if differences else "agree"
        return Outcome(self._flow, record, verdict, differences, comparison.excuses)

    def _is_arm(self, record: Interaction) -> bool:
        """Return whether a request went to the Resource Manager, about the flow's subscription."""
        host = record.host.rpartition(":")[0] or record.host
        arm = not host or host.startswith(("management.", "localhost", "127.", "api-dogfood.")) or host == "[::1]"
        subscription = subscription_of(record.path)
        return arm and (subscription is None or subscription.lower() == (self._subscription or "").lower())

    def _remember_unserved(self, record: Interaction) -> None:
        for header in ("azure-asyncoperation", "location"):
            if header in record.response.headers:
                self._not_served.add(_poll_key(record.response.headers[header]))

    # --- requests --------------------------------------------------------------------------------------------------

    async def _request(self, position: int, record: Interaction) -> Answer | None:
        target = parse_target(record.path)
        await self._end_what_the_record_shows_ended(record)
        if target is not None:
            await self._prepare(position, record, target)
        body = self._body(position, record, target)
        if target is not None and isinstance(body, dict) and record.status < 300 and not target.tail:
            add_to_catalogue(self._cloud.cloud, target, body, record.response.body)
        async with error_recipes.conditions(self._cloud, record, target, self._mapping.path(record.path)):
            answer = await self._send(record, body)
            if answer.status >= 400 > record.status and any(not o.ended for o in self._operations):
                await self._end_all()
                answer = await self._send(record, body)
        return answer

    async def _send(self, record: Interaction, body: t.Any) -> Answer:
        self._cloud.hold(True)
        query = urllib.parse.urlencode({k: self._mapping.text(v) for k, v in record.query.items()})
        headers = {
            name: self._mapping.text(record.request.headers[name])
            for name in ("if-match", "if-none-match")
            if name in record.request.headers
        }
        path = urllib.parse.quote(self._mapping.path(record.path), safe="/:@!$&'()*+,;=~")
        return await self._cloud.request(record.method, f"{path}?{query}" if query else path, body, headers)

    def _body(self, position: int, record: Interaction, target: Target | None) -> t.Any:
        if record.method not in ("PUT", "PATCH", "POST"):
            return None
        if target is not None and target.kind == "keyvault/vaults":
            learn_client(self._cloud, record.request.body, self._mapping)
        if record.body_known:
            body = record.request.body
            if target is not None and record.status < 300:
                body = with_secrets(target, body)
                body = with_usable_keys(target, body)
            return self._mapping.value(body) if isinstance(body, dict | list) else str(body).encode()
        return self._mapping.value(self._made_up(position, record, target))

    def _made_up(self, position: int, record: Interaction, target: Target | None) -> t.Any:
        """Return a body for a request whose body the record lacks."""
        if target is None or record.method == "POST":
            return error_recipes.action_body(target) if target is not None else None
        answered = record.response.body
        if record.method == "PATCH":
            if record.status >= 400:
                return error_recipes.refused_change(record, self._history.body(target.key, position))
            return {"tags": answered.get("tags") or {}} if isinstance(answered, dict) else {}
        if record.status < 300 and isinstance(answered, dict):
            return from_response(target, answered)
        known = self._history.body(target.key, position)
        body = from_response(target, known) if known is not None else self._defaults.make(target)
        return body or {}

    async def _prepare(self, position: int, record: Interaction, target: Target) -> None:
        """Create the state that one request of the record presupposes."""
        code = error_recipes.error_code(record)
        if code in ("ResourceGroupNotFound", "SubscriptionNotFound"):
            return
        if not (is_group(target) and not target.tail):
            await self._seeder.group(target)
        if record.status < 300 and target.tail and isinstance(record.response.body, dict):
            for item in record.response.body.get("value") or []:
                listed = parse_target(str(item.get("id", ""))) if isinstance(item, dict) else None
                if listed is not None:
                    await self._seeder.ensure(listed, position)
        if self._was_there(record, target):
            await self._seeder.ensure(target, position)
            if record.method == "GET" and not target.tail and isinstance(record.response.body, dict):
                await self._seeder.users(target, record.response.body, position)
        parent = parent_of(target)
        if record.method == "PUT" and parent is not None and record.status != 404:
            await self._seeder.ensure(parent, position)
        if target.type.lower() == DEPLOYMENT_TYPE.lower():
            await self._prepare_deployment(position, record)
        elif record.method == "PUT" and not is_group(target):
            body = self._made_up(position, record, target) if not record.body_known else record.request.body
            if isinstance(body, dict):
                await self._seeder.needs(target, body, position)
        await error_recipes.users(self._seeder, self._history, record, target, position)

    async def _prepare_deployment(self, position: int, record: Interaction) -> None:
        """Create what the resources of a template refer to."""
        made = dict(deployed(record))
        for target, body in made.items():
            await self._seeder.needs(target, body, position, {made_target.key for made_target in made})

    def _was_there(self, record: Interaction, target: Target) -> bool:
        """Return whether the recorded answer implies that the target existed before the request."""
        if target.tail and record.method == "GET" and target.type.count("/") == 1 and is_group(target):
            return False
        if record.status == 404 or (record.method == "DELETE" and record.status == 204):
            return False
        if record.method == "PUT":
            if _state_of_vault(record, target) == "RegisteringDns":
                return False
            return record.status == 200 or (
                record.status >= 400 and self._history.earlier_body(target.key, record.index) is not None
            )
        return True

    # --- operations ------------------------------------------------------------------------------------------------

    def _going_on(self, target: Target, url: str) -> None:
        """An operation that was under way when the record began."""
        self._operations.append(_Operation({_poll_key(url): url}, target.key, 0))

    async def _end_what_the_record_shows_ended(self, record: Interaction) -> None:
        """End operations whose resource the recorded answer shows in a final state, or gone."""
        for operation in self._operations:
            if operation.ended:
                continue
            state = _state_of(record, operation.target)
            if state is not None and state.lower() in ENDINGS:
                await self._end(operation, "Failed" if state.lower() == "failed" else None, None)

    async def _end_all(self) -> None:
        for operation in self._operations:
            if not operation.ended:
                await self._end(operation, None, None)

    async def _end(self, operation: _Operation, status: Status | None, error: t.Any) -> None:
        operation.ended = True
        if status == "Failed" and error is None:
            error = self._later_error(operation)
        await self._cloud.release(next(iter(operation.urls.values())), status, self._mapping.value(error))

    def _later_error(self, operation: _Operation) -> t.Any:
        """Return the error that a later poll of the record shows for an operation."""
        for record in self._flow.interactions[operation.started :]:
            if parse_poll(record.path) and _record_key(record) in operation.urls:
                error = error_recipes.error_of(record.response.body)
                if error:
                    return error
        return {"code": "InternalExecutionError", "message": "An internal execution error occurred."}

    async def _poll(self, position: int, record: Interaction, poll: Poll) -> Answer | None:
        key = _record_key(record)
        if key in self._not_served or _poll_key(record.path) in self._not_served:
            self._remember_unserved(record)
            return None
        operation = next((o for o in self._operations if key in o.urls), None)
        if operation is None:
            url = await error_recipes.operation_for(self._cloud, self._seeder, record, poll, self._mapping)
            if url is None:
                return None
            operation = _Operation({key: url}, "", position)
            self._operations.append(operation)
        status, error = _ending(record, poll)
        if status is not None and not operation.ended:
            await self._end(operation, status, error)
        return await self._cloud.request(record.method, operation.urls[key])

    def _learn(self, position: int, record: Interaction, answer: Answer) -> None:
        self._mapping.learn(record.response.body, answer.body)
        etags = record.response.headers.get("etag"), answer.headers.get("etag")
        if etags[0] and etags[1]:
            self._mapping.learn(etags[0], etags[1])
        urls: dict[str, str] = {}
        for header in ("azure-asyncoperation", "location"):
            recorded, ours = record.response.headers.get(header), answer.headers.get(header)
            if recorded and ours:
                urls[_poll_key(recorded)] = ours
        if not urls:
            return
        again = next((o for o in self._operations if _record_key(record) in o.urls), None)
        if again is not None:
            again.urls.update(urls)
            return
        target = parse_target(record.path)
        self._operations.append(_Operation(urls, target.key if target else "", position))


def _state_of_vault(record: Interaction, target: Target) -> t.Any:
    """Return the state in which an answer shows a vault; one that has just been made answers 200, too."""
    body = record.response.body
    if target.kind != "keyvault/vaults" or not isinstance(body, dict):
        return None
    return (body.get("properties") or {}).get("provisioningState")


def _record_key(record: Interaction) -> str:
    return _key(record.path, record.query)


def _poll_key(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return _key(urllib.parse.unquote(parts.path), dict(urllib.parse.parse_qsl(parts.query)))


def _key(path: str, query: t.Mapping[str, str]) -> str:
    poll = parse_poll(path)
    if poll is not None and poll.word == "operationstatuses":
        # The recorder replaces the deployment's name in requests, not in headers.
        return poll.id
    monitor = "?monitor" if query.get("monitor", "").lower() == "true" else ""
    return path.lower().rstrip("/") + monitor


def _ending(record: Interaction, poll: Poll) -> tuple[Status | None, t.Any]:
    """Return how a recorded answer to a poll says that the operation ended; (None, None) when it goes on."""
    body = record.response.body
    error = error_recipes.error_of(body)
    if record.status >= 400:
        return "Failed", error
    if isinstance(body, dict) and isinstance(body.get("status"), str) and not poll.results:
        status = ENDINGS.get(body["status"].lower())
        return status, error or None if status is not None else None
    return (None, None) if record.status == 202 else ("Succeeded", None)


def _state_of(record: Interaction, key: str) -> str | None:
    """Return the state in which a recorded answer shows a resource; ``Succeeded`` when it shows that it is gone."""
    target = parse_target(record.path)
    if not key or target is None or record.method not in ("GET", "HEAD"):
        return None
    if record.status == 404 and target.key == key:
        return "Succeeded"
    if record.status != 200:
        return None
    if target.tail.lower() == "instanceview" and target.key == key:
        codes = [str(s.get("code", "")) for s in record.response.body.get("statuses") or []]
        return next((c.partition("/")[2] for c in codes if c.startswith("ProvisioningState/")), None)
    return _find_state(record.response.body, key)


def _find_state(value: t.Any, key: str) -> str | None:
    if isinstance(value, list):
        return next((s for item in value if (s := _find_state(item, key)) is not None), None)
    if not isinstance(value, dict):
        return None
    id_ = str(value.get("id", "")).lower()
    inside = id_.startswith(key + "/") and "/providers/microsoft.network/" in key
    if (id_ == key or inside) and isinstance(value.get("properties"), dict):
        state = value["properties"].get("provisioningState")
        if isinstance(state, str):
            return state
    return next((s for item in value.values() if (s := _find_state(item, key)) is not None), None)
