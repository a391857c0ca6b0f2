# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the bytecode that Ansible's processes would otherwise compile anew, each for itself. For the tests only.

Python keeps the bytecode of modules in ordinary folders. Ansible's loader of collections does not, nor does Python's
own for archives, in which Ansible sends a module everything that it imports. Python runs this file when it starts, as
it is on PYTHONPATH. What is kept is known by its whole source: nothing is taken for something else.
"""

from __future__ import annotations

import _imp
import builtins
import gc
import marshal
import os
import sys
import zipimport

# Every process pays for what is imported here: typing alone doubles the time in which Python starts.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t
    from importlib.machinery import ModuleSpec

FOLDER = os.path.join(os.environ.get("DOCKERHOST_BUILD", ""), "bytecode")
LOADER = "ansible.utils.collection_loader._collection_finder"


def compile_once(source: str | bytes, filename: str, mode: str = "exec", **options: t.Any) -> t.Any:
    """Like ``compile``, which it asks once for each source."""
    content = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    digest = _imp.source_hash(len(content), content).hex()
    path = os.path.join(FOLDER, f"{digest}-{len(content)}.{sys.implementation.cache_tag}-{sys.flags.optimize}")
    try:
        with open(path, "rb") as kept:
            code = marshal.loads(kept.read())
        _imp._fix_co_filename(code, filename)
        return code
    except (OSError, EOFError, TypeError, ValueError):
        code = builtins.compile(source, filename, mode, **options)
        _keep(path, marshal.dumps(code))
        return code


def _keep(path: str, content: bytes) -> None:
    """Write a file so that other processes see all of it or nothing; without effect where that is not allowed."""
    partial = f"{path}.{os.getpid()}"
    try:
        os.makedirs(FOLDER, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    except OSError:
        return


class _Notice:
    """Gives Ansible's loader of collections this ``compile`` when it is imported."""

    def find_spec(self, name: str, path: t.Any = None, target: t.Any = None) -> ModuleSpec | None:
        if name != LOADER:
            return None
        from importlib.machinery import PathFinder

        # Ansible's processes end soon and keep what they import: looking for garbage again and again finds little.
        gc.set_threshold(50_000, 20, 20)
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: t.Any) -> None:
                execute(module)
                module.compile = compile_once

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if os.environ.get("DOCKERHOST_BUILD"):
    sys.meta_path.insert(0, _Notice())  # type: ignore[arg-type]
    zipimport.compile = compile_once  # type: ignore[attr-defined]
