# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version counts, whatever the order of the list."""

from __future__ import annotations

import datetime as dt
import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import SecretVersion
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.chain import (
    ACCEPTED,
    AFTER_TAG,
    NOTHING,
    PROPOSED,
    STATE_TAG,
    WITHDRAWN,
    find_head,
)

START = dt.datetime(2026, 11, 24, tzinfo=dt.timezone.utc)


def version(id_: str, second: int, state: str, after: str = NOTHING, *, enabled: bool = True) -> SecretVersion:
    tags = {STATE_TAG: state, AFTER_TAG: after}
    return SecretVersion(id_, START + dt.timedelta(seconds=second), enabled=enabled, tags=tags)


def ids(versions: t.Iterable[SecretVersion]) -> str:
    return "".join(entry.id for entry in versions)


def test_nothing() -> None:
    head = find_head([])
    assert (head.tip, head.place, head.proposals, head.lost) == (None, NOTHING, (), ())


@given(st.permutations([version("b", 1, PROPOSED), version("a", 2, PROPOSED), version("c", 1, PROPOSED)]))
def test_the_first_comes_first_and_ties_go_by_id(versions: list[SecretVersion]) -> None:
    head = find_head(versions)
    assert ids(head.proposals) == "bca"
    assert head.tip is None


@given(
    st.permutations(
        [
            version("a", 1, ACCEPTED),
            version("b", 1, PROPOSED),
            version("c", 2, WITHDRAWN, enabled=False),
            version("d", 5, ACCEPTED, "a"),
            version("e", 4, WITHDRAWN, "a", enabled=False),
            version("f", 9, PROPOSED, "d"),
            version("g", 8, PROPOSED, "b"),
        ]
    )
)
def test_a_chain(versions: list[SecretVersion]) -> None:
    head = find_head(versions)
    assert (ids(head.accepted), ids(head.proposals)) == ("ad", "f")
    assert ids(head.lost) == "b"
    assert head.place == "d"


def test_a_decision_stands_against_an_earlier_proposal_that_shows_up_late() -> None:
    head = find_head([version("a", 3, ACCEPTED), version("b", 1, PROPOSED)])
    assert (ids(head.accepted), ids(head.lost)) == ("a", "b")


def test_what_follows_something_undecided_is_left_alone() -> None:
    """A list of several pages is no snapshot: ``b`` may have been accepted since its page was read."""
    head = find_head([version("a", 1, ACCEPTED), version("b", 2, PROPOSED, "a"), version("c", 9, ACCEPTED, "b")])
    assert (ids(head.accepted), ids(head.proposals), ids(head.lost)) == ("a", "b", "")
    head = find_head([version("a", 1, ACCEPTED), version("b", 2, PROPOSED, "a"), version("c", 9, PROPOSED, "b")])
    assert ids(head.lost) == ""


def test_of_two_decisions_the_first_counts() -> None:
    head = find_head([version("a", 3, ACCEPTED), version("b", 1, ACCEPTED), version("c", 4, ACCEPTED, "a")])
    assert ids(head.accepted) == "b"


def test_tags_in_a_circle() -> None:
    head = find_head([version("a", 1, ACCEPTED, "b"), version("b", 2, ACCEPTED, "a"), version("c", 3, ACCEPTED)])
    assert ids(head.accepted) == "c"
    follows_itself = find_head([version("a", 1, ACCEPTED), version("b", 2, ACCEPTED, "a"), version("a", 1, ACCEPTED)])
    assert follows_itself.tip is not None


def test_disabled_versions_keep_their_place() -> None:
    head = find_head([version("a", 1, ACCEPTED, enabled=False), version("b", 2, PROPOSED)])
    assert head.tip is not None
    assert head.tip.id == "a"
