# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that come page by page."""

from __future__ import annotations

import urllib.parse

from ..errors import ApiError
from .messages import ArmRequest, Reply

TOKEN = "$skiptoken"


def paged(request: ArmRequest, reply: Reply, size: int) -> Reply:
    """Return a page of a collection with the link to the next one; return other replies unchanged.

    :param size: items on a page; 0 means that everything is on one.
    :raises ApiError: 400, the link's token was not issued by this server.
    """
    body = reply.body
    if not size or request.method != "GET" or not isinstance(body, dict) or not isinstance(body.get("value"), list):
        return reply
    text = request.query.get(TOKEN, "0")
    if not text.isdigit():
        raise ApiError(400, "InvalidSkipToken", f"The skip token '{text}' is invalid.")
    start, items = int(text), body["value"]
    page = {**body, "value": items[start : start + size]}
    if start + size < len(items):
        query = urllib.parse.urlencode({**request.query, TOKEN: str(start + size)})
        page["nextLink"] = f"{request.origin}{request.path}?{query}"
    reply.body = page
    return reply
