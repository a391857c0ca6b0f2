# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that a browser gets at the root, and what everybody else gets there."""

from __future__ import annotations

import ssl
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

from azure_emulator.launcher import LocalAzure

from .conftest import Arm

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def client(azure: LocalAzure) -> httpx.Client:
    """A client that is not signed in."""
    context = ssl.create_default_context(cafile=azure.ca_file)
    return httpx.Client(base_url=azure.url, verify=context, trust_env=False, timeout=60)


class Page(HTMLParser):
    """The text of a page, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.shown += f"{data}\n"


def test_a_browser_sees_operations_machines_resources_and_requests(arm: Arm) -> None:
    nsg = "Microsoft.Network/networkSecurityGroups/page-nsg"
    arm.azure.hold(True)
    try:
        assert arm.put(nsg, {"location": "westeurope", "tags": {"a": "<b>"}, "properties": {}}).status_code == 201
        with client(arm.azure) as browser:
            answer = browser.get("/", headers=BROWSER)
    finally:
        arm.azure.hold(False)
        for operation in arm.azure.operations():
            if operation["status"] == "InProgress" and operation["target"].endswith("page-nsg"):
                arm.azure.release(operation["id"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert {"meta", "table", "progress"} & page.tags >= {"meta", "table"}
    # Nothing of others, and nothing that acts.
    assert not page.tags & {"script", "form", "button", "input", "iframe", "img"}
    assert all(not urlsplit(link).netloc for link in page.links)
    # Other tests' operations and resources are on the page too: a heading is a line of its own.
    running = page.shown.partition("\nRunning operations\n")[2].partition("\nMachines\n")[0]
    assert "page-nsg" in running
    assert f"PUT {arm.group}/providers/{nsg}" in page.shown.partition("\nRecent requests\n")[2]


def test_names_cannot_become_markup(arm: Arm) -> None:
    with client(arm.azure) as browser:
        browser.get("/%3Cscript%3Ealert(1)%3C/script%3E")
        text = browser.get("/", headers=BROWSER).text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_other_clients_get_the_answer_of_the_resource_manager(arm: Arm) -> None:
    with client(arm.azure) as other:
        for headers in ({"Accept": "application/json"}, {}):
            answer = other.get("/", headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"]
        for path in ("/subscriptions", "/x"):
            assert other.get(path, headers=BROWSER).status_code in (401, 404)
            assert "html" not in other.get(path, headers=BROWSER).headers["content-type"]
        assert other.post("/", headers=BROWSER).status_code != 200
