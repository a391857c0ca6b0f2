# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status that an agent uploads, as values."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Json = dict[str, t.Any]


@dataclass(frozen=True)
class ExtensionReport:
    """What a handler says about one sequence number.

    :param status: ``transitioning``, ``success``, ``error`` or ``warning``.
    """

    name: str
    sequence: int
    status: str
    code: int
    message: str
    substatus: tuple[Json, ...]

    @property
    def is_final(self) -> bool:
        return self.status in ("success", "error")


@dataclass(frozen=True)
class HandlerReport:
    """What the agent says about a handler, or about one extension of a handler of several.

    :param extension: None if the agent has nothing of the handler itself.
    """

    name: str
    version: str
    is_ready: bool
    code: int
    message: str
    extension: ExtensionReport | None


@dataclass(frozen=True)
class Report:
    """One upload.

    :param incarnation: of the goal state that the agent has carried out.
    :param system: computer name, distribution and its version.
    """

    incarnation: str
    version: str
    is_ready: bool
    message: str
    system: tuple[str, str, str]
    handlers: tuple[HandlerReport, ...]

    def of(self, handler: str, extension: str = "") -> HandlerReport | None:
        """Return what it says about a handler, or about an extension of a handler of several."""
        mine = [entry for entry in self.handlers if entry.name.lower() == handler.lower()]
        named = [entry for entry in mine if entry.extension is not None and entry.extension.name == extension]
        if named:
            return named[0]
        return next((entry for entry in mine if not extension or entry.extension is None), None)

    @property
    def is_settled(self) -> bool:
        """Whether no extension is under way."""
        return all(entry.extension is None or entry.extension.is_final for entry in self.handlers)


def parse(document: t.Any) -> Report:
    """Return the report of a status document.

    :raises ValueError: the document has not the form of the agent's.
    """
    try:
        aggregate = document["aggregateStatus"]
        agent, system = aggregate["guestAgentStatus"], document.get("guestOSInfo") or {}
        goal = (aggregate.get("vmArtifactsAggregateStatus") or {}).get("goalStateAggregateStatus") or {}
        return Report(
            incarnation=str(goal.get("inSvdSeqNo", "")),
            version=str(agent["version"]),
            is_ready=agent["status"] == "Ready",
            message=_text(agent),
            system=tuple(str(system.get(key) or "") for key in ("computerName", "osName", "osVersion")),  # type: ignore[arg-type]
            handlers=tuple(_handler(entry) for entry in aggregate["handlerAggregateStatus"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the document must be an agent's status, {error!r} is missing or wrong") from None


def _handler(entry: Json) -> HandlerReport:
    return HandlerReport(
        name=str(entry["handlerName"]),
        version=str(entry["handlerVersion"]),
        is_ready=entry["status"] == "Ready",
        code=int(entry.get("code") or 0),
        message=_text(entry),
        extension=_extension(entry.get("runtimeSettingsStatus")),
    )


def _extension(settings: Json | None) -> ExtensionReport | None:
    status = ((settings or {}).get("settingsStatus") or {}).get("status")
    if not settings or not status:
        return None
    return ExtensionReport(
        name=str(settings.get("extensionName") or ""),
        sequence=int(settings["sequenceNumber"]),
        status=str(status["status"]),
        code=int(status.get("code") or 0),
        message=_text(status),
        substatus=tuple(status.get("substatus") or ()),
    )


def _text(entry: Json) -> str:
    return str((entry.get("formattedMessage") or {}).get("message") or "")
