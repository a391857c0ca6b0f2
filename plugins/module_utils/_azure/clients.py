# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One session with Azure: signed in, with a client for Compute and one for everything else.

Private to this collection. All requests go through :meth:`AzureSession.call` and :meth:`AzureSession.begin`, which add
the API version, convert errors of the SDK to the collection's own, and return answers in wire format (camelCase dicts),
whatever the SDK's version returns.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import threading
import typing as t
from dataclasses import dataclass, field

from .._backend import silent
from .._errors import MissingLibraryError
from .api_versions import COMPUTE
from .arm import USER_AGENT, ArmClient, body_of
from .clouds import Cloud, find_cloud
from .credentials import AuthMethod, AuthTarget, select_auth_method, skips_discovery
from .errors import AuthenticationError, AzureError, from_sdk, sdk_error
from .operations import Deadline, Operation, OperationInfo, ProgressReporter, never, polling_method
from .origins import redirect_policy
from .retries import retry_policy
from .settings import CA_VARIABLE, first_set, option_or_variable
from .tokens import SharedCredential
from .transport import COMPUTE_REQUIREMENT, make_transport
from .wire import Json

LOAD_AFTER_SECONDS = 0.5
"""After which azure-mgmt-compute is loaded: a create's first requests are sent by then."""


@dataclass(frozen=True)
class SessionOptions:
    """The options that a session takes from its task.

    :param progress: shows one line to the user.
    :param deadline: when waiting for operations ends.
    :param concurrency: how many such sessions may work at the same time.
    :param token_cache: a private directory of this run, in which processes share access tokens; None shares none.
    """

    progress: t.Callable[[str], None] = silent
    deadline: Deadline = field(default_factory=lambda: Deadline(None))
    concurrency: int = 1
    token_cache: str | None = None


