# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the collection's unit and integration tests with both ends of every package that it stands on.

usage: python tools/matrix.py BUILD_DIR VENVS_DIR [WORD ...]

Each row has a virtual environment of its own below VENVS_DIR, kept for the next run; with words, only the rows whose
names hold one of them. A row whose interpreter is not on this machine is reported as skipped, never silently left out,
and so is the row that `make test` runs. Unit tests that touch neither ansible-core nor the packages of a row, and what
runs the same modules once more, are left to `make test`: the table names them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
UNIT = "tests/unit/plugins"
TARGETS = ("tests/integration/test_targets.py",)
INVENTORY = "tests/integration/test_inventory.py"
CONVERGENCE = "tests/integration/test_convergence.py"
INTEGRATION = (
    *TARGETS,
    INVENTORY,
    "tests/integration/test_playbooks.py::test_predict_create_again",
    "tests/integration/test_playbook_input.py::test_bad_input_is_one_error_and_changes_nothing",
    f"{CONVERGENCE}::test_hosts_of_the_inventory_get_their_variables",
)
HOST = f"{UNIT}/module_utils/_vm_host"
CERTIFICATES = f"{UNIT}/module_utils/_tls"
VAULT = f"{UNIT}/module_utils/_vault"
AZURE = f"{UNIT}/module_utils/_azure"
NEVER = {
    f"{UNIT}/plugin_utils/_guest": "the program on the VM knows neither Ansible nor Azure",
    f"{UNIT}/module_utils/_docker": "the standard library alone",
    **dict.fromkeys(
        (
            f"{CERTIFICATES}/test_{name}.py"
            for name in ("directory", "directory_access", "directory_faults", "journal", "journal_content", "tree")
        ),
        "files and their modes, whichever wrote their content",
    ),
    f"{CERTIFICATES}/test_filesystem.py": "the system's calls for files",
    f"{INVENTORY}::test_five_hundred_hosts": "what five hosts show, too",
    f"{INVENTORY}::test_no_request_for_a_single_host": "which requests the plugin sends",
    f"{INVENTORY}::test_several_subscriptions": "the requests of one subscription, several times",
    f"{INVENTORY}::test_tag_names_in_another_case": "what the plugin reads from Azure's answers",
}
JOBS = os.environ.get("JOBS", "3")
LONG = (
    VAULT,
    *(
        f"{HOST}/test_scenarios_{name}.py"
        for name in ("failures", "playbooks", "neighbours", "refusals", "permissions")
    ),
)
"""What takes long and sends nothing that other tests do not send, too."""
BACKENDS = {
    CERTIFICATES: "the same cryptography",
    HOST: "the same Azure SDK; integration tests run it",
    f"{UNIT}/module_utils/_extension": "the same Azure SDK; integration tests run it",
    VAULT: "the same Azure SDK",
    f"{AZURE}/test_poll_gaps.py": "the same azure-core",
}
"""What is left out where only ansible-core and Python differ from the environment of `make test`."""


@dataclass(frozen=True)
class Row:
    """One environment: an interpreter and the versions that are held fixed in it.

    :param pythons: versions of Python, the best first.
    :param without: test files and folders that are left out, and why.
    :param unit: the unit tests. Where only azure-mgmt-compute differs, those that send it whole hosts are enough.
    :param integration: the integration tests. Both ends of ansible-core run all of :data:`INTEGRATION`.
    :param elsewhere: what runs this row instead.
    """

    name: str
    pythons: tuple[str, ...]
    pins: tuple[str, ...]
    without: tuple[str, ...] = ()
    unit: tuple[str, ...] = (UNIT,)
    integration: tuple[str, ...] = TARGETS
    elsewhere: str = ""


ROWS = (
    Row(
        "core 2.16, oldest SDK",
        ("3.10", "3.11", "3.12"),
        ("ansible-core~=2.16.0", "azure-mgmt-compute==33.0.0", "azure-identity==1.16.0", "azure-mgmt-core==1.4.0")
        + ("cryptography==42.0.0",),
        LONG,
        integration=INTEGRATION,
    ),
    Row(
        "core 2.18, compute 34",
        ("3.11", "3.12"),
        ("ansible-core~=2.18.0", "azure-mgmt-compute~=34.0"),
        unit=tuple(f"{HOST}/test_scenarios_{name}.py" for name in ("hosts", "options", "adopted", "drift", "deletion"))
        + (f"{UNIT}/plugin_utils", AZURE),
    ),
    Row("core 2.19, newest SDK", (), ("ansible-core~=2.19.0",), elsewhere="make test, in the checkout's own"),
    Row("core 2.20, newest SDK", ("3.12", "3.13"), ("ansible-core~=2.20.0",), (*BACKENDS, AZURE)),
    Row("core 2.21, newest SDK", ("3.13", "3.12"), ("ansible-core~=2.21.0",), tuple(BACKENDS), integration=INTEGRATION),
)


def interpreter(versions: Sequence[str]) -> str | None:
    """A real interpreter of the first version that is here: on PATH, or pyenv's (whose shims may lead nowhere)."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for version in versions:
        candidates = [shutil.which(f"python{version}")]
        candidates += map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")))
        for candidate in candidates:
            if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
                return candidate
    return None


def prepare(row: Row, venvs: Path) -> tuple[str, Path] | None:
    """The row's interpreter and its environment, which is made unless it is there with the same content."""
    python = None if row.elsewhere else interpreter(row.pythons)
    if python is None:
        return None
    venv = venvs / f"matrix-{row.name.replace(',', '').replace(' ', '-')}"
    wanted = "\n".join(
        [python, *row.pins]
        + [(TOP / name).read_text() for name in ("meta/ee-requirements.txt", "tests/requirements.txt")]
        + [(TOP / "tests/emulator/pyproject.toml").read_text()]
    )
    stamp = venv / "ready.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return python, venv
    shutil.rmtree(venv, ignore_errors=True)
    tests = [line for line in (TOP / "tests/requirements.txt").read_text().splitlines() if _needed(line)]
    subprocess.run(
        [sys.executable, str(TOP / "tools/venv.py"), str(venv), "--python", python, *row.pins, *tests]
        + ["-r", str(TOP / "meta/ee-requirements.txt"), "-e", str(TOP / "tests/emulator")],
        check=True,
    )
    stamp.write_text(wanted)
    return python, venv


