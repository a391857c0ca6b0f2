# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import stage_results

HOST = {"name": "web1", "docker_host": "tcp://{{ 1 }}:4243"}


def test_variable_of_the_user_is_templated_once_and_a_result_never() -> None:
    templated: list[t.Any] = []

    def template(value: t.Any) -> t.Any:
        templated.append(value)
        return "web1" if value == "{{ inventory_hostname }}" else value

    variables = {
        "inventory_hostname": "web1",
        "docker_host_name": "{{ inventory_hostname }}",
        "_docker_host_virtual_machine": {"host": HOST},
    }
    results = stage_results(variables, template)
    assert [results.host, results.host["docker_host"], results.url] == [HOST, *2 * [HOST["docker_host"]]]
    assert templated.count("{{ inventory_hostname }}") == 1
    assert {"host": HOST} not in templated
