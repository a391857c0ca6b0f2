# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that tells what it was given and where it runs. The test copies it into a collection of its own."""

from __future__ import annotations

import os
import sys
import typing as t

from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.dockerhost.azure.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend, Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import (
    DockerHostError,
    MissingLibraryError,
    OptionError,
)


def _from_environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise AnsibleFallbackNotFound from None


def _types(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: [type(key).__name__, _types(item)] for key, item in value.items()}
    if isinstance(value, list):
        return [_types(item) for item in value]
    return type(value).__name__


def run(request: Request) -> dict[str, t.Any]:
    """Tell everything, secrets too."""
    params = request.params
    for warning in params["warnings"] or []:
        request.warn(warning)
    if params["fail"] == "error":
        raise DockerHostError(f"failed with {params['password']}", kind="a kind", secret=params["password"])
    if params["fail"] == "option":
        raise OptionError("nested[0].token", "is no good")
    if params["fail"] == "library":
        raise MissingLibraryError("no-such-thing>=1.0", ImportError("No module named 'no_such_thing'"))
    request.progress("a line of progress")
    return {
        "changed": not request.check_mode,
        "echo": dict(params),
        "types": _types(dict(params)),
        "environment": os.environ.get("PROBE_ENVIRONMENT"),
        "check_mode": request.check_mode,
        "diff_mode": request.diff,
        "sentence": f"the password is {params['password']}, and the token follows",
        "in_process": "ansible.executor.task_executor" in sys.modules,
        **({"diff": {"before": {"a": 1}, "after": {"a": 2}}} if request.diff else {}),
    }


SPEC = ArgumentSpec(
    argument_spec={
        "number": {"type": "int"},
        "real": {"type": "float"},
        "flag": {"type": "bool", "default": False},
        "text": {"type": "str", "aliases": ["words"]},
        "old": {"type": "str", "removed_in_version": "9.0.0", "removed_from_collection": "dockerhost.azure"},
        "path": {"type": "path"},
        "password": {"type": "str", "no_log": True, "fallback": (_from_environment, ["PROBE_PASSWORD"])},
        "choice": {"type": "str", "choices": ["a", "b"]},
        "items": {"type": "list", "elements": "str"},
        "mapping": {"type": "dict"},
        "nested": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str", "required": True}, "token": {"type": "str", "no_log": True}},
        },
        "warnings": {"type": "list", "elements": "str"},
        "fail": {"type": "str", "choices": ["error", "option", "library"]},
    },
    required_if=[["choice", "b", ["text"]]],
    mutually_exclusive=[["number", "real"]],
)
BACKEND = Backend("probe", SPEC, run)
