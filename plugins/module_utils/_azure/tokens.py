# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access tokens, shared by the requests of a task and by the worker processes of a run.

azure-identity keeps tokens within one process, and those of the Azure CLI not at all. The tasks of a play run in one
forked process for each host, so each of twenty hosts would sign in, with ``az`` at the cost of a Python process of its
own that fails when many run at once (Azure/azure-sdk-for-python#37739).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
import typing as t
from functools import cached_property
from pathlib import Path

from .credentials import AuthMethod, AuthTarget
from .errors import AuthenticationError, sign_in_error
from .run_files import Entry, locked, read_entry, replace, shared_directory, write_entry

REFRESH_SECONDS = 300
"""A token that expires within this time is not used any more."""
KEY_FILE = "key"
KEY_BYTES = 32
# Besides the options, these decide who signs in: they say where az and the managed identity's endpoint are configured.
_ENVIRONMENT = ("AZURE_CONFIG_DIR", "HOME", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
# These do not, because one identity has the same tokens in all subscriptions.
_IRRELEVANT = ("subscription_id", "cloud_environment", "thumbprint")


class SharedCredential:
    """A credential that signs in once for all requests of this process, and of other processes with the same directory.

    :param directory: a private directory of this run, below which tokens are shared; None shares none.
    """

    def __init__(self, method: AuthMethod, target: AuthTarget, directory: str | None = None) -> None:
        self._method = method
        self._target = target
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        shared = shared_directory(directory) if directory else None
        self._store = TokenStore(shared) if shared else None

    def get_token(self, *scopes: str, **options: t.Any) -> t.Any:
        """Return an access token for the scopes.

        :param options: azure-core's ``claims`` (an answer to a challenge, so that no earlier token will do),
            ``tenant_id`` and ``enable_cae``.
        :raises AuthenticationError: signing in failed; the text says which way was tried.
        """
        from azure.core.credentials import AccessToken

        request = json.dumps([scopes, options.get("tenant_id"), bool(options.get("enable_cae"))])
        with self._lock:
            if options.get("claims"):
                self._entries.pop(request, None)
                return self._sign_in(*scopes, **options)
            entry = self._entries.get(request)
            if not _is_fresh(entry):
                entry = self._shared(request, lambda: self._new_entry(*scopes, **options))
                self._entries[request] = entry
        return AccessToken(str(entry["token"]), int(entry["expires_on"]))

    def close(self) -> None:
        """Close the credential's connections."""
        close = getattr(self.__dict__.get("_credential"), "close", None)
        if close:
            close()

    @cached_property
    def _credential(self) -> t.Any:
        """The SDK's credential. It is created for signing in, and a token of another process makes that needless."""
        return self._method.credential(self._target)

    def _shared(self, request: str, sign_in: t.Callable[[], Entry]) -> Entry:
        if self._store is None:
            return sign_in()
        return self._store.get(json.dumps([request, identity_of(self._method, self._target)]), sign_in)

    def _new_entry(self, *scopes: str, **options: t.Any) -> Entry:
        token = self._sign_in(*scopes, **options)
        return {"token": token.token, "expires_on": token.expires_on}

    def _sign_in(self, *scopes: str, **options: t.Any) -> t.Any:
        from azure.core.exceptions import ClientAuthenticationError

        try:
            return self._credential.get_token(*scopes, **options)
        except ClientAuthenticationError as error:
            raise sign_in_error(self._method.label, self._method.searched, error) from error


class TokenStore:
    """Files with one access token each, which only their user can read, under names that give nothing away.

    :param directory: an existing private directory.
    """

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def get(self, identity: str, sign_in: t.Callable[[], Entry]) -> Entry:
        """Return the token of an identity. The first process that needs it signs in, and others wait for it.

        :param identity: everything that decides about the token, secrets included; only its keyed hash is stored.
        :raises AuthenticationError: signing in failed, here or in the process that this one waited for.
        """
        waiting_since = time.monotonic()
        with contextlib.ExitStack() as held:
            try:
                path = self._directory / hmac.new(self._key(), identity.encode(), hashlib.sha256).hexdigest()
                held.enter_context(locked(path.with_suffix(".lock")))
            except OSError:
                return sign_in()
            entry = read_entry(path)
            if _is_fresh(entry):
                return entry
            if float(entry.get("failed_at") or 0) < waiting_since:
                return self._sign_in(path, sign_in)
        # The process that this one waited for failed: nobody waits for another such attempt.
        if entry.get("error"):
            raise AuthenticationError(str(entry["error"]))
        return sign_in()

    def _sign_in(self, path: Path, sign_in: t.Callable[[], Entry]) -> Entry:
        try:
            entry = sign_in()
        except Exception as error:
            refused = error.message if isinstance(error, AuthenticationError) else None
            write_entry(path, {"failed_at": time.monotonic(), "error": refused})
            raise
        write_entry(path, entry)
        return entry

    def _key(self) -> bytes:
        """Return the directory's own random key. Without it, a name would tell a guessed secret from a wrong one."""
        path = self._directory / KEY_FILE
        with locked(path.with_suffix(".lock")):
            with contextlib.suppress(FileNotFoundError):
                return path.read_bytes()
            key = secrets.token_bytes(KEY_BYTES)
            replace(path, key)
            return key


def identity_of(method: AuthMethod, target: AuthTarget) -> str:
    """Return everything that decides who signs in and where, secrets included."""
    settings = {key: value for key, value in dataclasses.asdict(method.settings).items() if key not in _IRRELEVANT}
    certificate = settings.get("x509_certificate_path")
    files = [Path(os.path.expanduser(certificate)) if certificate else None, _cli_profile()]
    return json.dumps(
        {
            "authority": target.cloud.authority,
            "method": type(method).__name__,
            "settings": settings,
            "environment": [os.environ.get(name) for name in _ENVIRONMENT],
            "files": [_digest(path) for path in files],
        },
        sort_keys=True,
    )


def _cli_profile() -> Path:
    """Return the file that changes when somebody else signs in with the Azure CLI."""
    return Path(os.path.expanduser(os.environ.get("AZURE_CONFIG_DIR") or "~/.azure")) / "azureProfile.json"


def _digest(path: Path | None) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path else None
    except OSError:
        return None


def _is_fresh(entry: Entry | None) -> t.TypeGuard[Entry]:
    return bool(entry and entry.get("token") and float(entry.get("expires_on") or 0) - time.time() > REFRESH_SECONDS)
