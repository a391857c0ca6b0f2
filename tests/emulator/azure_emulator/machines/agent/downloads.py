# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How CustomScript downloads the files of ``fileUris``: tried again for three minutes, with an error code per cause."""

from __future__ import annotations

import json
import os
import socket
import time
import typing as t
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from azure_emulator.machines.agent.handler import HandlerError, failure

PAUSES = (3, 6, 12, 24, 48, 96)
INVALID_URI, NETWORK, TIMEOUT, OTHER_ANSWER = 25, -40, 56, 54
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_TEXT_ENDINGS = (".sh", ".txt", ".py", ".pl")
_PEEK = 64
_PORTS = {"http": 80, "https": 443}
#: What the handler says about a status of the server; {0} is its host, {1} the status with its reason.
_ANSWERS: t.Mapping[int, tuple[int, str]] = {
    400: (
        -41,
        "from {0} because parts of the request were incorrectly formatted, missing, and/or invalid. "
        "The response code and message returned were: {1}",
    ),
    401: (
        52,
        "from {0} because access was denied. Please fix the blob permissions and try again, "
        "the response code and message returned were: {1}",
    ),
    404: (
        53,
        "from {0} because it does not exist. Please create the blob and try again, "
        "the response code and message returned were: {1}",
    ),
    500: (-1, "from {0} due to an issue with storage. The response code and message returned were: {1}"),
}
_OTHER = (
    "from {0} because the server returned a response code and message of {1} "
    "Please verify the machine has network connectivity."
)


class _DownloadError(Exception):
    """One download that failed. :param again: whether it is worth another try."""

    def __init__(self, text: str, code: int, again: bool) -> None:
        super().__init__(text)
        self.code, self.again = code, again


def download(
    uris: t.Sequence[str],
    folder: Path,
    log: t.Callable[..., None] = lambda *_words, **_fields: None,
    sleep: t.Callable[[float], None] = time.sleep,
) -> t.Iterator[Path]:
    """Download files one after the other, and yield where each is. :raises HandlerError: one cannot be downloaded."""
    for index, uri in enumerate(uris):
        log("download start", file=index)
        try:
            yield _download(uri, folder, sleep)
        except _DownloadError as error:
            log("download failed", file=index, error=error)
            raise _wrapped(index, str(error), error.code) from None
        log("download complete", file=index, output=folder)


def _wrapped(index: int, reason: str, code: int) -> HandlerError:
    return failure(f"processing file downloads failed: failed to download file[{index}]: {reason}", code)


def _download(uri: str, folder: Path, sleep: t.Callable[[float], None]) -> Path:
    parts = urlsplit(uri)
    name = unquote(parts.path).rpartition("/")[2]
    if not name:
        raise _DownloadError(f"cannot extract file name from URL: {json.dumps(uri)}", INVALID_URI, False)
    if not parts.netloc:
        raise _DownloadError("[REDACTED] is not a valid url", INVALID_URI, False)
    target = folder / name
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o500), "wb") as file:
        for pause in (*PAUSES, None):
            try:
                file.write(_content(uri))
                return target
            except _DownloadError as error:
                if pause is None or not error.again:
                    reason = f"failed to download response and write to file: {target}: {error}"
                    raise _DownloadError(reason, error.code, False) from None
                sleep(pause)
    raise AssertionError


def _content(uri: str) -> bytes:
    request = urllib.request.Request(uri, headers={"x-ms-client-request-id": str(uuid.uuid4())})
    try:
        with urllib.request.build_opener().open(request, timeout=30) as answer:
            if answer.status == 200:
                return t.cast("bytes", answer.read())
            raise _refused(uri, answer.status, answer.reason, answer.headers)
    except urllib.error.HTTPError as error:
        raise _refused(uri, error.code, error.reason, error.headers) from None
    except TimeoutError as error:
        raise _DownloadError(f'http request timed out: Get "[REDACTED]": {error}', TIMEOUT, True) from None
    except (OSError, ValueError) as error:
        raise _DownloadError(f"http request failed: Get [REDACTED] {_cause(uri, error)}", NETWORK, True) from None


def _cause(uri: str, error: Exception) -> str:
    parts, reason = urlsplit(uri), getattr(error, "reason", error)
    if isinstance(reason, ConnectionRefusedError):
        return f"dial tcp {parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}: connect: connection refused"
    if isinstance(reason, socket.gaierror):
        return f"dial tcp: lookup {parts.hostname}: no such host"
    return str(reason)


def _refused(uri: str, status: int, reason: str, headers: t.Any) -> _DownloadError:
    code, text = _ANSWERS.get(status, (OTHER_ANSWER, _OTHER))
    text = text.format(urlsplit(uri).netloc.rpartition("@")[2], json.dumps(f"{status} {reason}"))
    identity = headers.get("x-ms-request-id")
    text = f"CustomScript failed to download the file {text}"
    return _DownloadError(f"{text} (Service request ID: {identity})" if identity else text, code, status in _TRANSIENT)


def is_text(path: Path, content: bytes) -> bool:
    """Return whether a downloaded file counts as a script, by its name or its first bytes."""
    return path.suffix.lower() in _TEXT_ENDINGS or dos2unix(content[:_PEEK]).startswith(b"#!")


def dos2unix(content: bytes) -> bytes:
    """Scripts written on Windows: UTF-8, no byte order mark, no carriage returns."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
