# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings in the Docker extension's own schema."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.docker_extension import (
    docker_extension_settings,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings

from .conftest import Authority, options

WEB = {"services": {"web": {"image": "nginx"}}}


def test_mapping_for_the_docker_extension(certs: dict[str, str]) -> None:
    settings = read_settings(
        options(
            certs=certs,
            docker={"options": ["--debug"]},
            compose=[{"name": "web", "definition": WEB, "environment": {"A": "1"}, "secrets": {"B": "2222", "C": ""}}],
        )
    )
    public, protected = docker_extension_settings(settings.in_full())
    assert public == {
        "docker": {"port": "4243", "options": ["--debug", public["docker"]["options"][1]]},
        "compose": WEB,
        "compose-environment": {"A": "1"},
    }
    assert protected["environment"] == {"B": "2222", "C": ""}
    assert set(protected["certs"]) == {"ca", "cert", "key"}


@pytest.mark.parametrize(
    "given",
    [
        {"docker": {"users": ["me"]}},
        {"docker": {"daemon": {"debug": True}}},
        {"docker": {"live_restore": False}},
        {"engine": {"source": "distribution"}},
        {"engine": {"version": "28"}},
        {"logins": [{"server": "r", "username": "u", "password": "pass"}]},
        {"compose": [{"name": "a", "definition": WEB}, {"name": "b", "definition": WEB}]},
    ],
)
def test_what_the_docker_extension_lacks(given: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError, match="the handler docker_extension"):
        docker_extension_settings(read_settings(options(**given)))


def test_renewed_certificates_change_an_argument_so_that_the_handler_restarts_the_engine(authority: Authority) -> None:
    """Azure/azure-docker-extension 1.2.2 compares the arguments of the unit, not the certificates."""
    options_of = [
        docker_extension_settings(read_settings(options(certs=certs)))[0]["docker"]["options"]
        for certs in (authority.server(), authority.server())
    ]
    assert options_of[0] != options_of[1]
    assert all(option.startswith("--label=docker-host-certs=") for (option,) in options_of)
