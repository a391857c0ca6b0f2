# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors that a backend raises.

A backend never ends a task itself. It raises one of these errors, and :mod:`_backend` turns it into the same failed
result for the module and for the action.
"""

from __future__ import annotations

import re
import typing as t

_REFERENCE = re.compile(r"\bO\((?P<option>[^()=]+)(?:=(?P<value>[^()]*))?\)")

# C0 and C1 control characters and DEL, but for tab and line break.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def render(text: str, variables: t.Mapping[str, str] | None = None) -> str:
    """Return a message with its references to options as the user knows them.

    :param text: a message with references as Ansible's documentation writes them: ``O(allow_stop=true)`` becomes
        ``allow_stop: true``, and ``O(data_disks[0].lun)`` becomes ``data_disks[0].lun``.
    :param variables: the role's variables by the option that each sets; empty or None outside of a role.
    """

    def shown(match: re.Match[str]) -> str:
        option, value = match["option"], match["value"]
        name = re.match(r"[^.\[]*", option)
        start = name.group() if name else ""
        place = (variables or {}).get(start, start) + option[len(start) :]
        return place if value is None else f"{place}: {value}"

    return _REFERENCE.sub(shown, printable(text))


def printable(text: str) -> str:
    """Return a text without control characters other than line breaks and tabs.

    A message can quote what a server or a VM answered, and a terminal would obey its escape sequences.
    """
    return _CONTROL.sub(" ", text)


class DockerHostError(Exception):
    """An expected failure with a message for the user.

    :param message: one clear text: what must hold, what it got, what to do. It contains no secret. It names options as
        :func:`render` reads them.
    :param details: further keys of the failed result (JSON types, no secret).
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, t.Any] = details

    def __str__(self) -> str:
        return render(self.message)


class OptionError(DockerHostError):
    """A bad value of an option, found before anything was changed.

    :param option: the option's name as the user writes it, for example ``hosts[0].name``.
    :param problem: what must hold, what it got, and what to do.
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"O({option}): {problem}", option=option)
        self.option = option
        self.problem = problem

    def below(self, parent: str) -> OptionError:
        """Return the same error for an option that is a suboption of another one."""
        return OptionError(f"{parent}.{self.option}", self.problem)


class MissingLibraryError(DockerHostError):
    """A Python package that the task needs cannot be imported.

    :param requirement: the requirement as pip writes it, for example ``azure-identity>=1.16.0``.
    :param cause: the import error.
    """

    def __init__(self, requirement: str, cause: ImportError) -> None:
        super().__init__(f"Missing Python package {requirement}: {cause}")
        self.requirement = requirement
        self.cause = cause
