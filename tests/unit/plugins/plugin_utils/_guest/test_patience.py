# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Package managers' failures: what is waited for and how long, and the sentence that people are told."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Clock, Recorder

LOCKS = [
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)",
    "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)",
    "dpkg: error: dpkg frontend lock was locked by another process with pid 4711",
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
    "System management is locked by the application with pid 4711 (zypper).",
    "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)",
    "metadata already locked by 4711",
    "Existing lock /var/run/yum.pid: another copy is running as pid 4711.",
    "Failed to obtain rpm transaction lock. Another transaction is in progress.",
    "error: cannot get exclusive lock on /var/lib/rpm/Packages",
    "A ZYpp transaction is already in progress.",
    "ERROR: failed to acquire lock on: /var/run/.tdnf-instance-lockfile",
]
NETWORK = [
    "E: Failed to fetch http://x/InRelease  Temporary failure resolving 'x'",
    "E: Failed to fetch https://x/a.deb  503  Service Unavailable [IP: 10.0.0.1 443]",
    "E: Failed to fetch http://x/Packages  Hash Sum mismatch",
    "Error(1208) : Couldn't connect to server",
    "Curl error (28): Timeout was reached for https://x/repomd.xml",
    "  - Curl error (6): Couldn't resolve host name for http://x/repodata/repomd.xml [Could not resolve host: x]\n"
    "Error: Failed to download metadata for repo 'r': Cannot download repomd.xml: All mirrors were tried",
    "  - Status code: 503 for http://x/repodata/repomd.xml (IP: 10.0.0.1)",
]
# What stays as it is, and what people are told about it.
LASTING = [
    (
        "Err:1 https://x bookworm Release\n  404  Not Found [IP: 1.2.3.4 443]\nReading package lists...\n"
        "E: The repository 'https://x bookworm Release' does not have a Release file.\n",
        "E: The repository 'https://x bookworm Release' does not have a Release file.",
    ),
    (
        "E: Failed to fetch https://x/a.deb  403  Forbidden\nE: Unable to fetch some archives, run apt-get update\n",
        "E: Failed to fetch https://x/a.deb  403  Forbidden",
    ),
    (
        "Reading package lists...\nBuilding dependency tree...\nE: Package 'docker-ce' has no installation candidate\n",
        "E: Package 'docker-ce' has no installation candidate",
    ),
    (
        "Unpacking docker.io\ndpkg: error processing archive /x.deb (--unpack):\n"
        "E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
        "dpkg: error processing archive /x.deb (--unpack):",
    ),
    (
        "E: GPG error: https://x InRelease: The following signatures couldn't be verified: NO_PUBKEY 7EA0\n",
        "E: GPG error: https://x InRelease: The following signatures couldn't be verified: NO_PUBKEY 7EA0",
    ),
    (
        "W: An error occurred during the signature verification. The repository is not updated and the previous index "
        "files will be used. GPG error: https://x InRelease: The following signatures were invalid: EXPKEYSIG 7EA0 x\n"
        "W: Failed to fetch https://x/InRelease  The following signatures were invalid: EXPKEYSIG 7EA0 x\n"
        "E: Some index files failed to download. They have been ignored, or old ones used instead.\n",
        "W: An error occurred during the signature verification. The repository is not updated and the previous index "
        "files will be used. GPG error: https://x InRelease: The following signatures were invalid: EXPKEYSIG 7EA0 x",
    ),
    (
        "W: GPG error: https://x InRelease: The following signatures couldn't be verified: NO_PUBKEY 7EA0\n"
        "E: The repository 'https://x InRelease' is not signed.\n",
        "W: GPG error: https://x InRelease: The following signatures couldn't be verified: NO_PUBKEY 7EA0",
    ),
    (
        "The following packages have unmet dependencies:\n"
        " docker-ce : Depends: containerd.io (>= 1.7.27) but it is not installable\n"
        "E: Unable to correct problems, you have held broken packages.\n",
        "docker-ce : Depends: containerd.io (>= 1.7.27) but it is not installable",
    ),
    (
        "The following packages have unmet dependencies:\n docker-ce : PreDepends: x (>= 2) but 1 is to be installed\n"
        "E: Unable to satisfy dependencies. Reached two conflicting assignments:\n   1. docker-ce:amd64=5:29\n",
        "docker-ce : PreDepends: x (>= 2) but 1 is to be installed",
    ),
    (
        "All matches were filtered out by exclude filtering for argument: docker-ce\n"
        "Error: Unable to find a match: docker-ce\n",
        "All matches were filtered out by exclude filtering for argument: docker-ce",
    ),
    (
        "'docker' not found in package names. Trying capabilities.\nNo provider of 'docker' found.\n",
        "No provider of 'docker' found.",
    ),
    (
        # The network is not what is down where a service does not start in time.
        "Job for docker.service failed because a timeout was exceeded.\n"
        "dpkg: error processing package docker-ce (--configure):\n"
        " installed docker-ce package post-installation script subprocess returned error exit status 1\n"
        "E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
        "dpkg: error processing package docker-ce (--configure): installed docker-ce package post-installation script",
    ),
    (
        "Failed to resolve the transaction:\nNo match for argument: docker-ce\n"
        "You can try to add to command line:\n  --skip-unavailable to skip unavailable packages\n",
        "No match for argument: docker-ce",
    ),
    (
        "Retrieving repository 'docker' metadata ...[error]\n"
        "Signature verification failed for file 'repomd.xml' from repository 'docker'.\nSkipping repository 'docker'\n",
        "Signature verification failed for file 'repomd.xml' from repository 'docker'.",
    ),
    ("E: Failed to fetch https://x/InRelease  401  Unauthorized\n", "E: Failed to fetch https://x/InRelease  401"),
    ("E: Failed to fetch http://x/InRelease  407  Proxy Auth\n", "E: Failed to fetch http://x/InRelease  407"),
    ("Error: Unable to find a match: docker-ce-29\n", "Error: Unable to find a match: docker-ce-29"),
    (
        "Loading repository data...\nReading installed packages...\nProblem: conflicting requests\n"
        " Solution 1: remove lock to allow removal of containerd-1.7\n",
        "Problem: conflicting requests",
    ),
    (
        "Error:\n Problem: conflicting requests\n"
        "  - nothing provides /bin/sh needed by docker-ce-3:28.5.2-1.el9.noarch\n"
        "(try to add '--skip-broken' to skip uninstallable packages)\n",
        "nothing provides /bin/sh needed by docker-ce-3:28.5.2-1.el9.noarch",
    ),
    (
        # As dnf 4.14 says it; of the size in its progress nothing follows.
        "r          5.4 kB/s | 502  B     00:00\nErrors during downloading metadata for repository 'r':\n"
        "  - Status code: 404 for http://127.0.0.1:8899/x/repodata/repomd.xml (IP: 127.0.0.1)\n"
        "Error: Failed to download metadata for repo 'r': Cannot download repomd.xml: All mirrors were tried\n",
        "Status code: 404 for http://127.0.0.1:8899/x/repodata/repomd.xml",
    ),
]

