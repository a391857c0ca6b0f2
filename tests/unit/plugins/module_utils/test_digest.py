# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of settings, which stand in tags."""

from __future__ import annotations

import hashlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _digest as digest


@pytest.mark.parametrize(("guessable", "scheme"), [(True, "scrypt"), (False, "hmac-sha256")])
def test_digest(guessable: bool, scheme: str) -> None:
    one, two = (digest.new_digest(b"settings", guessable=guessable) for _time in range(2))
    assert one.split(":")[0] == scheme
    assert one != two
    assert len(one) <= 256
    assert digest.matches(one, b"settings")
    assert digest.matches(two, b"settings")
    assert not digest.matches(one, b"Settings")
    assert not digest.matches("", b"settings")
    assert not digest.matches("scrypt:99:8:1:AAAA:AAAA", b"settings")
    assert not digest.matches("nonsense:::::", b"settings")
    assert not digest.matches("hmac-sha256:AAAA:AAAA", b"settings")


def test_digest_where_scrypt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: t.Any, **_keywords: t.Any) -> bytes:
        raise ValueError("unsupported")

    usual = digest.new_digest(b"settings")
    monkeypatch.setattr(hashlib, "scrypt", refuse)
    other = digest.new_digest(b"settings")
    assert other.startswith("pbkdf2:")
    assert digest.matches(other, b"settings")
    assert not digest.matches(other, b"other")
    assert not digest.matches(usual, b"settings")
