# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CustomScript handler without a guest, beside what Azure's 2.1.19 did with the same settings."""

from __future__ import annotations

import base64
import json
import stat
import threading
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from azure_emulator.machines.agent import downloads
from azure_emulator.machines.agent.custom_script import CustomScript


class Box:
    """A handler's directory, as the agent makes it."""

    def __init__(self, home: Path) -> None:
        self.home, self.data, self.config = home, home / "data", home / "handler/config"
        self.status = home / "handler/status"
        for folder in (self.config, self.status):
            folder.mkdir(parents=True)
        folders = {"configFolder": self.config, "statusFolder": self.status, "logFolder": home / "log"}
        environment = {name: str(path) for name, path in folders.items()}
        document = json.dumps([{"handlerEnvironment": environment}])
        (home / "handler/HandlerEnvironment.json").write_text(document, encoding="utf-8")

    def settings(self, number: int = 0, public: t.Any = None, **more: t.Any) -> None:
        document = {"runtimeSettings": [{"handlerSettings": {"publicSettings": public, **more}}]}
        (self.config / f"{number}.settings").write_text(json.dumps(document), encoding="utf-8")

    def enable(self, number: int = 0, public: t.Any = None) -> tuple[str, str, int]:
        """Return status, message and the code of the error."""
        self.settings(number, public)
        CustomScript().enable()
        return self.said(number)

    def said(self, number: int = 0) -> tuple[str, str, int]:
        (entry,) = json.loads((self.status / f"{number}.status").read_text(encoding="utf-8"))
        status = entry["status"]
        return (
            status["status"],
            status["formattedMessage"]["message"],
            status.get("substatus", [{"code": 0}])[0]["code"],
        )

    def mode(self, path: str) -> int:
        return stat.S_IMODE((self.home / path).stat().st_mode)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = Box(tmp_path)
    monkeypatch.chdir(tmp_path / "handler")
    monkeypatch.delenv("ConfigSequenceNumber", raising=False)
    monkeypatch.delenv("ConfigExtensionName", raising=False)
    monkeypatch.setattr(CustomScript, "data", made.data)
    return made


def script(text: str) -> dict[str, str]:
    return {"script": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("public", "output"),
    [
        (None, "\n[stdout]\n\n[stderr]\n"),
        ({"script": ""}, "\n[stdout]\n\n[stderr]\n"),
        ({"script": "no base64"}, "\n[stdout]\n\n[stderr]\n"),
        ({"commandToExecute": "echo a; echo b >&2"}, "\n[stdout]\na\n\n[stderr]\nb\n"),
        ({"commandToExecute": "echo a", **script("#!/bin/sh\necho b\n")}, "\n[stdout]\na\n\n[stderr]\n"),
        (script("#!/bin/sh\r\necho a\r\nexit 0\n\0\r\n"), "\n[stdout]\na\n\n[stderr]\n"),
    ],
)
def test_what_succeeds(public: t.Any, output: str, box: Box) -> None:
    assert box.enable(0, public) == ("success", f"Enable succeeded: {output}", 0)
    for path, mode in {"handler/mrseq": 0o600, "handler/status/0.status": 0o600, "data/download": 0o700}.items():
        assert box.mode(path) == mode, path
    assert box.mode("data/download/0") == 0o700
    assert {path.name for path in (box.data / "download/0").iterdir()} <= {"stdout", "stderr", "script.sh"}
    for stream in (box.data / "download/0").glob("std*"):
        assert stat.S_IMODE(stream.stat().st_mode) == 0o600
    assert (box.status / "0.status").read_text(encoding="utf-8").startswith("[\n\t{")


def test_without_a_command_an_empty_one_runs(box: Box) -> None:
    box.enable(0, {})
    assert (box.data / "download/0/stdout").read_bytes() == b""
    box.enable(1, {"script": "no base64"})
    assert not (box.data / "download/1/stdout").exists()


def test_a_failure_names_its_reason_before_and_after_the_output(box: Box) -> None:
    reason = "failed to execute command: command terminated with exit status=7"
    said = box.enable(0, script("#!/bin/sh\necho a\nexit 7\n"))
    assert said == ("error", f"{reason}\n[stdout]\na\n\n[stderr]\n: {reason}", 2)
    log = (box.home / "log/handler.log").read_text(encoding="utf-8")
    assert f'event="failed to handle" error="{reason}"' in log
    assert "echo a" not in log, "the log tells no output and no script"


def test_settings_that_cannot_be_read_are_an_error(box: Box) -> None:
    before = "failed to get configuration: error reading extension configuration: "
    file = box.config / "0.settings"

    def enabled(number: int) -> tuple[str, str, int]:
        (box.config / "9.settings").unlink(missing_ok=True)
        Path("mrseq").unlink(missing_ok=True)
        CustomScript().enable()
        return box.said(number)

    box.settings(0, None, protectedSettings="YWJj")
    no_thumbprint = "failed to parse protected settings: HandlerSettings has protected settings but no cert thumbprint"
    assert enabled(0) == ("error", f"{before}{no_thumbprint}: {before}{no_thumbprint}", -21)
    box.settings(0, None, protectedSettings="!", protectedSettingsCertThumbprint="AB")
    assert "failed to decode base64: illegal base64 data" in enabled(0)[1]
    box.settings(0, None, protectedSettings="YWJj", protectedSettingsCertThumbprint="AB")
    status, message, code = enabled(0)
    assert (status, code) == ("error", -21)
    assert "decrypting protected settings with smime command failed: error=exit status " in message
    assert message.endswith(" \n now decrypting with smime command")
    file.write_text('{"runtimeSettings": []}', encoding="utf-8")
    assert "wrong runtimeSettings count. expected:1, got:0" in enabled(0)[1]
    file.write_text("{", encoding="utf-8")
    assert f"{before}error parsing settings file: error parsing json: " in enabled(0)[1]
    file.write_text("", encoding="utf-8")
    assert enabled(0)[0] == "success", "no settings at all are empty ones"


