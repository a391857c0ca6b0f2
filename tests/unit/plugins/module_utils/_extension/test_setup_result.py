# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the program on the VM reports, found in the handlers' messages."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.setup_result import failed, read_setup_result

GOOD = {"docker_setup": 1, "ok": True, "digest": "d", "changes": ["restart the engine"]}


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
    result = read_setup_result(digest_without_certs.replace("@", json.dumps(GOOD)))
    assert result.report == GOOD
    assert result.is_of("d")
    assert not result.is_of("e")
    assert "configure: restart" in result.output
    assert "docker_setup" not in result.output
    assert result.actions == ("restart the engine",)


def test_the_last_result_counts_and_others_json_does_not() -> None:
    text = json.dumps({**GOOD, "ok": False}) + "\n" + json.dumps(GOOD) + '\n{"ok": true}'
    assert read_setup_result(text).is_good
    assert not read_setup_result('{"ok": true, "changes": []}').is_good
    assert not read_setup_result("Enable succeeded.").is_good
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


def test_a_failed_commands_wrapping_is_not_its_output() -> None:
    """As Azure's CustomScript 2.1.19 words it: the reason, the streams, a colon and the reason again."""
    reason = "failed to execute command: command terminated with exit status=1"
    line = json.dumps({"docker_setup": 1, "ok": False, "stage": "install", "error": "no", "detail": "E: no network"})
    result = read_setup_result(f"{reason}\n[stdout]\n{line}\n\n[stderr]\n: {reason}")
    assert (result.output, result.exit_code) == ("", 1)
    assert failed("web1", result).details["output"] == "E: no network"
    for errors in ("E: a\n", "E: a"):
        text = f"{reason}\n[stdout]\ninstall: b\n{line}\n\n[stderr]\n{errors}: {reason}"
        assert read_setup_result(text).output == "install: b\nE: a"
    assert read_setup_result("command terminated with exit status=-1").exit_code == -1


def test_an_update_of_the_handler_overwrites_the_result_and_is_no_failure() -> None:
    assert read_setup_result("Update succeeded").was_overwritten
    assert not read_setup_result("Enable succeeded: ").was_overwritten
    assert not read_setup_result("Update succeeded " + json.dumps(GOOD)).was_overwritten


@pytest.mark.parametrize("value", [None, 7, "text", ["text"], {"a": 1}])
@pytest.mark.parametrize(
    "key", ["engine", "port", "changes", "notes", "differences", "stage", "error", "digest", "log"]
)
def test_a_report_of_a_machine_that_is_not_trusted_breaks_nothing(key: str, value: object) -> None:
    """Whoever is root on one machine must not stop a run for others, such as the list of all hosts."""
    result = read_setup_result(json.dumps({**GOOD, key: value}))
    report = result.report or {}
    assert result.is_good
    assert isinstance(report.get("engine", {}), dict)
    assert all(isinstance(report.get(several, []), list) for several in ("changes", "notes", "differences"))
    assert isinstance(result.actions, tuple)
    assert str(failed("web1", result))


def test_a_report_that_is_nested_too_deeply_counts_as_none() -> None:
    deep = '{"docker_setup": 1, "ok": true, "engine": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert read_setup_result(deep).report is None
    assert read_setup_result(json.dumps(GOOD) + deep).is_of("d")
