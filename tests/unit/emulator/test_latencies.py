# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drawn durations and scaled waiting times."""

from __future__ import annotations

import pytest

from azure_emulator import app
from azure_emulator.latencies import MAXIMUM_RETRY_AFTER, OF_HANDLERS, RECORDED, Latencies
from azure_emulator.operations import ACTIONS


def test_instant() -> None:
    latencies = Latencies("instant")
    assert latencies.draw("vm.create") == 0
    assert latencies.retry_after(30) == 1
    assert latencies.retry_after(None) is None


def test_durations_are_spread_like_the_recorded_ones() -> None:
    latencies = Latencies("recorded", seed=1)
    drawn = sorted(latencies.draw("vm.create") for _number in range(4000))
    minimum, median, ninetieth, maximum = RECORDED["vm.create"]
    assert drawn[0] >= minimum
    assert drawn[-1] <= maximum
    assert drawn[2000] == pytest.approx(median, rel=0.1)
    assert drawn[3600] == pytest.approx(ninetieth, rel=0.15)


def test_a_scale_shortens_all() -> None:
    whole, small = Latencies("recorded", seed=5), Latencies("recorded:0.01", seed=5)
    assert small.draw("vm.create") == pytest.approx(whole.draw("vm.create") / 100)
    assert small.retry_after(30) == 1
    assert Latencies("recorded:0.1").retry_after(30) == 3
    assert Latencies("recorded:1000").retry_after(30) == MAXIMUM_RETRY_AFTER


def test_a_seed_repeats_them() -> None:
    assert Latencies("recorded", seed=3).draw("vm.start") == Latencies("recorded", seed=3).draw("vm.start")


@pytest.mark.parametrize("operation", sorted(OF_HANDLERS))
def test_what_azure_adds_to_a_handler_is_in_the_shortest_tenth(operation: str) -> None:
    handlers, recorded = Latencies("handlers", seed=2), Latencies("recorded", seed=2)
    minimum, median, _ninetieth, _maximum = RECORDED[operation]
    drawn = [handlers.draw(operation) for _number in range(200)]
    assert minimum <= min(drawn) < max(drawn) <= minimum + (median - minimum) / 5
    assert handlers.counts_from_end(operation)
    assert not recorded.counts_from_end(operation)


def test_what_no_handler_does_takes_as_long_as_recorded() -> None:
    handlers, recorded = Latencies("handlers:0.5", seed=2), Latencies("recorded:0.5", seed=2)
    for operation in sorted(RECORDED.keys() - OF_HANDLERS):
        assert handlers.draw(operation) == recorded.draw(operation)
        assert not handlers.counts_from_end(operation)


@pytest.mark.parametrize("mode", ["", "quick", "instant:2", "recorded:0", "recorded:-1", "recorded:x", "handlers:0"])
def test_modes_that_are_none(mode: str) -> None:
    with pytest.raises(ValueError):
        Latencies(mode)


def test_every_operation_has_a_latency() -> None:
    assert app.ROUTED
    at_once = {"networkInterface.create", "applicationSecurityGroup.create", "applicationSecurityGroup.update"}
    reading = {"networkInterface.effectiveRules", "networkInterface.effectiveRoutes"}
    # They take as long as what they deploy.
    deploying = {"deployment", "deployment.delete"}
    like_disks = {
        "image.create",
        "image.delete",
        "gallery.write",
        "gallery.delete",
        "snapshot.write",
        "snapshot.delete",
    }
    assert set(ACTIONS) - at_once - reading - deploying - like_disks <= set(RECORDED)
