# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the tests find what has been built and fetched for them."""

from __future__ import annotations

import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
COLLECTIONS = os.environ.get("DOCKERHOST_COLLECTIONS_PATH", str(TOP / ".build" / "dev"))
CACHE = Path(os.environ.get("DOCKERHOST_CACHE", str(TOP / ".cache")))
BUILD = Path(os.environ.get("DOCKERHOST_BUILD", str(TOP / ".build")))
