# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: RUF001  (digits of other scripts are bad values)

"""Each bad value as a case: what its type forbids, what the documentation forbids."""

from __future__ import annotations

import copy
import typing as t
from pathlib import Path

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec

from .elements import ELEMENTS
from .forbidden import FORBIDDEN
from .modules import BACKENDS, Options, walk_options
from .valid_options import COMPANIONS, CONTAINERS, VALID


class Case(t.NamedTuple):
    """One bad value.

    :param place: the option, with an index where the error must name it.
    """

    module: str
    option: str
    value: t.Any
    place: str

    def options(self) -> Options:
        """Return valid options, but for this one."""
        options = copy.deepcopy(VALID[self.module])
        for option, value in companions(self.module, self.option).items():
            options[option] = value
            if value is None:
                options.pop(option)
        set_option(options, "", self.option.split("."), self.value)
        return options


def companions(module: str, path: str) -> Options:
    """Return what an option needs beside it; None removes an option of :data:`VALID`."""
    option = path.partition(".")[0].partition("[")[0]
    if module.startswith("docker_tls") and option in azure_argument_spec().argument_spec:
        vault = {"store": "key_vault", "key_vault": "vault", "auth_source": "env"}
        return {**vault, **COMPANIONS.get(option, {})}
    return {**COMPANIONS.get(option, {}), **COMPANIONS.get(f"{module}.{option}", {})}


def set_option(options: Options, path: str, parts: list[str], value: t.Any) -> None:
    """Set an option, or a suboption with what must be around it.

    :param path: the place of ``options`` in those of the task, empty or with a dot at its end.
    :param parts: the names from there to the option.
    """
    part, *rest = parts
    if not rest:
        options[part] = copy.deepcopy(value)
        return
    name, bracket, _index = part.partition("[")
    whole = ".".join((path + part, *rest))
    inner = copy.deepcopy(CONTAINERS.get(whole, CONTAINERS[path + part]))
    options[name] = [inner] if bracket else inner
    set_option(inner, f"{path}{part}.", rest, value)


def _wrong_types(option: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return values that an option's type forbids."""
    kind = option.get("type", "str")
    by_type: dict[str, list[t.Any]] = {
        "str": [["a"], {"a": "b"}, True, 1.5, "a\x00b", "a\x1b[2Jb"],
        "int": ["abc", "1.5", True, "٤٢", "1_0", ["a"], {"a": 1}],
        "float": ["abc", True, {"a": 1}, "１.5"],
        "bool": ["maybe", 2, ["a"], {"a": 1}],
        "dict": ["a", ["a"], 5],
        "list": [True, False, 1.5, *([{"a": "b"}] if option.get("elements") == "dict" else [])],
        "raw": [],
    }
    values = by_type["str" if kind == "path" else kind]
    if kind == "path":
        values = [*values, "/a\r", "/a\n", " /a", "/a ", "/a\tb", "/a\u200b", "\ufeff/a", "~nosuch-user/a"]
    values = values + (["no such choice"] if option.get("choices") and kind == "str" else [])
    return values + ([{"no_such_option": 1}] if kind == "dict" and option.get("options") else [])


def _wrong_elements(option: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return entries that the type of a list forbids."""
    if option.get("type") != "list" or option.get("elements") not in ("str", "path"):
        return []
    return [None, ["a"], {"a": "b"}, True, 1.5, "a\x00b", *(["~nosuch-user/a"] if option["elements"] == "path" else [])]


def cases_of(module: str) -> t.Iterator[Case]:
    """Yield every bad value of every option of a module."""
    for path, option in walk_options(BACKENDS[module].spec.argument_spec):
        for value in [*_wrong_types(option), *FORBIDDEN[module].get(path, [])]:
            yield Case(module, path, value, path.partition("[")[0].partition(".")[0])
        good, bad = ELEMENTS.get(module, {}).get(path, ("a", []))
        for value in [*_wrong_elements(option), *bad]:
            if option.get("choices"):
                yield Case(module, path, [value], path)
            else:
                yield Case(module, path, [good, value], f"{path}[1]")


def filled_in(options: Options, directory: Path) -> Options:
    """Return options of :data:`VALID` with a directory of the test's own."""
    return {name: str(directory) if value == "{directory}" else value for name, value in options.items()}


def check_all(cases: t.Iterable[Case], refuse: t.Callable[[Case], str]) -> None:
    """Show each case that is not refused as it should be."""
    faults = [fault for case in cases if (fault := refuse(case))]
    assert not faults, "\n".join(faults)
