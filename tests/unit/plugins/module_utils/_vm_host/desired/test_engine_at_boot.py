# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts install their engine at the first boot, and what they are told."""

from __future__ import annotations

import json
import random
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.argument_spec import engine_option
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.argument_spec import SPEC
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.engine_at_boot import read_boot_script
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec

from ..conftest import desired, parameters

GALLERY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/base"
PROGRAM = "print('the setup program')"
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n{}\n-----END PGP PUBLIC KEY BLOCK-----\n"


def at_boot(engine: dict[str, t.Any] | None = None, **given: t.Any) -> HostSpec:
    """A host that installs an engine at its first boot."""
    return desired(engine={"at_boot": True, **(engine or {})}, setup_program=PROGRAM, **given)


def noise(size: int) -> str:
    """Text that cannot be compressed to less than three quarters."""
    digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
    return "".join(random.Random(1).choices(digits, k=size))


@pytest.mark.parametrize(
    ("engine", "given"),
    [
        (None, {}),
        ({"at_boot": False}, {}),
        ({"source": "keep"}, {}),
        ({"at_boot": False, "source": "keep"}, {}),
        ({}, {"custom_data": "#!/bin/sh\n"}),
        ({}, {"custom_data": "hello"}),
        ({"version": "28"}, {"user_data": "hello"}),
        ({"key": KEY.format(noise(100_000))}, {}),
    ],
)
def test_nothing_is_installed_at_boot(engine: dict[str, t.Any] | None, given: dict[str, t.Any]) -> None:
    assert desired(engine=engine, setup_program=PROGRAM, **given).boot_script is None


@pytest.mark.parametrize(
    ("image", "engine"),
    [("sles-15", {"source": "docker"}), ("azurelinux-3", {"channel": "test"}), ("rocky-9", {"source": "distribution"})],
)
def test_a_source_without_packages_for_the_image_is_refused(image: str, engine: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError, match=r"^engine: must not contain source="):
        desired(engine=engine, setup_program=PROGRAM, image=image)
    assert desired(engine={**engine, "at_boot": False}, setup_program=PROGRAM, image=image).boot_script is None


@pytest.mark.parametrize("given", [{}, {"image": GALLERY}, {"ssh_port": 2222}, {"custom_data": "", "user_data": ""}])
@pytest.mark.parametrize(
    "engine", [{}, {"version": "28"}, {"key": KEY.format("abcd")}, {"mirror": "https://m.example"}]
)
def test_an_engine_is_installed_at_boot_by_default(engine: dict[str, t.Any], given: dict[str, t.Any]) -> None:
    assert desired(engine=engine, setup_program=PROGRAM, **given).boot_script


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"image": GALLERY},
        {"custom_data": "#cloud-config\n{}\n"},
        {"custom_data": "#!/bin/sh\n", "ssh_port": 2222},
    ],
)
def test_on_request_it_is_installed_on_any_image_and_beside_custom_data(given: dict[str, t.Any]) -> None:
    assert at_boot(**given).boot_script


@pytest.mark.parametrize(
    ("engine", "given", "words"),
    [
        ({"source": "keep"}, {}, "engine.source: keep"),
        ({}, {"user_data": "hello"}, "user_data"),
        ({}, {"custom_data": "hello"}, "#cloud-config"),
    ],
)
def test_on_request_what_cannot_work_is_refused(engine: dict[str, t.Any], given: dict[str, t.Any], words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        at_boot(engine, **given)
    assert "engine.at_boot" in str(caught.value)


def test_custom_data_that_does_not_fit_beside_it_is_refused() -> None:
    large = "#!/bin/sh\n# " + noise(64_000)
    assert at_boot(custom_data=large[:40_000]).boot_script
    with pytest.raises(OptionError, match=r"custom_data.*at_boot: false") as caught:
        desired(engine={"at_boot": True}, custom_data=large + large[:1000], setup_program="#" + noise(60_000))
    assert "65535" in str(caught.value)


def test_a_key_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match=r"engine\.key"):
        at_boot({"key": KEY.format(noise(100_000))})


@pytest.mark.parametrize("engine", [{}, {"at_boot": True}])
def test_the_setup_program_is_needed(engine: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError, match="setup_program"):
        desired(engine=engine)


def test_the_script_has_the_engines_settings_and_nothing_else() -> None:
    script = at_boot({"version": "28", "hold": True}).boot_script or ""
    line = next(line for line in script.splitlines() if line.startswith('{"format"'))
    settings = {"docker": {"engine": {"source": "auto", "version": "28", "hold": True}}}
    assert json.loads(line) == {"format": 1, "settings": settings}


SECRETS = sorted(name for name, option in SPEC.argument_spec.items() if option.get("no_log") is True)


@pytest.mark.parametrize("name", sorted(set(SECRETS) - {"setup_program", "user_data"}))
def test_no_secret_of_the_host_is_in_the_script(name: str) -> None:
    options = {**parameters(engine={"at_boot": True}, setup_program="#"), name: "#!marker"}
    script = read_boot_script(options)
    assert script is not None
    assert "marker" not in script


def test_the_options_of_the_engine_contain_no_secret() -> None:
    assert {"admin_password", "custom_data", "secret"} <= set(SECRETS)
    assert not [name for name, option in engine_option()["options"].items() if option.get("no_log")]
