# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of contexts: their modes, links, damage, and directories that other users can change."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

from .conftest import HOST, Setup


def test_secret_files_and_no_secret_in_the_result(setup: Setup) -> None:
    result = setup.run(docker_host=HOST, **setup.files)
    directory = pathlib.Path(result["context"]["tls_directory"])
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        "ca.pem": 0o600,
        "cert.pem": 0o600,
        "key.pem": 0o600,
    }
    assert directory.stat().st_mode & 0o777 == 0o700
    assert "PRIVATE" not in json.dumps(result)
    left = {path.name for path in (setup.config / "contexts").iterdir()}
    assert left == {"meta", "tls", ".docker-host.lock"}


@pytest.mark.parametrize("content", ["{", "[" * 100_000])
def test_broken_configuration_stops_before_anything(setup: Setup, content: str) -> None:
    setup.config.mkdir()
    (setup.config / "config.json").write_text(content)
    with pytest.raises(DockerHostError, match="must contain a JSON object"):
        setup.run(docker_host=HOST, current=True, **setup.files)
    assert not (setup.config / "contexts/meta").exists()


@pytest.mark.parametrize("endpoints", ["x", ["x"], {"docker": "x"}, {"docker": ["x"]}])
def test_a_damaged_context_is_named(setup: Setup, endpoints: t.Any) -> None:
    path = pathlib.Path(setup.run(docker_host=HOST)["context"]["meta_path"])
    path.write_text(json.dumps({"Name": "web1", "Metadata": {}, "Endpoints": endpoints}))
    with pytest.raises(DockerHostError, match=r"meta\.json must describe a context as the Docker CLI does"):
        setup.run(docker_host=HOST)


def test_a_linked_configuration_stays_a_link(setup: Setup, tmp_path: pathlib.Path) -> None:
    setup.config.mkdir()
    (tmp_path / "dotfiles.json").write_text("{}")
    (setup.config / "config.json").symlink_to(tmp_path / "dotfiles.json")
    setup.run(docker_host=HOST, current=True)
    assert (setup.config / "config.json").is_symlink()
    assert json.loads((tmp_path / "dotfiles.json").read_text()) == {"currentContext": "web1"}


def planted(setup: Setup, tmp_path: pathlib.Path) -> dict[str, pathlib.Path]:
    """Every path that a context writes, by the file or directory that somebody can plant there."""
    made = setup.run("planted", check_mode=True, docker_host=HOST, **setup.files)["context"]
    tls, meta = pathlib.Path(made["tls_directory"]), pathlib.Path(made["meta_path"])
    files = [tls / "key.pem", tls / "ca.pem", meta, setup.config / "contexts" / ".docker-host.lock"]
    directories = [tls, tls.parent, tls.parents[1], meta.parent, setup.config / "contexts"]
    victim = tmp_path / "victim"
    (victim / "directory").mkdir(parents=True)
    (victim / "file").write_text("mine")
    return {
        **dict.fromkeys(map(str, files), victim / "file"),
        **dict.fromkeys(map(str, directories), victim / "directory"),
    }


@pytest.mark.parametrize("number", range(9))
def test_no_planted_link_leads_out_of_the_configuration(setup: Setup, tmp_path: pathlib.Path, number: int) -> None:
    path, victim = list(planted(setup, tmp_path).items())[number]
    pathlib.Path(path).parent.mkdir(parents=True)
    pathlib.Path(path).symlink_to(victim)
    for state in ("present", "absent"):
        with contextlib.suppress(DockerHostError):
            setup.run("planted", state=state, docker_host=HOST, adopt=True, **setup.files)
        assert (tmp_path / "victim" / "file").read_text() == "mine"
        assert list((tmp_path / "victim" / "directory").iterdir()) == []


@pytest.mark.parametrize("number", range(4))
def test_a_planted_fifo_is_refused_and_not_waited_for(setup: Setup, tmp_path: pathlib.Path, number: int) -> None:
    path = list(planted(setup, tmp_path))[number]
    pathlib.Path(path).parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(DockerHostError, match="must be a regular file"):
        setup.run("planted", docker_host=HOST, **setup.files)


@pytest.mark.parametrize("below", ["", "contexts", "contexts/meta", "contexts/tls"])
def test_a_directory_that_others_may_change_is_refused(setup: Setup, below: str) -> None:
    directory = setup.config / below
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    with pytest.raises(DockerHostError, match="everybody can write there"):
        setup.run(docker_host=HOST, **setup.files)
    directory.chmod(0o755)
    assert setup.run(docker_host=HOST, **setup.files)["changed"]


def test_a_directory_below_one_that_others_may_change_is_refused(setup: Setup, tmp_path: pathlib.Path) -> None:
    setup.config = tmp_path / "shared" / "docker"
    setup.config.mkdir(parents=True)
    setup.config.parent.chmod(0o777)
    with pytest.raises(DockerHostError, match="could replace"):
        setup.run(docker_host=HOST, **setup.files)
    setup.config.parent.chmod(0o1777)
    assert setup.run(docker_host=HOST, **setup.files)["changed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")
def test_a_directory_of_somebody_else_is_refused(setup: Setup) -> None:
    setup.config.mkdir()
    os.chown(setup.config, 12666, 12666)
    with pytest.raises(DockerHostError, match="belongs to user 12666"):
        setup.run(docker_host=HOST, **setup.files)
    os.chown(setup.config, 0, 0)
    key = pathlib.Path(setup.run(docker_host=HOST, **setup.files)["context"]["tls_directory"]) / "key.pem"
    os.chown(key, 12666, 12666)
    key.write_text("other")
    setup.run(docker_host=HOST, **setup.files)
    assert key.stat().st_uid == 0


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_modes_are_the_same_under_every_umask(setup: Setup, umask: int) -> None:
    before = os.umask(umask)
    try:
        made = setup.run(docker_host=HOST, **setup.files)["context"]
    finally:
        os.umask(before)
    key = pathlib.Path(made["tls_directory"]) / "key.pem"
    modes = [path.stat().st_mode & 0o777 for path in (key, key.parent, setup.config, pathlib.Path(made["meta_path"]))]
    assert modes == [0o600, 0o700, 0o700, 0o644]
