# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How tests are spread over workers: one by one, and together where they look at one thing that takes long to make.

pytest-xdist's own marks for that (``xdist_group``) have no effect with pytest 9.2 (its issue 1386).
"""

from __future__ import annotations

import typing as t

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = frozenset(
    (
        "tests/integration/test_inventory.py",
        "tests/unit/plugins/module_utils/_vm_host/test_info.py",
        "tests/unit/plugins/plugin_utils/test_local_action.py",
    )
)


class OneByOne(LoadScopeScheduling):
    """Each test is a unit of work, and so is each of those files."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return path if path in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: t.Any) -> OneByOne | None:
    return OneByOne(config, log) if config.getoption("dist") == "loadgroup" else None
