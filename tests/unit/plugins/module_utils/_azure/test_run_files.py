# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that the processes of one run share."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.run_files import shared_directory


def test_no_directory_can_be_created_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    assert shared_directory(str(tmp_path / "blocked")) is None
