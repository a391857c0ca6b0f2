# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface between Ansible and the backends.

A :class:`Backend` is an argument spec and a function. It runs in one of two ways that give the same result: as a module
(:func:`run_as_module`), or in Ansible's worker process by an action (``plugin_utils/_local_action.py``).
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ._argspec import ArgumentSpec, check_values
from ._errors import DockerHostError, MissingLibraryError, OptionError, render
from ._secrets import LongestFirst, secret_values

UNRENDERED = "unrendered_msg"
"""Key of a module's failed result: the message with its references to options. The action removes it."""
REQUIREMENTS_FILE = "meta/ee-requirements.txt of the collection dockerhost.azure"


def silent(message: str) -> None:
    """Drop a message, because a module cannot show progress before it ends."""


@dataclass(frozen=True)
class Request:
    """The options and the circumstances of one run of a backend.

    :param params: the validated options, every option present (``None`` when unset).
    :param check_mode: whether to predict changes without making them.
    :param diff: whether the result has a ``diff`` (``before``/``after``, no secrets).
    :param progress: shows one line to the user immediately, if that is possible. Thread-safe.
    :param warn: adds one warning to the result. Thread-safe.
    :param concurrency: for how many hosts the same task may run at the same time.
    :param token_cache: a directory of this run, readable by its user only, in which processes share access tokens;
        None if it does not exist.
    """

    params: t.Mapping[str, t.Any]
    check_mode: bool = False
    diff: bool = False
    progress: t.Callable[[str], None] = silent
    warn: t.Callable[[str], None] = silent
    concurrency: int = 1
    token_cache: str | None = None


@dataclass(frozen=True)
class Backend:
    """A module's argument spec and the function that does its work.

    :param name: the module's short name.
    :param spec: its argument spec.
    :param run: takes a :class:`Request`; returns the result (JSON types, ``changed`` included)
        or raises :class:`DockerHostError`. It prints nothing, exits nothing and leaves no global
        state behind.
    :param secrets: takes the options, validated or not, and returns the values that must not be shown. None means the
        values of options with ``no_log``.
    """

    name: str
    spec: ArgumentSpec
    run: t.Callable[[Request], dict[str, t.Any]]
    secrets: t.Callable[[t.Mapping[str, t.Any]], set[str]] | None = None


def failure(error: DockerHostError, variables: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """Return the result of a task that failed with an expected error, without ``failed`` itself.

    :param variables: see :func:`~._errors.render`.
    """
    if isinstance(error, MissingLibraryError):
        return {**error.details, "msg": missing_library(error)}
    return {**error.details, "msg": render(error.message, variables)}


def missing_library(error: MissingLibraryError) -> str:
    """Return how to install a missing package, in the words of Ansible's own modules."""
    from ansible.module_utils.basic import missing_required_lib

    message = missing_required_lib(error.requirement)
    return f"{message} All packages that the collection needs are listed in {REQUIREMENTS_FILE}. ({error.cause})"


def forget_empty_home() -> None:
    """Remove an empty HOME, with which ``~`` would be the root directory instead of the user's home."""
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]


def run_as_module(task: Backend) -> None:
    """Run a task as an ordinary module and end the process with its result."""
    from ansible.module_utils.basic import AnsibleModule

    forget_empty_home()
    spec = {name: dict(option) for name, option in task.spec.argument_spec.items()}

    class Module(AnsibleModule):  # type: ignore[misc]
        """A module that hides every form of its secrets, also in errors, and checks what Ansible silently converts."""

        fault: OptionError | None = None

        def _load_params(self) -> None:
            super()._load_params()
            self.no_log_values = secret_values(spec, self.params)
            try:
                check_values(spec, self.params)
            except OptionError as error:
                self.fault = error
                # Ansible's own validation of them could end with a traceback.
                for name in [name for name in self.params if not name.startswith("_ansible_")]:
                    del self.params[name]

        def fail_json(self, msg: str, **details: t.Any) -> None:
            fault, self.fault = self.fault, None
            if fault:
                self.params: dict[str, t.Any] = {}
                super().fail_json(**failure(fault), **{UNRENDERED: fault.message})
            super().fail_json(msg, **details)

    module = Module(argument_spec=spec, supports_check_mode=True, **task.spec.rules())
    if module.fault:
        module.fail_json("")
    if task.secrets:
        module.no_log_values = LongestFirst(task.secrets(module.params))
    request = Request(
        params=module.params,
        check_mode=module.check_mode,
        diff=module._diff,
        warn=lambda text: module.warn(render(text)),
    )
    try:
        result = task.run(request)
    except DockerHostError as error:
        # The action of the same name shows the message in the words of a role whose variables set the options.
        unrendered = {} if isinstance(error, MissingLibraryError) else {UNRENDERED: error.message}
        module.fail_json(**failure(error), **unrendered)
    module.exit_json(**result)
