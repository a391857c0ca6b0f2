# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the suboptions of the role's variables into its argument specs, where ``ansible-doc -t role`` finds them.

usage: python tools/role_suboptions.py argument_specs.yml   (the collection must be importable: use `make role-docs`)

They come from the documentation of the modules. The variables stay of type ``raw``, because surveys send blanks and
text. So Ansible shows the suboptions and does not validate them: the role does.
"""

from __future__ import annotations

import importlib
import re
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import REFUSED, STAGES

Documented = t.Mapping[str, t.Any]
INDENT = " " * 8
_PLUGINS = "ansible_collections.dockerhost.azure.plugins"
_VARIABLE = re.compile(
    r"^      (?P<name>docker_host_\w+): &\w+\n(?P<lines>(?: {8,}.*\n)+)",
    re.MULTILINE,
)
_OPTIONS = re.compile(rf"^{INDENT}options:\n(?:{INDENT} +.*\n)+", re.MULTILINE)
_REFERENCE = re.compile(r"\bR?[OV]\((?P<name>\w*)")
_SHOWN = ("type", "elements", "choices", "required", "default")


class _Dumper(yaml.SafeDumper):
    """Indents lists, as the argument specs do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        return super().increase_indent(flow, False)


def suboptions() -> dict[str, dict[str, t.Any]]:
    """Return the suboptions of each variable that has some, as argument specs have them."""
    found = {}
    for module, stage in STAGES.items():
        documented = _documented(module)
        variables = stage.variables()
        for option, variable in variables.items():
            inner = documented.get(option, {}).get("suboptions")
            if inner:
                kept = {name: one for name, one in inner.items() if f"{variable}.{name}" not in REFUSED}
                found.setdefault(variable, _options(kept, variables))
    return found


def _documented(module: str) -> dict[str, dict[str, t.Any]]:
    """Return the options of a module, with those of the fragments that its documentation extends."""
    imported = importlib.import_module(f"{_PLUGINS}.modules.{module}")
    document = yaml.safe_load(imported.DOCUMENTATION)
    options: dict[str, dict[str, t.Any]] = document["options"]
    for fragment in document["extends_documentation_fragment"]:
        name, _dot, part = fragment.removeprefix("dockerhost.azure.").partition(".")
        found = importlib.import_module(f"{_PLUGINS}.doc_fragments.{name}").ModuleDocFragment
        text = getattr(found, part.upper() or "DOCUMENTATION", "{}")
        for option, described in yaml.safe_load(text).get("options", {}).items():
            options[option] = {**described, **options.get(option, {})}
    return options


def _options(suboptions: t.Mapping[str, Documented], variables: t.Mapping[str, str]) -> dict[str, t.Any]:
    return {name: _option(documented, variables) for name, documented in suboptions.items()}


def _option(documented: Documented, variables: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return one suboption, in whose description the module's options have the names of the variables that set them."""

    def reference(match: re.Match[str]) -> str:
        name = match["name"]
        return f"C({name if match[0].startswith('V') else variables.get(name, name)}"

    described = documented["description"]
    texts = [described] if isinstance(described, str) else described
    # One text, not a list: Ansible examines each node of the specs for every host of a play.
    description = " ".join(_REFERENCE.sub(reference, text) for text in texts)
    for suboption, variable in REFUSED.items():
        description = description.replace(suboption, variable)
    shown: dict[str, t.Any] = {"description": description}
    shown |= {key: documented[key] for key in _SHOWN if key in documented}
    if "suboptions" in documented:
        shown["options"] = _options(documented["suboptions"], variables)
    return shown


def with_suboptions(specs: str) -> str:
    """Return the text of argument specs with the suboptions of its variables."""
    found = suboptions()

    def variable(match: re.Match[str]) -> str:
        text = _OPTIONS.sub("", match[0])
        if match["name"] not in found:
            return text
        dumped = yaml.dump(
            {"options": found[match["name"]]}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110
        )
        return text + "".join(f"{INDENT}{line}\n" for line in dumped.splitlines())

    return _VARIABLE.sub(variable, specs)


def main() -> None:
    """The program."""
    path = Path(sys.argv[1])
    path.write_text(with_suboptions(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
