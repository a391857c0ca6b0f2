# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long-running operations: begin, watch and wait for them."""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from dataclasses import dataclass

from .._backend import silent
from .errors import AzureError, ServiceError, WaitTimeoutError, from_sdk, sdk_error
from .wire import UNSETTLED, Json, provisioning_state

FIRST_POLL_SECONDS = 1.0
SLOWEST_POLL_SECONDS = 5.0
HEARTBEAT_SECONDS = 30.0
LOOK_SECONDS = 2.5
"""Seconds between two reads of a resource whose operation must not be polled yet."""
READS_PER_SECOND = 20
"""How many of the 25 reads that Azure answers all hosts of a play may use to watch resources."""
UNSEEN_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between reads of a new resource that Azure does not show yet: its parts learn of it one after the other."""
SHORT_SECONDS = 15
"""An operation that usually takes no longer is read more than twice a second at first."""

T = t.TypeVar("T")


@dataclass(frozen=True)
class OperationInfo:
    """A description of an operation, in the words of progress lines and errors.

    :param host: the Docker host that the operation is for.
    :param kind: the kind of the resource, for example ``VM``.
    :param doing: what progress lines say while the operation runs, for example ``Creating``.
    :param operation: what an error says: a phrase that follows "Could not", for example ``create the VM``.
    :param resource: the resource's name or id, for errors.
    :param usual: seconds that it usually takes, if known.
    """

    host: str
    kind: str
    doing: str
    operation: str
    resource: str
    usual: int | None = None


class ProgressReporter:
    """Show the progress of an operation: a line when its state changes, and at least every 30 s. Thread-safe.

    :param concurrency: how many such operations, including this one, may be watched at the same time.
    """

    def __init__(self, work: OperationInfo, progress: t.Callable[[str], None] = silent, concurrency: int = 1) -> None:
        self.work = work
        self._at_once = concurrency
        self._progress = progress
        self._begun = time.monotonic()
        self._state = ""
        self._spoken = self._begun

    @property
    def seconds(self) -> float:
        """Seconds since the operation began."""
        return time.monotonic() - self._begun

    @property
    def until_heartbeat(self) -> float:
        """Seconds until the next line is due."""
        return max(0.0, self._spoken + HEARTBEAT_SECONDS - time.monotonic())

    def saw(self, state: str) -> None:
        """Note a state that Azure reported. A state that is not final is shown in the operation's own words."""
        shown = state if state.lower() in ("succeeded", "failed", "canceled") else self.work.doing
        if shown != self._state:
            self._state = shown
            self.speak()

    def speak(self) -> None:
        """Show the line now."""
        self._spoken = time.monotonic()
        line = f"{self.work.host}: {self.work.kind} {self._state or self.work.doing} {self.seconds:.0f} s"
        ended = self._state.lower() in ("succeeded", "failed", "canceled")
        if self.work.usual and not ended:
            line += f", usually {self.work.usual} s"
        self._progress(line)

    @property
    def pace(self) -> float:
        """Seconds until the resource is read again: few when its operation is likely to end.

        Azure answers 36 reads of a VM a minute (``x-ms-ratelimit-remaining-resource: LowCostGetResource``), and as many
        more at first; it does not count reads of single network resources. All reads of one client in a subscription
        may be 25 a second ("Understand how Azure Resource Manager throttles requests", learn.microsoft.com).
        """
        return max(self._own_pace, self._at_once / READS_PER_SECOND)

    @property
    def _own_pace(self) -> float:
        usual = self.work.usual
        if not usual:
            return LOOK_SECONDS
        if usual <= SHORT_SECONDS:
            return 0.4 if self.seconds < 4 * usual else LOOK_SECONDS
        return 1.1 if 0.1 * usual < self.seconds < 1.1 * usual else 2.0

    def rest(self, seconds: float, over: t.Callable[[], bool] | None = None) -> None:
        """Sleep, and show a progress line whenever one is due.

        :param over: called after each :attr:`pace` of a long rest; it ends the rest by returning True.
        """
        end = time.monotonic() + seconds
        look = time.monotonic() + self.pace
        while (left := end - time.monotonic()) > 0:
            time.sleep(max(0.05, min(left, self.until_heartbeat, look - time.monotonic())))
            if not self.until_heartbeat:
                self.speak()
            if time.monotonic() >= look:
                if over and over():
                    return
                look = time.monotonic() + self.pace


