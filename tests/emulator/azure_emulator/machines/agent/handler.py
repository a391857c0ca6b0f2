# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the handlers of extensions share: where the agent says that files are, settings, statuses, the log.

A handler's directory, configuration and status are the contract between agents and handlers. A sequence number that
ran is never run again (``mrseq``).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import time
import typing as t
from pathlib import Path

VERSION = "2.1.19"
TAIL = 4096
BAD_CONFIGURATION = -21
FAILED_EXIT = 3


class HandlerError(Exception):
    """What goes into the status.

    :param code: of the substatus ErrorClarification.
    :param reason: the same for the handler's log, without any output.
    """

    def __init__(self, message: str, code: int, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or message.partition("\n")[0]


def failure(reason: str, code: int, output: str = "") -> HandlerError:
    """Return an error as Azure's handler words it: it wraps the reason in itself, with the output between the two."""
    return HandlerError(f"{reason}{output}: {reason}", code, reason)


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Handler:
    """One run of the handler for the sequence number that the agent gave.

    :param operation: ``enable``, ``disable`` and so on.
    """

    def __init__(self, operation: str = "enable") -> None:
        environment = json.loads(Path("HandlerEnvironment.json").read_text(encoding="utf-8"))[0]["handlerEnvironment"]
        self.operation = operation
        self.config = Path(environment["configFolder"])
        self.status_folder = Path(environment["statusFolder"])
        self.log_folder = Path(environment["logFolder"])
        self.number = int(os.environ.get("ConfigSequenceNumber") or self._highest())  # noqa: SIM112
        extension = os.environ.get("ConfigExtensionName", "")  # noqa: SIM112
        #: How files of this extension begin; a handler of one extension has no such name.
        self.prefix = f"{extension}." if extension else ""

    def _highest(self) -> int:
        return max((int(path.stem) for path in self.config.glob("*.settings")), default=-1)

    def log(self, event: str = "", **fields: t.Any) -> None:
        """Write a line to the handler's log."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        about = {"time": now(), "version": f"v{VERSION}/git@-", "operation": self.operation, "seq": self.number}
        line = " ".join(
            f"{name}={_log_value(str(value))}"
            for name, value in {**about, **({"event": event} if event else {}), **fields}.items()
        )
        with (self.log_folder / "handler.log").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def report(
        self,
        status: str,
        message: str,
        substatus: t.Sequence[t.Mapping[str, t.Any]] = (),
        operation: str = "Enable",
        name: str = "",
    ) -> None:
        formatted = {"lang": "en", "message": message}
        document: dict[str, t.Any] = {"operation": operation, "status": status, "formattedMessage": formatted}
        if name:
            document = {"name": name, **document}
        if substatus:
            document["substatus"] = list(substatus)
        text = json.dumps([{"version": 1, "timestampUTC": now(), "status": document}], indent="\t")
        temporary = self.status_folder / f"{self.prefix}{self.number}.status.new"
        with private_file(temporary) as file:
            file.write(text.encode())
        temporary.replace(self.status_folder / f"{self.prefix}{self.number}.status")

    def begin(self) -> bool:
        """Note that this sequence number runs now, and return whether it has not run before."""
        ran = Path(f"{self.prefix}mrseq")
        self.log("start")
        self.log("pre-check")
        self.log("comparing seqnum", path=ran)
        if ran.exists() and int(ran.read_text(encoding="utf-8")) >= self.number:
            self.log("exit", message="the script configuration has already been processed, will not run again")
            return False
        with private_file(ran) as file:
            file.write(str(self.number).encode())
        self.log("seqnum saved", path=ran)
        return True

    def note(self) -> int:
        """Report the end of another operation than enabling, in place of the present sequence number's result."""
        if self.number < 0:
            self.log(message="failed to find sequence number")
            return FAILED_EXIT
        self.log("start")
        name = self.operation.capitalize()
        self.report("success", f"{name} succeeded", operation=name)
        self.log("noop")
        self.log("end")
        return 0

    def enable(self) -> int:
        """Run what the settings want, report how it ended, and return the exit code."""
        if not self.begin():
            self.clean()
            return 0
        self.report("transitioning", "Enable in progress")
        try:
            output = self.run(self.settings())
        except HandlerError as error:
            self.log("failed to handle", error=error.reason)
            clarification = {"name": "ErrorClarification", "status": "error", "code": error.code}
            self.report("error", str(error), [clarification])
            return FAILED_EXIT
        self.report("success", f"Enable succeeded: {output}" if output else "Enable succeeded")
        self.log("end")
        return 0

    def settings(self) -> dict[str, t.Any]:
        """Public and protected settings in one. :raises HandlerError: they are not what the handler wants."""
        public, protected = self.both_settings()
        return {**public, **protected}

    def run(self, settings: dict[str, t.Any]) -> str:
        """Do what the settings say and return the message. :raises HandlerError: it failed."""
        raise NotImplementedError

    def clean(self) -> None:
        """Remove what other sequence numbers left."""

    def both_settings(self) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """Return public and protected settings as they came. :raises HandlerError: they cannot be read."""
        self.log("reading configuration")
        handler = self._handler_settings(self.config / f"{self.prefix}{self.number}.settings")
        both = handler.get("publicSettings") or {}, self._decrypt(handler)
        self.log("read configuration")
        return both

    def _handler_settings(self, file: Path) -> dict[str, t.Any]:
        try:
            content = file.read_bytes()
            entries = json.loads(content).get("runtimeSettings") or [] if content else [{}]
        except OSError as error:
            reason = f"Error reading {file}: open {file}: {str(error.strerror).lower()}"
            raise _unreadable(f"error parsing settings file: {reason}") from None
        except ValueError as error:
            raise _unreadable(f"error parsing settings file: error parsing json: {error}") from None
        if len(entries) != 1:
            reason = f"wrong runtimeSettings count. expected:1, got:{len(entries)}"
            raise _unreadable(f"error parsing settings file: {reason}")
        return entries[0].get("handlerSettings") or {}

    def _decrypt(self, handler: dict[str, t.Any]) -> dict[str, t.Any]:
        text, thumbprint = handler.get("protectedSettings"), handler.get("protectedSettingsCertThumbprint")
        if not text:
            return {}
        if not thumbprint:
            raise _closed("HandlerSettings has protected settings but no cert thumbprint")
        try:
            envelope = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise _closed("failed to decode base64: illegal base64 data") from None
        base = self.config.parents[1] / str(thumbprint)
        problem = ""
        for way in ("cms", "smime"):
            command = ["openssl", way, "-inform", "DER", "-decrypt", "-recip", f"{base}.crt", "-inkey", f"{base}.prv"]
            done = subprocess.run(command, input=envelope, capture_output=True, check=False)
            if done.returncode == 0:
                return t.cast("dict[str, t.Any]", json.loads(done.stdout or b"{}"))
            said = f"error=exit status {done.returncode} stderr={done.stderr.decode(errors='replace')}"
            what = f"decrypting protected settings with {way} command failed: {said}"
            problem = f"{what}: {problem}" if problem else f"{what} \n now decrypting with smime command"
        raise _closed(problem)


def _unreadable(reason: str) -> HandlerError:
    return failure(f"failed to get configuration: error reading extension configuration: {reason}", BAD_CONFIGURATION)


def _closed(reason: str) -> HandlerError:
    return _unreadable(f"failed to parse protected settings: {reason}")


def _log_value(text: str) -> str:
    plain = text.isprintable() and not set(text) & set(' ="')
    return text if plain else json.dumps(text, ensure_ascii=False)


def put_script(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o500), "wb") as file:
        file.write(content)


def private_file(path: Path) -> t.IO[bytes]:
    """Open a new file for its owner alone, in place of one of that name."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL))
        return file.read().decode("utf-8", "replace")
