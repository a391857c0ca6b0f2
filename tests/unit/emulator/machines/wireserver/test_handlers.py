# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of handlers that the WireServer offers to agents."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

import pytest

from azure_emulator.machines.wireserver.handlers import RUN_COMMAND, Handlers, supplied_handlers

from .conftest import SCRIPT


def test_a_handlers_package_has_its_manifest_and_its_programs(tmp_path: Path) -> None:
    handlers = Handlers()
    assert b"2.1.19" not in (handlers.artifact(f"{SCRIPT}_manifest.xml") or b"")
    handlers.want(SCRIPT, "2.1.19")
    handlers.want("Contoso.Unknown", "1.0")
    assert b"<Version>" not in (handlers.artifact("Contoso.Unknown_manifest.xml") or b"")
    listed = (handlers.artifact(f"{SCRIPT}_manifest.xml") or b"").decode()
    (url,) = re.findall("<Uri>(.*?)</Uri>", listed)
    package = handlers.artifact(url.rpartition("/")[2])
    assert package is not None
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        commands = json.loads(archive.read("HandlerManifest.json"))[0]["handlerManifest"]
        archive.extractall(tmp_path)
    for verb in ("install", "enable", "disable", "uninstall", "update"):
        program, word = commands[f"{verb}Command"].split()
        assert (tmp_path / program).exists()
        assert word == verb
    done = subprocess.run(
        [sys.executable, "bin/custom_script.py", "update"], cwd=tmp_path, env={}, check=False, stderr=subprocess.PIPE
    )
    assert b"HandlerEnvironment.json" in done.stderr, "its modules are beside it, the agent's files are not"


def _package(path: Path, commands: t.Mapping[str, t.Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("HandlerManifest.json", json.dumps([{"version": 1.0, "handlerManifest": commands}]))
    return path


def test_the_newest_supplied_version_is_compared_by_numbers(tmp_path: Path) -> None:
    for version in ("1.3.9", "1.3.28"):
        _package(tmp_path / f"{RUN_COMMAND}__{version}.zip", {"supportsMultipleExtensions": "true"})
    handlers = Handlers(supplied_handlers(tmp_path))
    assert handlers.newest(RUN_COMMAND, "1.3.9") == "1.3.28"
    assert handlers.serves_several(RUN_COMMAND, "1.3.28")
    assert Handlers().newest(RUN_COMMAND, "1.3.9") == "1.3.9"


def test_supplied_packages_are_served_as_they_are(tmp_path: Path) -> None:
    package = _package(tmp_path / f"{SCRIPT}__2.1.20.zip", {})
    _package(tmp_path / "Contoso.Tools.Many__1.0.zip", {"supportsMultipleExtensions": True})
    handlers = Handlers(supplied_handlers(tmp_path))
    assert handlers.known_versions(SCRIPT.lower()) == ["2.1.20"]
    assert handlers.artifact(f"{SCRIPT}__2.1.20.zip") == package.read_bytes()
    assert handlers.serves_several("contoso.tools.many", "1.0")
    assert not handlers.serves_several(SCRIPT, "2.1.20")


@pytest.mark.parametrize("name", ["CustomScript__2.1.zip", f"{SCRIPT}.zip", f"{SCRIPT}__latest.zip"])
def test_a_package_with_another_name_is_refused(name: str, tmp_path: Path) -> None:
    _package(tmp_path / name, {})
    with pytest.raises(ValueError, match=r"must be named PUBLISHER\.TYPE__VERSION\.zip"):
        supplied_handlers(tmp_path)


def test_a_file_that_is_not_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{SCRIPT}__2.1.20.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"must be a handler's package with HandlerManifest\.json"):
        supplied_handlers(tmp_path)
    with pytest.raises(ValueError, match="--handlers must be a directory"):
        supplied_handlers(tmp_path / "none")
