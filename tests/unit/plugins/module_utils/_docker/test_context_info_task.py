# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker_context_info: contexts of this collection and of the real Docker CLI."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_info_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError

from .conftest import HOST, Setup, needs_docker


def info(setup: Setup, name: str | None = None) -> dict[str, t.Any]:
    return BACKEND.run(Request({"name": name, "docker_config": str(setup.config)}, check_mode=True))


def test_a_configuration_that_does_not_exist_has_no_contexts(setup: Setup) -> None:
    nothing = {"changed": False, "exists": False, "contexts": [], "current_context": "default"}
    assert info(setup) == info(setup, "web1") == nothing
    assert not setup.config.exists()


def test_one_context_is_described_with_its_files(setup: Setup) -> None:
    made = setup.run(docker_host=HOST, description="a host", current=True, **setup.files)
    setup.run("web2", docker_host=HOST)
    (context,) = info(setup, "web1")["contexts"]
    directory = made["context"]["tls_directory"]
    assert context == {
        "name": "web1",
        "description": "a host",
        "docker_host": HOST,
        "skip_tls_verify": False,
        "current": True,
        "managed": True,
        "meta_path": made["context"]["meta_path"],
        "ca_path": f"{directory}/ca.pem",
        "client_cert": f"{directory}/cert.pem",
        "client_key": f"{directory}/key.pem",
    }
    listed = info(setup)
    assert listed["current_context"] == "web1"
    assert [(entry["name"], entry["current"]) for entry in listed["contexts"]] == [("web1", True), ("web2", False)]
    assert listed["contexts"][1]["client_key"] is None


@needs_docker
def test_a_context_of_somebody_else_is_not_managed(setup: Setup) -> None:
    setup.docker("context", "create", "theirs", "--docker", "host=tcp://mine:1")
    (context,) = info(setup)["contexts"]
    assert (context["name"], context["managed"], context["docker_host"]) == ("theirs", False, "tcp://mine:1")


def test_names_and_files_that_cannot_be_used_are_errors(setup: Setup) -> None:
    with pytest.raises(OptionError, match="name"):
        info(setup, "a/b")
    made = setup.run(docker_host=HOST)
    pathlib.Path(made["context"]["meta_path"]).write_text("[]")
    for name in (None, "web1"):
        with pytest.raises(DockerHostError, match=r"meta\.json"):
            info(setup, name)
