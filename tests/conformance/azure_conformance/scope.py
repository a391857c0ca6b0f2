# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded requests outside the local Azure's scope. Anything else that it does not serve is a disagreement.

The lists repeat what docs/local-azure.md says is not served.
"""

from __future__ import annotations

import re

from azure_emulator.providers import NAMESPACES

from .paths import parse_target, short_type

SERVED = frozenset(short_type(name) for name in NAMESPACES) - {"authorization", "devtestlab", "storage"}
UNSERVED_TYPES = frozenset({"network/loadbalancers"})
UNSERVED_ACTIONS = frozenset({"capture", "convertToManagedDisks", "reimage", "assessPatches", "installPatches"})


def is_page(body: object) -> bool:
    """Return whether a recorded body is a page of the web server in front of the Resource Manager."""
    return isinstance(body, str) and body.lstrip().lower().startswith(("<!doctype html", "<html"))


_DIRECTORY = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/", re.IGNORECASE)
"""How the paths of the directory's API begin: with a tenant. Some recorders leave its host out."""


def is_out_of_scope(path: str) -> bool:
    """Return whether a path belongs to another service or provider, or to what is documented as not served."""
    if _DIRECTORY.match(path):
        return True
    _before, marker, after = path.rpartition("/providers/")
    if not marker:
        return False
    if short_type(after.split("/")[0]) not in SERVED:
        return True
    target = parse_target(path)
    if target is None:
        return False
    kind = "/".join(target.kind.split("/")[:2])
    actions = {action.lower() for action in UNSERVED_ACTIONS}
    return kind in UNSERVED_TYPES or (kind == "compute/virtualmachines" and target.tail.lower() in actions)
