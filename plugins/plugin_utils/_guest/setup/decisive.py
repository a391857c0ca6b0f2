# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which error decides where a package manager names several: the lines of its output that say why it failed.

Each of them prints warnings, sources that it passed over and mirrors that it tried beside the error that ended it
(apt-get(8), ``skip_if_unavailable`` in dnf.conf(5), zypper(8)). Where everything is needed, one lasting error decides,
since waiting does not remove it. Where one of several is enough, one error that may pass is worth waiting for:
``apt-get update`` reads all sources, dnf and yum try every mirror of a repository, and the package may be in a
repository that zypper passed over.
"""

import re

# By program and verb (None: any other), the lines of an error, or None where each line may be one; and whether one
# lasting error among them decides.
RULES = {
    ("apt-get", "update"): (r"E: ", False),
    ("apt-get", None): (r"E: |dpkg: error", True),
    ("dpkg", None): (r"E: |dpkg: error", True),
    ("dnf", None): (None, False),
    ("yum", None): (None, False),
    ("tdnf", None): (None, False),
    ("zypper", None): (None, False),
}
# With these lines nothing that was printed before counts: the command got past it, and ended for this reason.
ENDINGS = {
    "dnf": r"(Error: |Failed to resolve the transaction|No match for argument|GPG check FAILED|Public key for )",
    "yum": r"(Error: |No package .* available|Public key for )",
    "tdnf": r"(Error\(\d+\)|Error: )",
    "zypper": r"(Problem: |.*nothing provides |Signature verification failed|.*No space left)",
}
# These endings are about what could not be fetched, so the lines before them say why.
FETCHING = re.compile(
    r"metadata|(Cannot|Failed to|Error) download|No more mirrors|All mirrors|Curl error|Cannot retrieve|Error\(12\d\d\)"
)
REPOSITORY = re.compile(r"metadata for repo '([^']+)'")
# Lines that only repeat that something failed.
SUMMARY = re.compile(r"E: (Unable to fetch some|Some index files|Sub-process)")


def deciding(argv, output):
    """Return the lines of a failed command's output that decide, and whether a lasting one among them is decisive.

    Without a line that can be told from the others, all of them count.
    """
    program = argv[0].rpartition("/")[2]
    verb = "update" if "update" in argv[1:] else None
    form, lasting = RULES.get((program, verb)) or RULES.get((program, None)) or (None, False)
    lines = [line.strip() for line in output.replace("\r", "\n").splitlines() if line.strip()]
    if form:
        found = [line for line in lines if re.match(form, line) and not SUMMARY.match(line)]
        return found or lines, lasting and bool(found)
    return behind_the_end(lines, ENDINGS.get(program)), lasting


def behind_the_end(lines, ending):
    """Return the lines of the error that ended the command, all lines when none of them is known to end it."""
    ends = [number for number, line in enumerate(lines) if ending and re.match(ending, line)]
    if not ends:
        return lines
    error = lines[ends[0] :]
    repository = REPOSITORY.search(" ".join(error))
    if repository:
        return about(repository.group(1), lines)
    return lines if FETCHING.search(" ".join(error)) else error


def about(repository, lines):
    """Return the lines from where dnf begins to say why it cannot read a repository; all lines without such a place."""
    head = re.compile("Errors during downloading metadata for repository '{}'".format(re.escape(repository)))
    found = [number for number, line in enumerate(lines) if head.match(line)]
    return lines[found[-1] :] if found else lines
