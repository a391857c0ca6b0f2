# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._argspec import ArgumentSpec


def test_merge_keeps_options_and_rules_of_all() -> None:
    first = ArgumentSpec(
        {"a": {"type": "str"}},
        mutually_exclusive=[("a", "b")],
        required_by={"a": ["b"]},
        required_if=[("a", 1, ("b",))],
    )
    second = ArgumentSpec({"b": {"type": "int"}}, required_together=[("a", "b")], required_one_of=[("a", "b")])
    merged = first.merge(second)
    assert set(merged.argument_spec) == {"a", "b"}
    assert merged.rules() == {
        "mutually_exclusive": [("a", "b")],
        "required_together": [("a", "b")],
        "required_one_of": [("a", "b")],
        "required_if": [("a", 1, ("b",))],
        "required_by": {"a": ["b"]},
    }
    assert set(first.argument_spec) == {"a"}, "merging must not change what is merged"


def test_the_same_option_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="Options defined twice: a"):
        ArgumentSpec({"a": {}}).merge(ArgumentSpec({"a": {}}))
