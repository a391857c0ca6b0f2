# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose projects: read, parsed, and refused when they cannot be one. Private to this collection."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .._errors import MissingLibraryError, OptionError

PYYAML = "PyYAML>=5.4"
SHORTEST_SECRET = 4
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Project:
    """One compose project: its file's text, and what is interpolated into it."""

    name: str
    file: str
    environment: t.Mapping[str, str] = field(default_factory=dict)
    secrets: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    definition: t.Mapping[str, t.Any] = field(default_factory=dict)


def load_projects(given: t.Sequence[t.Mapping[str, t.Any]]) -> list[Project]:
    """The projects of the option ``compose``.

    :raises OptionError: a name is unusable or used twice, or a file cannot be read or is no compose file.
    """
    projects: list[Project] = []
    for place, entry in enumerate(given):
        option = f"compose[{place}]"
        name = str(entry["name"])
        if not _NAME.fullmatch(name):
            raise OptionError(f"{option}.name", f"{name!r}: use lower-case letters, digits, - and _, no - or _ first")
        if any(project.name == name for project in projects):
            raise OptionError(f"{option}.name", f"{name} is the name of another project, too")
        text, definition = _read(option, entry)
        environment = _variables(f"{option}.environment", entry.get("environment"))
        secrets = _variables(f"{option}.secrets", entry.get("secrets"))
        _refuse_short(f"{option}.secrets", secrets)
        both = sorted(environment.keys() & secrets.keys())
        if both:
            raise OptionError(f"{option}.secrets", f"{', '.join(both)} also stands in environment")
        projects.append(Project(name, text, environment, secrets, definition))
    return projects


def _read(option: str, entry: t.Mapping[str, t.Any]) -> tuple[str, dict[str, t.Any]]:
    if entry.get("definition") is not None:
        definition = entry["definition"]
        _refuse_shape(f"{option}.definition", definition)
        return json.dumps(definition, indent=2) + "\n", definition
    if entry.get("content") is not None:
        option, text = f"{option}.content", str(entry["content"])
    else:
        option = f"{option}.path"
        try:
            text = Path(entry["path"]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(option, f"cannot be read: {error}") from error
    return text, _parse(option, text)


def _parse(option: str, text: str) -> dict[str, t.Any]:
    try:
        import yaml
    except ImportError as error:
        raise MissingLibraryError(PYYAML, error) from error

    class Loader(yaml.SafeLoader):
        """Compose has tags of its own (!reset, !override): their values are taken as they are."""

    def plain(loader: t.Any, _suffix: str, node: t.Any) -> t.Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)
    try:
        definition = yaml.load(text, Loader=Loader)  # noqa: S506  (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise OptionError(option, f"is not YAML: {error.problem}{where}") from error
    except yaml.YAMLError as error:
        raise OptionError(option, "is not YAML") from error
    _refuse_shape(option, definition)
    return t.cast("dict[str, t.Any]", definition)


def _refuse_shape(option: str, definition: t.Any) -> None:
    if not isinstance(definition, dict):
        raise OptionError(option, "is no compose file: it is not a mapping")
    services = definition.get("services")
    if not isinstance(services, dict) and "include" not in definition:
        raise OptionError(option, "is no compose file: it has no mapping 'services'")
    for name, service in (services or {}).items():
        if not isinstance(service, dict):
            raise OptionError(option, f"the service {name} is not a mapping")


def _refuse_short(option: str, secrets: t.Mapping[str, str]) -> None:
    """Ansible masks a secret wherever its text is found in a result: one of a few characters spoils names and keys."""
    for name, value in secrets.items():
        if 0 < len(value) < SHORTEST_SECRET:
            raise OptionError(
                option,
                f"the value of {name} has less than {SHORTEST_SECRET} characters, which Ansible would mask in the whole"
                " result; what is that short belongs into environment",
            )


def _variables(option: str, given: t.Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in (given or {}).items():
        if not _VARIABLE.fullmatch(str(name)):
            raise OptionError(option, f"{name!r} is not the name of a variable")
        if isinstance(value, (dict, list)) or "\0" in str(value):
            raise OptionError(option, f"the value of {name} is not a text")
        found[str(name)] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return found
