# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tags that this collection writes and reads. Azure compares tag names case-insensitively."""

from __future__ import annotations

import typing as t

OWNER_TAG = "docker-host"


COLLECTION_TAG = "docker-host-collection"


COLLECTION = "dockerhost.azure"


PORT_TAG = "docker-host-port"


SSH_PORT_TAG = "docker-host-ssh-port"


CUSTOM_DATA_TAG = "docker-host-custom-data"


SHARED = "shared"


# Tags with this beginning are the collection's record; some are written by other modules of it.
RESERVED_PREFIX = "docker-host"


def owner_tags(owner: str) -> dict[str, str]:
    """The tags of what we make.

    :param owner: the host's name, or :data:`SHARED`.
    """
    return {OWNER_TAG: owner, COLLECTION_TAG: COLLECTION}


def owner_of(resource: t.Mapping[str, t.Any] | None) -> str | None:
    """The host that a resource was made for, :data:`SHARED` for shared ones, None when it is not ours."""
    return (tag_of(resource, OWNER_TAG) or None) if tag_of(resource, COLLECTION_TAG) == COLLECTION else None


def tag_of(resource: t.Mapping[str, t.Any] | None, name: str) -> str | None:
    """The value of a tag.

    "Use tags to organize your Azure resources" (learn.microsoft.com): names are case-insensitive, and a resource
    provider may keep the case or not.
    """
    tags = (resource or {}).get("tags") or {}
    return next((str(value) for key, value in tags.items() if key.lower() == name.lower()), None)


def merged_tags(before: t.Mapping[str, str], more: t.Mapping[str, str]) -> dict[str, str]:
    """Tags with others set: a name that is there in another case is the same tag, and keeps its case."""
    known = {name.lower(): name for name in before}
    return {**before, **{known.get(name.lower(), name): value for name, value in more.items()}}
