# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of a cloud."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .._errors import OptionError
from .api_versions import METADATA
from .errors import from_sdk
from .origins import is_url
from .run_files import locked, read_entry, shared_directory, write_entry
from .transport import make_transport


@dataclass(frozen=True)
class Cloud:
    """The endpoints of one cloud.

    :param name: for messages.
    :param resource_manager: URL of Azure Resource Manager, without a slash at the end.
    :param authority: URL of the token service, without the tenant.
    :param audience: the resource for which tokens are requested.
    :param private: a cloud known by its URL only, which Microsoft's instance discovery does not know.
    :param key_vault_suffix: what follows a key vault's name in its host name; empty when the cloud does not say.
    """

    name: str
    resource_manager: str
    authority: str
    audience: str
    private: bool = False
    key_vault_suffix: str = ""

    @property
    def scope(self) -> str:
        """The scope for which a token is requested."""
        return self.audience.rstrip("/") + "/.default"


# Endpoints as published in https://management.azure.com/metadata/endpoints?api-version=2022-09-01.
_PUBLIC = Cloud(
    "AzureCloud",
    "https://management.azure.com",
    "https://login.microsoftonline.com",
    "https://management.azure.com",
    key_vault_suffix="vault.azure.net",
)
_CHINA = Cloud(
    "AzureChinaCloud",
    "https://management.chinacloudapi.cn",
    "https://login.chinacloudapi.cn",
    "https://management.chinacloudapi.cn",
    key_vault_suffix="vault.azure.cn",
)
_GOVERNMENT = Cloud(
    "AzureUSGovernment",
    "https://management.usgovcloudapi.net",
    "https://login.microsoftonline.us",
    "https://management.usgovcloudapi.net",
    key_vault_suffix="vault.usgovcloudapi.net",
)
_BY_NAME = {
    "azurecloud": _PUBLIC,
    "azurepubliccloud": _PUBLIC,
    "azurechinacloud": _CHINA,
    "azureusgovernment": _GOVERNMENT,
    "azureusgovernmentcloud": _GOVERNMENT,
}
_METADATA_PATH = re.compile(r"/metadata/endpoints/?(\?.*)?$", re.IGNORECASE)


def is_named(cloud_environment: str) -> bool:
    """Return whether the value is the name of one of Microsoft's clouds."""
    return cloud_environment.strip().lower() in _BY_NAME


def check_cloud_environment(name: str) -> None:
    """Check that a text is the name of one of Microsoft's clouds or the URL of a private cloud.

    :raises OptionError: it is neither.
    """
    if is_named(name) or is_url(name, "https"):
        return
    names = ", ".join(sorted({cloud.name for cloud in _BY_NAME.values()}))
    raise OptionError("cloud_environment", f"must be one of {names} or the https URL of a private cloud, got {name!r}")


def find_cloud(cloud_environment: str | None, ca_path: str | None = None, run_directory: str | None = None) -> Cloud:
    """Return the cloud that an option names.

    :param cloud_environment: a name or the URL of a private cloud's Resource Manager; None means public Azure.
    :param ca_path: file with the certificates of the authorities that signed a private cloud's endpoints.
    :param run_directory: a private directory of this run, in which its processes share a private cloud's description;
        None shares none.
    :raises OptionError: the value names no cloud.
    :raises AzureError: a private cloud does not answer.
    """
    name = (cloud_environment or "AzureCloud").strip()
    known = _BY_NAME.get(name.lower())
    if known:
        return known
    check_cloud_environment(name)
    # Azure Stack's documents give the address of the metadata itself.
    url = _METADATA_PATH.sub("", name).rstrip("/")
    shared = shared_directory(run_directory) if run_directory else None
    return _discover_once(url, ca_path, Path(shared)) if shared else _discover(url, ca_path)


def _discover_once(url: str, ca_path: str | None, directory: Path) -> Cloud:
    """Return a private cloud as the first process of this run found it."""
    path = directory / ("cloud-" + hashlib.sha256(f"{url}\n{ca_path}".encode()).hexdigest())
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            held.enter_context(locked(path.with_suffix(".lock")))
        with contextlib.suppress(TypeError):
            return Cloud(**read_entry(path))
        cloud = _discover(url, ca_path)
        write_entry(path, dataclasses.asdict(cloud))
        return cloud


def _discover(url: str, ca_path: str | None) -> Cloud:
    entry = _entry_of(_metadata(url, ca_path), url)
    authentication = entry.get("authentication") if isinstance(entry, dict) else None
    if not isinstance(authentication, dict) or not authentication.get("loginEndpoint"):
        raise OptionError("cloud_environment", f"must be the URL of a cloud that serves /metadata/endpoints, got {url}")
    audiences = authentication.get("audiences") or [url]
    suffixes = entry.get("suffixes")
    key_vault = suffixes.get("keyVaultDns") if isinstance(suffixes, dict) else None
    return Cloud(
        name=str(entry.get("name") or url),
        resource_manager=str(entry.get("resourceManager") or url).rstrip("/"),
        authority=str(authentication["loginEndpoint"]).rstrip("/"),
        audience=str(audiences[0]),
        private=True,
        key_vault_suffix=str(key_vault or "").strip("."),
    )


def _entry_of(answer: t.Any, url: str) -> t.Any:
    """Return the description of the cloud of this Resource Manager: public Azure's answers list several clouds.

    :raises OptionError: the answer has several clouds, and none of them is this one.
    """
    entries = answer if isinstance(answer, list) else [answer]
    if len(entries) <= 1:
        return entries[0] if entries else None
    known = [entry for entry in entries if isinstance(entry, dict)]
    managers = [str(entry.get("resourceManager") or "") for entry in known]
    for entry, manager in zip(known, managers, strict=True):
        if manager.rstrip("/").lower() == url.lower():
            return entry
    raise OptionError(
        "cloud_environment",
        f"must be the URL of one cloud's Resource Manager, but {url} describes several clouds: give one of"
        f" {', '.join(manager for manager in managers if manager) or 'theirs'}.",
    )


def _metadata(url: str, ca_path: str | None) -> t.Any:
    from azure.core import PipelineClient
    from azure.core.exceptions import AzureError as SdkError
    from azure.core.pipeline.policies import RetryPolicy, UserAgentPolicy
    from azure.core.rest import HttpRequest

    policies = [UserAgentPolicy("dockerhost.azure"), RetryPolicy()]
    client = PipelineClient(url, policies=policies, transport=make_transport(ca_path))
    with client:
        try:
            request = HttpRequest("GET", f"{url}/metadata/endpoints", params={"api-version": METADATA})
            response = client.send_request(request)
            response.raise_for_status()
            return response.json()
        except SdkError as error:
            raise from_sdk("read the cloud's endpoints", url, error) from error
        except ValueError:
            return None
