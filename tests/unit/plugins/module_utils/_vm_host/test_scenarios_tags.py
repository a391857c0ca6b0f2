# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Others may write a host's tags: no value stops the lists of all hosts, or ends in anything but a clear error."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import tags as names
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.listing import OUTPUTS, listing
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import info_task
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.listing import list_hosts
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import ImmutableError

from .conftest import KEY, Cloud
from .support import COMPUTE, NETWORK

TAGS = tuple(value for name, value in vars(names).items() if name.endswith("_TAG"))
VALUES = (
    "",
    "-1",
    "022",
    "99999",
    "\u0662\u0662",
    "x" * 256,
    "{{ 7 * 7 }}",
    "2027-13-45T00:00:00Z",
    "scrypt:99:8:1:AAAA:BBBB",
)
MACHINE, ADDRESS = f"{COMPUTE}/virtualMachines/web1", f"{NETWORK}/publicIPAddresses/web1-ip"
RUNS: tuple[dict[str, t.Any], ...] = ({}, {"ssh_port": 22, "custom_data": "#!/bin/sh\n"}, {"state": "absent"})


@pytest.fixture
def tag(cloud: Cloud) -> t.Callable[[str, str], None]:
    """Gives a host with open ports, whose tags somebody changes."""
    cloud.run(ssh_public_keys=[KEY], ssh_allowed_sources=["10.0.0.0/8"], custom_data="#!/bin/sh\n")
    before = {path: cloud.arm("GET", path)["tags"] for path in (MACHINE, ADDRESS)}

    def write(name: str, value: str) -> None:
        for path, known in before.items():
            cloud.arm("PATCH", path, {"tags": {**known, name: value}})

    return write


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_with_any_value_is_read(cloud: Cloud, tag: t.Callable[[str, str], None], name: str) -> None:
    for value in VALUES:
        tag(name, value)
        with AzureSession.from_params({}, token_cache=cloud.token_cache) as session:
            listed = list_hosts(session, [cloud.group]).hosts
        params = {"name": None, "resource_group": cloud.group, "tags": None}
        found = info_task.run(Request(params, token_cache=cloud.token_cache))["hosts"]
        for host in (*listed, *found):
            assert host["docker_port"] in range(1, 65536)
            assert host["ssh_port"] in range(1, 65536)
        for output in OUTPUTS:
            listing(found, output)
        for given in RUNS:
            with contextlib.suppress(DockerHostError):
                cloud.run(check=True, ssh_public_keys=[KEY], **given)


def test_a_port_that_the_options_and_the_rule_name_is_right_whatever_the_tag_says(cloud: Cloud) -> None:
    """The error about a tag that somebody removed or changed asks for that option, so setting it must help."""
    given = {"ssh_public_keys": [KEY], "ssh_allowed_sources": ["10.0.0.0/8"]}
    tags = cloud.run(ssh_port=2222, **given)["host"]["tags"]
    for value in (None, "22", "none", "99999"):
        others = {key: text for key, text in tags.items() if key != names.SSH_PORT_TAG}
        cloud.arm("PATCH", MACHINE, {"tags": others | ({names.SSH_PORT_TAG: value} if value else {})})
        with pytest.raises(DockerHostError, match="set ssh_port to the right port"):
            cloud.run(**given)
        assert cloud.run(ssh_port=2222, **given)["host"]["tags"] == tags
        assert cloud.run(**given)["changed"] is False
    with pytest.raises(ImmutableError, match="ssh_port"):
        cloud.run(ssh_port=2223, **given)


def test_every_tag_of_the_collection_is_tried() -> None:
    assert {names.OWNER_TAG, names.PORT_TAG, names.CERT_EXPIRES_TAG, names.DNS_LABEL_TAG} <= set(TAGS)
