# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send requests to Azure Resource Manager by resource ids."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .api_versions import api_version_of
from .clock import seconds_ahead
from .clouds import Cloud
from .errors import AzureError, from_sdk, sdk_error
from .operations import Operation, OperationInfo, never
from .origins import redirect_policy
from .retries import retry_policy
from .wire import Json

USER_AGENT = "dockerhost.azure"


@dataclass(frozen=True)
class ArmRequest:
    """One request to Azure Resource Manager.

    :param path: the resource's id, or a path below one, from which the API version follows.
    :param next_link: the URL of a list's next page, which replaces path and query.
    :param headers: further headers, for example ``If-Match``.
    """

    method: str
    path: str
    body: Json | None = None
    query: t.Mapping[str, str] = field(default_factory=dict)
    next_link: str | None = None
    headers: t.Mapping[str, str] = field(default_factory=dict)

    def as_http(self, resource_manager: str) -> t.Any:
        """Return the request as azure-core sends it."""
        from azure.core.rest import HttpRequest

        if self.next_link:
            return HttpRequest(self.method, self.next_link)
        return HttpRequest(
            self.method,
            resource_manager + self.path,
            params={"api-version": api_version_of(self.path), **self.query},
            json=self.body,
            headers={"Accept": "application/json", **self.headers},
        )


class ArmClient:
    """A client for resources by id, with azure-mgmt-core's pipeline (retry, registration, challenge) and polling.

    The API version follows from the id. Made by :attr:`AzureSession.arm`.
    """

    def __init__(
        self,
        cloud: Cloud,
        credential: t.Any,
        transport: t.Any,
        begin: t.Callable[..., Operation],
        progress: t.Callable[[str], None],
    ) -> None:
        from azure.core.configuration import Configuration
        from azure.core.pipeline import policies
        from azure.mgmt.core import ARMPipelineClient
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

        config = Configuration()
        config.headers_policy = policies.HeadersPolicy()
        config.user_agent_policy = policies.UserAgentPolicy(USER_AGENT)
        config.proxy_policy = policies.ProxyPolicy()
        config.redirect_policy = redirect_policy()
        config.retry_policy = retry_policy(progress)
        config.logging_policy = policies.NetworkTraceLoggingPolicy()
        config.http_logging_policy = ARMHttpLoggingPolicy()
        config.authentication_policy = ARMChallengeAuthenticationPolicy(credential, cloud.scope)
        self._resource_manager = cloud.resource_manager
        self.clock_ahead: float | None = None
        """By how many seconds this machine's clock was ahead of Azure's at the last answer."""
        self._begin_operation = begin
        self._client = ARMPipelineClient(
            cloud.resource_manager,
            config=config,
            transport=transport,
            per_call_policies=[policies.RequestIdPolicy()],
        )

    def get(self, path: str, **query: str) -> Json:
        """Read a resource.

        :raises AzureError: it does not exist, or cannot be read.
        """
        return t.cast("Json", self._call("read", ArmRequest("GET", path, query=query)))

    def find(self, path: str, **query: str) -> Json | None:
        """Read a resource, None when it does not exist."""
        try:
            return self.get(path, **query)
        except AzureError as error:
            if error.not_found:
                return None
            raise

    def list(self, path: str, **query: str) -> list[Json]:
        """Yield all items of a list, page by page."""
        items: list[Json] = []
        answer = self._call("list", ArmRequest("GET", path, query=query)) or {}
        while True:
            items.extend(answer.get("value") or [])
            following = answer.get("nextLink")
            if not following:
                return items
            answer = self._call("list", ArmRequest("GET", path, next_link=following)) or {}

    def put(self, path: str, body: Json) -> Json:
        """Create or replace a resource that Azure creates at once, such as a resource group."""
        return t.cast("Json", self._call("create or update", ArmRequest("PUT", path, body)))

    def patch(
        self, path: str, body: Json, headers: t.Mapping[str, str] | None = None, operation: str = "update"
    ) -> Json:
        """Change properties that Azure shows at once, such as tags. An operation that this begins is not polled.

        :param headers: further headers, for example ``If-Match``.
        :param operation: a phrase that follows "Could not" in an error.
        :raises AzureError: Azure refused it.
        """
        return t.cast("Json", self._call(operation, ArmRequest("PATCH", path, body, headers=headers or {})))

    def post(self, path: str, body: Json | None = None, **query: str) -> t.Any:
        """Request an action that Azure completes at once."""
        return self._call("ask", ArmRequest("POST", path, body, query))

    def begin(
        self,
        work: OperationInfo,
        method: str,
        path: str,
        body: Json | None = None,
        over: t.Callable[[], bool] | None = None,
        headers: t.Mapping[str, str] | None = None,
        enough: t.Callable[[], bool] = never,
    ) -> Operation:
        """Begin a long-running request.

        :param method: ``PUT``, ``PATCH``, ``POST`` or ``DELETE``.
        :param over: see :meth:`AzureSession.begin`.
        :param headers: further headers, for example ``If-Match``.
        :param enough: see :meth:`AzureSession.begin`.
        :raises AzureError: Azure refused it.
        """
        request = ArmRequest(method, path, body, headers=headers or {})
        return self._begin_operation(work, self._begin, request, over=over, enough=enough)

    def _call(self, operation: str, request: ArmRequest) -> t.Any:
        try:
            return body_of(self._send(request))
        except sdk_error() as error:
            raise from_sdk(operation, request.path, error) from error

    def _begin(self, request: ArmRequest, *, cls: t.Any, polling: t.Any, **_api_version: str) -> t.Any:
        from azure.core.polling import LROPoller

        return LROPoller(self._client, self._send(request), cls, polling)

    def _send(self, request: ArmRequest) -> t.Any:
        from azure.core.exceptions import HttpResponseError
        from azure.mgmt.core.exceptions import ARMErrorFormat

        sent = request.as_http(self._resource_manager)
        answer = self._client.send_request(sent, _return_pipeline_response=True)
        self.clock_ahead = seconds_ahead(answer.http_response.headers.get("Date"), time.time())
        if answer.http_response.status_code >= 300:
            raise HttpResponseError(response=answer.http_response, error_format=ARMErrorFormat)
        return answer


def body_of(answer: t.Any, *_deserialized: t.Any) -> t.Any:
    """Return the body of an answer of the SDK in wire format, None when it is empty."""
    from azure.core.pipeline.policies import ContentDecodePolicy

    # The SDK's pipeline has parsed it. The sizes of a region are long enough for a second time to matter.
    parsed = answer.context.get(ContentDecodePolicy.CONTEXT_NAME)
    if isinstance(parsed, (dict, list)):
        return parsed
    response = answer.http_response
    return response.json() if response.text().strip() else None