def _needed(line: str) -> bool:
    """The checkers run once, in the checkout's own environment."""
    checkers = ("#", "ansible-builder", "ansible-lint", "antsibull", "mypy", "reuse", "ruff", "types-")
    checkers += ("galaxy-importer", "shellcheck", "vermin", "yamllint")
    return bool(line) and not line.startswith(checkers)


def newest(rows: Sequence[Row]) -> Row | None:
    """The last row that this machine can run: it runs the targets as ordinary modules, too."""
    able = [row for row in rows if not row.elsewhere and interpreter(row.pythons)]
    return able[-1] if able else None


def run(row: Row, venv: Path, build: Path, *, modules: bool) -> int:
    """Unit and integration tests in this environment; the exit status of the first that fails."""
    environment = {
        **{key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")},
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "DOCKERHOST_BUILD": str(build),
        "DOCKERHOST_COLLECTIONS_PATH": str(build / "collections"),
    }
    left_out = [f"--{'deselect' if '::' in path else 'ignore'}={path}" for path in (*NEVER, *row.without)]
    marks = "not slow" if modules else "not slow and not modules"
    for suite, collections in ((row.unit, build / "dev"), (row.integration, build / "collections")):
        importable = (collections, TOP / "tests/emulator", TOP / "tests/bytecode")
        environment["PYTHONPATH"] = os.pathsep.join(map(str, importable))
        pytest = [
            str(venv / "bin/python"),
            "-m",
            "pytest",
            "-q",
            "-n",
            JOBS,
            "--dist",
            "loadgroup",
            "-p",
            "no:cacheprovider",
            "-m",
            marks,
        ]
        status = subprocess.run([*pytest, *left_out, *suite], env=environment, cwd=TOP, check=False).returncode
        if status:
            return status
    return 0


def outcome(row: Row, build: Path, made: Future[tuple[str, Path] | None], *, modules: bool) -> str:
    """Run a row, or say why not: ``passed in ...``, ``FAILED in ...``, ``run by ...`` or ``skipped: ...``."""
    if row.elsewhere:
        return f"run by {row.elsewhere} environment"
    environment = made.result()
    if environment is None:
        return f"skipped: no Python {' or '.join(row.pythons)} on this machine"
    python, venv = environment
    print(f"== {row.name} on {python}: {', '.join(row.pins)}", flush=True)
    begin = time.monotonic()
    status = run(row, venv, build, modules=modules)
    return f"{'passed' if status == 0 else 'FAILED'} in {time.monotonic() - begin:.0f} s"


def show(table: dict[str, str], last: Row | None) -> None:
    """Print what was run and what was left out."""
    for name, said in table.items():
        print(f"{name:24} {said}")
    print("Left to `make test`, which runs them with the newest of everything:")
    for path, reason in NEVER.items():
        print(f"  {path}: {reason}")
    others = [path.name for path in sorted((TOP / "tests/integration").glob("test_*.py")) if path.name not in _names()]
    print(f"  tests/integration: {', '.join(others)}: the same modules and role from other sides")
    for path in INTEGRATION:
        rows = ", ".join(
            row.name.partition(",")[0] for row in ROWS if path not in row.integration and not row.elsewhere
        )
        if rows:
            print(f"  {path} ({rows}): both ends of ansible-core run it")
    once = ", ".join(row.name.partition(",")[0] for row in ROWS if row is not last and not row.elsewhere)
    print(f"  {TARGETS[0]} ({once}): as modules, which {last.name if last else 'no row'} runs")
    for row in ROWS:
        if row.unit != (UNIT,):
            print(f"  {UNIT} ({row.name.partition(',')[0]}), but for {', '.join(row.unit)}: compute alone differs")
    print(f"  {', '.join(LONG)} ({ROWS[0].name.partition(',')[0]}): long, and the same requests as others")
    print(f"  {AZURE} (core 2.20): the same Azure SDK, and rows with older and newer Pythons run it")
    for path, reason in BACKENDS.items():
        rows = ", ".join(row.name.partition(",")[0] for row in ROWS if path in row.without)
        print(f"  {path} ({rows}): {reason}")


def _names() -> set[str]:
    return {Path(path).name for path in INTEGRATION if "::" not in path}


def main() -> int:
    """Every row; the table at the end says what was run and what was not."""
    build, venvs = (Path(name).resolve() for name in sys.argv[1:3])
    words = sys.argv[3:]
    venvs.mkdir(parents=True, exist_ok=True)
    rows = [row for row in ROWS if not words or any(word in row.name for word in words)]
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as pool:  # Environments are made, one by one, while earlier rows are run.
        made = [pool.submit(prepare, row, venvs) for row in rows]
        last = newest(rows)
        table = {
            row.name: outcome(row, build, environment, modules=row is last)
            for row, environment in zip(rows, made, strict=True)
        }
    show(table, last)
    print(f"{time.monotonic() - begin:.0f} s in all")
    return int(any(said.startswith("FAILED") for said in table.values()))


if __name__ == "__main__":
    sys.exit(main())
