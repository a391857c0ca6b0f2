# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The generated key: made once, kept, never overwritten."""

from __future__ import annotations

import concurrent.futures
import errno
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._files import create_file
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.ssh_keys import (
    PLANNED_KEY,
    ensure_key_pair,
    public_keys,
)

from ..conftest import KEY, Cloud

OPENSSH = serialization.PrivateFormat.OpenSSH


def written(path: Path, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """A private key's file, as ssh-keygen makes it."""
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, OPENSSH, serialization.NoEncryption()))
    return path.read_bytes()


def test_a_pair_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    made = ensure_key_pair(str(path), check_mode=False)
    assert made.generated
    assert made.public.startswith("ssh-ed25519 ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.with_name("key.pub").read_text() == f"{made.public}\n"
    before = path.read_bytes()
    again = ensure_key_pair(str(path), check_mode=False)
    assert (again.generated, again.public, path.read_bytes()) == (False, made.public, before)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["key", "key.pub"]


def test_check_mode_makes_none(tmp_path: Path) -> None:
    planned = ensure_key_pair(str(tmp_path / "key"), check_mode=True)
    assert (planned.generated, planned.public) == (True, PLANNED_KEY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_key_that_is_there_is_used(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    before = written(path, key)
    found = ensure_key_pair(str(path), check_mode=False)
    assert found.public.startswith(f"ssh-{kind} ")
    assert not found.generated
    assert path.read_bytes() == before
    assert not path.with_name("key.pub").exists()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen")
def test_a_key_with_a_passphrase_needs_its_public_half(tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(path)], check=True)
    before, beside = path.read_bytes(), path.with_name("key.pub")
    line = beside.read_text().strip()
    assert ensure_key_pair(str(path), check_mode=False).public == line
    beside.unlink()
    with pytest.raises(OptionError, match="next to it") as caught:
        ensure_key_pair(str(path), check_mode=False)
    assert caught.value.option == "ssh_private_key_path"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "must be ssh-rsa .* or ssh-ed25519"),
        (rsa.generate_private_key(65537, 1024), "at least 2048 bits"),
    ],
)
def test_a_key_that_azure_refuses_is_refused_before_anything_is_created(
    cloud: Cloud, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, problem: str
) -> None:
    written(cloud.key, key)
    for check in (True, False):
        with pytest.raises(OptionError, match=problem) as caught:
            cloud.run(check=check)
        assert caught.value.option == "ssh_private_key_path"
        assert str(cloud.key) in str(caught.value)
        assert cloud.writes == []


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen")
@pytest.mark.parametrize("content", ["", "my diary", f"{KEY}\n{KEY}", "ssh-ed25519 AAAA"])
def test_a_public_half_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(path)], check=True)
    path.with_name("key.pub").write_text(content)
    with pytest.raises(OptionError, match="the public key of") as caught:
        ensure_key_pair(str(path), check_mode=False)
    assert caught.value.option == "ssh_private_key_path"
    assert "diary" not in str(caught.value)


def test_what_is_no_key_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("my diary")
    with pytest.raises(OptionError, match="must be an OpenSSH private key"):
        ensure_key_pair(str(path), check_mode=False)
    assert path.read_text() == "my diary"


def test_a_public_half_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    beside = tmp_path / "key.pub"
    beside.write_text("mine")
    ensure_key_pair(str(tmp_path / "key"), check_mode=False)
    assert beside.read_text() == "mine"


def test_many_at_once_make_one(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        runs = [pool.submit(ensure_key_pair, str(tmp_path / "key"), False) for _place in range(20)]
        found = [run.result() for run in runs]
    assert len({pair.public for pair in found}) == 1
    assert sum(pair.generated for pair in found) == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["key", "key.pub"]


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: str, _target: str, **_directories: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("os.link", refuse)
    path = tmp_path / "key"
    made = ensure_key_pair(str(path), check_mode=False)
    assert made.generated
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert create_file(str(path), b"another", 0o600) is False
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["key", "key.pub"]


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OptionError, match="cannot be written"):
        ensure_key_pair(str(tmp_path / "file" / "key"), check_mode=False)


def test_several_keys_in_one_text() -> None:
    """As a text area of a survey gives them."""
    other = KEY.replace("me@example", "you@example")
    assert public_keys("ssh_public_keys", [f"{KEY}\r\n\n  {other}\n"]) == (KEY, other)
    assert public_keys("ssh_public_keys", ["", KEY]) == (KEY,)
    with pytest.raises(OptionError, match="private key") as caught:
        public_keys("ssh_public_keys", [f"{KEY}\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n"])
    assert "b3Blbn" not in str(caught.value)


def test_a_key_that_goes_away_with_a_job(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", str(cloud.key.parent))
    for check in (True, False):
        with pytest.raises(OptionError, match="nobody could ever sign in") as caught:
            cloud.run(check, ssh_allowed_sources=["192.0.2.0/24"])
        assert caught.value.option == "ssh_public_keys"
    assert cloud.writes == []
    assert not cloud.key.exists()
    given = cloud.run(True, ssh_allowed_sources=["192.0.2.0/24"], ssh_public_keys=[KEY])
    assert (given["changed"], cloud.warnings) == (True, [])
    cloud.run()
    assert any("discarded with this job" in text for text in cloud.warnings)
    # Only a new host needs a key.
    assert not cloud.run()["changed"]
    assert cloud.warnings == []
    cloud.key.unlink()
    cloud.run(ssh_allowed_sources=["192.0.2.0/24"])
    assert not any("discarded" in text for text in cloud.warnings)
