# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Under AWX a directory in the job's home is discarded, and the user is told."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _awx
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import MissingLibraryError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls import keys, task

if t.TYPE_CHECKING:
    from .conftest import Certs


def told(certs: Certs) -> bool:
    return any("is discarded with this job" in warning for warning in certs.warnings)


@pytest.mark.parametrize("variable", ["AWX_PRIVATE_DATA_DIR", "JOB_ID"])
def test_home_under_awx(certs: Certs, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    certs.directory = tmp_path / "home" / ".docker"
    certs.run()
    assert not told(certs)
    monkeypatch.setenv(variable, "/nowhere" if variable != "JOB_ID" else "17")
    certs.run()
    assert told(certs)
    assert any("cert_dir to a path that is exposed to jobs" in warning for warning in certs.warnings)


def test_the_private_directory(certs: Certs, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", str(tmp_path / "private"))
    certs.directory = tmp_path / "private" / "project" / "certs"
    certs.run()
    assert told(certs)


def test_an_exposed_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_ID", "17")
    warnings: list[str] = []
    task.warn_if_temporary("/srv/docker-certs", warnings.append)
    assert not warnings


def test_a_mount_inside_the_home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_ID", "17")
    home = tmp_path / "home"
    durable = home / "durable"
    durable.mkdir(parents=True)
    warnings: list[str] = []
    monkeypatch.setattr(_awx, "PLACES", ())
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(durable))
    task.warn_if_temporary(str(durable / "certs"), warnings.append)
    assert not warnings
    task.warn_if_temporary(str(home / "certs"), warnings.append)
    assert warnings


def test_a_missing_package_is_named(certs: Certs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_import_error", ImportError("No module named 'cryptography'"))
    with pytest.raises(MissingLibraryError, match=r"cryptography>=42\.0\.0"):
        certs.run()
