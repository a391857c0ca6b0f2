# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handler of managed run commands without a guest, beside what Azure's 1.3.28 did with the same settings."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from azure_emulator.machines.agent.run_command import RunCommand

NO_SOURCE = "Either 'source.script' or 'source.scriptUri' has to be specified"


class Box:
    """A handler's directory with the settings of the run command ``one``."""

    def __init__(self, home: Path) -> None:
        self.data, self.config, self.status = home / "data", home / "config", home / "status"
        for folder in (self.config, self.status):
            folder.mkdir()
        folders = {"configFolder": self.config, "statusFolder": self.status, "logFolder": home / "log"}
        environment = {name: str(path) for name, path in folders.items()}
        text = json.dumps([{"handlerEnvironment": environment}])
        (home / "HandlerEnvironment.json").write_text(text, encoding="utf-8")

    def enable(
        self, monkeypatch: pytest.MonkeyPatch, public: t.Any, number: int = 0
    ) -> tuple[str, dict[str, t.Any], int]:
        """Return the status, the instance view and the exit code."""
        document = {"runtimeSettings": [{"handlerSettings": {"publicSettings": public}}]}
        (self.config / f"one.{number}.settings").write_text(json.dumps(document), encoding="utf-8")
        monkeypatch.setenv("ConfigSequenceNumber", str(number))
        handler = RunCommand()
        handler.log_folder = self.data.parent / "log"
        code = handler.enable()
        (entry,) = json.loads((self.status / f"one.{number}.status").read_text(encoding="utf-8"))
        assert entry["status"]["name"] == "one"
        return entry["status"]["status"], json.loads(entry["status"]["formattedMessage"]["message"]), code


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ConfigExtensionName", "one")
    made = Box(tmp_path)
    monkeypatch.setattr(RunCommand, "data", made.data)
    return made


def source(script: str, **more: t.Any) -> dict[str, t.Any]:
    return {"source": {"script": script}, **more}


def test_a_script_runs_by_bash_with_words_and_variables(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [{"name": "A", "value": "x y"}, {"value": "un named"}, {"name": "EMPTY", "value": ""}, {"value": ""}]
    status, view, code = box.enable(
        monkeypatch, source('[[ a == a ]] && echo "$A" $# ${EMPTY-unset}; echo b >&2', parameters=given)
    )
    assert (status, code) == ("success", 0)
    assert list(view) == [
        "executionState", "executionMessage", "output", "error", "exitCode", "startTime", "endTime",
    ]  # fmt: skip
    assert (view["executionState"], view["executionMessage"]) == ("Succeeded", "Execution completed")
    assert (view["output"], view["error"], view["exitCode"]) == ("x y 2 unset\n", "b\n", 0)


@pytest.mark.parametrize(
    ("public", "status", "message", "code", "left"),
    [
        (source("exit 7"), "success", "failed to execute command: command terminated with exit status=7", 7, 0),
        (
            source("exit 7", treatFailureAsDeploymentFailure=True), "error",
            "failed to execute command: command terminated with exit status=7", 7, 0,
        ),
        (source("kill -9 $$"), "success", "failed to execute command: command terminated with exit status=-1", -1, 0),
        (
            source("sleep 60 & sleep 61", timeoutInSeconds=1), "success",
            "failed to execute command: command terminated with exit status=-1", -1, 0,
        ),
        (source(""), "success", f"failed to get configuration: invalid configuration: {NO_SOURCE}", -202, 3),
        (None, "success", f"failed to get configuration: invalid configuration: {NO_SOURCE}", -202, 3),
    ],
)  # fmt: skip
def test_how_a_script_fails(
    public: t.Any, status: str, message: str, code: int, left: int, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, view, exit_code = box.enable(monkeypatch, public)
    assert (said, view["executionState"], view["executionMessage"]) == (
        status,
        "Failed",
        f"Execution failed: {message}",
    )
    assert (view["exitCode"], exit_code) == (code, left)


def test_a_user_that_does_not_exist_is_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    _status, view, _code = box.enable(monkeypatch, source("true", runAsUser="nobody-here"))
    assert view["exitCode"] == -102
    assert view["executionMessage"].endswith(": user: unknown user nobody-here")


def test_carriage_returns_stay(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert box.enable(monkeypatch, source("echo a\r\n"))[1]["output"] == "a\r\n"


def test_only_the_sequence_number_that_ran_last_keeps_its_script(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    (box.config / "other.0.settings").write_text("kept", encoding="utf-8")
    for number in (0, 1):
        box.enable(monkeypatch, source("echo a"), number)
    assert [path.name for path in (box.data / "download/one").iterdir()] == ["1"]
    sizes = {path.name: path.stat().st_size > 0 for path in box.config.iterdir()}
    assert sizes == {"one.0.settings": False, "one.1.settings": True, "other.0.settings": True}
    assert (box.data / "download/one/1").stat().st_mode & 0o777 == 0o700