GONE = "E: Failed to fetch https://x/a.deb  404  Not Found [IP: 1.2.3.4 443]\n"
DOWN = "E: Failed to fetch https://y/b.deb  Could not connect to y:443 (1.2.3.5), connection timed out\n"
NO_CANDIDATE = "E: Package 'docker-ce' has no installation candidate\n"
DNF_SKIPPED = (
    "Errors during downloading metadata for repository 'foreign':\n"
    "  - Curl error (28): Timeout was reached for https://y/repodata/repomd.xml\n"
    "Ignoring repositories: foreign\n"
)
DNF_GONE = (
    "Errors during downloading metadata for repository 'ours':\n"
    "  - Status code: 404 for https://x/repodata/repomd.xml (IP: 1.2.3.4)\n"
    "Error: Failed to download metadata for repo 'ours': Cannot download repomd.xml: All mirrors were tried\n"
)
DNF_MIRROR = "[MIRROR] a.rpm: Curl error (6): Couldn't resolve host name for https://y/a.rpm\n"
DNF5_SKIPPED = ">>> Curl error (7): Could not connect to server for https://y/repodata/repomd.xml\n"
ZYPPER_SKIPPED = (
    "Problem retrieving files from 'foreign'.\nTimeout exceeded when accessing 'https://y/repomd.xml'.\n"
    "Skipping repository 'foreign' because of the above error.\n"
)
# Command, output with a lasting and a passing error, and whether it is worth waiting.
BOTH = {
    "apt-get install: one file is gone": ("apt-get -y install x", DOWN + GONE, False),
    "apt-get install: one file is gone, in the other order": ("apt-get -y install x", GONE + DOWN, False),
    "apt-get install: the warning is about another source": (
        "apt-get install x", "W: Failed to fetch http://y/InRelease  Temporary failure resolving 'y'\n" + NO_CANDIDATE,
        False,
    ),
    "apt-get install: the summary decides nothing": (
        "apt-get install x", DOWN + "E: Unable to fetch some archives, maybe run apt-get update\n", True,
    ),
    "apt-get install: apt has waited for the lock itself": (
        "apt-get install x", "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. "
        "It is held by process 4711 (apt-get)...\n" + NO_CANDIDATE, False,
    ),
    "apt-get update: a source that comes back may have the package": (
        "apt-get update", "E: The repository 'http://x Release' does not have a Release file.\n" + DOWN, True,
    ),
    "apt-get update: each source is wrong for good": ("apt-get update", GONE + NO_CANDIDATE, False),
    "dpkg: a script waited in vain": (
        "dpkg --configure -a", "dpkg: error processing package x (--configure):\n connection timed out\n", False,
    ),
    "dnf: the repository that was passed over": (
        "dnf install x", DNF_SKIPPED + "Error: Unable to find a match: docker-ce\n", False,
    ),
    "dnf: another repository is the one that is gone": ("dnf install x", DNF_SKIPPED + DNF_GONE, False),
    "dnf: one of two mirrors of a repository is down": (
        "dnf install x",
        DNF_GONE.replace("Error: ", "  - Curl error (6): Couldn't resolve host name for https://y\nError: "), True,
    ),
    "dnf: one of two mirrors of a package is down": (
        "dnf install x", DNF_MIRROR + "[MIRROR] a.rpm: Status code: 404 for https://x/a.rpm\n"
        "[FAILED] a.rpm: No more mirrors to try - All mirrors were already tried without success\n"
        "Error: Error downloading packages:\n  Cannot download a.rpm: All mirrors were tried\n", True,
    ),
    "dnf: a mirror was down, and the package is signed by a stranger": (
        "dnf install x", DNF_MIRROR + "Public key for a.rpm is not installed\n"
        "The downloaded packages were saved in cache until the next successful transaction.\n"
        "Error: GPG check FAILED\n", False,
    ),
    "dnf5: the repository that was passed over": (
        "dnf install x", DNF5_SKIPPED + "Failed to resolve the transaction:\nNo match for argument: docker-ce\n", False,
    ),
    "dnf5: the repository that is needed": (
        "dnf install x", DNF5_SKIPPED + 'Failed to download metadata (baseurl: "https://y") for repository "y"\n', True,
    ),
    "yum: the repository that was passed over": (
        "yum install x", "https://y/repomd.xml: [Errno 14] curl#7 - Connection refused\nTrying other mirror.\n"
        "Error: Package: docker-ce (ours)\n           Requires: container-selinux\n", False,
    ),
    "tdnf: the repository that was passed over": (
        "tdnf install x",
        "Warning: Skipping repo y: Couldn't connect to server\nError(1011) : No matching packages\n", False,
    ),
    "zypper: the repository that was passed over may have the package": (
        "zypper install x", ZYPPER_SKIPPED + "No provider of 'docker' found.\n", True,
    ),
    "zypper: packages contradict each other": (
        "zypper install x", ZYPPER_SKIPPED + "Problem: nothing provides runc needed by docker\n", False,
    ),
}  # fmt: skip


