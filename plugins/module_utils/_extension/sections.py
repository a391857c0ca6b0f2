# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings that a host keeps one by one where a push leaves them out, and their places in the document.

One table for the controller and for the program on the VM, which is bundled with this file: it keeps to Python 3.6 and
the standard library.
"""

import copy
import typing as t

Document = t.Dict[str, t.Any]

SECTIONS = {
    "certs": (("protectedSettings", "certs"),),
    "port": (("settings", "docker", "port"),),
    "live-restore": (("settings", "docker", "live-restore"),),
    "users": (("settings", "docker", "users"),),
    "data-disk": (("settings", "docker", "data-disk"),),
    "engine": (("settings", "docker", "engine"),),
    "options": (("settings", "docker", "options"),),
    "daemon": (("settings", "docker", "daemon"),),
    "proxies": (("protectedSettings", "proxies"),),
    "logins": (("protectedSettings", "logins"),),
    "compose": (
        ("settings", "compose-projects"),
        ("settings", "compose-purge"),
        ("protectedSettings", "compose-secrets"),
    ),
}
"""By section, the paths of its values. Those that are compared without a slow digest come first."""


def section_of(document: Document, name: str) -> Document:
    """Return the values of a section by their paths; empty values do not count, so the default has none."""
    found = {}
    for path in SECTIONS[name]:
        value = document  # type: t.Any
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and value not in ("", [], {}):
            found["/".join(path)] = value
    return found


def with_section(document: Document, name: str, values: Document) -> Document:
    """Return a copy of a document whose section has these values, as :func:`section_of` returns them."""
    result = copy.deepcopy(document)
    for path in SECTIONS[name]:
        value = values.get("/".join(path))
        parent = result
        for key in path[:-1]:
            parent = parent.setdefault(key, {}) if value is not None else parent.get(key) or {}
        if value is not None:
            parent[path[-1]] = copy.deepcopy(value)
        else:
            parent.pop(path[-1], None)
    return result
