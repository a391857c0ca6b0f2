# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts that carry program and settings, run by real shells."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import random
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension import payload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle

# What prints its arguments and settings, so that the envelope can be seen from inside.
ECHO = (
    "import json, os, sys\n"
    "print(json.dumps([sys.argv[1:], json.load(open('/dev/fd/3')), dict(os.environ)]))\n"
    "marker = 'it''s $HOME `id` \\\\'\n"
)


def shells() -> list[str]:
    """The shells that are /bin/sh somewhere."""
    return [shell for shell in ("/bin/dash", "/bin/bash", "/bin/busybox") if shutil.which(shell)]


def run_shell(shell: str, script: Path, environment: dict[str, str] | None = None) -> t.Any:
    words = [shell, "sh"] if shell.endswith("busybox") else [shell]
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    return subprocess.run(
        [*words, str(script)], capture_output=True, text=True, check=False, env={**path, **(environment or {})}
    )


DOCUMENT = {"settings": {"a": 'it\'s $HOME `id` \\ "é"\n$(id)'}, "big": "x" * 90_000}


@pytest.mark.parametrize("shell", shells())
def test_custom_script_hands_settings_over_and_is_gone(tmp_path: Path, shell: str) -> None:
    script = tmp_path / "script.sh"
    script.write_bytes(gzip.decompress(base64.b64decode(payload.custom_script(ECHO, DOCUMENT))))
    arguments, settings, environment = json.loads(run_shell(shell, script).stdout)
    assert settings == DOCUMENT
    assert arguments == ["--root", "/", "--settings", "/dev/fd/3", "--forget", str(script)]
    assert "xxxx" not in str(environment)


@pytest.mark.parametrize("shell", shells())
def test_run_command_takes_settings_out_of_the_environment(tmp_path: Path, shell: str) -> None:
    script = tmp_path / "script.sh"
    script.write_text(payload.run_command_script(ECHO), encoding="utf-8")
    value = payload.run_command_settings(DOCUMENT)
    said = run_shell(shell, script, {payload.SETTINGS_VARIABLE: value, "DOCKER_SETUP_ROOT": "/some/tree"})
    arguments, settings, environment = json.loads(said.stdout)
    assert settings == DOCUMENT
    assert arguments == ["--root", "/some/tree", "--settings", "/dev/fd/3"]
    assert payload.SETTINGS_VARIABLE not in environment


def test_no_program_of_a_run_command_has_the_settings_in_its_environment(tmp_path: Path) -> None:
    """The probes for Python included."""
    script, seen = tmp_path / "script.sh", tmp_path / "seen"
    script.write_text(payload.run_command_script(ECHO), encoding="utf-8")
    probe = tmp_path / "bin" / "python3"
    probe.parent.mkdir()
    probe.write_text(f'#!/bin/sh\nenv >> "{seen}"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    probe.chmod(0o755)
    environment = {payload.SETTINGS_VARIABLE: '{"token": "hunter2"}', "PATH": f"{probe.parent}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", str(script)], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout)[1] == {"token": "hunter2"}
    assert seen.read_text(encoding="utf-8").count("PWD=") == 2
    assert "hunter2" not in seen.read_text(encoding="utf-8")


def test_without_python_the_script_fails_and_leaves_no_secret(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_bytes(gzip.decompress(base64.b64decode(payload.custom_script(ECHO, DOCUMENT))))
    text = script.read_text(encoding="utf-8").replace("/usr/", "/nowhere/").replace("python3", "nopython")
    script.write_text(text.replace("nopython python; do", "nopython; do"), encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", str(script)], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 127
    assert "No Python" in done.stderr
    assert not script.exists()


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize("works", [True, False])
def test_boot_script_starts_the_program_and_does_not_wait_for_it(tmp_path: Path, shell: str, works: bool) -> None:
    home, seen = tmp_path / "home", tmp_path / "seen"
    for name, code in (("systemd-run", 0 if works else 1), ("setsid", 0)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{seen}"\nexit {code}\n', encoding="utf-8")
        program.chmod(0o755)
    script = tmp_path / "script.sh"
    engine = {"source": "docker", "key": "it's $HOME `id` \\ \n"}
    text = payload.boot_script(ECHO, engine) + "wait\n"
    script.write_text(text.replace("/var/lib/docker-host", str(home)), encoding="utf-8")
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
    done = run_shell(shell, script, {"PATH": path})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((home / "boot.json").read_text()) == {"format": 1, "settings": {"docker": {"engine": engine}}}
    assert (home / "boot.py").read_text().rstrip() == ECHO.rstrip()
    assert [entry.stat().st_mode & 0o077 for entry in (home, *home.iterdir())] == [0, 0, 0]
    python = shutil.which("python3", path=path)
    started = f"{python} {home}/boot.py --at-boot --settings {home}/boot.json"
    unit = f"systemd-run --unit=docker-host-boot --description=Install the Docker engine {started}"
    assert seen.read_text().splitlines() == [unit, *([] if works else [f"setsid {started}"])]


def test_limits_of_the_envelopes() -> None:
    big = {"x": base64.b64encode(random.Random(1).randbytes(300_000)).decode()}
    with pytest.raises(DockerHostError, match="too large for the handler custom_script"):
        payload.custom_script(ECHO, big)
    with pytest.raises(DockerHostError, match="too large for the handler run_command"):
        payload.run_command_settings({"x": "y" * 131_072})
    assert payload.run_command_settings({"x": "y" * 131_000})


def test_the_program_leaves_two_thirds_of_the_script_to_the_settings() -> None:
    program = bundle()
    assert len(payload.custom_script(program, {"settings": {}})) < payload.SCRIPT_LIMIT / 3
    assert "DOCKER_SETUP_PROGRAM_END" not in program
    assert program.isascii()


def test_without_comments_the_program_does_the_same() -> None:
    tree = ast.parse(bundle())
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    short = payload.without_comments(bundle())
    is_same = ast.dump(ast.parse(short)) == ast.dump(tree)  # pytest would compare the long texts for minutes
    assert is_same
    assert "\n    # " not in short
