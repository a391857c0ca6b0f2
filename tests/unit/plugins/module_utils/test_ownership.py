# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where keys may be: only where nobody else can read, replace or redirect them."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _ownership
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

OTHER_GROUP = 12345
SOMEBODY = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of somebody else")


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    directory = tmp_path / "home" / "me"
    directory.mkdir(parents=True, mode=0o700)
    return directory


def refused(path: pathlib.Path, problem: str) -> None:
    with pytest.raises(DockerHostError, match=problem) as caught:
        _ownership.check_directory(str(path))
    assert str(caught.value).startswith(str(path))


def test_a_directory_of_ones_own_is_accepted_whether_it_exists_or_not(home: pathlib.Path) -> None:
    _ownership.check_directory(str(home))
    _ownership.check_directory(str(home / "not" / "yet"))


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_directory_above_where_everybody_can_write(home: pathlib.Path, depth: int) -> None:
    keys = home / "keys"
    keys.mkdir(mode=0o700)
    directory = [keys, *keys.parents][depth]
    directory.chmod(0o777)
    refused(keys, r"everybody can write there \(mode 0777\)")
    directory.chmod(0o1777)
    if depth:  # Where each may rename only what is their own, a parent is safe.
        _ownership.check_directory(str(keys))
    else:
        refused(keys, r"everybody can write there \(mode 1777\)")
    directory.chmod(0o755)
    _ownership.check_directory(str(keys))


@needs_root
def test_a_directory_above_where_a_group_can_write(home: pathlib.Path) -> None:
    os.chown(home, -1, OTHER_GROUP)
    home.chmod(0o770)
    refused(home / "keys", f"the group {OTHER_GROUP} can write there")
    os.chown(home, -1, 0)  # The group of root can do nothing that root cannot.
    _ownership.check_directory(str(home / "keys"))


@needs_root
def test_a_directory_above_of_somebody_else(home: pathlib.Path) -> None:
    os.chown(home, SOMEBODY, -1)
    refused(home / "keys", f"belongs to user {SOMEBODY}, who could replace what is in it")


@needs_root
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_on_the_way_is_followed_only_if_nobody_else_can_change_it(home: pathlib.Path, absolute: bool) -> None:
    target = home / "disk" / "keys"
    target.mkdir(parents=True, mode=0o700)
    link = home / "link"
    link.symlink_to(target.parent if absolute else pathlib.Path("..") / home.name / "disk")
    _ownership.check_directory(str(link / "keys"))
    os.chown(link, SOMEBODY, -1, follow_symlinks=False)
    refused(link / "keys", f"is a symbolic link of user {SOMEBODY}")
    os.chown(link, 0, -1, follow_symlinks=False)
    target.parent.chmod(0o777)
    refused(link / "keys", "everybody can write there")


def test_links_that_lead_in_a_circle_or_nowhere(home: pathlib.Path) -> None:
    (home / "one").symlink_to("two")
    (home / "two").symlink_to("one")
    refused(home / "one" / "keys", "too many symbolic links")
    (home / "dangling").symlink_to("nowhere")
    refused(home / "dangling", "a symbolic link to a path that does not exist")


def test_an_entry_of_ones_own(home: pathlib.Path) -> None:
    file = home / "key.pem"
    file.touch(mode=0o600)
    _ownership.check_entry(str(file), file.lstat())
    file.chmod(0o666)
    with pytest.raises(DockerHostError, match="everybody can write there"):
        _ownership.check_entry(str(file), file.lstat())
    _ownership.check_entry(str(file), file.lstat(), may_be_writable=True)


@needs_root
def test_an_entry_of_somebody_else(home: pathlib.Path) -> None:
    file = home / "key.pem"
    file.touch(mode=0o600)
    os.chown(file, SOMEBODY, -1)
    with pytest.raises(DockerHostError, match=f"it belongs to user {SOMEBODY}"):
        _ownership.check_entry(str(file), file.lstat(), may_be_writable=True)
