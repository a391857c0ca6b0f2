# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site: its pages and links, and what a phone and a desktop show of it."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .browser import DESKTOP, PHONE, Browser, Page, needs_chromium
from .conftest import BIN, COLLECTIONS, REPOSITORY

pytestmark = pytest.mark.slow


class Html(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name in ("href", "src"):
                self.links.append(value)
            elif name in ("id", "name"):
                self.anchors.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make docs`` builds. Sphinx and antsibull-docs end in an error on every warning."""
    build = tmp_path_factory.mktemp("build")
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(REPOSITORY / "tools" / "docs.sh"), str(build), str(Path(COLLECTIONS).resolve())],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    return Path(done.stdout.splitlines()[-1]).parent


def test_the_site_has_every_guide_and_plugin_and_no_dead_link(site: Path) -> None:
    pages = {path: Html(path) for path in site.rglob("*.html")}
    modules = {path.stem for path in (REPOSITORY / "plugins" / "modules").glob("docker_*.py")}
    named = {str(path.relative_to(site)) for path in pages}
    plugins = {*(f"{module}_module" for module in modules), "docker_host_role", "docker_vm_host_inventory"}
    indexes = {"index", "environment_variables"}
    assert {name for name in named if name.startswith("reference/")} == {
        f"reference/{name}.html" for name in plugins | indexes
    }
    role = (site / "reference/docker_host_role.html").read_text()
    first = re.findall(r"Entry point <code[^>]*>.*?<span class=\"pre\">(\w+)", role)[0]
    assert first == "main"
    guides = {page.stem for page in (REPOSITORY / "docs").glob("*.md")} - {"clients"}
    assert {f"docs/{guide}.html" for guide in guides} <= named
    assert {"index.html", "playbooks.html", "search.html", "roles/docker_host/README.html"} <= named
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                assert parts.scheme in ("https", "http", "mailto", "data"), link
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert found.exists(), f"{path.name}: {link}"
            if parts.fragment and found in pages:
                assert unquote(parts.fragment) in pages[found].anchors, f"{path.name}: {link}"
            checked += 1
    assert checked > 500


# --- in a browser -----------------------------------------------------------------------------------

SHOWN = {
    "the index": "index",
    "a guide with wide tables": "docs/troubleshooting",
    "a guide with diagrams": "docs/security",
    "the role": "roles/docker_host/README",
    "a module": "reference/docker_vm_host_module",
}
BANDS, COLOURS = 4, 16
"""A screenshot has at least so many colours in each of so many bands: smooth text alone has more than that."""
WIDTHS = pytest.mark.parametrize("width", [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")])

_SECOND_COLUMNS = """
[...document.querySelectorAll(".rst-content table.docutils:not(.longtable) tr > :nth-child(2)")]
  .filter((cell) => cell.getBoundingClientRect().left > document.documentElement.clientWidth - 60)
  .map((cell) => cell.innerText.slice(0, 60))
"""
_DESCRIPTIONS = """
Math.min(...[...document.querySelectorAll(".ansible-option-table > tbody > tr > td:nth-child(2)")]
  .map((cell) => cell.getBoundingClientRect().width))
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser") / "profile") as running:
        yield running


def faults(page: Page, file: Path, screenshot: Path) -> list[str]:
    """Open a page of the site and return what is wrong with it."""
    page.open(file.as_uri())
    # The theme's script works on the page when it is loaded, and this runs after it.
    page.value("new Promise((done) => window.jQuery ? jQuery(() => done()) : done())")
    found = [*page.problems(), *(f"cut off: {what}" for what in page.overflowing())]
    found += [
        f"loaded from elsewhere: {url}" for url in page.requests() if urlsplit(url).scheme not in ("file", "data")
    ]
    if page.value("getComputedStyle(document.querySelector('.wy-nav-side')).position") != "fixed":
        found.append("the theme's style is missing")
    if page.value("parseFloat(getComputedStyle(document.querySelector('.rst-content p')).fontSize)") < 14:
        found.append("the text is too small")
    if not page.is_shown("h1"):
        found.append("the title cannot be seen")
    found += [f"a table shows its first column only: {text}" for text in page.value(_SECOND_COLUMNS)]
    page.screenshot(screenshot)
    if min(colours := page.browser.colours(screenshot, BANDS)) < COLOURS:
        found.append(f"a part of the window is empty: {colours} colours")
    return found


@needs_chromium
@WIDTHS
@pytest.mark.parametrize("name", SHOWN.values(), ids=list(SHOWN))
def test_a_page_can_be_read(site: Path, browser: Browser, name: str, width: int, tmp_path: Path) -> None:
    with browser.page(width) as page:
        assert faults(page, site / f"{name}.html", tmp_path / "page.png") == []
        menu = ".wy-nav-side"
        assert page.is_shown(menu) == (width == DESKTOP)
        if width == PHONE:
            page.click(".wy-nav-top i")
            assert page.is_shown(menu), "the button opens the menu"


@needs_chromium
@WIDTHS
def test_descriptions_of_options_have_room(site: Path, browser: Browser, width: int) -> None:
    with browser.page(width) as page:
        page.open((site / "reference/docker_vm_host_module.html").as_uri())
        assert page.value(_DESCRIPTIONS) > 250


@needs_chromium
def test_the_search_finds_a_variable(site: Path, browser: Browser) -> None:
    with browser.page(PHONE) as page:
        page.open(f"{(site / 'search.html').as_uri()}?q=docker_host_allowed_sources")
        page.value(
            "new Promise((done) => { const look = () => document.querySelector('#search-results h2').innerText"
            " === 'Search Results' ? done() : setTimeout(look); look(); })"
        )
        links = page.value("[...document.querySelectorAll('#search-results li a')].map((link) => link.href)")
        assert any("docker_host_role.html" in link for link in links), links


@needs_chromium
@pytest.mark.parametrize(
    ("instead", "end", "fault"),
    [
        ("css/nothing.css", "", "ERR_FILE_NOT_FOUND"),
        ("css/ansible.css", "<style>.wy-nav-side { position: static }</style>", "the theme's style is missing"),
        ("css/ansible.css", "<style>.rst-content p { font-size: 9px }</style>", "the text is too small"),
        ("css/ansible.css", "<style>h1 { display: none }</style>", "the title cannot be seen"),
        ("css/ansible.css", "<style>body { visibility: hidden }</style>", "a part of the window is empty"),
        ("css/ansible.css", "<style>td { min-width: 30rem !important }</style>", "a table shows its first column only"),
        ("css/ansible.css", "<style>h1 { width: 600px }</style>", "cut off: h1"),
        ("css/ansible.css", "<style>p { white-space: nowrap !important }</style>", "cut off: p"),
        ("css/ansible.css", "<script>nothing()</script>", "nothing is not defined"),
        (
            "css/ansible.css",
            '<img src="https://localhost:1/x.png">',
            "loaded from elsewhere: https://localhost:1/x.png",
        ),
    ],
)
def test_a_broken_page_is_noticed(
    site: Path, browser: Browser, instead: str, end: str, fault: str, tmp_path: Path
) -> None:
    broken = site / "docs" / "broken.html"
    text = (site / "docs" / "security.html").read_text()
    broken.write_text(text.replace("css/ansible.css", instead).replace("</body>", f"{end}</body>"))
    try:
        with browser.page(PHONE) as page:
            found = faults(page, broken, tmp_path / "page.png")
    finally:
        broken.unlink()
    assert [line for line in found if fault in line], found
