# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CustomScript handler as Azure's 2.1.19 behaves: ``custom_script.py install|enable|disable|uninstall|update``.

Of all sequence numbers but the last one, only empty files of settings stay. As with the real one, a script that is not
base64, or longer than 256 KiB encoded, is not run and yet reported as success, and disabling or updating the handler
writes its own status over the last result.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import shutil
import subprocess
import sys
import typing as t
import zlib
from pathlib import Path

from azure_emulator.machines.agent.downloads import dos2unix, download, is_text
from azure_emulator.machines.agent.handler import Handler, failure, private_file, put_script, tail
from azure_emulator.machines.agent.script_settings import checked

DATA = Path("/var/lib/waagent/custom-script")
SCRIPT_LIMIT = 256 * 1024
LIMIT = 90 * 60.0
COMMAND_FAILED = 2
_GZIP, _GZIP_HEADER = b"\x1f\x8b\x08", 10


class CustomScript(Handler):
    """Runs a command or a script in a folder with the downloaded files."""

    data = DATA

    def settings(self) -> dict[str, t.Any]:
        both = self.both_settings()
        self.log("validating json schema")
        settings = checked(*both)
        self.log("json schema valid")
        return settings

    def run(self, settings: dict[str, t.Any]) -> str:
        folder = self.data / "download" / str(self.number)
        for path in (folder.parent, folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        verbatim, uris = bool(settings.get("skipDos2Unix")), settings.get("fileUris") or []
        self.log(files=len(uris))
        for file in download(uris, folder, self.log):
            content = file.read_bytes()
            if not verbatim and is_text(file, content):
                put_script(file, dos2unix(content))
        self.log("executing command", output=folder)
        code = self._execute(settings, folder, verbatim)
        self.log("enable failed" if code else "enabled")
        self.clean()
        return finished(code or 0, *[tail(path) if path.exists() else "" for path in self._outputs(folder)])

    def _outputs(self, folder: Path) -> tuple[Path, Path]:
        return folder / "stdout", folder / "stderr"

    def _execute(self, settings: dict[str, t.Any], folder: Path, verbatim: bool) -> int | None:
        """Run the command or the script and return its exit code; None if the script cannot be decoded."""
        command = str(settings.get("commandToExecute") or "")
        if not command and settings.get("script"):
            script = decode(str(settings["script"]))
            if script is None:
                return None
            command = str(folder / "script.sh")
            put_script(folder / "script.sh", script if verbatim else dos2unix(script))
        out, err = self._outputs(folder)
        with private_file(out) as output, private_file(err) as errors:
            return subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                check=False,
            ).returncode

    def clean(self) -> None:
        """Remove what other sequence numbers left: their downloads, and the content of their settings."""
        self.log("clearing settings and script files except most recent seq num")
        for folder in (self.data / "download").glob("*"):
            if folder.name != str(self.number):
                shutil.rmtree(folder, ignore_errors=True)
        for settings in self.config.glob("*[0-9].settings"):
            if settings.name != f"{self.number}.settings":
                os.truncate(settings, 0)


def output_text(output: str, errors: str) -> str:
    return f"\n[stdout]\n{output}\n[stderr]\n{errors}"


def finished(code: int, output: str, errors: str) -> str:
    """Return the message after a command. :raises HandlerError: it failed."""
    text = output_text(output, errors)
    if code:
        # A shell that a signal ended has no exit status of its own.
        reason = f"failed to execute command: command terminated with exit status={max(code, -1)}"
        raise failure(reason, COMMAND_FAILED, text)
    return text


def decode(encoded: str) -> bytes | None:
    """Return the script's bytes; None is the real handler's trap: too long or no base64 is silently not run."""
    if len(encoded) > SCRIPT_LIMIT:
        return None
    try:
        raw = base64.b64decode(encoded.replace("\r", "").replace("\n", ""), validate=True)
        # What only begins like gzip is a script.
        return gzip.decompress(raw) if raw.startswith(_GZIP) and len(raw) >= _GZIP_HEADER else raw
    except (binascii.Error, OSError, EOFError, ValueError, zlib.error):
        return None


def main(command: str) -> int:
    if command == "enable":
        return CustomScript().enable()
    if command in ("disable", "update"):
        return CustomScript(command).note()
    if command == "install":
        DATA.mkdir(mode=0o755, parents=True, exist_ok=True)
    elif command == "uninstall":
        shutil.rmtree(DATA, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
