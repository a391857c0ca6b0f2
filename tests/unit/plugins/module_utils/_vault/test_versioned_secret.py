# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version counts, whatever the order of the list, and how long it is watched before."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import SecretVersion
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.versioned_secret import (
    ACCEPTED,
    AFTER_TAG,
    NOTHING,
    PROPOSED,
    STATE_TAG,
    WITHDRAWN,
    VersionedSecret,
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


class ScriptedVault:
    """A vault whose list of versions is another one after each wait."""

    url = "https://scripted.vault.azure.net"

    def __init__(self, *lists: list[SecretVersion]) -> None:
        self._lists = list(lists)
        self.waits = 0
        self.accepted: list[str] = []

    def wait(self, _seconds: float) -> None:
        self.waits += 1

    def versions(self, _name: str) -> list[SecretVersion]:
        listed = self._lists[self.waits]
        return [
            version(entry.id, entry.created.second, ACCEPTED, entry.tags[AFTER_TAG])
            if entry.id in self.accepted
            else entry
            for entry in listed
        ]

    def mark(self, _name: str, marked: SecretVersion, *, enabled: bool, tags: t.Mapping[str, str]) -> None:
        assert (enabled, tags) == (True, {STATE_TAG: ACCEPTED})
        self.accepted.append(marked.id)


P1 = version("p1", 1, PROPOSED)
A1 = version("p1", 1, ACCEPTED)
P2 = version("p2", 5, PROPOSED, "p1")
P3 = version("p3", 4, PROPOSED, "p1")
A2 = version("p2", 5, ACCEPTED, "p1")


@pytest.mark.parametrize(
    ("lists", "waits", "accepts", "tip"),
    [
        pytest.param([[A1]], 0, [], "p1", id="nothing is undecided"),
        pytest.param([[P1], [P1]], 1, ["p1"], "p1", id="still there after the wait"),
        pytest.param([[P1], [A1]], 1, [], "p1", id="decided by another run"),
        pytest.param([[P1], [A1, P2], [A1, P2]], 2, ["p2"], "p2", id="another came during the wait"),
        pytest.param([[P1], [A1, P2], [A1, P2, P3]], 2, ["p3"], "p3", id="and an earlier one after it"),
        pytest.param([[P1], [A1, P2], [A1, A2]], 2, [], "p2", id="both decided by other runs"),
        pytest.param([[P1], [version("p0", 0, PROPOSED), P1]], 1, ["p0"], "p0", id="an earlier one shows up late"),
    ],
)
def test_no_proposal_is_used_before_it_was_watched(
    monkeypatch: pytest.MonkeyPatch, lists: list[list[SecretVersion]], waits: int, accepts: list[str], tip: str
) -> None:
    vault = ScriptedVault(*lists)
    chain = VersionedSecret(t.cast("t.Any", vault), "docker-ca")
    monkeypatch.setattr("time.sleep", vault.wait)
    head = chain.decide(chain.current_head())
    assert (vault.waits, vault.accepted) == (waits, accepts)
    assert head.tip is not None
    assert head.tip.id == tip
