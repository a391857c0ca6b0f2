# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _digest as digest
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension import payload
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.setup_result import failed, read_setup_result
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle

GOOD = {"docker_setup": 1, "ok": True, "digest": "d", "changes": ["restart the engine"]}
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


def test_limits_of_the_envelopes() -> None:
    big = {"x": base64.b64encode(random.Random(1).randbytes(300_000)).decode()}
    with pytest.raises(DockerHostError, match="too large for the handler custom_script"):
        payload.custom_script(ECHO, big)
    with pytest.raises(DockerHostError, match="too large for the handler run_command"):
        payload.run_command_settings({"x": "y" * 131_072})
    assert payload.run_command_settings({"x": "y" * 131_000})


def test_size_of_the_real_payload() -> None:
    program = bundle()
    assert len(payload.custom_script(program, {"settings": {}})) < 64 * 1024
    assert "DOCKER_SETUP_PROGRAM_END" not in program
    assert program.isascii()


@pytest.mark.parametrize(
    "digest_without_certs",
    [
        "Enable succeeded: \n[stdout]\nconfigure: restart\n@\n\n[stderr]\n",
        "Enable succeeded: [stdout] configure: restart @ [stderr] ",
        "configure: restart\n@\n",
        'VM has reported a failure ... Error message: "Enable failed: failed to execute command: command terminated'
        ' with exit status=1\n[stdout]\nconfigure: restart\n@\n\n[stderr]\n".',
    ],
)
def test_the_result_is_found_in_every_frame(digest_without_certs: str) -> None:
    outcome = read_setup_result(digest_without_certs.replace("@", json.dumps(GOOD)))
    assert outcome.result == GOOD
    assert outcome.is_of("d")
    assert not outcome.is_of("e")
    assert "configure: restart" in outcome.output
    assert "docker_setup" not in outcome.output
    assert outcome.actions == ("restart the engine",)


def test_the_last_result_counts_and_others_json_does_not() -> None:
    text = json.dumps({**GOOD, "ok": False}) + "\n" + json.dumps(GOOD) + '\n{"ok": true}'
    assert read_setup_result(text).good
    assert not read_setup_result('{"ok": true, "changes": []}').good
    assert not read_setup_result("Enable succeeded.").good
    assert read_setup_result("command terminated with exit status=7").exit_code == 7


def test_errors_tell_stage_end_of_output_and_log() -> None:
    bad = {"docker_setup": 1, "ok": False, "stage": "install", "error": "no", "detail": "E: lock", "log": "/var/log/x"}
    error = failed("web1", read_setup_result(json.dumps(bad), 1))
    assert str(error) == (
        "web1: the program on the VM failed in stage install: no. E: lock (the full log is on the VM in /var/log/x)"
    )
    assert error.details["stage"] == "install"
    assert error.details["exit_code"] == 1
    silent = failed("web1", read_setup_result("Enable succeeded: \n[stdout]\nhello\n[stderr]\n"))
    assert "left no result" in str(silent)
    assert str(silent).endswith("hello")


@pytest.mark.parametrize(("guessable", "scheme"), [(True, "scrypt"), (False, "hmac-sha256")])
def test_digest(guessable: bool, scheme: str) -> None:
    one, two = (digest.new_digest(b"settings", guessable=guessable) for _time in range(2))
    assert one.split(":")[0] == scheme
    assert one != two
    assert len(one) <= 256
    assert digest.matches(one, b"settings")
    assert digest.matches(two, b"settings")
    assert not digest.matches(one, b"Settings")
    assert not digest.matches("", b"settings")
    assert not digest.matches("scrypt:99:8:1:AAAA:AAAA", b"settings")
    assert not digest.matches("nonsense:::::", b"settings")
    assert not digest.matches("hmac-sha256:AAAA:AAAA", b"settings")


def test_digest_where_scrypt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: t.Any, **_keywords: t.Any) -> bytes:
        raise ValueError("unsupported")

    usual = digest.new_digest(b"settings")
    monkeypatch.setattr(hashlib, "scrypt", refuse)
    other = digest.new_digest(b"settings")
    assert other.startswith("pbkdf2:")
    assert digest.matches(other, b"settings")
    assert not digest.matches(other, b"other")
    assert not digest.matches(usual, b"settings")
