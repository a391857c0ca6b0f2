# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XML that the WireServer answers, as protocol version 2012-11-30 has it. Pure text, no effect of its own."""

from __future__ import annotations

import json
import time
import typing as t
import uuid
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from azure_emulator.machines.wireserver.goal import Goal, Plugin, Settings

WIRE_SERVER = "168.63.129.16"
PROTOCOL = "2012-11-30"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
#: Ticks of 100 nanoseconds between the year 1 and the epoch.
_EPOCH_TICKS = 621_355_968_000_000_000


def versions() -> str:
    """Return the versions of the protocol."""
    supported = "".join(f"<Version>{version}</Version>" for version in ("2015-04-05", PROTOCOL))
    preferred = f"<Preferred><Version>{PROTOCOL}</Version></Preferred>"
    return f"{_HEAD}<Versions>{preferred}<Supported>{supported}</Supported></Versions>"


def goal_state(goal: Goal, name: str) -> str:
    """Return the goal state: where the rest of it is found."""
    instance = f"{goal.instance_id}._{name}"
    base = f"http://{WIRE_SERVER}:80/machine/{goal.container_id}/{instance}?comp="
    parts = {
        "HostingEnvironmentConfig": "config&type=hostingEnvironmentConfig",
        "SharedConfig": "config&type=sharedConfig",
        "ExtensionsConfig": "config&type=extensionsConfig",
        "FullConfig": "config&type=fullConfig",
        "Certificates": "certificates",
    }
    urls = "".join(
        f"<{part}>{escape(f'{base}{words}&incarnation={goal.incarnation}')}</{part}>" for part, words in parts.items()
    )
    config = escape(f"{goal.container_id}.0.{goal.container_id}.0._{name}.1")
    return (
        f"{_HEAD}<GoalState><Version>{PROTOCOL}</Version><Incarnation>{goal.incarnation}</Incarnation>"
        "<Machine><ExpectedState>Started</ExpectedState><StopRolesDeadlineHint>300000</StopRolesDeadlineHint>"
        "<ExpectHealthReport>FALSE</ExpectHealthReport></Machine>"
        f"<Container><ContainerId>{goal.container_id}</ContainerId><RoleInstanceList><RoleInstance>"
        f"<InstanceId>{escape(instance)}</InstanceId><State>Started</State>"
        f"<Configuration>{urls}<ConfigName>{config}</ConfigName></Configuration>"
        "</RoleInstance></RoleInstanceList></Container></GoalState>"
    )


def hosting_environment(goal: Goal, name: str, thumbprint: str) -> str:
    """Return the names of the deployment, the role and the instance, and which certificate belongs to them."""
    guid = quoteattr(f"{{{goal.container_id}}}")
    return (
        f'{_HEAD}<HostingEnvironmentConfig version="1.0.0.0" goalStateIncarnation="{goal.incarnation}">'
        f'<StoredCertificates><StoredCertificate name="TenantEncryptionCert" certificateId="sha1:{thumbprint}" '
        'storeName="My" configurationLevel="System"/></StoredCertificates>'
        f'<Deployment name={quoteattr(goal.container_id)} guid={guid} incarnation="0"/>'
        f'<Incarnation number="{goal.incarnation}" instance={quoteattr(name)} guid={guid}/>'
        f'<Role guid={guid} name={quoteattr(name)} settleTimeSeconds="0"/></HostingEnvironmentConfig>'
    )


def shared_config(goal: Goal, name: str, address: str) -> str:
    """Return the instances of the deployment; the agent stores it and reads nothing in it."""
    return (
        f'{_HEAD}<SharedConfig version="1.0.0.0" goalStateIncarnation="{goal.incarnation}">'
        f'<Deployment name={quoteattr(goal.container_id)} incarnation="0"/>'
        f'<Incarnation number="{goal.incarnation}" instance={quoteattr(name)}/>'
        f"<Instances><Instance id={quoteattr(name)} address={quoteattr(address)}/></Instances></SharedConfig>"
    )


