# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth about what happened on the VM: the program's own last line. Private to this collection.

The agent hands on the end of the program's output (4 KiB of each stream). Handlers wrap it differently, and Azure
wraps it again in an error; the line is found in all of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from .._azure.wire import Json
from .._errors import DockerHostError

FORMAT = 1


class SetupError(DockerHostError):
    """The program on the VM did not do its work, or nothing proves that it did.

    The result carries ``stage``, ``exit_code``, ``output`` and ``log`` (the full log's path on the VM).
    """


@dataclass(frozen=True)
class SetupResult:
    """What one run of the program left in the instance view.

    :param result: the program's last line, None when it is not there.
    :param output: the end of its output, without that line.
    :param exit_code: None when the handler does not report it.
    :param actions: what it changed on the VM, one line each.
    """

    result: Json | None
    output: str = ""
    exit_code: int | None = None
    actions: tuple[str, ...] = field(default=())

    @property
    def good(self) -> bool:
        """Tell whether the program says that it has done its work."""
        return bool(self.result and self.result.get("ok"))

    def is_of(self, digest: str) -> bool:
        """Tell whether the program says so of these settings."""
        return self.good and bool(self.result) and (self.result or {}).get("digest") == digest


def read_setup_result(text: str, exit_code: int | None = None) -> SetupResult:
    """The outcome in a handler's message.

    :param text: for example ``Enable succeeded: \\n[stdout]\\n...\\n[stderr]\\n...``.
    """
    result, output = _split(text)
    if exit_code is None:
        found = re.search(r"exit (?:status|code)[=: ]+(\d+)", text)
        exit_code = int(found[1]) if found else None
    actions = tuple(str(change) for change in (result or {}).get("changes") or ())
    return SetupResult(result, output, exit_code, actions)


def _split(text: str) -> tuple[Json | None, str]:
    """The last JSON object with the program's mark, and the text without it."""
    decoder = json.JSONDecoder()
    for match in reversed(list(re.finditer(r"\{\"", text))):
        try:
            value, end = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(value, dict) and value.get("docker_setup") == FORMAT:
            return value, _without_frame(text[: match.start()] + text[end:])
    return None, _without_frame(text)


def _without_frame(text: str) -> str:
    """Without what the CustomScript handler puts around the output."""
    text = re.sub(r"^Enable succeeded:\s*", "", text.strip())
    text = re.sub(r"\[stdout\]\s*", "", text)
    return re.sub(r"\s*\[stderr\]\s*", "\n", text).strip()


def failed(host: str, outcome: SetupResult) -> SetupError:
    """The error for a program that says that it failed, or that says nothing."""
    result = outcome.result or {}
    if not outcome.result:
        message = (
            f"{host}: the Docker settings were pushed, but the program on the VM left no result, so nothing proves that"
            " it ran."
        )
        if outcome.output:
            message += f" The end of its output: {outcome.output[-1500:]}"
        return SetupError(message, stage=None, exit_code=outcome.exit_code, output=outcome.output, log=None)
    message = f"{host}: the program on the VM failed in stage {result.get('stage')}: {result.get('error')}"
    if result.get("detail"):
        message += f". {result['detail']}"
    message += f" (the full log is on the VM in {result.get('log')})"
    return SetupError(
        message,
        stage=result.get("stage"),
        exit_code=outcome.exit_code,
        output=outcome.output or str(result.get("detail") or ""),
        log=result.get("log"),
        actions=list(outcome.actions),
    )
