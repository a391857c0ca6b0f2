# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the table of the role's variables into the role's README.

usage: python tools/role_table.py README.md      (the collection must be importable: `make role-docs` sees to that)

Names and entry points come from the role's argument specs, types and options from the table that passes variables to
modules (``_role/options.py``), defaults from both and from the documentation of the modules, and examples from
``role_examples.yml``.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.dockerhost.azure.plugins.doc_fragments._azure import ModuleDocFragment as AzureOptions
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import (
    AZURE,
    DEFAULTS,
    PREFIX,
    REFUSED,
    STAGES,
)

TOP = Path(__file__).resolve().parents[1]
SPECS = TOP / "roles" / "docker_host" / "meta" / "argument_specs.yml"
EXAMPLES = TOP / "tools" / "role_examples.yml"
BEGIN, END = "<!-- variables: begin -->", "<!-- variables: end -->"
IMAGES = "docker_images_"
NOT_PROPERTIES = frozenset(
    ("name", "resource_group", "adopt", "allow_stop", "on_failure", "preflight", "wait_timeout", "remove_on_absent")
    + ("ssh_private_key_path", "address_service", "append_tags", "engine")
)
"""Options of docker_vm_host that say what a run does, or where the host is: such options belong to every run."""
KEPT = frozenset(("docker_host_data_disk_gb",))
"""Variables of the role itself that are properties of the host."""
PUSHED = frozenset(("docker", "engine", "compose", "logins"))
"""Options of docker_vm_extension that are settings of the host."""
OF_OTHERS = frozenset(
    (
        ("docker_tls_certs", "client_key_type"),
        ("docker_tls_certs", "server_key_type"),
        ("docker_vm_extension", "handler"),
        ("docker_context", "current"),
        ("docker_context", "transport"),
    )
)
"""Properties of a host's certificates and context, and of the resource that carries its settings.

Other options of docker_tls_certs describe the CA that hosts share, or what is issued from now on.
"""
NOT_RESETTABLE = {
    "docker_host_location": "a host never moves to another region",
    "docker_host_os_disk_size_gb": "Azure does not shrink disks",
    "docker_host_data_disks": "no run detaches a disk with data",
    "docker_host_data_disk_gb": "no run detaches a disk with data",
    "docker_host_proximity_placement_group": "no run takes a host out of its group; detach it in Azure",
    "docker_host_subnet_name": "subnets are often called `default`; the name of its default is `docker`",
}
"""Variables that an existing host keeps, but for which ``default`` does not apply the default again, and why."""
TYPES = {"boolean": "bool", "integer": "int", "number": "float", "dictionary": "dict", "list": "list"}
"""Types by the word in brackets that ends the description of a variable whose own type is raw."""


class Row(t.NamedTuple):
    """One variable: the type of its value, its default, its effect when left out, an example, and where it goes.

    :param left_out: what an existing host has when the variable is left out: ``kept``; ``resettable`` if the
        value ``default`` applies the default again.
    :param example: a value as it is written in YAML.
    """

    variable: str
    type: str
    default: str
    left_out: str
    example: str
    sets: str


class Suboption(t.NamedTuple):
    """One suboption of a variable: ``VARIABLE.SUBOPTION``, the type of its value, its default, and its choices."""

    name: str
    type: str
    default: str
    choices: str


def suboptions() -> list[Suboption]:
    """Return one row for each suboption, in the order of the argument specs."""
    specs = {
        variable: stage.spec.argument_spec[option]
        for stage in reversed(list(STAGES.values()))
        for option, variable in stage.variables().items()
    }
    found = (_suboptions(row.variable.strip("`"), specs.get(row.variable.strip("`"), {})) for row in rows())
    return [row for several in found for row in several]


def _suboptions(name: str, spec: t.Mapping[str, t.Any]) -> t.Iterator[Suboption]:
    for option, details in (spec.get("options") or {}).items():
        whole = f"{name}.{option}"
        if whole in REFUSED:
            continue
        default = "required" if details.get("required") else _static(details)
        choices = ", ".join(_shown(choice) for choice in details.get("choices") or ())
        yield Suboption(f"`{whole}`", _type({"type": "str", "description": ""}, details), default, choices)
        yield from _suboptions(whole, details)


def _static(details: t.Mapping[str, t.Any]) -> str:
    return "" if details.get("default") is None or details.get("options") else _shown(details["default"])


def rows() -> list[Row]:
    """Return one row for each variable, in the order of the argument specs."""
    entries = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]
    variables = {name: spec for entry in entries.values() for name, spec in entry["options"].items()}
    return [_row(name, spec) for name, spec in variables.items()]


