# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show where the time of the tests goes: run make targets one by one and measure each of them.

usage: python tools/times.py BUILD_DIR [--write FILE] TARGET ...

Print two Markdown tables: the targets, and the test files that take longest. "CPU" is the CPU time of all processes
that have ended; "waiting" is the part of a file's time in which none of its processes computes. With ``--write``, put
both tables between the markers of FILE, too. The exit status is that of the first target that fails.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import shutil
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- times: begin -->", "<!-- times: end -->"
SLOWEST = 20


@dataclass(frozen=True)
class Target:
    """What one make target took, in seconds."""

    name: str
    status: int
    elapsed: float
    cpu: float


def measure(name: str, folder: Path) -> Target:
    """Run a target; its test files are measured below ``folder`` (see tests/conftest.py)."""
    began, used = time.monotonic(), _cpu_seconds()
    environment = {**os.environ, "DOCKERHOST_TIMES": str(folder)}
    done = subprocess.run(["make", "--no-print-directory", name], cwd=TOP, env=environment, check=False)
    return Target(name, done.returncode, time.monotonic() - began, _cpu_seconds() - used)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def slowest(folder: Path) -> list[tuple[str, float, float]]:
    """The test files that take longest, with their seconds and their seconds of CPU time."""
    files: dict[str, list[float]] = collections.defaultdict(lambda: [0.0, 0.0])
    for path in folder.glob("*.json"):
        for name, (elapsed, cpu) in json.loads(path.read_text()).items():
            files[name][0] += elapsed
            files[name][1] += cpu
    found = [(name, elapsed, cpu) for name, (elapsed, cpu) in files.items()]
    return sorted(found, key=lambda file: -file[1])[:SLOWEST]


def tables(targets: t.Sequence[Target], files: t.Sequence[tuple[str, float, float]]) -> str:
    """Both tables in Markdown."""
    lines = ["| target | minutes | CPU minutes | cores busy |", "|---|---|---|---|"]
    for target in targets:
        busy = target.cpu / max(target.elapsed, 0.001)
        lines.append(f"| `{target.name}` | {target.elapsed / 60:.1f} | {target.cpu / 60:.1f} | {busy:.1f} |")
    lines += ["", "| test file | seconds | CPU | waiting |", "|---|---|---|---|"]
    for name, elapsed, cpu in files:
        lines.append(f"| `{name}` | {elapsed:.0f} | {cpu:.0f} | {max(0.0, elapsed - cpu):.0f} |")
    return "\n".join(lines)


def write(path: Path, text: str) -> None:
    """Put the tables between the markers of a Markdown file."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        sys.exit(f"{path} must have the lines {BEGIN} and {END}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> int:
    """The program; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    options = parser.parse_args()
    folder = options.build.resolve() / "times"
    shutil.rmtree(folder, ignore_errors=True)
    targets = [measure(name, folder) for name in options.targets]
    text = tables(targets, slowest(folder))
    print(text)
    failed = [target for target in targets if target.status]
    if options.write and not failed:
        write(options.write, text)
    return failed[0].status if failed else 0


if __name__ == "__main__":
    sys.exit(main())
