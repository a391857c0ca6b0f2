# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads the SDK for actions, so that workers inherit it. Private to this collection.

Imports only: no client, credential or thread is made.
"""

from __future__ import annotations

import contextlib
import importlib

MODULES = (
    "azure.core.pipeline.transport",
    "azure.core.rest",
    "azure.identity",
    "azure.mgmt.compute",
    "azure.mgmt.compute.models",
    "azure.mgmt.compute.operations",
    "azure.mgmt.core.polling.arm_polling",
    "azure.mgmt.core.policies",
    "requests",
)


def load() -> None:
    """Import what there is. What is missing is reported by the task that needs it."""
    for name in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
