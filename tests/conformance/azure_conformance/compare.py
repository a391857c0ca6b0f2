# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparing a recorded response with the local Azure's: status, protocol headers, shape of the body, states, codes.

What differs for a known reason (:mod:`.fields`) is an excuse, and counted by reason; the rest are differences.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
import urllib.parse
from dataclasses import dataclass, field

from . import fields
from .mapping import Mapping
from .paths import parse_poll, parse_target, short_type
from .records import Interaction

Json = dict[str, t.Any]

COMPARED_VALUES = frozenset({"provisioningState", "status", "code", "displayStatus", "level", "Code"})
"""Members whose text is compared, not only their presence."""
COMPARED_NAMES = frozenset({"id", "name", "type"})
"""The same, but upper and lower case do not count."""
FREE_FORM = frozenset({"tags", "settings", "protectedSettings", "outputs", "parameters"})
"""Members whose content belongs to the user."""
CATALOGUES = ("/publishers", "/skus", "/vmsizes", "/usages", "/locations", "/resources", "/providers")
"""Collections whose entries are data of Azure's, not protocol: the entries' shape is compared, not which there are."""
OUTPUT = "properties.output.value[].message"
"""What a script has written, as Run Command's operation shows it: the frame around it is compared."""
PROTOCOL_HEADERS = ("azure-asyncoperation", "location", "retry-after", "etag")


@dataclass(frozen=True)
class Answer:
    """An answer of the local Azure; header names are in lower case, a JSON body is parsed."""

    status: int
    headers: t.Mapping[str, str]
    body: t.Any


@dataclass
class Comparison:
    """The outcome for one interaction.

    :param differences: what differs, each text with both sides.
    :param excuses: the reasons why differences are acceptable.
    """

    differences: list[str] = field(default_factory=list)
    excuses: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """A position in a body: the type of the enclosing resource, and the path from there."""

    kind: str
    path: str
    shown: str

    def into(self, key: str) -> _Place:
        return _Place(self.kind, f"{self.path}.{key}" if self.path else key, f"{self.shown}.{key}".lstrip("."))

    def element(self, label: str) -> _Place:
        return _Place(self.kind, f"{self.path}[]", f"{self.shown}[{label}]")

    def rooted(self, kind: str) -> _Place:
        return _Place(kind, "", self.shown)


def compare(record: Interaction, ours: Answer, mapping: Mapping | None = None) -> Comparison:
    """Compare one recorded response with the local Azure's.

    :param mapping: translates recorded names into local ones.
    """
    if mapping is not None:
        answered = dataclasses.replace(record.response, body=mapping.value(record.response.body))
        record = dataclasses.replace(record, response=answered)
    result = Comparison()
    if record.status != ours.status:
        theirs = f"{record.status}{_code(record.response.body)}"
        result.differences.append(
            f"status: recorded {theirs}, local {ours.status}{_code(ours.body)}{_message(ours.body)}"
        )
        return result
    _Comparer(record, ours, result).run()
    return result


def _code(body: t.Any) -> str:
    error = _error(body)
    return f" {error.get('code', error.get('Code'))}" if error else ""


def _message(body: t.Any) -> str:
    error = _error(body)
    return f" ({str(error.get('message', ''))[:160]})" if error else ""


def _error(body: t.Any) -> Json:
    if isinstance(body, dict):
        error = body.get("error", body.get("Error"))
        if isinstance(error, dict):
            return error
    return {}


