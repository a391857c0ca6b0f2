# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a set without changing it."""

from __future__ import annotations

import errno
import os
import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem
from ansible_collections.dockerhost.azure.plugins.module_utils._vault import info_task

if t.TYPE_CHECKING:
    from .conftest import Certs

HOSTS = [{"name": "web1", "dns_names": ["web1.example.org"], "ip_addresses": ["10.0.0.4"]}, {"name": "web2"}]


def info(certs: Certs, files: FileSystem | None = None, **options: t.Any) -> dict[str, t.Any]:
    """Run docker_tls_certs_info."""
    options.setdefault("cert_dir", str(certs.directory))
    spec = {name: dict(option) for name, option in info_task.SPEC.argument_spec.items()}
    validation = ArgumentSpecValidator(spec, **info_task.SPEC.rules()).validate(options)
    assert not validation.error_messages, validation.error_messages
    return info_task.run(Request(validation.validated_parameters), files=files, clock=lambda: certs.now)


def everything(directory: pathlib.Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_mode) for path in sorted(directory.rglob("*"))}


def test_it_returns_what_docker_tls_certs_returns(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    certs.later(days=10)
    expected = certs.run(check=True)
    read = info(certs)
    assert not read["changed"]
    for name in ("cert_dir", "trusted_cas", "docker_env", "docker_connection"):
        assert read[name] == expected[name], name
    for part in ("client", "ca"):
        assert {**read[part], "reasons": []} == expected[part]
    for part in ("servers", "clients"):
        assert {name: {**entry, "reasons": []} for name, entry in read[part].items()} == expected[part]
    assert read["key_vault"] is None


def test_it_changes_nothing(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=390)
    before = everything(certs.directory)
    info(certs)
    assert everything(certs.directory) == before


def test_a_directory_that_does_not_exist(certs: Certs) -> None:
    read = info(certs)
    assert not certs.directory.exists()
    assert (read["servers"], read["clients"], read["trusted_cas"]) == ({}, {}, [])
    for part in ("ca", "client"):
        assert not any(read[part].values()), part
    assert read["rotation"] == {"phase": None, "old_fingerprint": None, "new_fingerprint": None, "hosts": []}


def test_only_the_named_hosts_are_read(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    certs.path("servers/web1/cert.pem").write_text("broken")
    read = info(certs, hosts=["WEB2", "web3"])
    assert list(read["servers"]) == ["web2"]
    assert list(read["clients"]) == ["robot"]
    assert info(certs, hosts=[])["servers"] == {}
    with pytest.raises(DockerHostError, match=r"servers/web1/cert\.pem: "):
        info(certs)


def test_a_directory_that_cannot_be_listed(certs: Certs) -> None:
    class Blind(FileSystem):
        def names(self, path: str) -> list[str]:
            raise PermissionError(errno.EACCES, "Permission denied", path)

    certs.run(hosts=HOSTS)
    before = certs.tree()
    with pytest.raises(DockerHostError, match=r"cannot be read: permission denied .*servers"):
        info(certs, files=Blind())
    assert certs.tree() == before


def test_a_rotation_under_way(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    expected = certs.run(rotate_ca="start")
    read = info(certs)
    assert read["trusted_cas"] == expected["trusted_cas"]
    assert read["rotation"] == {
        **{key: value for key, value in expected["rotation"].items() if key != "waiting_for"},
        "hosts": ["web1", "web2"],
    }


def test_files_that_somebody_else_made_are_read_as_well(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    expected = info(certs)
    (certs.path(".docker-tls-certs") / "state.json").unlink()
    (certs.path(".docker-tls-certs") / "current/ca.pem").unlink()
    read = info(certs)
    for part in ("ca", "client", "servers"):
        assert read[part] == expected[part], part


def test_a_commit_that_was_interrupted_is_shown_as_it_will_be(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    expected = info(certs)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir()
    os.rename(certs.path("cert.pem"), stage / "0")
    journal = '{"version": 1, "puts": [{"stage": "0", "path": "cert.pem"}], "removes": []}'
    certs.path(".docker-tls-certs/journal.json").write_text(journal)
    assert info(certs) == expected
    assert not certs.path("cert.pem").exists()


def test_a_key_vault_without_its_store_is_an_error(certs: Certs) -> None:
    for options in ({"key_vault": "contoso"}, {"store": "key_vault"}):
        with pytest.raises(OptionError) as error:
            info(certs, **options)
        assert error.value.option == "key_vault"