@pytest.fixture
def recorder(setup: t.Any, tmp_path: Path) -> Recorder:
    """A Debian machine."""
    return Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_waited_for_by_time(setup: t.Any, recorder: Recorder, clock: Clock, lock: str) -> None:
    """As long as a security upgrade of a kernel may last, and not for a number of attempts."""
    recorder.answers["apt-get"] = [*[(100, lock)] * 60, "done"]
    began = clock.now
    assert setup.patiently(recorder.machine, ["apt-get", "install"]) == "done"
    assert clock.now - began == 600
    recorder.answers["apt-get"] = (100, lock)
    with pytest.raises(setup.Problem, match="the lock was not released for") as caught:
        setup.patiently(recorder.machine, ["apt-get", "install"])
    assert 880 <= clock.now - began - 600 <= 900
    assert lock in caught.value.text


@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_that_is_down_is_waited_for(setup: t.Any, recorder: Recorder, clock: Clock, failure: str) -> None:
    recorder.answers["apt-get"] = [*[(100, failure)] * 20, "done"]
    assert setup.patiently(recorder.machine, ["apt-get", "update"]) == "done"
    recorder.answers["apt-get"] = (100, failure)
    began = clock.now
    with pytest.raises(setup.Problem):
        setup.patiently(recorder.machine, ["apt-get", "update"])
    assert 280 <= clock.now - began <= 300