class _Comparer:
    def __init__(self, record: Interaction, ours: Answer, result: Comparison) -> None:
        self._record = record
        self._ours = ours
        self._result = result
        self._moment = fields.Moment(record.api_version, record.date)
        lowered = record.path.lower()
        of_resource = parse_target(record.path) is not None and not lowered.endswith("/vmsizes")
        self._catalogue = not of_resource and any(word in lowered for word in CATALOGUES)

    def run(self) -> None:
        self._headers()
        if self._record.method != "HEAD":
            self._body()

    # --- headers ---------------------------------------------------------------------------------------------------

    def _headers(self) -> None:
        place = _Place(self._kind(), "", "")
        for header in PROTOCOL_HEADERS:
            recorded, ours = self._record.response.headers.get(header), self._ours.headers.get(header)
            if header == "etag" and self._record.status >= 300:
                continue
            if not self._record.keeps(header):
                if (recorded is None) != (ours is None):
                    self._result.excuses.append(f"{header}: dropped or overwritten by this source's recorder")
                continue
            if (recorded is None) != (ours is None):
                self._presence(place, f"#{header}", recorded, ours)
            elif recorded is not None and ours is not None and header in ("azure-asyncoperation", "location"):
                self._url(header, recorded, ours)

    def _url(self, header: str, recorded: str, ours: str) -> None:
        theirs, mine = _url_form(recorded), _url_form(ours)
        if theirs != mine:
            self._result.differences.append(f"{header}: recorded {theirs}, local {mine}")

    # --- body ------------------------------------------------------------------------------------------------------

    def _kind(self) -> str:
        target = parse_target(self._record.path)
        if target is not None:
            return f"{target.kind}/{target.tail.lower()}" if target.tail else target.kind
        poll = parse_poll(self._record.path)
        if poll is not None:
            return f"{short_type(poll.provider or 'microsoft.resources')}/{poll.word}"
        return _kind_of_path(self._record.path.lower())

    def _body(self) -> None:
        recorded, ours = self._record.response.body, self._ours.body
        forms = _form(recorded), _form(ours)
        if forms[0] != forms[1]:
            self._result.differences.append(f"body: recorded {forms[0]}, local {forms[1]}")
        elif forms[0] == "JSON":
            self._value(_Place(self._kind(), "", ""), recorded, ours)

    def _value(self, place: _Place, recorded: t.Any, ours: t.Any) -> None:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            self._object(place, recorded, ours)
        elif isinstance(recorded, list) and isinstance(ours, list):
            self._array(place, recorded, ours)
        elif _json_type(recorded) != _json_type(ours):
            if not self._excused(place, "type"):
                sides = f"recorded {_json_type(recorded)}, local {_json_type(ours)}"
                self._result.differences.append(f"{place.shown or 'body'}: {sides}")
        elif recorded != ours and self._counts(place, recorded, ours) and not self._excused(place, "value"):
            self._result.differences.append(f"{place.shown}: recorded {recorded!r}, local {ours!r}")

    def _counts(self, place: _Place, recorded: t.Any, ours: t.Any) -> bool:
        """Return whether the difference of two scalars matters."""
        member = place.path.rpartition(".")[2]
        if place.path == OUTPUT:
            return bool(_frame(recorded)) and _frame(recorded) != _frame(ours)
        if member in COMPARED_NAMES and not self._catalogue and "[*]" not in place.shown:
            return str(recorded).lower() != str(ours).lower()
        return member in COMPARED_VALUES

    def _object(self, place: _Place, recorded: Json, ours: Json) -> None:
        place = _reroot(place, recorded)
        for key in {**recorded, **ours}:
            inside = place.into(key)
            if (key in recorded) != (key in ours):
                self._presence(inside, "", recorded.get(key), ours.get(key), key in recorded)
            elif key not in FREE_FORM:
                self._value(inside, recorded[key], ours[key])
            elif _json_type(recorded[key]) != _json_type(ours[key]):
                sides = f"recorded {_json_type(recorded[key])}, local {_json_type(ours[key])}"
                self._result.differences.append(f"{inside.shown}: {sides}")

    def _presence(
        self, place: _Place, header: str, recorded: t.Any, ours: t.Any, in_record: bool | None = None
    ) -> None:
        if in_record is None:
            in_record = recorded is not None
        where = _Place(place.kind, header, header) if header else place
        if self._excused(where, "missing" if in_record else "extra"):
            return
        name = header.lstrip("#") or place.shown
        if in_record:
            self._result.differences.append(f"{name}: recorded {_brief(recorded)}, local has none")
        else:
            self._result.differences.append(f"{name}: recorded has none, local {_brief(ours)}")

    def _array(self, place: _Place, recorded: list[t.Any], ours: list[t.Any]) -> None:
        if self._catalogue or fields.is_catalogue(place.kind, place.path):
            self._shapes(place, recorded, ours)
            return
        label = _label(recorded) if _label(recorded) == _label(ours) else None
        if label is None:
            if len(recorded) != len(ours) and not self._excused(place.element("*"), "count"):
                self._result.differences.append(f"{place.shown}: recorded {len(recorded)} entries, local {len(ours)}")
            for index, (theirs, mine) in enumerate(zip(recorded, ours, strict=False)):
                self._value(place.element(str(index)), theirs, mine)
            return
        mine_by = {str(item[label]).lower(): item for item in ours}
        theirs_by = {str(item[label]).lower(): item for item in recorded}
        for name, theirs in theirs_by.items():
            if name in mine_by:
                self._value(place.element(name), theirs, mine_by[name])
            elif not self._excused(place.element(name), "missing"):
                self._result.differences.append(f"{place.shown}[{name}]: recorded, local has none")
        for name in mine_by.keys() - theirs_by.keys():
            if not self._excused(place.element(name), "extra"):
                self._result.differences.append(f"{place.shown}[{name}]: recorded has none, local has it")

    def _shapes(self, place: _Place, recorded: list[t.Any], ours: list[t.Any]) -> None:
        """Compare what the entries of two catalogues look like."""
        if not recorded or not ours:
            if recorded != ours:
                self._result.excuses.append(fields.CATALOGUE_CONTENT)
            return
        if recorded != ours:
            self._result.excuses.append(fields.CATALOGUE_CONTENT)
        mine_by = {_identity(item): item for item in ours if _identity(item)}
        both = [(theirs, mine_by[_identity(theirs)]) for theirs in recorded if _identity(theirs) in mine_by]
        for theirs, mine in both:
            self._value(place.element("*"), theirs, mine)
        if not both:
            self._value(place.element("*"), _common(recorded), _common(ours))

    def _excused(self, place: _Place, side: fields.Side) -> bool:
        reason = fields.excuse(place.kind, place.path, side, self._moment, self._record)
        if reason is None:
            return False
        self._result.excuses.append(reason)
        return True


