# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extension handlers as the agent downloads them: a manifest of the versions, and a zip for each."""

from __future__ import annotations

import io
import json
import re
import typing as t
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from azure_emulator.machines.wireserver.documents import manifest

PROGRAMS = Path(__file__).parents[1] / "agent"
#: Where programs import their modules from, in a package as here.
_PACKAGE = "azure_emulator/machines/agent"
MANIFEST = "HandlerManifest.json"
_NAME, _VERSION = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"), re.compile(r"[0-9]+(\.[0-9]+){1,3}")
_COMMANDS = ("install", "enable", "disable", "uninstall", "update")
#: Enabling goes on in the background, and the status file tells how it ended. There must be a status before the
#: command returns, or the agent waits for one; a handler that has run already keeps its own.
_SHIM = """#!/bin/sh
if [ "$1" != enable ]; then
  exec /usr/bin/python3 bin/{program} "$1"
fi
status="status/${{ConfigExtensionName:+$ConfigExtensionName.}}$ConfigSequenceNumber.status"
if ! test -e "$status"; then
  printf '[{{"version":1,"timestampUTC":"%s","status":{{"operation":"Enable","status":"transitioning",%s}}}}]' \\
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '"formattedMessage":{{"lang":"en","message":"Enable in progress"}}' > "$status.new"
  mv "$status.new" "$status"
fi
mkdir -p "/var/log/azure/{name}"
nohup /usr/bin/python3 bin/{program} enable >/dev/null 2>>"/var/log/azure/{name}/errors.log" </dev/null &
"""


@dataclass(frozen=True)
class OwnHandler:
    """A handler that this package imitates.

    :param program: the file of :data:`PROGRAMS` that is called with the command as its argument.
    :param modules: other files there that it imports.
    :param several: whether one handler serves several extensions.
    """

    name: str
    program: str
    modules: tuple[str, ...] = ("handler.py",)
    several: bool = False

    def package(self) -> bytes:
        """Return the zip."""
        shim = _SHIM.format(program=self.program, name=self.name)
        commands = {f"{verb}Command": f"bin/shim {verb}" for verb in _COMMANDS}
        features = {"rebootAfterInstall": False, "reportHeartbeat": False, "supportsMultipleExtensions": self.several}
        document = [{"name": self.name.rpartition(".")[2], "version": 1.0, "handlerManifest": {**commands, **features}}]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps(document))
            archive.writestr(_executable("bin/shim"), shim)
            archive.writestr(_executable(f"bin/{self.program}"), (PROGRAMS / self.program).read_bytes())
            for folder in (PurePosixPath(_PACKAGE), *PurePosixPath(_PACKAGE).parents[:-1]):
                archive.writestr(f"bin/{folder}/__init__.py", "")
            for module in self.modules:
                archive.writestr(f"bin/{_PACKAGE}/{module}", (PROGRAMS / module).read_bytes())
        return packed.getvalue()


def _executable(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path)
    info.external_attr = 0o100755 << 16
    return info


RUN_COMMAND = "Microsoft.CPlat.Core.RunCommandHandlerLinux"
OWN: t.Mapping[str, OwnHandler] = {
    handler.name.lower(): handler
    for handler in (
        OwnHandler(
            "Microsoft.Azure.Extensions.CustomScript",
            "custom_script.py",
            ("handler.py", "script_settings.py", "downloads.py"),
        ),
        OwnHandler("Microsoft.OSTCExtensions.VMAccessForLinux", "vm_access.py"),
        OwnHandler(RUN_COMMAND, "run_command.py", several=True),
    )
}


@dataclass(frozen=True)
class SuppliedHandler:
    """A handler's package that somebody else made.

    :param name: ``Publisher.Type``.
    """

    name: str
    version: str
    path: Path
    several: bool


def supplied_handlers(folder: Path) -> list[SuppliedHandler]:
    """Return the packages of a directory, which are named ``PUBLISHER.TYPE__VERSION.zip``.

    :raises ValueError: a file is not named so, or is not a package.
    """
    if not folder.is_dir():
        raise ValueError(f"--handlers must be a directory, got {folder}")
    return [_supplied(path) for path in sorted(folder.glob("*.zip"))]


def _supplied(path: Path) -> SuppliedHandler:
    name, _gap, version = path.stem.partition("__")
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise ValueError(f"{path} must be named PUBLISHER.TYPE__VERSION.zip, with a version like 2.1.19")
    try:
        with zipfile.ZipFile(path) as archive:
            commands = json.loads(archive.read(MANIFEST))[0]["handlerManifest"]
            several = bool(commands.get("supportsMultipleExtensions"))
    except (OSError, zipfile.BadZipFile, KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} must be a handler's package with {MANIFEST} at its root: {error}") from None
    return SuppliedHandler(name, version, path, several)


class Handlers:
    """The handlers that machines can have: supplied ones, else this package's own.

    :param supplied: others' packages; a version of a handler that is among them is never this package's own.
    """

    def __init__(self, supplied: Sequence[SuppliedHandler] = ()) -> None:
        self._supplied = {(handler.name.lower(), handler.version): handler for handler in supplied}
        self._asked: dict[str, set[str]] = {}

    def serves_several(self, name: str, version: str) -> bool:
        """Return whether a handler serves several extensions, each with its own settings."""
        handler = self._supplied.get((name.lower(), version)) or OWN.get(name.lower())
        return handler is not None and handler.several

    def want(self, name: str, version: str) -> None:
        """Let the handler's manifest list a version, if there is a package of it."""
        if (name.lower(), version) in self._supplied or name.lower() in OWN:
            self._asked.setdefault(name.lower(), set()).add(version)

    def known_versions(self, name: str) -> Sequence[str]:
        """Return the versions that the manifest lists."""
        supplied = {version for handler, version in self._supplied if handler == name.lower()}
        return sorted(supplied | self._asked.get(name.lower(), set()))

    def newest(self, name: str, own: str) -> str:
        """Return the newest supplied version of a handler; without any, the one that this package imitates."""
        supplied = [version for handler, version in self._supplied if handler == name.lower()]
        return max(supplied, key=lambda version: [int(part) for part in version.split(".")], default=own)

    def artifact(self, file_name: str) -> bytes | None:
        """Return a manifest or a package by the last part of its URL; None if there is none."""
        name, is_manifest, _rest = file_name.partition("_manifest.xml")
        if is_manifest:
            return manifest(name, self.known_versions(name)).encode()
        name, _gap, version = file_name.removesuffix(".zip").partition("__")
        supplied = self._supplied.get((name.lower(), version))
        if supplied is not None:
            return supplied.path.read_bytes()
        own = OWN.get(name.lower())
        return own.package() if own is not None and version in self.known_versions(name) else None
