# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths that are discarded when an AWX job ends."""

from __future__ import annotations

import os

# Directories of a job's container that are discarded at its end.
PLACES = ("/runner", "/tmp")  # noqa: S108 - only compared


def is_discarded(path: str) -> bool:
    """Return whether this is an AWX job and the path is in the job's own home or container."""
    private = os.environ.get("AWX_PRIVATE_DATA_DIR")
    if not private and not os.environ.get("JOB_ID"):
        return False
    path = os.path.expanduser(path)
    places = filter(None, [os.path.expanduser("~"), private, *PLACES])
    return any(_is_below(path, place) and not _is_mounted(path, place) for place in places)


def _is_below(path: str, place: str) -> bool:
    path, place = os.path.realpath(path), os.path.realpath(place)
    return os.path.commonpath([path, place]) == place and place != "/"


def _is_mounted(path: str, place: str) -> bool:
    """Return whether the path, or a directory between it and the place, is mounted."""
    path, place = os.path.realpath(path), os.path.realpath(place)
    while path != place:
        if os.path.ismount(path):
            return True
        path = os.path.dirname(path)
    return False
