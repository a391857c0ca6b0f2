# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One session with Azure: signed in, with a client for Compute and one for everything else.

Private to this collection. Everything is sent through :meth:`AzureSession.call` and :meth:`AzureSession.begin`,
which add the API version, turn SDK errors into ours and give answers in wire format (camelCase dicts), whatever the
SDK's version makes of them.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import threading
import typing as t

from .._backend import silent
from .._errors import MissingLibraryError
from . import settings as found
from .api_versions import COMPUTE, api_version_of
from .clouds import Cloud, find_cloud
from .credentials import AuthMethod, AuthTarget, select_auth_method, wants_no_discovery
from .errors import AuthenticationError, AzureError, from_sdk
from .operations import Deadline, Operation, OperationInfo, ProgressReporter, polling_method
from .origins import redirect_policy
from .tokens import SharedCredential
from .transport import COMPUTE_REQUIREMENT, make_transport
from .wire import Json

USER_AGENT = "dockerhost.azure"
LOAD_AFTER_SECONDS = 0.5
"""After which azure-mgmt-compute is loaded: a create's first requests are sent by then."""


_shared: dict[tuple[t.Any, ...], AzureSession] | None = None


@contextlib.contextmanager
def shared_sessions() -> t.Iterator[None]:
    """Let tasks that run one after another in this process use one session, as long as they sign in alike.

    It signs in once and is closed at the end. What the first of them said of progress and deadline counts.
    """
    global _shared
    _shared = {}
    try:
        yield
    finally:
        sessions, _shared = list(_shared.values()), None
        for session in sessions:
            session.close()


class AzureSession:
    """A signed-in session. Use as a context manager.

    :param way: how to sign in.
    :param place: where.
    :param subscription_id: the subscription.
    :param progress: shows one line to the user.
    :param deadline: when waiting for operations ends.
    :param concurrency: how many such sessions may work at the same time.
    :param token_cache: a private directory of this run, in which processes share access tokens.
    """

    def __init__(
        self,
        way: AuthMethod,
        place: AuthTarget,
        subscription_id: str,
        progress: t.Callable[[str], None] = silent,
        deadline: Deadline | None = None,
        concurrency: int = 1,
        token_cache: str | None = None,
    ) -> None:
        self.way = way
        self.place = place
        self.subscription_id = subscription_id
        self.progress = progress
        self.deadline = deadline or Deadline(None)
        self.concurrency = concurrency
        _keep_quiet()
        self._transport = make_transport(place.ca_path, lambda: self.deadline.left, place.cloud.resource_manager)
        self._credential = SharedCredential(way, place, token_cache)
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
        """A session as a task's options, or else the environment, ask for. A private cloud is asked for its endpoints.

        :param params: options of :func:`azure_argument_spec`; absent ones count as unset.
        :param wait_timeout: seconds until waiting for operations ends; None means never.
        :param concurrency: how many such sessions may work at the same time.
        :param token_cache: the directory in which processes share access tokens; None shares none.
        :raises AuthenticationError: nothing to sign in with was found.
        :raises OptionError: an option is wrong.
        :raises AzureError: a private cloud does not answer.
        """
        way = select_auth_method(params, os.environ)
        subscription = way.settings.subscription_id or found.first_set(os.environ, "AZURE_SUBSCRIPTION_ID")
        if not subscription:
            raise AuthenticationError(
                "No subscription: give subscription_id, or set AZURE_SUBSCRIPTION_ID, or subscription_id in the profile"
                " of ~/.azure/credentials, or choose one with `az account set`."
            )
        same = (way, *_configured_auth_target(params, way), params.get("disable_instance_discovery"), subscription)
        if _shared is not None and same in _shared:
            return _shared[same]
        target, deadline = find_auth_target(params, way), Deadline(wait_timeout)
        session = cls(way, target, subscription, progress, deadline, concurrency, token_cache)
        if _shared is not None:
            _shared[same] = session
        return session

    def __enter__(self) -> AzureSession:
        return self

    def __exit__(self, *exception: object) -> None:
        if _shared is None or self not in _shared.values():
            self.close()

    def close(self) -> None:
        """Close connections."""
        self._transport.close()
        self._credential.close()

    @property
    def cloud(self) -> Cloud:
        """The cloud."""
        return self.place.cloud

    @property
    def signed_in_with(self) -> str:
        """The way that was used, in words and without secrets."""
        return self.way.label

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
            )
        return self._compute

    def require_compute(self) -> None:
        """See that azure-mgmt-compute is there, without loading it.

        :raises MissingLibraryError: it is not installed.
        """
        try:
            missing = importlib.util.find_spec("azure.mgmt.compute") is None
        except ImportError:
            missing = True
        if missing:
            raise MissingLibraryError(COMPUTE_REQUIREMENT, ImportError("No module named 'azure.mgmt.compute'"))

    def load_compute(self) -> None:
        """Load azure-mgmt-compute (half a second) beside what else is done; :attr:`compute` waits for it.

        It begins a moment later: first the requests go out for whose answers there is to be waited.
        """
        loading = threading.Timer(LOAD_AFTER_SECONDS, _load, ("azure.mgmt.compute",))
        loading.daemon = True
        loading.start()

    @property
    def arm(self) -> ArmClient:
        """A client for network resources, resource groups and anything else by its id."""
        if self._arm is None:
            self._arm = ArmClient(self, self._credential, self._transport)
        return self._arm

    def group_id(self, resource_group: str, subscription_id: str | None = None) -> str:
        """The id of a resource group."""
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
            return function(*args, api_version=api_version, cls=_wire, **keywords)
        except _sdk_error() as error:
            raise from_sdk(operation, resource, error) from error

    def find(
        self, operation: str, resource: str, function: t.Callable[..., t.Any], *args: t.Any, **keywords: t.Any
    ) -> t.Any:
        """As :meth:`call`, with None for what does not exist."""
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
        """All items of a list that comes in pages, by a function of an SDK client; in wire format."""
        items: list[Json] = []

        def keep(response: t.Any) -> None:
            items.extend(response.http_response.json().get("value") or [])

        try:
            for _item in function(*args, api_version=api_version, raw_response_hook=keep, **keywords):
                pass
        except _sdk_error() as error:
            raise from_sdk(operation, resource, error) from error
        return items

    def begin(
        self,
        work: OperationInfo,
        function: t.Callable[..., t.Any],
        *args: t.Any,
        api_version: str = COMPUTE,
        over: t.Callable[[], bool] | None = None,
        **keywords: t.Any,
    ) -> Operation:
        """Begin a long-running operation by a ``begin_*`` function of an SDK client. It is polled in the background.

        :param over: tells by the resource itself whether the operation is over; asked in long pauses between polls.
        :raises AzureError: Azure refused it.
        """
        watch = ProgressReporter(work, self.progress, self.concurrency)
        try:
            poller = function(
                *args, api_version=api_version, cls=_wire, polling=polling_method(watch, over), **keywords
            )
        except _sdk_error() as error:
            raise from_sdk(work.operation, work.resource, error) from error
        return Operation(poller, watch, self.deadline)


