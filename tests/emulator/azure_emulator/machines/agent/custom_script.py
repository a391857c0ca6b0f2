# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CustomScript handler as Azure's 2.1.19 behaves: ``custom_script.py install|enable|disable|uninstall|update``.

Its directory, configuration and status are the handler contract's. A sequence number that ran is never run again
(``mrseq``), and of older ones only empty files of settings stay. As with the real one, a script that is not base64, or
longer than 256 KiB encoded, is not run and yet reported as success, and disabling or updating the handler writes its
own status over the last result.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

DATA = Path("/var/lib/waagent/custom-script")
SCRIPT_LIMIT = 256 * 1024
TAIL = 4096
LIMIT = 90 * 60.0
VERSION = "2.1.19"
BAD_CONFIGURATION, COMMAND_FAILED = -21, 2
#: The types of the settings in the handler's JSON schemas, and for texts a pattern.
SCHEMAS: dict[str, dict[str, tuple[str, str]]] = {
    "public": {
        "commandToExecute": ("string", ""),
        "script": ("string", ""),
        "skipDos2Unix": ("boolean", ""),
        "fileUris": ("array", ""),
        "timestamp": ("integer", ""),
    },
    "protected": {
        "commandToExecute": ("string", ""),
        "script": ("string", ""),
        "fileUris": ("array", ""),
        "storageAccountName": ("string", "^[a-z0-9]{3,24}$"),
        "storageAccountKey": (
            "string",
            "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$",
        ),
        "managedIdentity": ("object", ""),
    },
}
TYPES: dict[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


class HandlerError(Exception):
    """What goes into the status. :param code: of the substatus ErrorClarification."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Handler:
    """One run of the handler for the sequence number that the agent gave."""

    data = DATA

    def __init__(self) -> None:
        environment = json.loads(Path("HandlerEnvironment.json").read_text(encoding="utf-8"))[0]["handlerEnvironment"]
        self.config = Path(environment["configFolder"])
        self.status_folder = Path(environment["statusFolder"])
        self.log_folder = Path(environment["logFolder"])
        self.number = int(os.environ.get("ConfigSequenceNumber") or self._highest())  # noqa: SIM112
        extension = os.environ.get("ConfigExtensionName", "")  # noqa: SIM112
        #: How files of this extension begin; a handler of one extension has no such name.
        self.prefix = f"{extension}." if extension else ""

    def _highest(self) -> int:
        return max((int(path.stem) for path in self.config.glob("*.settings")), default=-1)

    def log(self, event: str) -> None:
        """Write a line to the handler's log."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        line = f"time={now()} version=v{VERSION} operation=enable seq={self.number} event={json.dumps(event)}\n"
        with (self.log_folder / "handler.log").open("a", encoding="utf-8") as file:
            file.write(line)

    def report(
        self,
        status: str,
        message: str,
        substatus: t.Sequence[t.Mapping[str, t.Any]] = (),
        operation: str = "Enable",
    ) -> None:
        formatted = {"lang": "en", "message": message}
        document: dict[str, t.Any] = {"operation": operation, "status": status, "formattedMessage": formatted}
        if substatus:
            document["substatus"] = list(substatus)
        temporary = self.status_folder / f"{self.prefix}{self.number}.status.new"
        with private_file(temporary) as file:
            file.write(json.dumps([{"version": 1, "timestampUTC": now(), "status": document}]).encode())
        temporary.replace(self.status_folder / f"{self.prefix}{self.number}.status")

    def begin(self) -> bool:
        """Note that this sequence number runs now, and return whether it has not run before."""
        ran = Path(f"{self.prefix}mrseq")
        if ran.exists() and int(ran.read_text(encoding="utf-8")) >= self.number:
            self.log("this script configuration is already processed, will not run again")
            return False
        ran.write_text(str(self.number), encoding="utf-8")
        return True

    def note(self, operation: str) -> None:
        """Report the end of another operation than enabling, in place of the present sequence number's result."""
        if self.number >= 0:
            self.report("success", f"{operation} succeeded", operation=operation)

    def clean(self) -> None:
        """Remove what older sequence numbers left: their downloads, and the content of their settings."""
        for folder in (self.data / "download").glob("[0-9]*"):
            if folder.name.isdigit() and int(folder.name) < self.number:
                shutil.rmtree(folder, ignore_errors=True)
        for settings in self.config.glob("[0-9]*.settings"):
            if settings.stem.isdigit() and int(settings.stem) < self.number:
                os.truncate(settings, 0)

    def enable(self) -> None:
        if not self.begin():
            self.clean()
            return
        self.report("transitioning", "Enabling")
        try:
            output = self.run(self.settings())
        except HandlerError as error:
            self.log(f"failed: {str(error).splitlines()[0]}")
            clarification = {"name": "ErrorClarification", "status": "error", "code": error.code}
            self.report("error", str(error), [clarification])
            return
        self.log("enabled")
        self.report("success", f"Enable succeeded: {output}")

    def settings(self) -> dict[str, t.Any]:
        """Public and protected settings in one. :raises HandlerError: they are not what the schema wants."""
        return checked(*self.both_settings())

    def both_settings(self) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """Return public and protected settings as they came."""
        file = self.config / f"{self.prefix}{self.number}.settings"
        document = json.loads(file.read_text(encoding="utf-8"))
        handler = document["runtimeSettings"][0]["handlerSettings"]
        return handler.get("publicSettings") or {}, self._decrypt(handler)

    def _decrypt(self, handler: dict[str, t.Any]) -> dict[str, t.Any]:
        text, thumbprint = handler.get("protectedSettings"), handler.get("protectedSettingsCertThumbprint")
        if not text:
            return {}
        base = self.config / ".." / ".." / str(thumbprint)
        done = subprocess.run(
            ["openssl", "cms", "-decrypt", "-inform", "DER", "-recip", f"{base}.crt", "-inkey", f"{base}.prv"],
            input=base64.b64decode(text),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            what = "failed to get configuration: error reading extension configuration: decryption failed"
            raise HandlerError(f"{what}: {what}", BAD_CONFIGURATION)
        return t.cast("dict[str, t.Any]", json.loads(done.stdout or b"{}"))

    def run(self, settings: dict[str, t.Any]) -> str:
        folder = self.data / "download" / str(self.number)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for uri in settings.get("fileUris") or []:
            download(str(uri), folder, bool(settings.get("skipDos2Unix")))
        command = settings.get("commandToExecute")
        if not command:
            script = decode(str(settings.get("script") or ""))
            if not script:
                return output_text("", "")
            command = str(folder / "script.sh")
            put_script(folder / "script.sh", script if settings.get("skipDos2Unix") else dos2unix(script))
        with private_file(folder / "stdout") as out, private_file(folder / "stderr") as err:
            done = subprocess.run(
                ["/bin/sh", "-c", str(command)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                check=False,
            )
        self.clean()
        return finished(done.returncode, tail(folder / "stdout"), tail(folder / "stderr"))


def checked(public: dict[str, t.Any], protected: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return public and protected settings as one dictionary; a key may be in both, and options may repeat each other.

    As in Azure's handler, whose check for that never takes effect: a command wins over a script, public settings win
    over protected ones, and without either nothing runs.

    :raises HandlerError: they are not what the handler's JSON schemas want.
    """
    for kind, part in (("public", public), ("protected", protected)):
        problem = schema_problem(kind, part)
        if problem:
            what = f"failed to get configuration: json validation error: invalid {kind} settings JSON: {problem}"
            raise HandlerError(f"{what}: {what}", BAD_CONFIGURATION)
    both = {**protected, **{name: value for name, value in public.items() if value}}
    if both.get("commandToExecute"):
        both.pop("script", None)
    return both


def schema_problem(kind: str, settings: dict[str, t.Any]) -> str:
    """Return the first violation of a schema in the words of gojsonschema; empty if there is none."""
    schema = SCHEMAS[kind]
    for name in sorted(settings.keys() - schema.keys()):
        return f"(root): Additional property {name} is not allowed"
    for name, value in settings.items():
        expected, pattern = schema[name]
        problem = _wrong_type(name, expected, value)
        if not problem and pattern and not re.search(pattern, value):
            problem = f"{name}: Does not match pattern '{pattern}'"
        if not problem and expected == "array":
            found = (_wrong_type(f"{name}.{index}", "string", item) for index, item in enumerate(value))
            problem = next(filter(None, found), "")
        if problem:
            return problem
    return ""


def _wrong_type(name: str, expected: str, value: t.Any) -> str:
    given = TYPES[type(value)]
    return "" if given == expected else f"{name}: Invalid type. Expected: {expected}, given: {given}"


def output_text(output: str, errors: str) -> str:
    return f"\n[stdout]\n{output}\n[stderr]\n{errors}"


def finished(code: int, output: str, errors: str) -> str:
    """Return the message after a command. :raises HandlerError: it failed."""
    text = output_text(output, errors)
    if code:
        # A shell that a signal ended has no exit status of its own.
        what = f"failed to execute command: command terminated with exit status={max(code, -1)}"
        raise HandlerError(f"{what}{text}: {what}", COMMAND_FAILED)
    return text


def decode(encoded: str) -> bytes | None:
    """Return the script's bytes; None is the real handler's trap: too long or no base64 is silently not run."""
    if len(encoded) > SCRIPT_LIMIT:
        return None
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (binascii.Error, OSError, EOFError, ValueError):
        return None


def dos2unix(content: bytes) -> bytes:
    """Scripts written on Windows: UTF-8, no byte order mark, no carriage returns."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", "replace").encode()
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n") if b"\x00" not in content[:1024] else content


def put_script(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o500), "wb") as file:
        file.write(content)


def private_file(path: Path) -> t.IO[bytes]:
    """Open a new file for its owner alone, in place of one of that name."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def download(uri: str, folder: Path, verbatim: bool) -> None:
    import urllib.request

    try:
        with urllib.request.build_opener().open(uri, timeout=30) as answer:
            content = answer.read()
    except (OSError, ValueError) as error:
        raise HandlerError(
            f"Enable failed: processing file downloads failed: failed to download file: {error}", 3
        ) from None
    target = folder / (uri.split("?")[0].rstrip("/").rsplit("/", 1)[-1] or "file")
    put_script(target, content if verbatim or not content.startswith(b"#!") else dos2unix(content))


def tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL))
        return file.read().decode("utf-8", "replace")


def main(command: str) -> int:
    if command == "enable":
        Handler().enable()
    elif command in ("disable", "update"):
        Handler().note(command.capitalize())
    elif command == "uninstall":
        Path("mrseq").unlink(missing_ok=True)
        shutil.rmtree(DATA, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
