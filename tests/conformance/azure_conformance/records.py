# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading recorded traffic.

A file is ``{"note": TEXT, "interactions": [{"id", "source", "file", "seq", "date", "request": {"method", "url",
"headers", "body"}, "response": {"status", "headers", "body"}}]}``. Interactions of one recording (same ``source`` and
``file``) are one flow, in the order of the file.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import datetime
import email.utils
import itertools
import json
import typing as t
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from .random_names import RandomNames

Json = dict[str, t.Any]

SCRUBBED: t.Mapping[str, t.Container[str]] = {
    "azure-cli": ("retry-after",),
    "azure-mgmt": ("retry-after",),
    "azure-sdk": ("retry-after",),
    "python": ("retry-after",),
    "azure-libraries-for-java": ("retry-after",),
    "java": ("retry-after",),
    "ruby": ("retry-after",),
}
"""By the beginning of a source's name: response headers that its recorder drops or overwrites. azure-cli and the
Python SDK filter them (FILTER_HEADERS of their test base class); the Java recorder writes ``retry-after: 0``."""


BACKWARDS = datetime.timedelta(seconds=-20)
"""How far the clocks of Azure's front ends are taken to differ at most."""


@dataclass(frozen=True)
class Message:
    """A request or a response as recorded; header names are in lower case."""

    headers: t.Mapping[str, str]
    body: t.Any


@dataclass(frozen=True)
class Interaction:
    """One recorded request with its response.

    :param body_known: false when the recorder replaced the request's body by a wildcard, or dropped it.
    """

    index: int
    name: str
    source: str
    time: datetime.datetime | None
    method: str
    host: str
    path: str
    query: t.Mapping[str, str]
    request: Message
    status: int
    response: Message

    @property
    def date(self) -> datetime.date | None:
        """The day of the recording."""
        return self.time.date() if self.time is not None else None

    @property
    def api_version(self) -> str:
        """The api-version of the recorded URL, without a preview suffix; empty when there is none."""
        return self.query.get("api-version", "")[:10]

    @property
    def body_known(self) -> bool:
        """Whether the record kept what was sent."""
        if self.method not in ("PUT", "PATCH", "POST"):
            return True
        return self.request.body not in ("*", None, "")

    def keeps(self, header: str) -> bool:
        """Return whether this recorder kept a response header as it was."""
        source = self.source.lower()
        return not any(source.startswith(begin) and header in dropped for begin, dropped in SCRUBBED.items())


@dataclass
class Flow:
    """The interactions of one recording."""

    name: str
    interactions: list[Interaction] = field(default_factory=list)

    @property
    def date(self) -> datetime.date | None:
        """The day of the recording."""
        return next((i.date for i in self.interactions if i.date is not None), None)


def read_directory(path: Path) -> list[Flow]:
    """Return the flows in the ``*.json`` files of a directory (or in one file), by file name.

    :raises ValueError: the file or directory does not exist, or a file is not a recording; the text names it.
    """
    if path.is_dir():
        files = sorted(path.glob("*.json"))
    elif path.is_file():
        files = [path]
    else:
        raise ValueError(f"{path}: there is no such directory")
    if not files:
        raise ValueError(f"{path}: there are no *.json files in it")
    return [flow for file in files for flow in read_file(file)]


def read_file(path: Path) -> list[Flow]:
    """Return the flows of one file.

    :raises ValueError: the file is not a recording.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["interactions"] if isinstance(content, dict) else content
        flows: dict[tuple[str, str], Flow] = {}
        for index, raw in enumerate(found):
            key = (str(raw.get("source", "")), str(raw.get("file", "")))
            flow = flows.setdefault(key, Flow(path.stem))
            flow.interactions.append(_interaction(index, raw))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a recording ({type(error).__name__}: {error})") from error
    for flow in flows.values():
        flow.interactions = _with_numbered_names(_in_order(flow.interactions))
    return list(flows.values())


def _with_numbered_names(records: list[Interaction]) -> list[Interaction]:
    """Return the interactions with the names in answers that azure-cli's recorder should have replaced."""
    names = RandomNames(text for record in records for text in (record.path, record.response.body))
    return [dataclasses.replace(r, response=Message(r.response.headers, names.value(r.response.body))) for r in records]


def _in_order(records: list[Interaction]) -> list[Interaction]:
    """Return the interactions by time: some recorders group them by URL."""
    times = [record.time for record in records if record.time is not None]
    if len(times) < len(records) or all(b - a > BACKWARDS for a, b in itertools.pairwise(times)):
        return records
    return sorted(records, key=lambda record: record.time or times[0])


def _interaction(index: int, raw: Json) -> Interaction:
    request, response = raw["request"], raw["response"]
    url = urllib.parse.urlsplit(str(request["url"]))
    headers, answer = _headers(response.get("headers")), _body(response.get("body"))
    return Interaction(
        index=index,
        name=str(raw.get("id", index)),
        source=str(raw.get("source", "")),
        time=_time(raw.get("date") or headers.get("date")),
        method=str(request["method"]).upper(),
        host=url.netloc.lower(),
        path=_real_name(urllib.parse.unquote(url.path), answer),
        query=dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
        request=Message(_headers(request.get("headers")), _body(request.get("body"))),
        status=_status(response["status"]),
        response=Message(headers, answer),
    )


def _real_name(path: str, answer: t.Any) -> str:
    """Return a path with the name that its deployment has; azure-cli's recorder replaces it in requests alone."""
    name = answer.get("name") if isinstance(answer, dict) else None
    return path.replace("/mock-deployment", f"/{name}") if isinstance(name, str) else path


def _status(status: t.Any) -> int:
    return int(status["code"] if isinstance(status, dict) else status)


def _headers(headers: t.Any) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return {
        str(name).lower(): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in pairs
    }


def _body(body: t.Any) -> t.Any:
    """Return a body; JSON is parsed, also when it is written as a bytes literal of Python."""
    with contextlib.suppress(SyntaxError, ValueError):
        while isinstance(body, str) and body[:2] in ("b'", 'b"'):
            body = ast.literal_eval(body).decode()
    if isinstance(body, str) and body.strip() == "null":
        return None
    if isinstance(body, str) and body.strip()[:1] in ("{", "["):
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body


def _time(text: t.Any) -> datetime.datetime | None:
    if not text:
        return None
    try:
        found = email.utils.parsedate_to_datetime(str(text))
    except (TypeError, ValueError):
        try:
            found = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        except ValueError:
            return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.timezone.utc)
