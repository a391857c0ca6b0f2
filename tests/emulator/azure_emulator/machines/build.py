# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m azure_emulator.machines.build --cache-dir D``: make a release's tree and package pool beforehand."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from azure_emulator.machines.cloudinit.program import ensure_cloud_init
from azure_emulator.machines.mirror.repository import ensure_repository
from azure_emulator.machines.packages import TreeError
from azure_emulator.machines.possible import guests_possible
from azure_emulator.machines.releases import DEBIAN_12, RELEASES, release_named
from azure_emulator.machines.tree import ensure_tree


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="azure_emulator.machines.build", description=__doc__)
    parser.add_argument("--cache-dir", type=Path, required=True, help="where the tree and the pool are kept")
    parser.add_argument(
        "--release",
        choices=[release.suite for release in RELEASES],
        default=DEBIAN_12.suite,
        help="the Debian release (default: %(default)s)",
    )
    parser.add_argument(
        "--with-cloud-init", action="store_true", help="make the layer with Debian's cloud-init, too (--provision)"
    )
    parser.add_argument(
        "--if-possible", action="store_true", help="where guests can't run, say why, make nothing and succeed"
    )
    arguments = parser.parse_args(argv)
    reason = guests_possible() if arguments.if_possible else None
    if reason:
        print(f"guest tree: not made, real guests can't run here: {reason}")
        return 0
    release = release_named(arguments.release)
    try:
        tree = ensure_tree(arguments.cache_dir.resolve(), _say, release)
        ensure_repository(tree, release, _say)
        if arguments.with_cloud_init:
            ensure_cloud_init(tree, release, _say)
    except TreeError as error:
        print(f"guest tree: {error}", file=sys.stderr)
        return 1
    print(f"guest tree: ready in {tree.root}")
    return 0


def _say(line: str) -> None:
    print(f"guest tree: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
