# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PUT of the network provider: one sequence for every type, and the routes of children.

A type says what is its own: how a request's body becomes a resource, and how the write proceeds.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import begin, check_preconditions, found, listing, started, written
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..operations import OperationSpec
from ..schema import accept
from ..settings import new_guid
from . import common, conflicts

if t.TYPE_CHECKING:
    from ..cloud import Cloud


@dataclass(frozen=True)
class Children:
    """The children of a resource as a request describes them.

    :param described: checked, not yet saved.
    :param keeps_others: whether children that the request does not name stay.
    """

    described: t.Sequence[Resource] = ()
    keeps_others: bool = False


NO_CHILDREN = Children()


@dataclass(frozen=True)
class Progress:
    """How a write proceeds after its answer.

    :param state: the resource's state in the answer.
    :param has_operation: whether the answer names an operation to follow.
    :param retry_after: in seconds; None where the answer has no such header.
    """

    state: str = "Updating"
    has_operation: bool = True
    retry_after: int | None = None
    first_poll_waits: bool = True

    def operation(self, kind: str, target: str, location: str) -> OperationSpec:
        """Return the operation that the answer names."""
        waits, retry_after = self.first_poll_waits, self.retry_after
        return OperationSpec("network", kind, target, location, first_poll_waits=waits, retry_after=retry_after)


@dataclass(frozen=True)
class Change:
    """One PUT of a top-level resource.

    :param current: the resource as stored; None where it does not exist.
    :param is_change: whether there is anything to deploy. Tags alone are not.
    """

    current: Resource | None
    desired: Resource
    is_change: bool

    @property
    def is_new(self) -> bool:
        """Whether the PUT creates the resource."""
        return self.current is None


def _nothing(_cloud: Cloud, _change: Change) -> None:
    """For types that have nothing else to do once the resource is saved."""


@dataclass(frozen=True)
class Writer:
    """What PUT does for one top-level type.

    :param operation: the first word of its operations' kinds, which are ``WORD.create`` and ``WORD.update``.
    :param describe: takes a request's body into the resource, a copy, and returns its children; raises what Azure
        refuses.
    :param progress: how a change proceeds.
    :param saved: called when resource and children are saved.
    """

    type: str
    operation: str
    describe: t.Callable[[Cloud, Resource, Json], Children]
    progress: t.Callable[[Change], Progress]
    saved: t.Callable[[Cloud, Change], None] = _nothing


def serve_put(writer: Writer) -> None:
    """Serve PUT of a top-level type."""
    word = writer.type.partition("/")[2]

    @route("PUT", f"{GROUP}/providers/Microsoft.Network/{word}/{{name}}", writer.type)
    async def put(cloud: Cloud, request: ArmRequest) -> Reply:
        return _put(cloud, request, writer)


def _put(cloud: Cloud, request: ArmRequest, writer: Writer) -> Reply:
    body = read_body(cloud, request, writer.type)
    current = cloud.store.get(request.id_of(writer.type, request.params["name"]))
    check_preconditions(request, current)
    if current is not None:
        conflicts.refuse_while_deleting(current)
    desired = _draft(cloud, request, writer.type, current)
    desired.location, desired.tags = body["location"], body.get("tags")
    desired.hidden["writtenWith"] = request.api_version
    children = writer.describe(cloud, desired, body)
    if body.get("extendedLocation"):
        desired.top["extendedLocation"] = body["extendedLocation"]
    change = Change(current, desired, current is None or _differs(cloud, current, desired, children))
    progress = writer.progress(change)
    if current is None or change.is_change or current.tags != desired.tags:
        common.touch(desired, progress.state)
    _save(cloud, desired, children)
    writer.saved(cloud, change)
    answer = common.render(cloud, desired, request.api_version)
    if not progress.has_operation:
        return written(200, answer)
    kind = f"{writer.operation}.{'create' if change.is_new else 'update'}"
    operation = begin(cloud, request, progress.operation(kind, desired.id, desired.location))
    conflicts.supersede(cloud, desired, operation)
    return started(cloud, request, operation, 201 if change.is_new else 200, answer)


def _draft(cloud: Cloud, request: ArmRequest, type_: str, current: Resource | None) -> Resource:
    """Return a copy of a resource, or a new one."""
    group = cloud.group(request.subscription, request.group)
    if current is not None:
        return current.copy()
    name = request.params["name"]
    draft = Resource(request.id_of(type_, name), type_, name, group.name, request.subscription)
    draft.properties["resourceGuid"] = new_guid()
    return draft


