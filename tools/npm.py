# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the packages that a package.json names from npm, once for each content of that file.

usage: python3 tools/npm.py FILE DIRECTORY

They are then in DIRECTORY/node_modules. Scripts of packages are not run. Runs on the standard library alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")


def install(wanted: bytes, directory: Path) -> str:
    """Install what is not there yet; return what npm said if it failed, else nothing.

    :param wanted: the content of package.json.
    """
    stamp = directory / "ready"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return ""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "package.json").write_bytes(wanted)
    done = subprocess.run(INSTALL, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr or done.stdout).strip()[-300:] or f"npm ended with {done.returncode}"
    stamp.write_bytes(wanted)
    return ""


def main() -> int:
    """The program; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("directory", type=Path, metavar="DIRECTORY")
    options = parser.parse_args()
    failure = install(options.file.read_bytes(), options.directory)
    if failure:
        print(failure, file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
