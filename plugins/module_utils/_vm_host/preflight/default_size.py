# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the size of a new host whose options name none."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..._azure.wire import Json, properties_of
from ..._errors import OptionError
from ..bodies.virtual_machine import Findings, image_of
from ..desired.host_spec import HostSpec
from ..desired.vm_sizes import default_sizes
from .queries import Answers
from .size_checks import check_size
from .sizes import similar_sizes, sizes_in


def candidate_sizes(desired: HostSpec, answers: Answers) -> tuple[str, ...]:
    """Return the default sizes for the architecture of the image, the best first."""
    return default_sizes(image_of(desired), str(properties_of(answers.image).get("architecture") or ""))


def choose_size(desired: HostSpec, location: str, answers: Answers, entries: list[Json]) -> Findings:
    """Return the first default size that region, zone, image, the other options and the quota allow.

    :param entries: items of ``Microsoft.Compute/skus``.
    :raises OptionError: none of them suits the host; the text says why.
    """
    problems: dict[str, OptionError] = {}
    for name in candidate_sizes(desired, answers):
        try:
            return check_size(replace(desired, vm_size=name), location, answers, entries)
        except OptionError as error:
            problems[name] = error
    raise _no_default_size(desired, location, answers, problems)


def _no_default_size(
    desired: HostSpec, location: str, answers: Answers, problems: t.Mapping[str, OptionError]
) -> OptionError:
    """Return the error for a host that none of the default sizes suits."""
    first = next(iter(problems.values()))
    # What one size lacks, others may offer; what all that exist lack is a matter of that option.
    lacking = [error for error in problems.values() if error.option not in ("vm_size", "zone", "image")]
    if lacking:
        return lacking[0]
    if all(error.option == first.option != "vm_size" for error in problems.values()):
        return first
    reasons: dict[str, list[str]] = {}
    for name, error in problems.items():
        reasons.setdefault(error.problem.partition(". ")[0].replace(name, "").strip(), []).append(name)
    shown = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
    sizes = sizes_in(location, answers.sizes or [])
    similar = next((size for size in sizes if size.name in problems), None)
    others = [size for size in sizes if size.name not in problems]
    available = similar_sizes(next(iter(problems)), similar, others, desired.zone, answers.image)
    return OptionError(
        "vm_size",
        f"must be set, because none of the default sizes can be deployed in {location}. {shown}. Available are"
        f" {available}.",
    )