def _differs(cloud: Cloud, current: Resource, desired: Resource, children: Children) -> bool:
    """Return whether a PUT changes more than tags, or comes while something else is under way."""
    if current.provisioning_state != "Succeeded" or _content(current) != _content(desired):
        return True
    before = {child.key: _content(child) for child in cloud.store.children(current.id)}
    after = {child.key: _content(child) for child in children.described}
    return (before | after if children.keeps_others else after) != before


def _content(resource: Resource) -> tuple[Json, Json]:
    return {k: v for k, v in resource.properties.items() if k != "provisioningState"}, resource.top


def _save(cloud: Cloud, resource: Resource, children: Children) -> None:
    kept = {child.key for child in children.described}
    for old in cloud.store.children(resource.id):
        if old.key not in kept and not children.keeps_others:
            cloud.store.remove(old)
    cloud.store.save(resource)
    for child in children.described:
        child.etag, child.provisioning_state = resource.etag, resource.provisioning_state
        cloud.store.save(child)


@dataclass(frozen=True)
class ChildWriter:
    """A type of children: they are written alone, or with the resource that they are part of.

    :param word: the segment of the path that the children are under.
    :param operation: the kind of a PUT's operation.
    :param describe: a child of a parent by one entry of a request, checked, not yet saved.
    :param check_siblings: refuses children that do not fit together.
    :param in_use: refuses to remove a child that something uses.
    """

    type: str
    operation: str
    describe: t.Callable[[Cloud, Resource, Json], Resource]
    check_siblings: t.Callable[[list[Resource]], None]
    progress: Progress
    in_use: common.InUse | None = None

    @property
    def parent_type(self) -> str:
        """The type of the resource that the children are part of."""
        return self.type.rpartition("/")[0]

    @property
    def path(self) -> str:
        """The template of the children's collection."""
        _vendor, parent, word = self.type.split("/")
        return f"{GROUP}/providers/Microsoft.Network/{parent}/{{parent}}/{word}"


def serve_children(writer: ChildWriter) -> None:
    """Serve a type of children: GET of one and of all, PUT, DELETE."""
    type_ = writer.type

    def id_of(request: ArmRequest) -> str:
        return request.id_of(type_, request.params["parent"], request.params["name"])

    @route("GET", f"{writer.path}/{{name}}", type_)
    async def get_child(cloud: Cloud, request: ArmRequest) -> Reply:
        child = common.child(cloud, request, id_of(request), type_)
        return found(common.render(cloud, child, request.api_version), child.etag)

    @route("GET", writer.path, type_)
    async def list_children(cloud: Cloud, request: ArmRequest) -> Reply:
        parent = parent_of(cloud, request, type_)
        return listing([common.render(cloud, c, request.api_version) for c in cloud.store.children(parent.id, type_)])

    @route("PUT", f"{writer.path}/{{name}}", type_)
    async def put_child(cloud: Cloud, request: ArmRequest) -> Reply:
        return _put_child(cloud, request, writer)

    @route("DELETE", f"{writer.path}/{{name}}", type_)
    async def delete_child(cloud: Cloud, request: ArmRequest) -> Reply:
        return await common.delete(cloud, request, id_of(request), writer.in_use)


def parent_of(cloud: Cloud, request: ArmRequest, child_type: str) -> Resource:
    """Return the resource that the children of a path are part of.

    :raises ApiError: 404.
    """
    id_ = request.id_of(child_type.rpartition("/")[0], request.params["parent"])
    return common.parent(cloud, request, id_, child_type)


def _put_child(cloud: Cloud, request: ArmRequest, writer: ChildWriter) -> Reply:
    """Write one child; its parent is being updated meanwhile."""
    body = accept(request, writer.type)
    parent, name = parent_of(cloud, request, writer.type), request.params["name"]
    current = cloud.store.get(request.id_of(writer.type, parent.name, name))
    check_preconditions(request, current)
    conflicts.refuse_while_changing(cloud, parent)
    child = writer.describe(cloud, parent, {**body, "name": name})
    others = [other for other in cloud.store.children(parent.id, writer.type) if other.key != child.key]
    writer.check_siblings([*others, child])
    common.touch(parent, writer.progress.state)
    child.etag, child.provisioning_state = parent.etag, parent.provisioning_state
    cloud.store.save(parent)
    cloud.store.save(child)
    operation = begin(cloud, request, writer.progress.operation(writer.operation, child.id, parent.location or ""))
    answer = common.render(cloud, child, request.api_version)
    return started(cloud, request, operation, 200 if current is not None else 201, answer)


def draft_child(cloud: Cloud, parent: Resource, type_: str, name: str) -> Resource:
    """Return a copy of a child, or a new one."""
    id_ = f"{parent.id}/{type_.rpartition('/')[2]}/{name}"
    current = cloud.store.get(id_)
    return current.copy() if current is not None else Resource(id_, type_, name, parent.group, parent.subscription)
