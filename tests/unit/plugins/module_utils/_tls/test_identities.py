# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose file is at a path."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._tls.identities import Identity, identity_of


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("cert.pem", Identity("clients")),
        ("key.pem", Identity("clients")),
        ("servers/web1/cert.pem", Identity("servers", "web1")),
        ("clients/robot/ca.pem", Identity("clients", "robot")),
        ("ca.pem", None),
        ("ca-key.pem", None),
        ("servers/web1/notes.txt", None),
        (".docker-tls-certs/next/ca.pem", None),
        (".docker-tls-certs/retired/00/ca.pem", None),
    ],
)
def test_whose_file_it_is(path: str, identity: Identity | None) -> None:
    assert identity_of(path) == identity
    if identity is not None:
        assert path in identity.paths
