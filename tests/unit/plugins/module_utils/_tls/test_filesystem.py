# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No change of the file system passes by the layer whose calls the other tests count."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem, write_all

if t.TYPE_CHECKING:
    from .conftest import Certs

CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.chmod", "os.chown", "os.truncate"}
CHANGES |= {"os.symlink", "shutil.move", "shutil.rmtree", "subprocess.Popen", "os.system", "socket.connect"}
METHODS = {name for name in vars(FileSystem) if not name.startswith("_")}


class Noting(FileSystem):
    """Knows when one of its methods is at work."""

    working = 0

    def __getattribute__(self, name: str) -> t.Any:
        found = super().__getattribute__(name)
        if name not in METHODS:
            return found

        def noted(*args: t.Any, **kwargs: t.Any) -> t.Any:
            self.working += 1
            try:
                return found(*args, **kwargs)
            finally:
                self.working -= 1

        return noted


def changes(event: str, args: tuple[t.Any, ...]) -> bool:
    """Whether an audit event is a change."""
    if event == "open":
        return bool(args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)) and "__pycache__" not in str(args[0])
    return event in CHANGES


def test_every_change_is_a_call_of_the_layer(certs: Certs) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        files, seen = Noting(), []
        below = f"{certs.directory}{os.sep}"

        def hook(event: str, args: tuple[t.Any, ...]) -> None:
            # What is reached from the descriptor of the directory that was checked has no absolute path here.
            if event in ("open", *CHANGES) and str(args[0]).startswith(below):
                seen.append((event, str(args[0]), 0))
            elif changes(event, args):
                seen.append((event, str(args[0]), files.working))

        try:
            sys.addaudithook(hook)
            hosts = [{"name": "web1"}]
            certs.run(hosts=hosts, files=files)
            certs.run(hosts=hosts, files=files, regenerate="always", new_keys=True, backup=True)
            certs.run(rotate_ca="start", files=files)
            certs.run(state="absent", remove_ca=True, files=files)
            past = [entry for entry in seen if not entry[2]]
            text = "nothing was seen" if len(seen) < 50 else str(past) if past else "all"
        except BaseException as error:  # noqa: BLE001 - handed to the parent
            text = repr(error)
        os.write(writer, text.encode()[:4000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert stream.read().decode() == "all"
    os.waitpid(child, 0)


def test_a_write_that_the_system_takes_in_pieces(tmp_path: pathlib.Path) -> None:
    class Slow(FileSystem):
        def write(self, descriptor: int, data: bytes) -> int:
            return super().write(descriptor, data[:3])

    write_all(Slow(), str(tmp_path / "file"), b"ten bytes!", 0o600)
    assert (tmp_path / "file").read_bytes() == b"ten bytes!"


def test_nothing_that_exists_is_opened_for_writing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("there")
    with pytest.raises(FileExistsError):
        write_all(FileSystem(), str(tmp_path / "file"), b"x", 0o600)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError):
        write_all(FileSystem(), str(tmp_path / "link"), b"x", 0o600)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(OSError):
        FileSystem().read(str(tmp_path / "link"))


def test_what_is_not_there(tmp_path: pathlib.Path) -> None:
    files = FileSystem()
    assert files.status(str(tmp_path / "x")) is None
    assert files.status(str(tmp_path / "x" / "y")) is None
    assert files.names(str(tmp_path / "x")) == []
    (tmp_path / "file").write_text("")
    assert files.status(str(tmp_path / "file" / "y")) is None
    assert files.names(str(tmp_path / "file")) == []


def test_locks(tmp_path: pathlib.Path) -> None:
    files = FileSystem()
    path = str(tmp_path / "lock")
    one, two = files.open_lock(path), files.open_lock(path)
    try:
        assert files.try_lock(one, shared=False)
        assert not files.try_lock(two, shared=True)
        files.close(one)
        one = files.open_existing(path)
        assert files.try_lock(one, shared=True)
        assert files.try_lock(two, shared=True)
        assert not files.try_lock(two, shared=False)
        assert files.is_current(one, path)
        os.unlink(path)
        assert not files.is_current(one, path)
    finally:
        files.close(one)
        files.close(two)
