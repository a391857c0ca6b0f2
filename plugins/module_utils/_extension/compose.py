# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose projects, read and checked."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from .._errors import MissingLibraryError, OptionError
from .._files import read_option_file

PYYAML = "PyYAML>=5.4"
SHORTEST_SECRET = 4
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Project:
    """One Compose project.

    :param file: the text of its Compose file.
    :param environment: variables that are interpolated into it.
    :param secrets: further variables, not to be shown.
    :param definition: the Compose file parsed.
    """

    name: str
    file: str
    environment: t.Mapping[str, str] = field(default_factory=dict)
    secrets: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    definition: t.Mapping[str, t.Any] = field(default_factory=dict)


def load_projects(entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[Project]:
    """Return the projects of the option ``compose``.

    :raises OptionError: a name cannot be used or is used twice, or a file cannot be read or is not a Compose file.
    """
    projects: list[Project] = []
    for index, entry in enumerate(entries):
        option = f"compose[{index}]"
        name = str(entry["name"])
        if not _NAME.fullmatch(name):
            raise OptionError(f"{option}.name", f"must be lower-case letters, digits, - and _, got {name!r}")
        if any(project.name == name for project in projects):
            raise OptionError(f"{option}.name", f"must be unique, got {name} twice")
        text, definition = _read(option, entry)
        environment = _variables(f"{option}.environment", entry.get("environment"))
        secrets = _variables(f"{option}.secrets", entry.get("secrets"))
        _refuse_short(f"{option}.secrets", secrets)
        both = sorted(environment.keys() & secrets.keys())
        if both:
            raise OptionError(
                f"{option}.secrets",
                f"must not contain {', '.join(both)}, which O({option}.environment) contains already",
            )
        projects.append(Project(name, text, environment, secrets, definition))
    return projects


def _read(option: str, entry: t.Mapping[str, t.Any]) -> tuple[str, dict[str, t.Any]]:
    if entry.get("definition") is not None:
        definition = entry["definition"]
        _refuse_shape(f"{option}.definition", definition)
        return _as_yaml(definition), definition
    if entry.get("content") is not None:
        option, text = f"{option}.content", str(entry["content"])
    else:
        option = f"{option}.path"
        try:
            text = read_option_file(option, entry["path"]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise OptionError(option, f"cannot be read: {error}") from error
    return text, _parse(option, text)


def _as_yaml(definition: t.Any) -> str:
    """Return a definition as JSON that is YAML, too.

    JSON escapes characters beyond U+FFFF, such as emoji, as two surrogates, which YAML does not allow.
    """
    text = json.dumps(definition, indent=2, ensure_ascii=False)
    return re.sub(r"[^\n\x20-\x7e]", lambda match: f"\\U{ord(match[0]):08x}", text) + "\n"


def _parse(option: str, text: str) -> dict[str, t.Any]:
    try:
        import yaml
    except ImportError as error:
        raise MissingLibraryError(PYYAML, error) from error

    class Loader(yaml.SafeLoader):
        """Compose has its own tags (!reset, !override); their values are used unchanged."""

    def plain(loader: t.Any, _suffix: str, node: t.Any) -> t.Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node)
        return loader.construct_scalar(node)

    def as_text(loader: t.Any, node: t.Any) -> t.Any:
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)
    # A text such as 2026-99-99, which only looks like a date, is an error of SafeLoader's, and none of Compose's.
    Loader.add_constructor("tag:yaml.org,2002:timestamp", as_text)
    try:
        definition = yaml.load(text, Loader=Loader)  # noqa: S506  (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise OptionError(option, f"must be YAML: {error.problem}{where}") from error
    except yaml.YAMLError as error:
        raise OptionError(option, "must be YAML") from error
    _refuse_shape(option, definition)
    return t.cast("dict[str, t.Any]", definition)


def _refuse_shape(option: str, definition: t.Any) -> None:
    if not isinstance(definition, dict):
        raise OptionError(option, "must be a Compose file, but it is not a mapping")
    services = definition.get("services")
    if not isinstance(services, dict) and "include" not in definition:
        raise OptionError(option, "must be a Compose file, but it has no mapping 'services'")
    for name, service in (services or {}).items():
        if not isinstance(service, dict):
            raise OptionError(option, f"must describe each service with a mapping; {name} is not one")


def _refuse_short(option: str, secrets: t.Mapping[str, str]) -> None:
    """Refuse short secrets: Ansible masks a secret wherever it occurs, so a short one garbles the whole result."""
    for name, value in secrets.items():
        if 0 < len(value) < SHORTEST_SECRET:
            raise OptionError(
                option,
                f"must have values of at least {SHORTEST_SECRET} characters, because Ansible masks them wherever they"
                f" occur; {name} is shorter. Put short values into environment",
            )


def _variables(option: str, values: t.Any) -> dict[str, str]:
    variables: dict[str, str] = {}
    for name, value in (values or {}).items():
        if not _VARIABLE.fullmatch(str(name)):
            raise OptionError(option, f"must contain names of variables, got {name!r}")
        if value is None or isinstance(value, (dict, list)) or "\0" in str(value):
            raise OptionError(option, f"must have texts as values; that of {name} is not a text")
        variables[str(name)] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return variables
