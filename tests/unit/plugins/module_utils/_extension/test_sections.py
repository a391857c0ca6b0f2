# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the settings that are kept one by one."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.argument_spec import (
    DOCKER_SECTIONS,
    OTHER_SECTIONS,
    extension_argument_spec,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.sections import (
    SECTIONS,
    section_of,
    with_section,
)

WHOLE: dict[str, t.Any] = {
    "settings": {
        "docker": {
            "port": "4243",
            "options": ["--debug"],
            "daemon": {"labels": ["a=b"]},
            "live-restore": False,
            "users": ["me"],
            "data-disk": {"lun": 0},
            "engine": {"source": "auto"},
        },
        "compose-projects": {"web": {"file": "services: {}"}},
        "compose-purge": True,
    },
    "protectedSettings": {
        "certs": {"ca": "x"},
        "proxies": {"http": "http://p:1"},
        "logins": [{"username": "u", "password": "p"}],
        "compose-secrets": {"web": {"TOKEN": "secret"}},
    },
}


def test_each_setting_is_one_section() -> None:
    assert {*DOCKER_SECTIONS.values(), *OTHER_SECTIONS} == set(SECTIONS)
    assert set(DOCKER_SECTIONS) == set(extension_argument_spec().argument_spec["docker"]["options"])


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_section_is_taken_from_one_document_into_another(name: str) -> None:
    before = copy.deepcopy(WHOLE)
    values = section_of(WHOLE, name)
    without = with_section(WHOLE, name, {})
    assert values
    assert section_of(without, name) == {}
    assert with_section(without, name, values) == WHOLE == before
    assert section_of(with_section({}, name, values), name) == values
    assert all(section_of(without, other) for other in SECTIONS if other != name)


@pytest.mark.parametrize("empty", ["", [], {}, None])
def test_an_empty_value_is_the_default(empty: t.Any) -> None:
    assert section_of({"protectedSettings": {"logins": empty}}, "logins") == {}


def test_a_value_that_is_false_counts() -> None:
    assert section_of({"settings": {"docker": {"live-restore": False}}}, "live-restore")
