# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove certificates."""

from __future__ import annotations

import os
import typing as t

from .changeset import ChangeSet
from .identities import Identity, identity_of, spelling_error
from .store import CA, CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY


def remove(changeset: ChangeSet) -> list[str]:
    """Decide what ``state: absent`` removes, and return the labels of the identities that are removed.

    Only files that the module made or adopted are removed.
    """
    options = changeset.options
    identities = [desired.identity for desired in options.desired if desired.identity.name]
    _check_spelling(changeset, identities)
    if options.remove_ca:
        ours = (identity_of(path) for path in changeset.before.files)
        identities = list(dict.fromkeys(identity for identity in ours if identity))
    gone = [identity.label for identity in identities if _remove_identity(changeset, identity)]
    if options.remove_ca:
        _remove_ca(changeset)
    return gone


def _check_spelling(changeset: ChangeSet, identities: t.Sequence[Identity]) -> None:
    """Refuse names that differ from existing ones in case only, rather than leave those silently.

    :raises OptionError: there is such a name.
    """
    spelled = {(identity.kind, identity.name.lower()): identity for identity in identities}
    for existing in filter(None, map(identity_of, changeset.before.files)):
        if spelled.get((existing.kind, existing.name.lower()), existing) != existing:
            raise spelling_error(existing)


def _remove_identity(changeset: ChangeSet, identity: Identity) -> bool:
    removed = [path for path in identity.paths if changeset.remove(path)]
    if identity.kind == "servers":
        changeset.state.names.pop(identity.name, None)
    left = [path for path in identity.paths if path in changeset.files and path not in removed]
    if left and identity.name:
        changeset.warnings.append(
            f"{identity.label}: not removed, because this module did not create it: "
            + ", ".join(os.path.join(changeset.options.cert_dir, path) for path in left)
        )
    if removed:
        changeset.actions.append(f"remove certificate {identity.label}")
        changeset.differences.add(identity.label, {"files": removed}, None)
    return bool(removed)


def _remove_ca(changeset: ChangeSet) -> None:
    removed = [path for path in (CA, CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY) if changeset.remove(path)]
    if removed:
        changeset.note_ca_change("remove the CA")
        changeset.differences.add("ca", {"files": removed}, None)
    changeset.state.rotation = None
    changeset.state.is_own = False
    changeset.changes.dissolve = not changeset.state.files


def result_of_removal(
    changeset: ChangeSet, gone: t.Sequence[str], kept: t.Mapping[str, str], *, diff: bool
) -> dict[str, t.Any]:
    """Return the result of ``state: absent``."""
    root = changeset.options.cert_dir
    result: dict[str, t.Any] = {
        "changed": changeset.changed,
        "cert_dir": root,
        "removed": list(gone),
        "actions": changeset.actions,
        "backup_files": {os.path.join(root, path): os.path.join(root, name) for path, name in sorted(kept.items())},
    }
    if diff:
        result["diff"] = changeset.differences.as_diff()
    return result
