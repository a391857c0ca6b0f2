# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of the checkout as modules."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


def load(path: str) -> types.ModuleType:
    """A Python file of the checkout that is in no package, as a module."""
    name = f"loaded_{path.removesuffix('.py').replace('/', '_')}"
    spec = importlib.util.spec_from_file_location(name, TOP / path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} must be a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
