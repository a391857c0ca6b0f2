# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened on the VM, as the program's own last line reports it.

The agent reports the end of the program's output (4 KiB of each stream). Handlers wrap it differently, and Azure wraps
it again in an error; the line is recognized in all of them.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from .._azure.wire import Json
from .._errors import DockerHostError

FORMAT = 1
HANDLER_UPDATED = "Update succeeded"
"""CustomScript's message after an update of the handler (Azure/custom-script-extension-linux, ``cmds.go``)."""
_TYPES: t.Mapping[str, type | tuple[type, ...]] = {
    "engine": dict,
    "port": int,
    **dict.fromkeys(("changes", "notes", "differences"), list),
    **dict.fromkeys(("digest", "push", "stage", "error", "detail", "log"), str),
}
"""The types of what is read of a report; a key of another type counts as missing."""
_COMMAND_FAILED = re.compile(r"(?:: )?failed to execute command: command terminated with exit status=-?\d+\s*")


class SetupError(DockerHostError):
    """The program on the VM failed, or nothing proves that it ran.

    The result carries ``stage``, ``exit_code``, ``output`` and ``log`` (the full log's path on the VM).
    """


@dataclass(frozen=True)
class SetupResult:
    """What one run of the program left in the instance view.

    :param report: the program's last line, None if there is none.
    :param output: the end of its output, without that line.
    :param exit_code: None when the handler does not report it.
    :param actions: what it changed on the VM, one line each.
    :param was_overwritten: an update of the CustomScript handler replaced its message by ``Update succeeded``.
    """

    report: Json | None
    output: str = ""
    exit_code: int | None = None
    actions: tuple[str, ...] = field(default=())
    was_overwritten: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the program reports success."""
        return bool(self.report and self.report.get("ok"))

    def is_of(self, digest: str) -> bool:
        """Return whether the program reports success for the settings of this digest."""
        return self.is_good and (self.report or {}).get("digest") == digest


def read_setup_result(text: str, exit_code: int | None = None) -> SetupResult:
    """Return the result that a handler's message contains.

    :param text: for example ``Enable succeeded: \\n[stdout]\\n...\\n[stderr]\\n...``.
    """
    report, output = _split(text)
    if exit_code is None:
        match = re.search(r"exit (?:status|code)[=: ]+(-?\d+)", text)
        exit_code = int(match[1]) if match else None
    actions = tuple(str(change) for change in (report or {}).get("changes") or ())
    overwritten = report is None and text.strip().startswith(HANDLER_UPDATED)
    return SetupResult(report, output, exit_code, actions, overwritten)


def _split(text: str) -> tuple[Json | None, str]:
    """Return the last JSON object with the program's mark, and the text without it."""
    decoder = json.JSONDecoder()
    for match in reversed(list(re.finditer(r"\{\"", text))):
        try:
            value, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("docker_setup") == FORMAT:
            return _well_formed(value), _without_wrapping(text[: match.start()] + text[end:])
    return None, _without_wrapping(text)


def _well_formed(report: Json) -> Json:
    """Return a report without what the program never writes: root on the VM can report anything."""
    return {key: value for key, value in report.items() if isinstance(value, _TYPES.get(key, object))}


def _without_wrapping(text: str) -> str:
    """Return the output without what the CustomScript handler puts around it."""
    text = re.sub(r"^Enable succeeded:\s*", "", text.strip())
    text = re.sub(_COMMAND_FAILED, "", text)
    text = re.sub(r"\[stdout\]\s*", "", text)
    return re.sub(r"\s*\[stderr\]\s*", "\n", text).strip()


def failed(host: str, result: SetupResult) -> SetupError:
    """Return the error for a program that reports a failure, or that reports nothing."""
    report = result.report
    if not report:
        message = (
            f"{host}: the Docker settings were pushed, but the program on the VM left no result, so nothing proves that"
            " it ran."
        )
        if result.output:
            message += f" The end of its output: {result.output[-1500:]}"
        return SetupError(message, stage=None, exit_code=result.exit_code, output=result.output, log=None)
    message = f"{host}: the program on the VM failed in stage {report.get('stage')}: {report.get('error')}"
    if report.get("detail"):
        message += f". {report['detail']}"
    message += f" (the full log is on the VM in {report.get('log')})"
    return SetupError(
        message,
        stage=report.get("stage"),
        exit_code=result.exit_code,
        output=result.output or str(report.get("detail") or ""),
        log=report.get("log"),
        actions=list(result.actions),
    )
