# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors name options in the words of whoever set them."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import failure
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError, render

VARIABLES = {"allow_stop": "docker_host_allow_stop", "data_disks": "docker_host_data_disks", "port": "docker_host_port"}


@pytest.mark.parametrize(
    ("text", "for_module", "for_role"),
    [
        ("Set O(allow_stop=true).", "Set allow_stop: true.", "Set docker_host_allow_stop: true."),
        ("O(data_disks[0].lun) is 64", "data_disks[0].lun is 64", "docker_host_data_disks[0].lun is 64"),
        ("O(port) and O(other)", "port and other", "docker_host_port and other"),
        ("O(port=)", "port: ", "docker_host_port: "),
        ("nothing to translate", "nothing to translate", "nothing to translate"),
    ],
)
def test_references_become_options_or_variables(text: str, for_module: str, for_role: str) -> None:
    assert render(text) == for_module
    assert render(text, VARIABLES) == for_role


def test_a_bad_option_is_named_by_its_variable_and_index() -> None:
    error = OptionError("data_disks[1].disk_size_gb", "must be at least 1, got 0")
    assert str(error) == "data_disks[1].disk_size_gb: must be at least 1, got 0"
    result = failure(error, VARIABLES)
    assert result["msg"] == "docker_host_data_disks[1].disk_size_gb: must be at least 1, got 0"
    assert result["option"] == "data_disks[1].disk_size_gb"


def test_an_error_without_options_is_shown_as_it_is() -> None:
    assert failure(DockerHostError("Azure is down")) == {"msg": "Azure is down"}
