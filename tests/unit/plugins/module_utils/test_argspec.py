# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._argspec import ArgumentSpec, copy_option


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


def test_validation_of_a_copy_leaves_the_definition_as_it_was() -> None:
    suboptions = {"size": {"type": "int", "default": 1}, "names": {"type": "list", "elements": "str", "default": []}}
    spec = {
        "disks": {"type": "list", "elements": "dict", "options": suboptions, "default": [{"size": 2}]},
        "words": {"type": "list", "elements": "str", "default": ["a"]},
    }
    before = copy.deepcopy(spec)
    validated = ArgumentSpecValidator({name: copy_option(option) for name, option in spec.items()}).validate({})
    validated.validated_parameters["disks"][0]["names"].append("changed")
    validated.validated_parameters["words"].append("changed")
    assert spec == before
