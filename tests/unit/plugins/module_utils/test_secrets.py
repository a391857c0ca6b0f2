# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is shown, in whatever form it is written: the forms come from the argument specs of all modules."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pathlib
import typing as t
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.dockerhost.azure.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend, Request, run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._secrets import secret_values
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

SENTINEL = "S3NTINEL0815"
KEY = f"-----BEGIN PRIVATE KEY-----\nMIGH{SENTINEL}\n-----END PRIVATE KEY-----\n"
ODD_URLS = (
    f"https://me:a@{SENTINEL}@h/x",
    f"https://me:a {SENTINEL}@h/x",
    f"https://{SENTINEL}token@example.com/x",
    f"https://{SENTINEL}token:x-oauth-basic@example.com/x",
    f"https://web.blob.core.windows.net/x?sv=2025-01-05&sig={SENTINEL}%3D&se=2027",
)
PLUGINS = pathlib.Path(__file__).parents[4] / "plugins"
PACKAGE = "ansible_collections.dockerhost.azure.plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
ACTIONS = sorted(name for name in MODULES if (PLUGINS / "action" / f"{name}.py").exists())

Forms = t.Iterator[t.Any]


def echo(request: Request) -> dict[str, t.Any]:
    """A backend that shows everything that it gets, in values and within texts."""
    return {"changed": False, "params": dict(request.params), "text": f"got {dict(request.params)}"}


def backend_of(name: str) -> Backend:
    """The backend of a module, which does nothing but show its options."""
    backend: Backend = importlib.import_module(f"{PACKAGE}.modules.{name}").BACKEND
    return dataclasses.replace(backend, run=echo)


def secret_forms(option: t.Mapping[str, t.Any]) -> Forms:
    """Yield values of an option that contain a secret, in every form that a user may write."""
    if option.get("no_log"):
        yield from (SENTINEL, [SENTINEL], {"T": SENTINEL}, json.dumps({"T": SENTINEL}), f"T={SENTINEL} U=1")
        return
    for name, suboption in (option.get("options") or {}).items():
        for form in secret_forms(suboption):
            for misspelt in (name, f"{name}x"):
                whole: t.Any = {misspelt: form}
                yield from (whole, json.dumps(whole), [whole], json.dumps([whole]), [json.dumps(whole)])
            yield from (f"{name}: {SENTINEL}", [f"{name}: {SENTINEL}"], f"{name}={SENTINEL}")


def misplaced_forms(option: t.Mapping[str, t.Any]) -> Forms:
    """Yield values with a secret where none belongs."""
    urls = (
        f"https://me:{SENTINEL}@example.com/x",
        f"tcp://me:{SENTINEL}@example.com:1",
        f"https://me:a/b?{SENTINEL}@h",
        ",".join(ODD_URLS),
    )
    for text in (*urls, KEY):
        yield from (text, [text], {"x": [text]})
        for name in option.get("options") or {}:
            yield from ({name: text}, [{name: text}])


def every_form(backend: Backend) -> t.Iterator[dict[str, t.Any]]:
    """Yield arguments for a module, each with a secret in one option."""
    for name, option in backend.spec.argument_spec.items():
        for form in (*secret_forms(option), *misplaced_forms(option)):
            yield {name: form}
        if option.get("no_log"):
            yield {f"{name}x": SENTINEL}


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_shows_no_secret(name: str) -> None:
    backend = backend_of(name)
    for arguments in every_form(backend):
        ran = carry_out(backend, arguments)
        shown = remove_values({**ran.result, "invocation": ran.params, "args": arguments}, ran.secrets)
        assert SENTINEL not in json.dumps(shown), arguments


@pytest.mark.parametrize("name", MODULES)
def test_a_module_shows_and_logs_no_secret(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    backend = backend_of(name)
    logged: list[str] = []
    with (
        mock.patch.object(basic, "has_journal", False),
        mock.patch.object(basic.AnsibleModule, "_log_to_syslog", lambda _module, text: logged.append(text)),
    ):
        for arguments in every_form(backend):
            with module_arguments(arguments), pytest.raises(SystemExit):
                run_as_module(backend)
            shown = capsys.readouterr()
            assert SENTINEL not in shown.out + shown.err, arguments
    assert SENTINEL not in str(logged)


def module_arguments(arguments: dict[str, t.Any]) -> t.Any:
    """As if a module had been started with these arguments."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core before 2.18
        encoded = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        return mock.patch.object(basic, "_ANSIBLE_ARGS", encoded)
    return patch_module_args(arguments)


def test_what_is_not_secret_is_shown() -> None:
    spec = {"name": {"type": "str"}, "docker_host": {"type": "str"}, "password": {"type": "str", "no_log": True}}
    arguments = {
        "name": "a=b",
        "docker_host": "ssh://the-administrator@web1/?sigma=long",
        "password": "x=correct",
        "_ansible_version": "2",
    }
    assert secret_values(spec, arguments) == {"x=correct"}


def test_a_secret_that_is_a_part_of_another_one_is_hidden_after_it() -> None:
    """ansible-core before 2.19 leaves the order to the set, and that depends on the process."""
    words = [f"{'x' * length}{SENTINEL}" for length in range(20)]
    spec = {"password": {"type": "list", "elements": "str", "no_log": True}, "port": {"type": "str", "no_log": True}}
    assert list(secret_values(spec, {"password": words})) == words[::-1]
    validated = carry_out(Backend("x", ArgumentSpec(spec), lambda _request: {}), {"password": words, "port": "4243"})
    assert list(validated.secrets) == [*words[::-1], "4243"]


@pytest.mark.parametrize("url", ODD_URLS)
def test_a_secret_is_hidden_wherever_a_url_contains_it(url: str) -> None:
    hidden = secret_values({"mirror": {"type": "str"}}, {"mirror": url})
    assert SENTINEL not in remove_values({"msg": f"{url} cannot be reached"}, hidden)["msg"]