class ArmClient:
    """Resources by id: azure-mgmt-core's pipeline (retry, provider registration, challenge) and polling.

    The API version follows from the id. Made by :attr:`AzureSession.arm`.
    """

    def __init__(self, session: AzureSession, credential: t.Any, transport: t.Any) -> None:
        from azure.core.configuration import Configuration
        from azure.core.pipeline import policies
        from azure.mgmt.core import ARMPipelineClient
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

        config = Configuration()
        config.headers_policy = policies.HeadersPolicy()
        config.user_agent_policy = policies.UserAgentPolicy(USER_AGENT)
        config.proxy_policy = policies.ProxyPolicy()
        config.redirect_policy = redirect_policy()
        config.retry_policy = policies.RetryPolicy()
        config.logging_policy = policies.NetworkTraceLoggingPolicy()
        config.http_logging_policy = ARMHttpLoggingPolicy()
        config.authentication_policy = ARMChallengeAuthenticationPolicy(credential, session.cloud.scope)
        self._session = session
        self._client = ARMPipelineClient(
            session.cloud.resource_manager,
            config=config,
            transport=transport,
            per_call_policies=[policies.RequestIdPolicy()],
        )

    def get(self, path: str, **query: str) -> Json:
        """Read a resource.

        :raises AzureError: it does not exist, or cannot be read.
        """
        return t.cast("Json", self._call("read", "GET", path, query=query))

    def find(self, path: str, **query: str) -> Json | None:
        """Read a resource, None when it does not exist."""
        try:
            return self.get(path, **query)
        except AzureError as error:
            if error.not_found:
                return None
            raise

    def list(self, path: str, **query: str) -> list[Json]:
        """All items of a list, page by page."""
        items: list[Json] = []
        answer = self._call("list", "GET", path, query=query) or {}
        while True:
            items.extend(answer.get("value") or [])
            following = answer.get("nextLink")
            if not following:
                return items
            answer = self._call("list", "GET", path, url=following) or {}

    def put(self, path: str, body: Json) -> Json:
        """Create or replace what Azure creates at once, such as a resource group."""
        return t.cast("Json", self._call("create or update", "PUT", path, body))

    def patch(self, path: str, body: Json) -> Json:
        """Change what Azure changes at once, such as tags."""
        return t.cast("Json", self._call("update", "PATCH", path, body))

    def post(self, path: str, body: Json | None = None, **query: str) -> t.Any:
        """Ask for an action that answers at once."""
        return self._call("ask", "POST", path, body, query=query)

    def begin(
        self,
        work: OperationInfo,
        method: str,
        path: str,
        body: Json | None = None,
        over: t.Callable[[], bool] | None = None,
    ) -> Operation:
        """Begin a long-running request.

        :param method: ``PUT``, ``PATCH``, ``POST`` or ``DELETE``.
        :param over: see :meth:`AzureSession.begin`.
        :raises AzureError: Azure refused it.
        """
        return self._session.begin(work, self._begin, method, path, body, api_version=api_version_of(path), over=over)

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: t.Mapping[str, str] | None = None,
        url: str | None = None,
    ) -> t.Any:
        try:
            return _wire(self._send(method, path, body, api_version_of(path), query, url))
        except _sdk_error() as error:
            raise from_sdk(operation, path, error) from error

    def _begin(
        self, method: str, path: str, body: Json | None, *, api_version: str, cls: t.Any, polling: t.Any
    ) -> t.Any:
        from azure.core.polling import LROPoller

        first = self._send(method, path, body, api_version)
        return LROPoller(self._client, first, cls, polling)

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None,
        api_version: str,
        query: t.Mapping[str, str] | None = None,
        url: str | None = None,
    ) -> t.Any:
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest
        from azure.mgmt.core.exceptions import ARMErrorFormat

        parameters = {"api-version": api_version, **(query or {})}
        if url:
            request = HttpRequest(method, url)
        else:
            request = HttpRequest(
                method,
                self._session.cloud.resource_manager + path,
                params=parameters,
                json=body,
                headers={"Accept": "application/json"},
            )
        answer = self._client.send_request(request, _return_pipeline_response=True)
        if answer.http_response.status_code >= 300:
            raise HttpResponseError(response=answer.http_response, error_format=ARMErrorFormat)
        return answer


