# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockerhost.azure.plugins.module_utils._diff import Differences


def test_nothing_differs() -> None:
    differences = Differences()
    assert not differences.compare("size", "a", "a")
    assert not differences
    assert differences.as_diff() == {"before": {}, "after": {}}


def test_a_difference_is_noted_with_both_sides() -> None:
    differences = Differences()
    assert differences.compare("size", "a", "b")
    differences.add("tags.x", None, "1")
    assert differences
    assert differences.as_diff() == {"before": {"size": "a", "tags.x": None}, "after": {"size": "b", "tags.x": "1"}}