def certificates(goal: Goal, data: str) -> str:
    """Return the tenant certificate. :param data: see :meth:`.tenant.Tenant.delivered_to`."""
    return (
        f"{_HEAD}<CertificateFile><Version>2010-12-15</Version><Incarnation>{goal.incarnation}</Incarnation>"
        f"<Format>Pkcs7BlobWithPfxContents</Format><Data>{data}</Data></CertificateFile>"
    )


def extensions_config(goal: Goal, thumbprint: str) -> str:
    """Return the handlers that the machine shall have, and their settings."""
    plugins = list(goal.plugins.values())
    head = "".join(_plugin(plugin) for plugin in plugins)
    settings = "".join(_settings(plugin, thumbprint) for plugin in plugins if plugin.enabled and plugin.settings)
    blob = f"http://{WIRE_SERVER}/status/{goal.container_id}.status?sr=b&sp=rw"
    ticks = _EPOCH_TICKS + time.time_ns() // 100
    return (
        f'{_HEAD}<Extensions version="1.0.0.0" goalStateIncarnation="{goal.incarnation}">'
        "<GuestAgentExtension><GAFamilies><GAFamily><Name>Prod</Name>"
        f"<Uris><Uri>{manifest_url('agent')}</Uri></Uris></GAFamily></GAFamilies></GuestAgentExtension>"
        f"<Plugins>{head}</Plugins><PluginSettings>{settings}</PluginSettings>"
        f'<StatusUploadBlob statusBlobType="BlockBlob">{escape(blob)}</StatusUploadBlob>'
        f'<InVMGoalStateMetaData inSvdSeqNo="{goal.incarnation}" createdOnTicks="{ticks}" '
        f'activityId="{uuid.uuid4()}" correlationId="{uuid.uuid4()}"/></Extensions>'
    )


def _plugin(plugin: Plugin) -> str:
    state = "enabled" if plugin.enabled else "uninstall"
    place = quoteattr(manifest_url(plugin.name))
    return (
        f"<Plugin name={quoteattr(plugin.name)} version={quoteattr(plugin.version)} location={place} "
        f'failoverlocation={place} state="{state}" autoUpgrade="false" runAsStartupTask="false" isJson="true" '
        'useExactVersion="true"/>'
    )


def _settings(plugin: Plugin, thumbprint: str) -> str:
    inner = ""
    for name, settings in plugin.settings.items():
        text = escape(json.dumps(_runtime_settings(settings, thumbprint)))
        if plugin.several:
            state = "enabled" if settings.enabled else "disabled"
            words = f'name={quoteattr(name)} seqNo="{settings.sequence}" state="{state}"'
            inner += f"<ExtensionRuntimeSettings {words}>{text}</ExtensionRuntimeSettings>"
        else:
            inner += f'<RuntimeSettings seqNo="{settings.sequence}">{text}</RuntimeSettings>'
    return f"<Plugin name={quoteattr(plugin.name)} version={quoteattr(plugin.version)}>{inner}</Plugin>"


def _runtime_settings(settings: Settings, thumbprint: str) -> dict[str, t.Any]:
    handler: dict[str, t.Any] = {"publicSettings": dict(settings.public)}
    if settings.protected is not None:
        handler["protectedSettings"] = settings.protected
        handler["protectedSettingsCertThumbprint"] = thumbprint
    return {"runtimeSettings": [{"handlerSettings": handler}]}


def manifest_url(handler: str) -> str:
    """Return where the versions of a handler are listed."""
    return f"http://{WIRE_SERVER}/artifacts/{handler}_manifest.xml"


def package_url(handler: str, version: str) -> str:
    """Return where a version of a handler is downloaded."""
    return f"http://{WIRE_SERVER}/artifacts/{handler}__{version}.zip"


def manifest(handler: str, known: Sequence[str]) -> str:
    """Return the versions of a handler. An agent that is asked for another one says so at once."""
    items = "".join(
        f"<Plugin><Version>{escape(version)}</Version><Uris><Uri>{escape(package_url(handler, version))}</Uri></Uris>"
        "</Plugin>"
        for version in known
    )
    return f"{_HEAD}<PluginVersionManifest><Plugins>{items}</Plugins></PluginVersionManifest>"