def _row(name: str, spec: t.Mapping[str, t.Any]) -> Row:
    users = [
        (module, option, stage.spec.argument_spec[option])
        for module, stage in STAGES.items()
        for option, variable in stage.variables().items()
        if variable == name
    ]
    option = users[0][2] if users else {}
    left_out = _kept(name) if name in KEPT else _left_out(users)
    default, example = _default(name, spec, users), f"`{examples()[name]}`"
    return Row(f"`{name}`", _type(spec, option), default, left_out, example, _target(name, users))


@functools.cache
def examples() -> dict[str, str]:
    """Return the example of each variable, as the file has it."""
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def _type(spec: t.Mapping[str, t.Any], option: t.Mapping[str, t.Any]) -> str:
    kind, elements = option.get("type", spec["type"]), option.get("elements", spec.get("elements"))
    if kind == "raw":
        word = re.search(r"\((\w+)\)\.$", spec["description"].strip())
        return TYPES.get(word[1], "any") if word else "any"
    return f"list of {elements}" if elements and elements != "raw" else str(kind)


def _default(name: str, spec: t.Mapping[str, t.Any], users: t.Sequence[tuple[str, str, t.Any]]) -> str:
    if name.removeprefix(PREFIX) in DEFAULTS:
        return _shown(DEFAULTS[name.removeprefix(PREFIX)])
    told = re.search(r"E\((\w+)\) by default, else V\((.+?)\)", spec["description"])
    if told:
        return f"`${told[1]}`, else `{told[2]}`"
    # Ansible's validation fills defaults of suboptions into the default of a dictionary, in whoever's specs it gets.
    static = [
        type(details["default"])() if details.get("options") else details["default"]
        for _module, _option, details in users
        if details.get("default") is not None
    ]
    return _shown(static[0]) if static else "".join(_documented_default(*user[:2]) for user in users[:1])


def _documented_default(module: str, option: str) -> str:
    """Return the default that an option has by its description: one that depends on the host or the environment."""
    told = re.search(r"Defaults to [VC]\((.+?)\)( for a new (?:host|context))?", _text(module, option))
    if told:
        return f"`{told[1]}`{told[2] or ''}"
    told = re.search(r"Defaults to the environment variable E\((\w+)\)", _text(module, option))
    return f"`${told[1]}`" if told else ""


def _shown(value: t.Any) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _text(module: str, option: str) -> str:
    """Return the description of a module's option as one line."""
    if option in AZURE:
        documentation = AzureOptions.DOCUMENTATION
    else:
        imported = importlib.import_module(f"ansible_collections.dockerhost.azure.plugins.modules.{module}")
        documentation = imported.DOCUMENTATION
    description = _options(documentation)[option]["description"]
    return description if isinstance(description, str) else " ".join(description)


@functools.cache
def _options(documentation: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load(documentation)["options"])


def _left_out(users: t.Sequence[tuple[str, str, t.Any]]) -> str:
    """Return what becomes of a property of an existing host when its variable is left out: ``kept`` for all of them."""
    for module, option, _details in users:
        if module == "docker_vm_host" and option not in (*AZURE, *NOT_PROPERTIES):
            return _kept(STAGES[module].variable(option))
        if (module == "docker_vm_extension" and option in PUSHED) or (module, option) in OF_OTHERS:
            return _kept(STAGES[module].variable(option))
    return ""


def _kept(variable: str) -> str:
    return "kept" if variable in NOT_RESETTABLE else "kept, resettable"


def _target(name: str, users: t.Sequence[tuple[str, str, t.Any]]) -> str:
    if name.startswith(IMAGES):
        return f"`docker_vm_image_info`: `{name.removeprefix(IMAGES)}`"
    if not users:
        return "the role itself"
    if users[0][1] in AZURE:
        return f"all modules that sign in to Azure: `{users[0][1]}`"
    return "; ".join(f"`{module}`: `{option}`" for module, option, _details in users)


def table() -> str:
    """Return the table of variables and that of their suboptions in Markdown."""
    lines = ["| variable | type | default | left out | example | sets |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [_line(row) for row in rows()]
    lines += ["", "An existing host also keeps these, but `default` does not reset them:", ""]
    lines += [f"- `{variable}`: {reason}." for variable, reason in NOT_RESETTABLE.items()]
    lines += ["", "Dictionaries have these suboptions. A list of dictionaries has them for each entry.", ""]
    lines += ["| suboption | type | default | choices |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_line(row) for row in suboptions())])


def _line(cells: t.Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def with_table(page: str) -> str:
    """Return a page with the table between its markers.

    :raises ValueError: the page has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page must have the lines {BEGIN} and {END}")
    return f"{before}{begin}\n\n{table()}\n\n{end}{after}"


def main() -> None:
    """The program."""
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
