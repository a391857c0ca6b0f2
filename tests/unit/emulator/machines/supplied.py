# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A package of CustomScript with the layout, the names and the modes of Microsoft's own, and other programs in it."""

from __future__ import annotations

import io
import json
import zipfile

from azure_emulator.machines.wireserver.handlers import OWN, PROGRAMS

CUSTOM_SCRIPT = "Microsoft.Azure.Extensions.CustomScript"
_VERBS = ("install", "uninstall", "update", "enable", "disable")
#: The log folder is cut out of the agent's JSON as text, so it depends on how the agent writes it.
_SHIM = r"""#!/usr/bin/env bash
set -euo pipefail
here="$(dirname "$0")"
environment="$(cat "$here/../HandlerEnvironment.json")"
logs="${environment#*logFolder\": \"}"
logs="${logs%%\"\,*}"
mkdir -p "$logs"
exec &> >(tee -ia "$logs/handler.log")
program="$(readlink -f "$here/custom-script-extension")"
if [[ "$1" != enable ]]; then
  "$program" "$1"
  exit
fi
newest="$(ls "$here/../config" | grep -E '^[0-9]+.settings$' | sort -n | tail -n 1)"
status="$here/../status/${newest%.settings}.status"
if [[ ! -f "$status" ]]; then
  echo '[{"version": 1, "timestampUTC": "2026-11-30T12:00:00Z", "status": {"operation": "Enable",
    "status": "transitioning", "formattedMessage": {"lang": "en", "message": "Enable in progress"}}}]' > "$status"
fi
nohup "$program" enable &
"""


def package() -> bytes:
    """Return the zip, as ``zip -r`` makes it: with entries for folders, and the manifest behind the programs."""
    own = OWN[CUSTOM_SCRIPT.lower()]
    commands = {f"{verb}Command": f"bin/custom-script-shim {verb}" for verb in _VERBS}
    features = {"rebootAfterInstall": False, "reportHeartbeat": False, "updateMode": "UpdateWithInstall"}
    manifest = [{"version": 1.0, "handlerManifest": {**commands, "supportsPolicy": True, **features}}]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bin/", "")
        program = b"#!/usr/bin/python3\n" + (PROGRAMS / own.program).read_bytes()
        archive.writestr(_entry("bin/custom-script-extension", 0o755), program)
        archive.writestr(_entry("bin/custom-script-extension-arm64", 0o755), b"\x7fELF")
        archive.writestr(_entry("bin/custom-script-shim", 0o644), _SHIM)
        with zipfile.ZipFile(io.BytesIO(own.package())) as modules:
            for name in modules.namelist():
                if name.startswith("bin/azure_emulator/"):
                    archive.writestr(_entry(name, 0o644), modules.read(name))
        archive.writestr(_entry("HandlerManifest.json", 0o644), json.dumps(manifest, indent=2))
        archive.writestr(_entry("manifest.xml", 0o644), "<ExtensionImage/>")
    return packed.getvalue()


def _entry(path: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path)
    info.external_attr = (0o100000 | mode) << 16
    return info
