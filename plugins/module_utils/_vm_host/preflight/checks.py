# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check Azure's answers about size, image, quota and DNS label before anything is created.

What the identity may not read is not checked: Azure checks it when the host is created.
"""

from __future__ import annotations

from dataclasses import replace

from ..._errors import OptionError
from ..bodies.virtual_machine import Findings
from ..desired.host_spec import HostSpec
from .default_size import candidate_sizes, choose_size
from .image_checks import check_image, notes_on_image
from .queries import Answers
from .size_checks import check_disk_types, check_size
from .sizes import is_size


def check_answers(desired: HostSpec, location: str, answers: Answers) -> Findings:
    """Refuse what Azure would refuse, and return the size of the new VM and what it allows.

    :raises OptionError: the first option that Azure would refuse; the text says what is possible.
    """
    _check_problems(desired, location, answers)
    return replace(_check_sizes(desired, location, answers), notes=notes_on_image(desired, answers.image))


def _check_sizes(desired: HostSpec, location: str, answers: Answers) -> Findings:
    if answers.sizes is None:
        return Findings(desired.vm_size or candidate_sizes(desired, answers)[0])
    check_disk_types(desired, location, answers.sizes)
    if desired.vm_size:
        return check_size(desired, location, answers, answers.sizes)
    return choose_size(desired, location, answers, answers.sizes)


def _check_problems(desired: HostSpec, location: str, answers: Answers) -> None:
    """Refuse what Azure does not have."""
    if answers.sizes is not None and not any(map(is_size, answers.sizes)):
        raise OptionError(
            "location",
            f"must be a region of this subscription, got {location}: `az account list-locations` lists them",
        )
    for option, problem in answers.reference_problems:
        raise OptionError(option, problem)
    if answers.label_problem:
        raise OptionError("dns_label", answers.label_problem)
    if answers.image_problem:
        raise OptionError("image", answers.image_problem)
    if answers.image:
        check_image(desired, answers.image)
    if answers.terms_problem:
        raise OptionError("plan", answers.terms_problem)
