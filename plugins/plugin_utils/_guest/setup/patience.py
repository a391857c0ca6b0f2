# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a package manager's command: wait for locks and networks, and say in one sentence why it failed."""

import os
import re
import time

from .decisive import deciding
from .machine import Problem, tail
from .paths import LOCK_WAIT

NETWORK_WAIT = 300
LOCK_PAUSE = 10
# What apt, dpkg, zypper, rpm, dnf, yum and tdnf say when somebody else works with packages. zypper's solver also speaks
# of locks, which an administrator has set and which no waiting takes away.
LOCKED = re.compile(
    r"Could not get lock|Unable to (acquire|lock)|(is|was) locked by another process|locked by the application|"
    r"can't create transaction lock|existing lock /|holding the yum lock|already locked by \d|"
    r"(obtain|acquire) .{0,20}lock\b|cannot get exclusive lock|transaction is (already )?in progress",
    re.IGNORECASE,
)
# apt waits for a lock by itself where DPkg::Lock::Timeout is set; what it says afterwards is why it failed.
WAITED = re.compile(r"Waiting for cache lock: [^\r\n]*")
PASSING = re.compile(
    r"Temporary failure|Could(n't| not) (connect|resolve)|Unable to connect|Cannot initiate the connection|"
    r"Connection (failed|reset|refused|timed out)|time(d |-)?out|"
    r"Network is unreachable|No route to host|Hash Sum mismatch|unexpected size|Undetermined Error|"
    r"Error reading from server|(^|\s|: )(429|50[0234]) ",
    re.IGNORECASE,
)
# The output of a package's own scripts, such as a service's timeout, says nothing about the network.
SCRIPTS = re.compile(r"Sub-process \S*dpkg returned|dpkg: error processing|scriptlet failed", re.IGNORECASE)
# A line that says what is wrong, and lines that only say that something is.
TELLING = re.compile(
    r"^\s*(- Curl error|- Status code|- nothing provides|E: |dpkg: error|error: |Error: |Problem: |No provider|"
    r"Error\(\d+\)|No match for argument|All matches were filtered|Signature verification failed|W: .*GPG error: |"
    r"\S+ : (Pre)?Depends: |.*\b(not (found|offered)|already locked)\b)"
)
GENERAL = re.compile(
    r"Sub-process|Unable to fetch some|Some index files|Unable to correct problems|held broken|Transaction failed|"
    r"Error: Transaction|Failed to resolve the transaction|Problem: conflicting requests|Unable to find a match:?$|"
    r"dpkg frontend|Trying capabilities|Unable to satisfy dependencies"
)
PROGRESS = re.compile(
    r"^(Get|Hit|Ign|Err):\d+ |^(Reading|Building|Selecting|Preparing|Unpacking|Setting up|Processing|Fetched|"
    r"Need to get|After this|Retrieving|Loading|Checking|\(Reading)\b|B/s \||^Last metadata|^\s*$|^\.+$"
)


def patiently(machine, argv, ok=(0,), lock_files=()):
    """Run the command, and again while somebody holds a lock (15 minutes) or the network is down (5 minutes).

    :param lock_files: where to find out who holds the lock if the command does not say it.
    :raises Problem: it failed for another reason, or waiting did not help. The text has the sentence that matters.
    """
    since, told = {}, set()
    while True:
        try:
            return machine.run(argv, timeout=3000, ok=ok)
        except Problem as problem:
            kind, limit = obstacle(argv, problem.output)
            waited = time.monotonic() - since.setdefault(kind, time.monotonic())
            if limit is None or waited + LOCK_PAUSE > limit:
                raise explained(problem, waited if kind == "lock" else 0) from None
            reason = waiting_for(machine, kind, problem.output, lock_files)
            if reason not in told:
                machine.say("{}: {}".format(machine.stage, reason))
                told.add(reason)
            machine.log("{}; waited {:.0f} s so far".format(reason, waited))
        time.sleep(LOCK_PAUSE)


def obstacle(argv, output):
    """Return what was in the command's way, and how many seconds it is waited for (None: it will not pass)."""
    if LOCKED.search(WAITED.sub("", output)):
        return "lock", LOCK_WAIT
    if SCRIPTS.search(output):
        return "", None
    lines, lasting = deciding(argv, without_progress(output))
    passing = [bool(PASSING.search(line)) for line in lines]
    if all(passing) if lasting else any(passing):
        return "network", NETWORK_WAIT
    return "", None


def waiting_for(machine, kind, output, lock_files):
    if kind == "network":
        return "wait for the network: {}".format(sentence(output))
    return "wait for the package manager's lock, held by {}".format(holder(machine, output, lock_files) or "a process")


def holder(machine, output, lock_files):
    """Return name and number of the process that holds the lock, as the command or /proc/locks says it; else empty."""
    found = re.search(r"(?:process|pid|locked by) (\d+)(?: \((?P<name>[^)]+)\))?", output)
    if found:
        return "{} (pid {})".format(found.group("name") or process_name(machine, found.group(1)), found.group(1))
    inodes = set()
    for name in lock_files:
        if os.path.exists(machine.path(name)):
            inodes.add(str(os.stat(machine.path(name)).st_ino))
    for line in machine.text("/proc/locks").splitlines():
        words = line.split()  # 1: POSIX  ADVISORY  WRITE 1234 08:01:131074 0 EOF
        if len(words) > 5 and words[5].rpartition(":")[2] in inodes:
            return "{} (pid {})".format(process_name(machine, words[4]), words[4])
    return ""


def process_name(machine, number):
    return machine.text("/proc/{}/comm".format(number)).strip() or "a process"


def explained(problem, waited=0):
    """Return the problem with the sentence of its output that matters, and its output without progress."""
    said = sentence(problem.output)
    if said:
        problem.text += ": " + said
    if waited:
        problem.text += "; the lock was not released for {:.0f} s".format(waited)
    problem.detail = tail(without_progress(problem.output))
    return problem


def sentence(output):
    """Return the one line of a package manager's output that says what is wrong; empty without such a line."""
    lines = [line.strip() for line in without_progress(output).splitlines()]
    telling = [line for line in lines if TELLING.match(line)]
    special = [line for line in telling if not GENERAL.search(line)]
    line = (special or telling or lines[-1:] or [""])[0]
    if line.endswith(":") and line != lines[-1]:
        line += " " + lines[lines.index(line) + 1]
    return tail(line.lstrip("- "), 300)


def without_progress(output):
    lines = [line.rstrip() for line in output.replace("\r", "\n").splitlines()]
    return "\n".join(line for line in lines if not PROGRESS.search(line))
