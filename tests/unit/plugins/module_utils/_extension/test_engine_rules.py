# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which options dockerd never gets: the controller and the program on the VM decide alike."""

from __future__ import annotations

import types

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension import engine_rules
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle

from .conftest import options

REFUSED = [
    *("-DHtcp://0.0.0.0:2375", "-DH=tcp://0.0.0.0:2375", "-DH", "-H", "-Htcp://0.0.0.0", "-H tcp://0.0.0.0", "-Dp/x"),
    *("-D", "-p", "-", "--", "---host=x", "tcp://0.0.0.0:2375", "", " --debug", "--log-level debug", "--Host=x"),
    *("--label=a\nb", "--label=a\x00", "--tls_verify=false", "--host", "--host=fd://", "--config-file=/x", "--help"),
    *("--pidfile=/x", "--version", "--validate", *(f"--{name}=x" for name in engine_rules.OWN_OPTIONS)),
]
ACCEPTED = ["--debug", "--log-level=debug", "--label=a b", "--label=a=b", "--default-ulimit=nofile=64:64", "--mtu=1400"]


@pytest.fixture(scope="module")
def program() -> types.ModuleType:
    """The program for the VM."""
    module = types.ModuleType("docker_setup")
    exec(compile(bundle(), "docker_setup.py", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("option", REFUSED)
def test_refused_by_both(program: types.ModuleType, option: str) -> None:
    with pytest.raises(OptionError, match=r"docker\.options\[0\]: must"):
        read_settings(options(docker={"options": [option]}))
    with pytest.raises(program.Problem, match=r"docker\.options\[0\]: must"):
        program.Settings({"settings": {"docker": {"options": [option]}}})


@pytest.mark.parametrize("option", ACCEPTED)
def test_accepted_by_both(program: types.ModuleType, option: str) -> None:
    assert read_settings(options(docker={"options": [option]})).docker["options"] == [option]
    assert program.Settings({"settings": {"docker": {"options": [option]}}}).options == [option]


@pytest.mark.parametrize("key", engine_rules.OWN_DAEMON_KEYS)
def test_keys_of_daemon_json_refused_by_both(program: types.ModuleType, key: str) -> None:
    with pytest.raises(OptionError, match=f"must not contain {key}:"):
        read_settings(options(docker={"daemon": {key: True}}))
    with pytest.raises(program.Problem, match=f"must not contain {key}:"):
        program.Settings({"settings": {"docker": {"daemon": {key: True}}}})