class Deadline:
    """The moment after which waiting ends.

    :param seconds: None means never.
    """

    def __init__(self, seconds: float | None) -> None:
        self.limit = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """The seconds left, at least 0; None without a deadline."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.left == 0.0

    def restarted(self) -> Deadline:
        """Return a deadline that starts now, with the whole time."""
        return Deadline(self.limit)


class Operation:
    """A request to Azure that may have begun a long-running operation.

    :param poller: the SDK's poller.
    :param watch: shows the progress.
    :param deadline: until when :meth:`wait` waits.
    """

    def __init__(self, poller: t.Any, watch: ProgressReporter, deadline: Deadline) -> None:
        self._poller = poller
        self._watch = watch
        self._deadline = deadline

    @property
    def seconds(self) -> float:
        """Seconds since the operation began."""
        return self._watch.seconds

    def wait(self) -> t.Any:
        """Wait for the end of the operation.

        :returns: the resource in wire format, None where the answer is empty.
        :raises AzureError: the operation failed.
        :raises WaitTimeoutError: the deadline is over; the operation continues in Azure.
        """
        work = self._watch.work
        try:
            self._poller.wait(self._deadline.left)
            if self._poller.done():
                return self._poller.result()
        except sdk_error() as error:
            raise from_sdk(work.operation, work.resource, error) from error
        raise timed_out(work, self._deadline, str(self._poller.status()))


def timed_out(work: OperationInfo, deadline: Deadline, state: str) -> WaitTimeoutError:
    """Return the error for an operation that takes longer than the user wants to wait."""
    return WaitTimeoutError(
        work.operation,
        work.resource,
        ServiceError(
            None,
            "WaitTimeout",
            f"still {state} when wait_timeout ({deadline.limit:.0f} s) was over. The operation"
            " continues in Azure: run again to wait for it.",
        ),
    )


def poll(
    read: t.Callable[[], T],
    until: t.Callable[[T], bool],
    reporter: ProgressReporter,
    deadline: Deadline,
    *,
    current: T,
    state: t.Callable[[T], str],
) -> T:
    """Read until a condition holds, at first after one second and then less often, down to every five seconds.

    :param current: the last value that was read; nothing more is read if the condition holds for it.
    :param state: gives the state of a value, for progress lines and for the error.
    :returns: the value for which the condition holds.
    :raises WaitTimeoutError: the deadline is over.
    """
    pause = FIRST_POLL_SECONDS
    while not until(current):
        reporter.saw(state(current))
        if deadline.over:
            raise timed_out(reporter.work, deadline, state(current))
        reporter.rest(pause if deadline.left is None else min(pause, deadline.left))
        pause = min(SLOWEST_POLL_SECONDS, pause * 1.5)
        current = read()
    return current


def never() -> bool:
    """Return False: nothing but the end of an operation ends the wait for it."""
    return False


def _request_until_seen(request: t.Callable[[], t.Any], watch: ProgressReporter) -> t.Any:
    """Send the request, again while Azure does not find what it has just created."""
    answer = request()
    for pause in UNSEEN_PAUSES:
        if answer.http_response.status_code != 404:
            break
        watch.rest(pause)
        answer = request()
    return answer


def polling_method(
    watch: ProgressReporter, over: t.Callable[[], bool] | None = None, enough: t.Callable[[], bool] = never
) -> t.Any:
    """Return ARM's polling method with progress lines. Without Retry-After it waits 1 s at first, and later up to 5 s.

    :param over: returns whether the resource itself shows the result, see :func:`watch_resource`. Azure asks
        clients to poll operations on a VM every 30 s at most, those on a network every 10 s, but sets no such limit for
        the resources.
    :param enough: returns whether ``over`` has seen everything that the caller waits for. The wait then ends as after
        a success, although the operation continues in Azure. It sends no request.
    """
    from azure.mgmt.core.polling.arm_polling import ARMPolling

    class SpeakingPolling(ARMPolling):  # type: ignore[misc]
        """The SDK's own state machine, with the pace and the progress lines of the collection."""

        pace = FIRST_POLL_SECONDS

        def _extract_delay(self) -> float:
            asked = float(super()._extract_delay())
            if asked:
                return asked
            own = self.pace
            self.pace = min(SLOWEST_POLL_SECONDS, own * 1.5)
            return own

        def _sleep(self, delay: float) -> None:
            watch.rest(delay, over)

        def request_status(self, status_link: str) -> t.Any:
            request = functools.partial(super().request_status, status_link)
            # Once the operation has succeeded, this reads the resource.
            return _request_until_seen(request, watch) if self.finished() else request()

        def finished(self) -> bool:
            return enough() or bool(super().finished())

        def update_status(self) -> None:
            if enough():
                watch.saw("Succeeded")
                return
            super().update_status()
            watch.saw(str(self.status()))

    return SpeakingPolling(timeout=0)


def watch_resource(read: t.Callable[[], Json | None], *, deletes: bool = False) -> t.Callable[[], bool]:
    """Return a function that reads a resource, and returns whether the operation on it has ended.

    While Azure does not answer, the operation counts as running.

    :param read: reads the resource; None when it does not exist.
    :param deletes: whether the operation deletes the resource.
    """

    def is_over() -> bool:
        try:
            resource = read()
        except AzureError:
            return False
        return resource is None if deletes else provisioning_state(resource) not in UNSETTLED

    return is_over


def run_parallel(jobs: t.Sequence[t.Callable[[], T]]) -> list[T]:
    """Run jobs at the same time and wait for all of them.

    :returns: their results in the order of the jobs.
    :raises DockerHostError: the first error in that order, after all have ended; further ones in its ``also``.
    """
    if len(jobs) == 1:
        return [jobs[0]()]
    outcomes: list[tuple[T | None, BaseException | None]] = [(None, None)] * len(jobs)

    def work(place: int) -> None:
        try:
            outcomes[place] = (jobs[place](), None)
        except BaseException as error:  # noqa: BLE001  (raised again below, in the caller's thread)
            outcomes[place] = (None, error)

    # Daemon threads: an interrupted task must not wait for them.
    threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [error for _result, error in outcomes if error is not None]
    if errors:
        first = errors[0]
        if isinstance(first, AzureError) and len(errors) > 1:
            first.details["also"] = [str(error) for error in errors[1:]]
        raise first
    return [t.cast("T", result) for result, _error in outcomes]
