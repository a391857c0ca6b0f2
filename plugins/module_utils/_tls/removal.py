# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removing certificates. Private to this collection."""

from __future__ import annotations

import os
import typing as t

from .draft import Draft
from .identities import Identity, identity_of
from .store import CA, CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY


def remove(draft: Draft) -> list[str]:
    """Decide what ``state: absent`` takes away; the labels of the identities that go.

    Only files that the module made or adopted are removed.
    """
    options = draft.options
    identities = [wanted.identity for wanted in options.wanted if wanted.identity.name]
    if options.remove_ca:
        ours = (identity_of(path) for path in draft.before.files)
        identities = list(dict.fromkeys(identity for identity in ours if identity))
    gone = [identity.label for identity in identities if _remove_identity(draft, identity)]
    if options.remove_ca:
        _remove_authority(draft)
    return gone


def _remove_identity(draft: Draft, identity: Identity) -> bool:
    removed = [path for path in identity.paths if draft.remove(path)]
    left = [path for path in identity.paths if path in draft.files and path not in removed]
    if left and identity.name:
        draft.warnings.append(
            f"{identity.label}: not removed, because this module did not make it: "
            + ", ".join(os.path.join(draft.options.cert_dir, path) for path in left)
        )
    if removed:
        draft.actions.append(f"{identity.label}: removed")
        draft.differences.add(identity.label, {"files": removed}, None)
    return bool(removed)


def _remove_authority(draft: Draft) -> None:
    removed = [path for path in (CA, CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY) if draft.remove(path)]
    if removed:
        draft.actions.append("ca: removed")
        draft.differences.add("ca", {"files": removed}, None)
    draft.state.rotation = None
    draft.state.is_own = False
    draft.changes.dissolve = not draft.state.files


def result_of_removal(
    draft: Draft, gone: t.Sequence[str], kept: t.Mapping[str, str], *, diff: bool
) -> dict[str, t.Any]:
    """The result of ``state: absent``."""
    root = draft.options.cert_dir
    result: dict[str, t.Any] = {
        "changed": bool(draft.changes),
        "cert_dir": root,
        "removed": list(gone),
        "actions": draft.actions,
        "backup_files": {os.path.join(root, path): os.path.join(root, name) for path, name in sorted(kept.items())},
    }
    if diff:
        result["diff"] = draft.differences.as_diff()
    return result
