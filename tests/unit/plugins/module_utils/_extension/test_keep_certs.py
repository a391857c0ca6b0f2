# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option keep_certs: which engine is asked."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.keep_certs import read_endpoint

from .conftest import options

ENGINE = {"docker_host": "tcp://127.0.0.1:1", "ca_path": "/c/ca", "client_cert": "/c/cert", "client_key": "/c/key"}


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({}, "docker_host"),
        ({"docker_host": "tcp://127.0.0.1:1"}, "client.ca_path"),
        ({"client": {"docker_host": "tcp://127.0.0.1:1", "ca_path": "/c/ca"}}, "client.client_cert"),
        ({"client": ENGINE}, "client.ca_path"),
        ({"client": ENGINE, "docker_host": "unix:///run/docker.sock"}, "docker_host"),
        ({"client": ENGINE, "docker_host": "tcp://"}, "docker_host"),
    ],
)
def test_keeping_certificates_needs_an_engine_to_ask(given: dict[str, t.Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_endpoint(options(keep_certs=True, **given), check_mode=False)
    assert caught.value.option == option
    assert read_endpoint(options(**given), check_mode=False) is None


@pytest.mark.parametrize("given", [{}, {"docker_host": "tcp://127.0.0.1:1"}, {"client": ENGINE}])
def test_check_mode_does_not_ask_an_engine_that_is_not_known_yet(given: dict[str, t.Any]) -> None:
    assert read_endpoint(options(keep_certs=True, **given), check_mode=True) is None
