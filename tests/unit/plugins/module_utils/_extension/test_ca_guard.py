# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CA may be pushed, by the record in the VM's tags."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.ca_guard import (
    CaMismatchError,
    check_ca_unchanged,
    desired_tags,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.certificates import load_certificates

from .conftest import Authority


def test_fence(authority: Authority) -> None:
    old, new = authority, Authority("new")
    mine, theirs = load_certificates(old.server()), load_certificates(new.server())
    both = load_certificates({**new.server(), "ca": old.pem + new.pem} | {})
    tags = desired_tags({"owner": "me"}, mine)
    assert tags["docker-host-ca"] == old.fingerprint
    assert tags["owner"] == "me"
    check = functools.partial(check_ca_unchanged, "web1", guest_checks=True)
    check(tags, mine, False)
    check({}, theirs, False)
    check(tags, theirs, True)
    check(tags, None, False)
    with pytest.raises(CaMismatchError, match="nothing was changed"):
        check(tags, theirs, False)
    check(tags, both, False)
    rotating = desired_tags(tags, both)
    assert max(len(value) for value in rotating.values()) <= 256
    check(rotating, theirs, False)
    check(rotating, mine, False)
    assert desired_tags(rotating, None) == {"owner": "me"}


def test_a_ca_that_was_renewed_with_its_key_passes_the_fence(authority: Authority) -> None:
    renewed, stranger = Authority(key=authority.key), Authority()
    old, new, other = (load_certificates(one.server()) for one in (authority, renewed, stranger))
    tags = desired_tags({}, old)
    check_ca_unchanged("web1", tags, new, False, guest_checks=True)
    check_ca_unchanged("web1", tags, new, False, guest_checks=False)
    # Where tags name no keys the program on the VM decides, which has the certificate.
    del tags["docker-host-ca-key"]
    check_ca_unchanged("web1", tags, other, False, guest_checks=True)
    with pytest.raises(CaMismatchError):
        check_ca_unchanged("web1", tags, other, False, guest_checks=False)
