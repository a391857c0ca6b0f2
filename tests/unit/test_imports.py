# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports go in one direction: no module of plugins imports itself by a detour, and in layered packages none upward."""

from __future__ import annotations

import ast
import graphlib
import typing as t
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
COLLECTION = "ansible_collections.dockerhost.azure.plugins."

# The packages and modules of _vm_host in the order of its data flow: each may import those before it.
VM_HOST_LAYERS = (
    "argument_spec",
    "desired",
    "own_address",
    "current",
    "bodies",
    "plan",
    "preflight",
    "apply",
    "result",
    "failure_report",
    "image_info_task",
    "info_task",
    "task",
)


def modules() -> dict[str, Path]:
    """Every module of plugins by its dotted name."""
    paths = [path for path in sorted(PLUGINS.rglob("*.py")) if "_guest" not in path.parts]
    names = {path: ".".join(path.relative_to(PLUGINS).with_suffix("").parts) for path in paths}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imports_of(name: str, path: Path, known: t.Container[str]) -> set[str]:
    """The modules of plugins that a module imports, wherever in it: for types and within functions, too."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix(COLLECTION) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").removeprefix(COLLECTION).split(".")]).strip(".")
            below = {f"{base}.{alias.name}" for alias in node.names}
            found |= {entry for entry in below if entry in known} or {base}
    return {entry for entry in found if entry in known and entry != name}


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """What each module of plugins imports."""
    known = modules()
    return {name: imports_of(name, path, known) for name, path in known.items()}


def test_the_graph_is_that_of_all_modules(graph: dict[str, set[str]]) -> None:
    assert "module_utils._errors" in graph["module_utils._vm_host.task"]
    assert "module_utils._vm_host.desired.validators" in graph["module_utils._vm_host.desired.host_spec"]
    assert "module_utils._vm_host.task" in graph["action.docker_vm_host"]


def test_no_module_imports_itself_by_a_detour(graph: dict[str, set[str]]) -> None:
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"these import one another: {' -> '.join(error.args[1])}")


def layer_of(name: str) -> str:
    """The package or module of _vm_host that a module belongs to."""
    return name.removeprefix("module_utils._vm_host.").partition(".")[0]


def test_vm_host_imports_in_the_direction_of_its_data_flow(graph: dict[str, set[str]]) -> None:
    inside = {name for name in graph if name.startswith("module_utils._vm_host.")}
    assert {layer_of(name) for name in inside} == set(VM_HOST_LAYERS)
    upward = [
        f"{name} imports {other}"
        for name in sorted(inside)
        for other in sorted(graph[name] & inside)
        if VM_HOST_LAYERS.index(layer_of(other)) > VM_HOST_LAYERS.index(layer_of(name))
    ]
    assert upward == []


def test_the_shared_ground_knows_nothing_of_what_is_built_on_it(graph: dict[str, set[str]]) -> None:
    """Azure, certificates, vaults and Docker are below hosts and extensions; plugins are above all of them."""
    below = ("_azure", "_tls", "_vault", "_docker")
    above = ("_vm_host", "_extension")
    upward = [
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if (name.startswith(tuple(f"module_utils.{part}." for part in below)) and other.split(".")[1] in above)
        or (name.startswith("module_utils.") and not other.startswith("module_utils."))
    ]
    assert upward == []
