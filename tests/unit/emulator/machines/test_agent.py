# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of the guest's agent, as far as they need no guest."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import subprocess
from pathlib import Path

import pytest

from azure_emulator.machines.agent import custom_script, handler, script_settings
from azure_emulator.machines.agent.downloads import dos2unix
from azure_emulator.machines.envelopes import encrypt


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_script_is_decoded_with_and_without_gzip() -> None:
    assert custom_script.decode(b64(b"#!/bin/sh\n")) == b"#!/bin/sh\n"
    assert custom_script.decode(b64(gzip.compress(b"#!/bin/sh\n"))) == b"#!/bin/sh\n"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("not base64!", id="not base64"),
        pytest.param("A" * (256 * 1024 + 4), id="too long"),
        pytest.param(" IyEvYmluL3NoCg==", id="leading blank"),
        pytest.param(b64(gzip.compress(b"#!/bin/sh\n", mtime=0)[:-3]), id="incomplete gzip"),
    ],
)
def test_what_the_real_handler_silently_does_not_run(bad: str) -> None:
    assert custom_script.decode(bad) is None


def test_longest_script_is_run() -> None:
    assert custom_script.decode("A" * (256 * 1024)) is not None


def test_what_only_begins_like_gzip_is_a_script() -> None:
    assert custom_script.decode(b64(b"\x1f\x8bbroken")) == b"\x1f\x8bbroken"


def test_windows_scripts_are_converted() -> None:
    assert dos2unix(b"\xef\xbb\xbf#!/bin/sh\r\necho\r\n") == b"#!/bin/sh\necho\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        assert dos2unix("\ufeff#!/bin/sh\r\necho\r\n".encode(encoding)) == b"#!/bin/sh\necho\n"


@pytest.mark.parametrize(
    ("public", "protected", "problem"),
    [
        (
            {"timestamps": 1},
            {"script": "x"},
            "public: (root): Additional property timestamps is not allowed",
        ),
        ({}, {"timestamp": 1}, "protected: (root): Additional property timestamp is not allowed"),
        ({"timestamp": "1"}, {}, "public: timestamp: Invalid type. Expected: integer, given: string"),
        (
            {"skipDos2Unix": 1},
            {},
            "public: skipDos2Unix: Invalid type. Expected: boolean, given: integer",
        ),
        ({}, {"script": None}, "protected: script: Invalid type. Expected: string, given: null"),
        (
            {"fileUris": ["http://h/a", 2]},
            {},
            "public: fileUris.1: Invalid type. Expected: string, given: integer",
        ),
        ({"fileUris": ["nope"]}, {}, "public: fileUris.0: Does not match format 'uri'"),
        (
            {},
            {"managedIdentity": {"clientId": 1}},
            "protected: managedIdentity.clientId: Invalid type. Expected: string, given: integer",
        ),
        (
            {},
            {"storageAccountName": "A"},
            "protected: storageAccountName: Does not match pattern '^[a-z0-9]{3,24}$'",
        ),
    ],
)
def test_settings_must_keep_to_the_schema(
    public: dict[str, object], protected: dict[str, object], problem: str
) -> None:
    kind, _colon, rest = problem.partition(": ")
    what = f"failed to get configuration: json validation error: invalid {kind} settings JSON: {rest}"
    with pytest.raises(handler.HandlerError) as caught:
        script_settings.checked(public, protected)
    assert (str(caught.value), caught.value.code) == (f"{what}: {what}", -21)


@pytest.mark.parametrize(
    ("public", "protected", "merged"),
    [
        ({}, {}, {}),
        ({"commandToExecute": "true"}, {"script": "x"}, {"commandToExecute": "true"}),
        ({"script": "a"}, {"script": "b"}, {"script": "a"}),
        ({"script": ""}, {"script": "b"}, {"script": "b"}),
        ({"timestamp": 2.0}, {"managedIdentity": {}}, {"timestamp": 2.0, "managedIdentity": {}}),
        ({"timestamp": 1}, {"commandToExecute": "b", "script": "c"}, {"timestamp": 1, "commandToExecute": "b"}),
    ],
)
def test_settings_that_contradict_each_other_are_no_error(
    public: dict[str, object], protected: dict[str, object], merged: dict[str, object]
) -> None:
    assert script_settings.checked(public, protected) == merged


def test_a_shell_that_a_signal_ended_has_no_exit_status() -> None:
    with pytest.raises(handler.HandlerError, match="command terminated with exit status=-1"):
        custom_script.finished(-9, "", "")


def test_messages_of_the_handler() -> None:
    assert custom_script.finished(0, "hello\n", "err\n") == "\n[stdout]\nhello\n\n[stderr]\nerr\n"
    what = "failed to execute command: command terminated with exit status=7"
    with pytest.raises(handler.HandlerError) as caught:
        custom_script.finished(7, "doing\n", "")
    assert str(caught.value) == f"{what}\n[stdout]\ndoing\n\n[stderr]\n: {what}"
    assert caught.value.code == 2


def test_protected_settings_open_with_the_transport_key_alone(tmp_path: Path) -> None:
    key, certificate = tmp_path / "a.prv", tmp_path / "a.crt"
    make = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=t", "-newkey", "rsa:2048", "-days", "2"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = asyncio.run(encrypt({"script": "secret"}, certificate.read_text()))
    assert b"secret" not in base64.b64decode(text)
    done = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key],
        input=base64.b64decode(text),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"script": "secret"}
