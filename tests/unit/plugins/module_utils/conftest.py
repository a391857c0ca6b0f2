# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several packages' tests share: engines to ask, over real sockets."""

from __future__ import annotations

import importlib.util
import pathlib
import types
import typing as t

import pytest

ENGINE = pathlib.Path(__file__).parents[3] / "integration/targets/docker_endpoint_info/files/small_engine.py"


def _load() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("small_engine", ENGINE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def engines() -> t.Any:
    """The module ``small_engine``."""
    return _load()


class Certificates(t.NamedTuple):
    """Directories with ca.pem, cert.pem and key.pem each, and the authority that made the first three."""

    authority: t.Any
    server: pathlib.Path
    client: pathlib.Path
    stranger: pathlib.Path


@pytest.fixture(scope="session")
def certificates(engines: t.Any, tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    root = tmp_path_factory.mktemp("certificates")
    authority = engines.Authority()
    authority.issue(root / "server", names=("localhost", "127.0.0.1"), server=True)
    authority.issue(root / "client", server=False)
    engines.Authority("another CA").issue(root / "stranger", server=False)
    return Certificates(authority, root / "server", root / "client", root / "stranger")