def find_auth_target(params: t.Mapping[str, t.Any], way: AuthMethod) -> AuthTarget:
    """Where a task's options, or else the environment, say to sign in. A private cloud is asked for its endpoints.

    :raises OptionError: there is no such cloud.
    :raises AzureError: a private cloud does not answer.
    """
    name, ca_path = _configured_auth_target(params, way)
    cloud = find_cloud(name, ca_path)
    return AuthTarget(cloud, ca_path, wants_no_discovery(params, cloud))


def _configured_auth_target(params: t.Mapping[str, t.Any], way: AuthMethod) -> tuple[str | None, str | None]:
    """The cloud's name or URL, and the file with the CA of its endpoints."""
    name = found.option_or_variable(params, "cloud_environment", "AZURE_CLOUD_ENVIRONMENT")
    return way.settings.cloud_environment or name, found.option_or_variable(params, "cloud_ca_path", found.CA_VARIABLE)


def _load(name: str) -> None:
    # What is wrong with it is said where it is used.
    with contextlib.suppress(Exception):
        importlib.import_module(name)


def _wire(answer: t.Any, *_deserialized: t.Any) -> t.Any:
    """An answer's body as it came, None when it is empty."""
    response = answer.http_response
    return response.json() if response.text().strip() else None


def _keep_quiet() -> None:
    """Without a handler, warnings of the SDK would go to the standard error output; errors say what matters in them."""
    for name in ("azure", "msal"):
        logger = logging.getLogger(name)
        if not logger.hasHandlers():
            logger.addHandler(logging.NullHandler())


def _sdk_error() -> type[Exception]:
    from azure.core.exceptions import AzureError as SdkError

    return t.cast("type[Exception]", SdkError)
