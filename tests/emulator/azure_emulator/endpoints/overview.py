# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that a browser gets at the root: operations, machines, resources and requests. It is not part of Azure.

It only reads, needs no script and no build step, and loads itself again every two seconds.
"""

from __future__ import annotations

import html
import time
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.resource import Resource
from ..compute.power import console_url

if t.TYPE_CHECKING:
    from ..cloud import Cloud

REQUESTS_SHOWN = 40
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1b }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 1.5rem }
div { overflow-x: auto } table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; white-space: nowrap }
progress { width: 8rem }
"""


def is_for_browser(request: ArmRequest) -> bool:
    """Return whether a request is a browser's for the page. Clients of the Resource Manager accept JSON."""
    return (
        request.method == "GET"
        and request.path.strip("/") == ""
        and "text/html" in request.headers.get("accept", "").lower()
        and "authorization" not in request.headers
    )


def page(cloud: Cloud) -> Reply:
    """Return the page as of now."""
    resources = sorted(cloud.store, key=lambda resource: (resource.group or "", resource.type, resource.name))
    running = [operation for operation in cloud.operations.all() if operation.status == "InProgress"]
    machines = [resource for resource in resources if resource.type.lower() == "microsoft.compute/virtualmachines"]
    parts = [
        _section("Running operations", ("operation", "target", "progress"), map(_operation, running)),
        _section("Machines", ("name", "resource group", "console"), (_machine(cloud, vm) for vm in machines)),
        _section("Resources", ("name", "type", "resource group", "region"), map(_resource, resources)),
        _section("Recent requests", ("time", "request", "status"), map(_request, _recent(cloud))),
    ]
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Local Azure</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="2">'
        f"<style>{_STYLE}</style></head><body><h1>Local Azure</h1>{''.join(parts)}</body></html>"
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Reply(200, text.encode(), headers, media_type="text/html; charset=utf-8")


def _section(title: str, columns: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    """Return a heading and a table; the cells are HTML."""
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    table = f"<div><table><tr>{head}</tr>{body}</table></div>" if cells else "<p>None.</p>"
    return f"<h2>{title}</h2>{table}"


def _operation(operation: t.Any) -> list[str]:
    seconds, duration = time.time() - operation.started, operation.duration
    progress = f'<progress max="{duration:.1f}" value="{min(seconds, duration):.1f}"></progress>' if duration else ""
    more = ", and the handler's own time" if operation.counts_from_end else ""
    return [_text(operation.kind), _text(operation.target), f"{progress} {seconds:.0f} s of {duration:.0f} s{more}"]


def _machine(cloud: Cloud, vm: Resource) -> list[str]:
    return [_text(vm.name), _text(vm.group), f'<a href="{html.escape(console_url(cloud, "", vm))}">console</a>']


def _resource(resource: Resource) -> list[str]:
    return [_text(resource.name), _text(resource.type), _text(resource.group), _text(resource.location)]


def _recent(cloud: Cloud) -> list[dict[str, t.Any]]:
    return cloud.log.entries()[: -REQUESTS_SHOWN - 1 : -1]


def _request(entry: t.Mapping[str, t.Any]) -> list[str]:
    return [_text(entry.get("time")), _text(f"{entry.get('method')} {entry.get('path')}"), _text(entry.get("status"))]


def _text(value: t.Any) -> str:
    return html.escape("" if value is None else str(value))
