# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Symbolic links, FIFOs and other things in place of the files: never followed, never waited for."""

from __future__ import annotations

import os
import shutil
import stat
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.directory import DirectoryStore
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.store import Changes, StoredFile

if t.TYPE_CHECKING:
    from .conftest import Certs

from .conftest import HOSTS, snapshot


@pytest.mark.parametrize(
    ("link", "target_is_directory"),
    [
        ("ca.pem", False),
        ("key.pem", False),
        ("servers", True),
        ("servers/web1", True),
        ("servers/web1/key.pem", False),
        ("clients", True),
        (".docker-tls-certs", True),
        (".docker-tls-certs/state.json", False),
        (".docker-tls-certs/current", True),
    ],
)
def test_a_symbolic_link_is_never_followed(certs: Certs, link: str, target_is_directory: bool) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    inside, outside = certs.path(link), certs.directory.with_name("outside")
    inside.rename(outside)
    inside.symlink_to(outside, target_is_directory=target_is_directory)
    certs.later(days=390)
    before = certs.tree(), snapshot(outside)
    for check in (True, False):
        with pytest.raises(DockerHostError, match="symbolic link"):
            certs.run(hosts=HOSTS, clients=["robot"], check=check)
    assert (certs.tree(), snapshot(outside)) == before


def test_a_link_to_nowhere(certs: Certs) -> None:
    certs.directory.symlink_to(certs.directory.with_name("nowhere"))
    with pytest.raises(DockerHostError, match="must be the path of a directory"):
        certs.run()


def test_things_of_other_kinds_in_the_way(certs: Certs) -> None:
    certs.directory.write_text("a file")
    with pytest.raises(DockerHostError, match="must be the path of a directory"):
        certs.run()
    certs.directory.unlink()
    (certs.directory / "cert.pem").mkdir(parents=True)
    with pytest.raises(DockerHostError, match=r"cert\.pem: it is not a regular file"):
        certs.run()
    (certs.directory / "cert.pem").rmdir()
    (certs.directory / "servers").write_text("a file")
    with pytest.raises(DockerHostError, match="servers: it is not a directory"):
        certs.run(hosts=HOSTS)
    (certs.directory / "servers").unlink()
    os.mkfifo(certs.directory / "key.pem")
    with pytest.raises(DockerHostError, match=r"key\.pem: it is not a regular file"):
        certs.run()


@pytest.mark.parametrize("relative", ["lock", "journal.json", "state.json", "stage", "current/ca.pem"])
@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: os.mknod(path, stat.S_IFSOCK | 0o600)], ids=["FIFO", "socket"]
)
def test_a_fifo_or_socket_ends_the_run_at_once(certs: Certs, relative: str, make: t.Callable[[str], None]) -> None:
    certs.run()
    path = certs.path(f".docker-tls-certs/{relative}")
    path.unlink(missing_ok=True)
    make(str(path))
    for check in (True, False):
        with pytest.raises(DockerHostError, match=r"it is not a (regular file|directory)"):
            certs.run(check=check)


def test_a_directory_that_is_exchanged_during_a_run_keeps_what_was_written(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    victim, aside = certs.directory.with_name("victim"), certs.directory.with_name("aside")
    shutil.copytree(certs.directory, victim)
    before = snapshot(victim)
    store = DirectoryStore(str(certs.directory), FileSystem())
    changes = Changes(puts={"servers/web9/key.pem": StoredFile(b"key", 0o600)}, removes=["servers/web1/key.pem"])
    with store.writing() as session:
        certs.directory.rename(aside)
        certs.directory.symlink_to(victim)
        session.commit(changes)
    assert snapshot(victim) == before
    assert (aside / "servers/web9/key.pem").read_bytes() == b"key"
    assert not (aside / "servers/web1/key.pem").exists()


@pytest.mark.parametrize("call", ["create", "rename", "remove", "read", "names", "make_directory", "link"])
def test_a_link_that_is_planted_between_check_and_use_is_not_followed(certs: Certs, call: str) -> None:
    """The directory of a host is exchanged right before one of its files is used."""
    certs.run(hosts=HOSTS)
    victim, inside = certs.directory.with_name("victim"), certs.path("servers/web1")
    shutil.copytree(inside, victim)
    before, names = snapshot(victim), sorted(path.name for path in victim.iterdir())
    inside.rename(inside.with_name("aside"))
    inside.symlink_to(victim)
    files = FileSystem()
    file, other = str(inside / "key.pem"), str(certs.path("other"))
    with files.below(str(certs.directory)):
        try:
            {
                "create": lambda: files.create(f"{inside}/planted", 0o600),
                "rename": lambda: files.rename(file, other),
                "remove": lambda: files.remove(file),
                "read": lambda: files.read(file),
                "names": lambda: pytest.fail("a name was seen") if files.names(str(inside)) else None,
                "make_directory": lambda: files.make_directory(f"{inside}/planted"),
                "link": lambda: files.link(file, other),
            }[call]()
        except OSError:
            pass
        else:
            assert call == "names"
    assert snapshot(victim) == before
    assert sorted(path.name for path in victim.iterdir()) == names
    assert not certs.path("other").exists()
