# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request as a handler sees it, and a handler's reply."""

from __future__ import annotations

import contextlib
import json
import typing as t
from dataclasses import dataclass, field

from ..errors import ApiError, Json
from . import lenient_json

Params = dict[str, str]


@dataclass
class ArmRequest:
    """One request to the Resource Manager.

    :param path: as sent, percent-decoded, without the query.
    :param params: what the route's placeholders matched, as sent.
    :param query: query parameters, names in lower case.
    :param origin: scheme and authority under which the client reached the server, for links in answers.
    :param problems: what request validation objected to, for the request log.
    :param rights: the actions that the client needs to be allowed, for the request log.
    :param is_part: whether a template deployment makes the request.
    """

    method: str
    path: str
    params: Params
    query: Params
    headers: t.Mapping[str, str]
    raw: bytes
    origin: str
    claims: Json = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    rights: list[str] = field(default_factory=list)
    operation: str | None = None
    duration: float | None = None
    end_fault: Json | None = None
    is_part: bool = False

    @property
    def api_version(self) -> str:
        """The api-version asked for; empty when none is."""
        return self.query.get("api-version", "")

    @property
    def subscription(self) -> str:
        """The subscription in the path."""
        return self.params["subscription"]

    @property
    def group(self) -> str:
        """The resource group in the path, as the client spelled it."""
        return self.params["group"]

    def id_of(self, type_: str, *names: str) -> str:
        """Return the id of a resource in the request's group; ``names`` has one name for each level of the type."""
        namespace, *types = type_.split("/")
        pairs = "/".join(f"{level}/{name}" for level, name in zip(types, names, strict=True))
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{namespace}/{pairs}"

    def json(self) -> Json:
        """Return the body.

        :raises ApiError: 400, it is not a JSON object.
        """
        if not self.raw.strip():
            return {}
        try:
            body = _parse(self.raw)
        except (ValueError, RecursionError) as error:
            raise invalid_content(_parser_words(self.raw, error)) from error
        if not isinstance(body, dict):
            raise invalid_content(
                "The request content was invalid: expected a JSON object. Path '', line 1, position 1."
            )
        return body

    def required_json(self) -> Json:
        """Return the body of a request that must have one."""
        if not self.raw.strip():
            raise ApiError(
                400,
                "MissingRequestBody",
                f"The request body is missing. A body is required for {self.method} on this resource.",
            )
        return self.json()


def _parse(raw: bytes) -> t.Any:
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        with contextlib.suppress(ValueError, RecursionError):
            return lenient_json.parse(raw.decode())
        raise error from None


def _parser_words(raw: bytes, error: Exception) -> str:
    """Return what the service's parser says about invalid JSON."""
    if not isinstance(error, json.JSONDecodeError):
        return "The content is not text in UTF-8, or is nested too deeply. Path '', line 1, position 1."
    rest = raw.decode("utf-8", "replace")[error.pos :]
    if not rest:
        return f"Unexpected end when reading JSON. Path '', line {error.lineno}, position {error.colno}."
    return (
        f"Unexpected character encountered while parsing value: {rest[0]}. Path '', line {error.lineno}, position "
        f"{error.colno}."
    )


def invalid_content(reason: str) -> ApiError:
    """Return 400 for a body that the Resource Manager itself cannot read."""
    return ApiError(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{reason}'.",
    )


@dataclass
class Reply:
    """The answer to a request.

    :param body: an object or array that is sent as JSON; None sends an empty body.
    :param pretty: indented, with CRLF, as the compute and network providers send it.
    """

    status: int = 200
    body: t.Any = None
    headers: dict[str, str] = field(default_factory=dict)
    pretty: bool = False
    media_type: str = "application/json; charset=utf-8"

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if self.pretty:
            return json.dumps(self.body, indent=2).replace("\n", "\r\n").encode()
        return json.dumps(self.body, separators=(",", ":")).encode()