@pytest.mark.parametrize(("output", "told"), LASTING)
def test_what_stays_is_told_at_once_in_one_sentence(
    setup: t.Any, recorder: Recorder, clock: Clock, output: str, told: str
) -> None:
    recorder.answers["apt-get"] = (100, output)
    with pytest.raises(setup.Problem) as caught:
        setup.patiently(recorder.machine, ["apt-get", "install"])
    assert len(recorder.commands) == 1
    assert caught.value.text.startswith("apt-get ended with exit code 100: " + told)
    assert "Reading package lists" not in caught.value.detail


@pytest.mark.parametrize("case", BOTH)
def test_of_two_errors_the_decisive_one_counts(setup: t.Any, recorder: Recorder, clock: Clock, case: str) -> None:
    command, output, is_waited_for = BOTH[case]
    recorder.answers[command] = [(1, output), "done"]
    if is_waited_for:
        assert setup.patiently(recorder.machine, command.split()) == "done"
        return
    with pytest.raises(setup.Problem):
        setup.patiently(recorder.machine, command.split())
    assert len(recorder.commands) == 1


def test_the_holder_of_a_lock_is_named_once(
    setup: t.Any, recorder: Recorder, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = recorder.put("/var/lib/dpkg/lock-frontend", "")
    recorder.put("/proc/locks", f"1: POSIX  ADVISORY  WRITE 4711 08:01:{os.stat(lock).st_ino} 0 EOF\n")
    recorder.put("/proc/4711/comm", "unattended-upgr\n")
    recorder.answers["apt-get"] = [*[(100, LOCKS[3])] * 3, *[(100, LOCKS[1])] * 2, "done"]
    setup.Apt(recorder.machine).apt_get("update")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "facts: wait for the package manager's lock, held by unattended-upgr (pid 4711)",
        "facts: wait for the package manager's lock, held by apt-get (pid 4711)",
    ]


def test_the_command_is_named_by_its_verb(setup: t.Any, tmp_path: Path) -> None:
    machine = setup.Machine(str(tmp_path))
    machine.alive = True
    with pytest.raises(setup.Problem, match=r"^false install docker-ce ended with exit code 1$"):
        machine.run(["false", "-y", "-q", "install", "docker-ce"])
