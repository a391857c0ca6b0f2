# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tags that this collection writes and reads.

Azure compares tag names case-insensitively, and a resource provider may keep the case or not ("Use tags to organize
your Azure resources", learn.microsoft.com). So no other module reads a tag by its key.
"""

from __future__ import annotations

import typing as t

# On every resource that the collection creates.
OWNER_TAG = "docker-host"
COLLECTION_TAG = "docker-host-collection"
COLLECTION = "dockerhost.azure"
SHARED = "shared"

# On a host's VM.
PORT_TAG = "docker-host-port"
SSH_PORT_TAG = "docker-host-ssh-port"
CUSTOM_DATA_TAG = "docker-host-custom-data"
CA_TAG = "docker-host-ca"
CA_KEY_TAG = "docker-host-ca-key"
CERT_EXPIRES_TAG = "docker-host-cert-expires"

# On a host's own public address.
DNS_LABEL_TAG = "docker-host-dns-label"
NO_LABEL = "none"
"""The value of that tag on an address that has no DNS label because the options said so."""

# On the extension or the run command that carries the Docker settings.
SETTINGS_DIGEST_TAG = "docker-host-settings"
SETTINGS_SECTION_TAG = "docker-host-settings-"
"""What the tags with the digests of single settings begin with; the name of the setting follows."""

RESERVED_PREFIX = "docker-host"
"""Tags with this prefix are the collection's record; users cannot set them."""

Tags = t.Mapping[str, t.Any]


def tag_value(tags: Tags | None, name: str) -> str | None:
    """Return a tag's value, whatever the case of its name; None if the tag does not exist."""
    wanted = name.lower()
    return next((str(value) for key, value in (tags or {}).items() if key.lower() == wanted), None)


def tag_of(resource: t.Mapping[str, t.Any] | None, name: str) -> str | None:
    """Return the value of a resource's tag; None if the tag does not exist."""
    return tag_value((resource or {}).get("tags"), name)


def owner_tags(owner: str) -> dict[str, str]:
    """Return the tags of a resource that the collection creates.

    :param owner: the host's name, or :data:`SHARED`.
    """
    return {OWNER_TAG: owner, COLLECTION_TAG: COLLECTION}


def is_from_collection(resource: t.Mapping[str, t.Any] | None) -> bool:
    """Return whether the collection created a resource."""
    return tag_of(resource, COLLECTION_TAG) == COLLECTION


def owner_of(resource: t.Mapping[str, t.Any] | None) -> str | None:
    """Return the host that a resource was created for: :data:`SHARED` for several, None for a foreign resource."""
    return (tag_of(resource, OWNER_TAG) or None) if is_from_collection(resource) else None


def merged_tags(current: t.Mapping[str, str], desired: t.Mapping[str, str]) -> dict[str, str]:
    """Return tags with others set. A tag that exists in another case is the same tag and keeps its case."""
    known = {name.lower(): name for name in current}
    return {**current, **{known.get(name.lower(), name): value for name, value in desired.items()}}


def tags_without(tags: t.Mapping[str, str], names: t.Iterable[str]) -> dict[str, str]:
    """Return tags without some of them, whatever the case of their names."""
    dropped = {name.lower() for name in names}
    return {name: value for name, value in tags.items() if name.lower() not in dropped}


def has_tag(resource: t.Mapping[str, t.Any] | None, name: str, value: str | None = None) -> bool:
    """Return whether a resource has a tag, and with this value when one is given. Values are case-sensitive."""
    current = tag_of(resource, name)
    return current is not None and value in (None, current)
