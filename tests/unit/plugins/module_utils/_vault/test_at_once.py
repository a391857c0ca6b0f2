# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs at once, and jobs that are killed at any of their requests, make one CA.

Each job is a process of its own with a directory of its own: nothing but the vault is shared.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
import typing as t
from collections.abc import Callable

import pytest

from azure_emulator.launcher import LocalAzure

from .conftest import Job, Jobs

HOSTS = [{"name": "web1"}]


def fork(work: Callable[[], t.Any]) -> int:
    """Do something in a process of its own; its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must not go on with the test
            import traceback

            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    return child


def wait(child: int) -> bool:
    """Whether a process got through; it may have been killed, but not have failed."""
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the run failed by itself"
    return True


def roots(jobs: t.Iterable[Job]) -> set[bytes]:
    return {(job.directory / "ca.pem").read_bytes() for job in jobs}


def enabled(job: Job) -> int:
    """How many versions of the secret could be used."""
    with job.client() as client:
        return len([version for version in client.versions("docker-ca") if version.enabled])


def test_twenty_jobs_at_once_make_one_ca(jobs: Jobs) -> None:
    crowd = [jobs.new() for _number in range(20)]
    children = [fork(lambda job=job: job.run(hosts=HOSTS)) for job in crowd]
    ended = [wait(child) for child in children]
    assert all(ended)
    assert len(roots(crowd)) == 1
    for job in crowd:
        assert not job.run(hosts=HOSTS)["changed"]
    assert enabled(crowd[0]) == 1


def test_jobs_that_come_one_after_the_other(jobs: Jobs) -> None:
    crowd = [jobs.new() for _number in range(8)]
    children = []
    for job in crowd:
        children.append(fork(lambda job=job: job.run(hosts=HOSTS)))
        time.sleep(0.4)
    ended = [wait(child) for child in children]
    assert all(ended)
    assert len(roots(crowd)) == 1


def test_jobs_that_rotate_at_once_make_one_new_ca(jobs: Jobs) -> None:
    crowd = [jobs.new() for _number in range(6)]
    crowd[0].run(hosts=HOSTS)
    children = [fork(lambda job=job: job.run(hosts=HOSTS, rotate_ca="start")) for job in crowd]
    ended = [wait(child) for child in children]
    assert all(ended)
    assert len(roots(crowd)) == 1
    assert len({tuple(job.run(hosts=HOSTS)["trusted_cas"]) for job in crowd}) == 1
    assert enabled(crowd[0]) == 2


class Dying:
    """Kills the process before, or right after, its Nth request to the vault."""

    def __init__(self, last: int, *, after: bool) -> None:
        self.left = last
        self.after = after

    def __enter__(self) -> None:
        from azure.core.pipeline.transport import RequestsTransport

        real = RequestsTransport.send

        def send(transport: t.Any, request: t.Any, **keywords: t.Any) -> t.Any:
            if ".vault." not in request.url:
                return real(transport, request, **keywords)
            self.left -= 1
            if self.left == 0 and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = real(transport, request, **keywords)
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        RequestsTransport.send = send  # type: ignore[method-assign]

    def __exit__(self, *_details: object) -> None:
        """The process ends anyway."""


def killed(job: Job, last: int, *, after: bool, **options: t.Any) -> bool:
    """Run a job that dies; tell whether it got through."""

    def work() -> None:
        with Dying(last, after=after):
            job.run(**options)

    return wait(fork(work))


@pytest.mark.parametrize("after", [False, True], ids=["before the request", "after it had its effect"])
@pytest.mark.parametrize(
    "case",
    [
        "first",
        pytest.param("rotation", marks=pytest.mark.slow),
        pytest.param("moving", marks=pytest.mark.slow),
        "removing",
    ],
)
def test_killed_at_every_request(signed_in: LocalAzure, jobs: Jobs, case: str, after: bool) -> None:
    options: dict[str, t.Any] = {
        "first": {"hosts": HOSTS},
        "rotation": {"hosts": HOSTS, "rotate_ca": "start"},
        "moving": {"hosts": HOSTS},
        "removing": {"state": "absent", "remove_ca": True},
    }[case]
    last, done = 0, False
    while not done:
        last += 1
        secret = f"{case}-{last}"
        named = {"key_vault_secret": secret}
        job, before = jobs.new(), None
        if case == "moving":
            before = job.run(store="directory", key_vault=None, hosts=HOSTS)["ca"]["fingerprint"]
        elif case != "first":
            before = job.run(hosts=HOSTS, settle=0.1, **named)["ca"]["fingerprint"]
        done = killed(job, last, after=after, **options, **named)
        if case == "removing":
            continue
        # Another job, and the same one again, use one CA; nothing that was in use is gone.
        other = jobs.new()
        given = options if case == "rotation" else {"hosts": HOSTS}
        if case == "moving":
            assert job.run(**given, **named)["ca"]["fingerprint"] == before
        seen = other.run(**given, **named)
        again = job.run(**given, **named)
        assert again["trusted_cas"] == seen["trusted_cas"]
        if before is not None:
            assert before in seen["trusted_cas"]
        assert len(roots([job, other])) == 1
        assert not other.run(**given, **named)["changed"]
        assert not job.run(**given, **named)["changed"]
        shutil.rmtree(other.directory)
    assert last > 3


def test_a_killed_jobs_proposal_is_taken_up(jobs: Jobs) -> None:
    first, second = jobs.new(), jobs.new()
    # Killed right after the service took the proposal: requests are the list (after a challenge), the look for a
    # deleted one, and the write.
    last = 0
    while True:
        last += 1
        killed(first, last, after=True, hosts=HOSTS)
        with second.client() as client:
            versions = client.versions("docker-ca")
        if versions:
            break
    assert len(versions) == 1
    predicted = second.run(check=True, hosts=HOSTS)
    assert "finish the changes of an interrupted run" in predicted["actions"]
    with second.client() as client:
        assert client.versions("docker-ca") == versions
    made = second.run(hosts=HOSTS)
    assert made["key_vault"]["version"] == versions[0].id
    assert made["ca"]["fingerprint"] == predicted["ca"]["fingerprint"]


@pytest.mark.parametrize("action", ["reset", "reset_after", "truncate", "status"])
def test_a_request_that_fails_is_sent_again(signed_in: LocalAzure, jobs: Jobs, action: str) -> None:
    signed_in.fault(action, method="PUT", path="^/secrets/", status=503, retry_after=0)
    job, other = jobs.new(), jobs.new()
    job.run(hosts=HOSTS)
    other.run(hosts=HOSTS)
    assert len(roots([job, other])) == 1
    assert enabled(job) == 1
