# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of known hosts: what docker_context writes there, and what OpenSSH reads."""

from __future__ import annotations

import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

from .conftest import HOST, KEY, OTHER_KEY, Setup


def test_known_hosts_are_ours_alone(setup: Setup) -> None:
    setup.known_hosts.parent.mkdir()
    setup.known_hosts.write_text(f"# mine\ngithub.example {OTHER_KEY}\n")
    options: dict[str, t.Any] = {"docker_host": "ssh://me@web1.example:2222"}
    options.update({"ssh_host_keys": [f"{KEY} root@web1"]})
    assert setup.run(check_mode=True, **options)["changed"]
    assert setup.run(**options)["changed"]
    assert setup.run(**options)["changed"] is False
    assert setup.known_hosts.read_text() == (
        f"# mine\ngithub.example {OTHER_KEY}\n[web1.example]:2222 {KEY} docker-host:web1\n"
    )
    setup.run(docker_host="ssh://me@web1.example", ssh_host_keys=[OTHER_KEY])
    assert setup.known_hosts.read_text().splitlines()[2:] == [f"web1.example {OTHER_KEY} docker-host:web1"]
    setup.run(state="absent")
    assert setup.known_hosts.read_text() == f"# mine\ngithub.example {OTHER_KEY}\n"


def test_known_hosts_go_with_the_transport_and_with_a_context_that_is_gone(setup: Setup) -> None:
    options: dict[str, t.Any] = {"docker_host": "ssh://me@web1.example", "ssh_host_keys": [KEY]}
    setup.run(**options)
    setup.run(docker_host=HOST, **setup.files)
    assert setup.known_hosts.read_text() == ""
    setup.run(**options)
    shutil.rmtree(setup.config / "contexts")
    assert setup.run(state="absent", check_mode=True)["changed"]
    assert setup.run(state="absent")["changed"]
    assert setup.known_hosts.read_text() == ""
    assert setup.run(state="absent")["changed"] is False


def test_two_contexts_of_a_server_that_was_made_anew(setup: Setup) -> None:
    options: dict[str, t.Any] = {"docker_host": "ssh://me@web1.example"}
    for name in ("web1", "other"):
        setup.run(name, ssh_host_keys=[KEY], **options)
    assert len(setup.known_hosts.read_text().splitlines()) == 2
    # What is known of the server's other names and keys stays.
    setup.run("third", docker_host="ssh://me@web2.example", ssh_host_keys=[KEY])
    setup.run(ssh_host_keys=[OTHER_KEY], **options)
    lines = [f"web2.example {KEY} docker-host:third", f"web1.example {OTHER_KEY} docker-host:web1"]
    assert setup.known_hosts.read_text().splitlines() == lines
    setup.run("other", ssh_host_keys=[OTHER_KEY], **options)
    assert setup.known_hosts.read_text().splitlines() == [*lines, f"web1.example {OTHER_KEY} docker-host:other"]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
@pytest.mark.parametrize("hashed", [False, True])
def test_known_hosts_of_the_user_contradict(setup: Setup, hashed: bool) -> None:
    setup.known_hosts.parent.mkdir()
    setup.known_hosts.write_text(f"web1.example {OTHER_KEY}\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(setup.known_hosts)], check=True, capture_output=True)
        assert "web1" not in setup.known_hosts.read_text()
    before = setup.known_hosts.read_text()
    with pytest.raises(DockerHostError, match=r"ssh-keygen -f .* -R 'web1.example'"):
        setup.run(docker_host="ssh://me@web1.example", ssh_host_keys=[KEY])
    assert setup.known_hosts.read_text() == before
    assert not (setup.config / "contexts/meta").exists()
    assert setup.run(docker_host="ssh://me@web1.example", ssh_host_keys=[OTHER_KEY])["changed"]
    assert setup.known_hosts.read_text() == before


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_openssh_finds_the_key(setup: Setup) -> None:
    setup.run(docker_host="ssh://me@web1.example:2222", ssh_host_keys=[KEY])
    found = subprocess.run(
        ["ssh-keygen", "-f", str(setup.known_hosts), "-F", "[web1.example]:2222"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert KEY in found.stdout