def _frame(message: t.Any) -> str:
    """Return the text that Azure puts around what a script has written; empty where it puts none, as for Windows.

    How a script ends, a replay without machines cannot know.
    """
    text = str(message)
    if not text.startswith("Enable succeeded"):
        return ""
    return re.sub(r"(\[std(?:out|err)\]\n).*?(?=\n?\[std|$)", r"\1", text, flags=re.DOTALL)


def _kind_of_path(path: str) -> str:
    """Return the type of a path outside a group: ``compute/locations/publishers``, ``providers``, ``resources``."""
    before, marker, after = path.strip("/").rpartition("providers/")
    if not marker:
        return before.rpartition("/")[2] or after.rpartition("/")[2]
    namespace, *rest = after.split("/")
    return "/".join([short_type(namespace), *rest[0::2]]) if rest else "providers"


def _reroot(place: _Place, value: Json) -> _Place:
    """Return the position of a resource inside another: its members are looked up under its own type."""
    id_ = value.get("id")
    if place.path and place.kind != "resources" and isinstance(id_, str) and len(value) > 1:
        target = parse_target(id_)
        if target is not None and not target.tail:
            return place.rooted(target.kind)
    if place.path.rpartition(".")[2] == "instanceView" and place.path.count(".") < 2:
        return place.rooted(f"{place.kind}/instanceview")
    if place.path in ("value[]",):
        return place.rooted(place.kind)
    return place


def _label(items: list[t.Any]) -> str | None:
    """Return the member that identifies the entries of a list, ``name``; None if they have none."""
    names = [item.get("name") for item in items if isinstance(item, dict)]
    texts = {name.lower() for name in names if isinstance(name, str)}
    return "name" if texts and len(texts) == len(items) else None


def _identity(item: t.Any) -> str:
    """Return the id of an entry of a catalogue; empty if it has none."""
    return str(item.get("id", "")).lower() if isinstance(item, dict) else ""


def _common(items: list[t.Any]) -> t.Any:
    """Return one entry that represents a catalogue: the members that every entry has."""
    objects = [item for item in items if isinstance(item, dict)]
    if len(objects) != len(items):
        return items[0]
    return {key: value for key, value in objects[0].items() if all(key in item for item in objects)}


def _form(body: t.Any) -> str:
    if body is None or body == "" or body == b"":
        return "empty"
    return "JSON" if isinstance(body, dict | list) else "text"


def _json_type(value: t.Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _brief(value: t.Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 100 else text[:97] + "..."


def _url_form(url: str) -> str:
    """Return the form of an operation URL: its path without ids, and the words of its query that carry meaning."""
    parts = urllib.parse.urlsplit(url)
    poll = parse_poll(parts.path)
    query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    monitor = "?monitor=true" if query.get("monitor") == "true" else ""
    if poll is None:
        return parts.path
    provider = f"/providers/{poll.provider}/locations/LOCATION" if poll.provider else ""
    return f"/subscriptions/ID{provider}/{poll.word}/ID{monitor}"
