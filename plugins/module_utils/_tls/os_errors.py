# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of the operating system in words."""

from __future__ import annotations

import contextlib
import errno
import typing as t

from .._errors import DockerHostError

REASONS = {
    errno.ENOSPC: "there is no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would become larger than this process may write",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: "there is a symbolic link where a file should be",
}


def describe(error: OSError) -> str:
    """Return what went wrong, in words."""
    text = REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()
    return f"{text} ({error.filename})" if error.filename else text


@contextlib.contextmanager
def explained(root: str, outcome: str) -> t.Iterator[None]:
    """Turn an error of the operating system into one for the user.

    :raises DockerHostError: with the reason, and with the state in which the files are now.
    """
    try:
        yield
    except OSError as error:
        raise DockerHostError(f"{root}: {outcome}: {describe(error)}") from error
