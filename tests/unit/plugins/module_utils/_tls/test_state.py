# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.state import PHASES, Rotation, State

PATHS = st.dictionaries(st.text(min_size=1, max_size=30), st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=5)
FINGERPRINTS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
ROTATIONS = st.builds(Rotation, st.sampled_from(PHASES), FINGERPRINTS, FINGERPRINTS, st.booleans())


@given(PATHS, st.booleans(), st.one_of(st.none(), ROTATIONS))
def test_the_record_is_written_and_read_again(files: dict[str, str], is_own: bool, rotation: Rotation | None) -> None:
    state = State(files, is_own, rotation)
    assert State.load(state.dump()) == state


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_a_damaged_record_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(DockerHostError, match=r"The record of the certificates .* cannot be read"):
        State.load(data)


def test_a_record_that_is_nested_too_deeply_is_the_same_error() -> None:
    with pytest.raises(DockerHostError, match="cannot be read"):
        State.load(b"[" * 100_000)


def test_no_record_owns_nothing() -> None:
    assert State.load(None) == State()
    assert not State().owns("ca.pem")
