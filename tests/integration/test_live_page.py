# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local Azure's own page in a browser, while a host is created."""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_emulator.launcher import LocalAzure

from .browser import DESKTOP, PHONE, Browser, Page, needs_chromium
from .conftest import User

pytestmark = [pytest.mark.slow, needs_chromium]

_BELOW = """
[...document.querySelectorAll("h2")].find((heading) => heading.innerText === "%s").nextElementSibling.innerText
"""


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    with LocalAzure(machines="stand-in", latency="recorded:0.05") as running:
        yield running


@pytest.fixture
def browser(azure: LocalAzure, tmp_path: Path) -> t.Iterator[Browser]:
    """A browser that trusts the server's key, as somebody does who clicks the warning away."""
    address = urlsplit(azure.url)
    served = ssl.get_server_certificate((str(address.hostname), int(address.port or 443)))
    key = x509.load_pem_x509_certificate(served.encode()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    trusted = f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}"
    with Browser(tmp_path / "profile", trusted) as running:
        yield running


def below(page: Page, heading: str) -> str:
    """Return the text of a section."""
    return str(page.value(_BELOW % heading))


def check_layout(page: Page, azure: LocalAzure) -> None:
    assert page.problems() == []
    assert page.overflowing() == []
    assert {url.split("/")[2] for url in page.requests()} == {urlsplit(azure.url).netloc}
    assert page.is_shown("h1")


def release_all(azure: LocalAzure) -> None:
    """Let operations end, those that are held, too."""
    azure.hold(False)
    for operation in azure.operations():
        if operation["status"] == "InProgress":
            azure.release(operation["id"])


def test_a_browser_follows_a_host_to_its_console(
    user: User, azure: LocalAzure, browser: Browser, tmp_path: Path
) -> None:
    azure.hold(True)
    creation = threading.Thread(target=user.play, args=("create_docker_host",), kwargs={"name": "web1"})
    creation.start()
    try:
        with browser.page(PHONE) as page:
            page.open_once(azure.url)
            while not page.value("[...document.querySelectorAll('progress')].some((shown) => shown.position > 0)"):
                page.open_once(azure.url)
            assert "web1" in below(page, "Running operations")
            check_layout(page, azure)
            screenshot = tmp_path / "page.png"
            page.screenshot(screenshot)
            assert min(browser.colours(screenshot, 3)) > 8
            release_all(azure)
            while "web1" not in below(page, "Machines"):
                page.open_once(azure.url)
    finally:
        release_all(azure)
        creation.join()
    with browser.page(DESKTOP) as page:
        page.open_once(azure.url)
        check_layout(page, azure)
        assert "web1-nic" in below(page, "Resources")
        assert "virtualMachines/web1" in below(page, "Recent requests")
        console = page.value("[...document.querySelectorAll('a')].find((link) => link.innerText === 'console').href")
    with browser.page(DESKTOP) as page:
        page.open(console)
        assert page.value("document.body.innerText").strip()
