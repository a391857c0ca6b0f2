# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM, killed in a real guest together with what it runs: the next run finishes the work.

A run is killed before each change that it makes, and in the middle of its commands. The brief tests kill run after run,
each at a kind of operation that none before was killed at, and let each go on from where the last one ended. The
exhaustive ones kill at every operation, by count, and have the next run finish; a command that takes time is killed at
several moments. Each is done twice: once only the program and its command end, once the machine is reset.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

import pytest

from .authority import Authority
from .kills import Victim, documents
from .kills_sweep import CASES, Case, Ledger, Sweep, kept_mirror, workplace
from .machines import DISTRIBUTION, Machines

pytestmark = pytest.mark.guests

KILLED_DPKG = """
(while ! [ -e /lib/systemd/system/docker.service ]; do sleep 0.02; done
pkill -9 -x dpkg; pkill -9 -x apt-get) >/dev/null 2>&1 &
python3 /root/cut.py --settings /root/install.json || true
"""


@pytest.fixture(scope="module")
def victim(guests: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Victim]:
    """A fresh guest, for the distribution's engine."""
    machines = Machines(tmp_path_factory.mktemp("kills"))
    steps = documents(Authority(tmp_path_factory.mktemp("authority")), DISTRIBUTION)
    yield Victim(machines, machines.start("web", 4), steps)
    machines.close()


@pytest.fixture(scope="module")
def sweep(guests: None) -> t.Iterator[Sweep]:
    """A guest for an engine of Docker's that is upgraded, and the disks from which its runs begin."""
    mirror = kept_mirror()
    with workplace() as folder, contextlib.closing(Machines(folder)) as machines:
        address = machines.serve(mirror.root).rpartition("//")[2].partition(":")[0]
        machine = machines.start("web", 4, provision_agent=False)
        yield Sweep(Victim(machines, machine, mirror.steps, mirror=address), folder, Ledger())


@pytest.mark.parametrize(
    ("step", "operation"),
    [
        ("install", "apt-get install"),
        ("change", "systemctl restart"),
        ("certificates", "/etc/docker/key.pem"),
        ("absent", "apt-get purge"),
    ],
)
def test_runs_that_are_killed_one_after_the_other(victim: Victim, step: str, operation: str) -> None:
    assert operation in victim.kill_at_every_kind(step)


@pytest.mark.slow
def test_an_upgrade_that_is_killed_at_every_kind_of_operation(sweep: Sweep) -> None:
    sweep.victim.boot(sweep.disk("install"), settled=True)
    assert "apt-get install" in sweep.victim.kill_at_every_kind("change")


@pytest.mark.slow
def test_a_dpkg_that_was_killed_before_it_wrote_its_list(sweep: Sweep) -> None:
    """docker.service is there, and only dpkg's journal names the package."""
    sweep.victim.boot(sweep.disk("absent"), settled=True)
    sweep.victim.sh(KILLED_DPKG)
    sweep.victim.sh("! grep -q '^Package: docker-ce$' /var/lib/dpkg/status; ls /lib/systemd/system/docker.service")
    sweep.victim.finish("install")


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("KILLS"), reason="takes about twenty minutes: make soak-kills")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_run_that_is_killed_anywhere(sweep: Sweep, case: Case) -> None:
    """Every operation of each step, by count, from a copy of the disk that the run before it left."""
    count, failures = sweep.run(case)
    assert not failures
    assert count > 5
