# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removing identities and whole sets."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError

if t.TYPE_CHECKING:
    from .conftest import Certs

HOSTS = [{"name": "web1"}, {"name": "web2"}]


def test_one_host(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    before = certs.tree()
    predicted = certs.run(state="absent", hosts=HOSTS[:1], check=True)
    assert certs.tree() == before
    result = certs.run(state="absent", hosts=HOSTS[:1])
    for each in (predicted, result):
        assert each["changed"]
        assert each["removed"] == ["servers/web1"]
    after = certs.tree()
    assert set(before) - set(after) == {f"servers/web1/{name}.pem" for name in ("ca", "cert", "key")}
    assert not certs.path("servers/web1").exists()
    assert certs.path("servers/web2").exists()
    assert not certs.run(state="absent", hosts=HOSTS[:1])["changed"]
    certs.settled(hosts=HOSTS[1:], clients=["robot"])


def test_the_last_host_takes_the_folder_along(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    certs.run(state="absent", hosts=HOSTS, clients=["robot"])
    assert not certs.path("servers").exists()
    assert not certs.path("clients").exists()
    certs.settled()


def test_what_somebody_put_there_stays(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.path("servers/web1/notes.txt").write_text("x")
    certs.run(state="absent", hosts=HOSTS)
    assert [path.name for path in certs.path("servers/web1").iterdir()] == ["notes.txt"]


def test_somebodys_certificates_are_not_removed(certs: Certs) -> None:
    certs.path("servers/web1").mkdir(parents=True)
    certs.path("servers/web1/key.pem").write_text("somebody's")
    result = certs.run(state="absent", hosts=HOSTS[:1])
    assert not result["changed"]
    assert any("this module did not create it" in warning for warning in certs.warnings)
    assert certs.path("servers/web1/key.pem").exists()


def test_a_file_that_somebody_changed_is_kept(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.path("servers/web1/key.pem").write_text("changed")
    result = certs.run(state="absent", hosts=HOSTS[:1])
    kept = result["backup_files"][str(certs.path("servers/web1/key.pem"))]
    assert certs.path(kept).read_text() == "changed"


def test_backups(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    key = certs.bytes("servers/web1/key.pem")
    result = certs.run(state="absent", hosts=HOSTS[:1], backup=True)
    assert certs.path(result["backup_files"][str(certs.path("servers/web1/key.pem"))]).read_bytes() == key


def test_the_ca_only_on_explicit_request(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    with pytest.raises(OptionError, match="state: absent removes what is named"):
        certs.run(state="absent")
    with pytest.raises(OptionError, match="remove_ca: has an effect with state: absent only"):
        certs.run(remove_ca=True)
    certs.run(state="absent", hosts=HOSTS, clients=["robot"])
    assert {"ca.pem", "ca-key.pem", "cert.pem", "key.pem"} <= set(certs.tree())
    result = certs.run(state="absent", remove_ca=True)
    assert result["removed"] == ["client"]
    assert list(certs.directory.iterdir()) == []
    assert not certs.run(state="absent", remove_ca=True)["changed"]


def test_the_whole_set(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    certs.run(rotate_ca="start")
    result = certs.run(state="absent", remove_ca=True)
    assert set(result["removed"]) == {"client", "clients/robot", "servers/web1", "servers/web2"}
    assert list(certs.directory.iterdir()) == []
    certs.run(hosts=HOSTS)
    certs.check_pairs()


def test_nothing_there(certs: Certs) -> None:
    assert not certs.run(state="absent", hosts=HOSTS)["changed"]
    assert not certs.directory.exists()