class AzureSession:
    """A signed-in session. Use as a context manager.

    :param method: how to sign in.
    :param target: where to sign in.
    :param subscription_id: the subscription.
    """

    def __init__(
        self,
        method: AuthMethod,
        target: AuthTarget,
        subscription_id: str,
        options: SessionOptions = SessionOptions(),
    ) -> None:
        self.auth_method = method
        self.auth_target = target
        self.subscription_id = subscription_id
        self.progress = options.progress
        self.deadline = options.deadline
        self.concurrency = options.concurrency
        _keep_quiet()
        self._transport = make_transport(target.ca_path, lambda: self.deadline.left, target.cloud.resource_manager)
        self._credential = SharedCredential(method, target, options.token_cache)
        self._compute: t.Any = None
        self._arm: ArmClient | None = None

    @classmethod
    def from_params(
        cls,
        params: t.Mapping[str, t.Any],
        progress: t.Callable[[str], None] = silent,
        wait_timeout: float | None = None,
        concurrency: int = 1,
        token_cache: str | None = None,
    ) -> AzureSession:
        """Return the session that a task's options, or else the environment, select.

        It sends a request only for a private cloud, which it asks for its endpoints.

        :param params: options of :func:`azure_argument_spec`; absent ones count as unset.
        :param wait_timeout: seconds until waiting for operations ends; None means never.
        :param concurrency: how many such sessions may work at the same time.
        :param token_cache: the directory in which processes share access tokens; None shares none.
        :raises AuthenticationError: nothing to sign in with was found.
        :raises OptionError: an option is wrong.
        :raises AzureError: a private cloud does not answer.
        """
        method = select_auth_method(params, os.environ)
        subscription = method.settings.subscription_id or first_set(os.environ, "AZURE_SUBSCRIPTION_ID")
        if not subscription:
            raise AuthenticationError(
                "No subscription: give O(subscription_id), or set AZURE_SUBSCRIPTION_ID, or subscription_id in the"
                " profile of ~/.azure/credentials, or choose one with `az account set`."
            )
        options = SessionOptions(progress, Deadline(wait_timeout), concurrency, token_cache)
        return cls(method, find_auth_target(params, method, token_cache), subscription, options)

    def __enter__(self) -> AzureSession:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections."""
        self._transport.close()
        self._credential.close()

    @property
    def cloud(self) -> Cloud:
        """The cloud."""
        return self.auth_target.cloud

    @property
    def signed_in_with(self) -> str:
        """The way in which the session signed in, in words and without secrets."""
        return self.auth_method.label

    @property
    def compute(self) -> t.Any:
        """The SDK's client for Compute. Call its functions through :meth:`call` and :meth:`begin`."""
        if self._compute is None:
            try:
                from azure.mgmt.compute import ComputeManagementClient
            except ImportError as error:
                raise MissingLibraryError(COMPUTE_REQUIREMENT, error) from error
            self._compute = ComputeManagementClient(
                self._credential,
                self.subscription_id,
                base_url=self.cloud.resource_manager,
                credential_scopes=[self.cloud.scope],
                user_agent=USER_AGENT,
                transport=self._transport,
                redirect_policy=redirect_policy(),
                retry_policy=retry_policy(self.progress),
            )
        return self._compute

    def require_compute(self) -> None:
        """Check that azure-mgmt-compute is installed, without loading it.

        :raises MissingLibraryError: it is not installed.
        """
        try:
            missing = importlib.util.find_spec("azure.mgmt.compute") is None
        except ImportError:
            missing = True
        if missing:
            raise MissingLibraryError(COMPUTE_REQUIREMENT, ImportError("No module named 'azure.mgmt.compute'"))

    def load_compute(self) -> None:
        """Load azure-mgmt-compute (half a second) in the background; :attr:`compute` waits for it.

        Loading begins a moment later, so that the first requests are sent before it.
        """
        loading = threading.Timer(LOAD_AFTER_SECONDS, _load, ("azure.mgmt.compute",))
        loading.daemon = True
        loading.start()

    @property
    def arm(self) -> ArmClient:
        """A client for network resources, resource groups and anything else by its id."""
        if self._arm is None:
            self._arm = ArmClient(self.cloud, self._credential, self._transport, self.begin, self.progress)
        return self._arm

    def group_id(self, resource_group: str, subscription_id: str | None = None) -> str:
        """Return the id of a resource group."""
        return f"/subscriptions/{subscription_id or self.subscription_id}/resourceGroups/{resource_group}"

    def call(
        self,
        operation: str,
        resource: str,
        function: t.Callable[..., t.Any],
        *args: t.Any,
        api_version: str = COMPUTE,
        **keywords: t.Any,
    ) -> t.Any:
        """Send one request by a function of an SDK client.

        :param operation: a phrase that follows "Could not" in an error, for example ``read the VM``.
        :param resource: the resource's name or id, for errors.
        :returns: the answer in wire format, None when it is empty.
        :raises AzureError: Azure refused, or did not answer.
        """
        try:
            return function(*args, api_version=api_version, cls=body_of, **keywords)
        except sdk_error() as error:
            raise from_sdk(operation, resource, error) from error

    def find(
        self, operation: str, resource: str, function: t.Callable[..., t.Any], *args: t.Any, **keywords: t.Any
    ) -> t.Any:
        """Do the same as :meth:`call`, but return None if the resource does not exist."""
        try:
            return self.call(operation, resource, function, *args, **keywords)
        except AzureError as error:
            if error.not_found:
                return None
            raise

    def pages(
        self,
        operation: str,
        resource: str,
        function: t.Callable[..., t.Any],
        *args: t.Any,
        api_version: str = COMPUTE,
        **keywords: t.Any,
    ) -> list[Json]:
        """Return all items of a list that comes in pages, by a function of an SDK client, in wire format."""
        items: list[Json] = []

        def keep(response: t.Any) -> None:
            items.extend(response.http_response.json().get("value") or [])

        try:
            for _item in function(*args, api_version=api_version, raw_response_hook=keep, **keywords):
                pass
        except sdk_error() as error:
            raise from_sdk(operation, resource, error) from error
        return items

    def begin(
        self,
        work: OperationInfo,
        function: t.Callable[..., t.Any],
        *args: t.Any,
        api_version: str = COMPUTE,
        over: t.Callable[[], bool] | None = None,
        enough: t.Callable[[], bool] = never,
        **keywords: t.Any,
    ) -> Operation:
        """Begin a long-running operation by a ``begin_*`` function of an SDK client. It is polled in the background.

        :param over: tells by the resource itself whether the operation is over; asked in long pauses between polls.
        :param enough: see :func:`polling_method`.
        :raises AzureError: Azure refused it.
        """
        watch = ProgressReporter(work, self.progress, self.concurrency)
        polling = polling_method(watch, over, enough)
        try:
            poller = function(*args, api_version=api_version, cls=body_of, polling=polling, **keywords)
        except sdk_error() as error:
            raise from_sdk(work.operation, work.resource, error) from error
        return Operation(poller, watch, self.deadline)


def find_auth_target(params: t.Mapping[str, t.Any], method: AuthMethod, run_directory: str | None = None) -> AuthTarget:
    """Return where a task signs in, as its options, or else the environment, say.

    :param run_directory: a private directory in which the processes of a run share a private cloud's description.
    :raises OptionError: the options name no cloud.
    :raises AzureError: a private cloud does not answer.
    """
    name, ca_path = _configured_auth_target(params, method)
    cloud = find_cloud(name, ca_path, run_directory)
    return AuthTarget(cloud, ca_path, skips_discovery(params, cloud))


def _configured_auth_target(params: t.Mapping[str, t.Any], method: AuthMethod) -> tuple[str | None, str | None]:
    """Return the cloud's name or URL, and the file with the CA of its endpoints."""
    name = option_or_variable(params, "cloud_environment", "AZURE_CLOUD_ENVIRONMENT")
    return method.settings.cloud_environment or name, option_or_variable(params, "cloud_ca_path", CA_VARIABLE)


def _load(name: str) -> None:
    # The code that uses the module reports an error of the import.
    with contextlib.suppress(Exception):
        importlib.import_module(name)


def _keep_quiet() -> None:
    """Keep warnings of the SDK out of the standard error output, because errors say what matters in them."""
    for name in ("azure", "msal"):
        logger = logging.getLogger(name)
        if not logger.hasHandlers():
            logger.addHandler(logging.NullHandler())
