# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journals that the next run reads: finished if a commit wrote them, refused if anybody else did."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

if t.TYPE_CHECKING:
    from .conftest import Certs

from .conftest import HOSTS


def test_a_journal_that_is_not_ours(certs: Certs) -> None:
    certs.run()
    for text in ("[]", "{", '{"version": 2, "puts": [], "removes": []}'):
        certs.path(".docker-tls-certs/journal.json").write_text(text)
        with pytest.raises(DockerHostError, match="journal"):
            certs.run()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "servers/../../outside"])
def test_a_journal_never_leads_outside(certs: Certs, path: str) -> None:
    certs.run()
    journal = {"version": 1, "puts": [{"stage": "0", "path": path}], "removes": []}
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    with pytest.raises(DockerHostError, match="journal"):
        certs.run()


def test_what_an_interrupted_run_began_is_reported(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir()
    (stage / "0").write_bytes(certs.bytes("cert.pem"))
    certs.path("cert.pem").unlink()
    journal = {"version": 1, "puts": [{"stage": "0", "path": "cert.pem"}], "removes": []}
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    for check in (True, False):
        result = certs.run(hosts=HOSTS, check=check)
        assert (result["changed"], result["actions"]) == (True, ["finish the changes of an interrupted run"])
    certs.check_pairs()
    certs.settled(hosts=HOSTS)


def test_keys_of_a_run_that_never_committed_do_not_stay(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir()
    (stage / "0").write_bytes(certs.bytes("key.pem"))
    assert not certs.run(hosts=HOSTS)["changed"]
    assert not stage.exists()


@pytest.mark.parametrize(
    "path",
    [
        *("config.json", "contexts/meta/x/meta.json", "servers/web1/notes.txt", "servers/../key.pem", "home/.bashrc"),
        *("servers/./key.pem", "servers/a b/key.pem", ".docker-tls-certs/lock", "key.pem\0"),
        *(".docker-tls-certs/retired/../key.pem", f".docker-tls-certs/retired/{'g' * 64}/ca.pem"),
    ],
)
@pytest.mark.parametrize("kind", ["puts", "removes"])
def test_a_journal_names_only_files_that_a_commit_makes(certs: Certs, path: str, kind: str) -> None:
    certs.run()
    journal: dict[str, t.Any] = {"version": 1, "puts": [], "removes": []}
    journal[kind].append({"stage": "0", "path": path} if kind == "puts" else path)
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    for check in (True, False):
        with pytest.raises(DockerHostError, match="the journal was not written by this version"):
            certs.run(check=check)


@pytest.mark.parametrize("kind", ["puts", "removes"])
def test_a_journal_is_not_followed_through_a_link(certs: Certs, tmp_path: pathlib.Path, kind: str) -> None:
    certs.run(hosts=HOSTS)
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "key.pem").write_text("theirs")
    (certs.directory / "clients").mkdir(mode=0o700)
    certs.path("clients/robot").symlink_to(outside)
    journal: dict[str, t.Any] = {"version": 1, "puts": [], "removes": []}
    path = "clients/robot/key.pem"
    journal[kind].append({"stage": "0", "path": path} if kind == "puts" else path)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir(mode=0o700)
    (stage / "0").write_text("forged")
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    with pytest.raises(DockerHostError, match="symbolic link"):
        certs.run(hosts=HOSTS)
    assert (outside / "key.pem").read_text() == "theirs"