def test_only_the_sequence_number_that_ran_last_keeps_its_files(box: Box) -> None:
    for number in (5, 6):
        box.enable(number, script("#!/bin/sh\necho a\n"))
    assert [path.name for path in box.data.glob("download/*")] == ["6"]
    sizes = {path.name: path.stat().st_size > 0 for path in box.config.iterdir()}
    assert sizes == {"5.settings": False, "6.settings": True}
    box.enable(7, {"unknown": 1})
    assert [path.name for path in box.data.glob("download/*")] == ["6"], "refused settings remove nothing"


def test_disabling_and_updating_replace_the_last_result(box: Box) -> None:
    box.enable(0, script("#!/bin/sh\necho a\n"))
    for operation in ("disable", "update"):
        assert CustomScript(operation).note() == 0
        assert box.said()[:2] == ("success", f"{operation.capitalize()} succeeded")
    (box.config / "0.settings").unlink()
    assert CustomScript("disable").note() == 3, "there is no sequence number"


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        status = int(self.path.split("/")[1])
        self.send_response(status)
        if "known" in self.path:
            self.send_header("x-ms-request-id", "id-1")
        self.end_headers()
        self.wfile.write(b"#!/bin/sh\r\necho got\n" if "bin" not in self.path else b"\x7fELF\r\n")

    def log_message(self, *_words: t.Any) -> None:
        pass


@pytest.fixture(scope="module")
def files() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_downloaded_scripts_are_converted_and_others_stay(box: Box, files: ThreadingHTTPServer) -> None:
    at = f"http://127.0.0.1:{files.server_port}/200"
    uris = [f"{at}/a.SH?sig=1", f"{at}/b", f"{at}/c.bin"]
    assert box.enable(0, {"fileUris": uris, "commandToExecute": "sh a.SH; stat -c %a a.SH b c.bin"}) == (
        "success", "Enable succeeded: \n[stdout]\ngot\n500\n500\n500\n\n[stderr]\n", 0,
    )  # fmt: skip
    assert (box.data / "download/0/b").read_bytes() == b"#!/bin/sh\necho got\n", "it begins like a script"
    assert (box.data / "download/0/c.bin").read_bytes() == b"\x7fELF\r\n"


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        (
            "400/f.sh",
            -41,
            "parts of the request were incorrectly formatted, missing, and/or invalid. The response code",
        ),
        ("401/f.sh", 52, "access was denied. Please fix the blob permissions and try again, the response code"),
        ("404/f.sh", 53, "it does not exist. Please create the blob and try again, the response code"),
        ("403/f.sh", 54, 'the server returned a response code and message of "403 Forbidden" Please verify'),
        ("201/f.sh", 54, 'the server returned a response code and message of "201 Created" Please verify'),
    ],
)
def test_a_download_that_is_refused_is_not_tried_again(
    path: str, code: int, text: str, box: Box, files: ThreadingHTTPServer
) -> None:
    files.asked.clear()  # type: ignore[attr-defined]
    host = f"127.0.0.1:{files.server_port}"
    status, message, found = box.enable(0, {"fileUris": [f"http://{host}/{path}"], "commandToExecute": "sh f.sh"})
    assert (status, found) == ("error", code)
    target = box.data / "download/0/f.sh"
    reason = f"failed to download response and write to file: {target}: CustomScript failed to download the file"
    assert (
        f"processing file downloads failed: failed to download file[0]: {reason} from {host} because {text}" in message
    )
    assert len(files.asked) == 1  # type: ignore[attr-defined]
    assert target.read_bytes() == b""
    assert not (box.data / "download/0/stdout").exists()


def test_the_storages_own_number_of_the_request_is_named(box: Box, files: ThreadingHTTPServer) -> None:
    uri = f"http://127.0.0.1:{files.server_port}/404/known"
    assert '"404 Not Found" (Service request ID: id-1): ' in box.enable(0, {"fileUris": [uri]})[1]


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("http://127.0.0.1/", 'cannot extract file name from URL: "http://127.0.0.1/"'),
        ("x:/a/f.sh", "[REDACTED] is not a valid url"),
    ],
)
def test_a_uri_without_file_or_host_is_refused(uri: str, text: str, box: Box) -> None:
    reason = f"processing file downloads failed: failed to download file[0]: {text}"
    assert box.enable(0, {"fileUris": [uri]}) == ("error", f"{reason}: {reason}", 25)


def test_a_failing_download_is_tried_for_three_minutes(tmp_path: Path, files: ThreadingHTTPServer) -> None:
    slept: list[float] = []
    files.asked.clear()  # type: ignore[attr-defined]
    with pytest.raises(downloads.HandlerError, match="due to an issue with storage") as caught:
        list(downloads.download([f"http://127.0.0.1:{files.server_port}/500/f"], tmp_path, sleep=slept.append))
    assert (caught.value.code, slept) == (-1, [3, 6, 12, 24, 48, 96])
    assert len(files.asked) == 7  # type: ignore[attr-defined]
    with pytest.raises(
        downloads.HandlerError, match=r"Get \[REDACTED\] dial tcp 127\.0\.0\.1:1: connect: connection refused"
    ) as caught:
        list(downloads.download(["http://127.0.0.1:1/f"], tmp_path, sleep=slept.append))
    assert (caught.value.code, len(slept)) == (-40, 12)
