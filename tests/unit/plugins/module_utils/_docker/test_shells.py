# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines for shells that a context returns."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._docker.shells import shell_lines

from .conftest import HOST, Setup

NASTY = {"DOCKER_HOST": HOST, "DOCKER_CERT_PATH": '/tmp/it\'s "a" $HOME \\ `dir`'}


@pytest.mark.parametrize(
    ("shell", "command"), [("sh", ["sh", "-c"]), ("fish", ["fish", "-c"]), ("powershell", ["pwsh", "-Command"])]
)
def test_shells_understand_their_lines(shell: str, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    script = shell_lines(NASTY)[shell] + "\nprintenv DOCKER_CERT_PATH"
    out = subprocess.run([*command, script], capture_output=True, text=True, check=True).stdout
    assert out == NASTY["DOCKER_CERT_PATH"] + "\n"


def test_quoting_for_shells_that_are_not_here() -> None:
    lines = shell_lines({"A": "it's \\ $x"})
    assert lines["fish"] == "set -gx A 'it\\'s \\\\ $x'"
    assert lines["powershell"] == "$Env:A = 'it''s \\ $x'"


def test_shell_lines_lead_to_the_certificates(setup: Setup, certificates: t.Any, tmp_path: pathlib.Path) -> None:
    result = setup.run(docker_host=HOST, **setup.files)
    assert result["docker_env"]["DOCKER_CERT_PATH"] == str(certificates.client)
    shutil.copy(certificates.client / "ca.pem", tmp_path / "authority.pem")
    result = setup.run(docker_host=HOST, **{**setup.files, "ca_path": str(tmp_path / "authority.pem")})
    assert result["docker_env"]["DOCKER_CERT_PATH"] == result["context"]["tls_directory"]
    assert result["shell_lines"]["sh"].splitlines()[0] == f"export DOCKER_HOST={HOST}"
