# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a record requires of the cloud: the catalogue that it shows."""

from __future__ import annotations

import typing as t

from azure_conformance.preconditions import starting_switches
from azure_conformance.records import Flow, Interaction, Message

PUBLISHERS = "/subscriptions/s/providers/Microsoft.Compute/locations/eastus/publishers"
IMAGE = f"{PUBLISHERS}/P/artifacttypes/vmimage/offers/o/skus/k/versions"
TYPE = f"{PUBLISHERS}/P.Q/artifacttypes/vmextension/types/T/versions"


def flow(*answers: tuple[str, t.Any], status: int = 200) -> Flow:
    """A flow of GETs."""
    nothing = Message({}, None)
    return Flow(
        "f",
        [
            Interaction(n, str(n), "s", None, "GET", "", path, {}, nothing, status, Message({}, body))
            for n, (path, body) in enumerate(answers)
        ],
    )


def test_images_that_a_record_shows() -> None:
    features = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    second = {"properties": {"hyperVGeneration": "V2", "features": features}}
    switches = starting_switches(
        flow((IMAGE, [{"name": "1.0.0"}, {"name": "2.0.0"}]), (f"{IMAGE}/2.0.0", second), (f"{IMAGE}/3.0.0", {}))
    )
    assert switches["extra_images"] == ["P:o:k:1.0.0", "P:o:k:2.0.0:V2:TrustedLaunch", "P:o:k:3.0.0"]


def test_extension_types_that_a_record_shows() -> None:
    switches = starting_switches(flow((TYPE, [{"name": "1.0.1"}]), (f"{TYPE}/2.0.0", {"name": "2.0.0"})))
    assert switches["extra_extensions"] == ["P.Q.T:1.0.1", "P.Q.T:2.0.0"]


def test_errors_show_nothing() -> None:
    switches = starting_switches(flow((f"{IMAGE}/2.0.0", {}), (TYPE, [{"name": "1"}]), status=404))
    assert not {"extra_images", "extra_extensions"} & switches.keys()
