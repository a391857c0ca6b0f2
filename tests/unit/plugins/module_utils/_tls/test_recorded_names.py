# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that users add to those in Azure, in the record of the certificates."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.recorded_names import read_recorded_names

if t.TYPE_CHECKING:
    from .conftest import Certs

NOTHING: dict[str, t.Any] = {"address": None, "dns_names": [], "ip_addresses": []}
ADDED: dict[str, t.Any] = {"address": "a.example.com", "dns_names": ["b.example.com"], "ip_addresses": ["192.0.2.7"]}


def host(extra_names: t.Any) -> dict[str, t.Any]:
    names = {"dns_names": ["a.example.com", "b.example.com"], "ip_addresses": ["192.0.2.7"]}
    return {"name": "web1", "id": "/subscriptions/s/web1", **names, "extra_names": extra_names}


def recorded(certs: Certs, name: str = "web1") -> t.Any:
    return read_recorded_names(str(certs.directory), name)


def test_names_are_recorded_once_and_forgotten_when_they_are_gone(certs: Certs) -> None:
    predicted = certs.run(hosts=[host(ADDED)], check=True)
    assert recorded(certs) is None
    made = certs.run(hosts=[host(ADDED)])
    assert predicted["actions"] == made["actions"]
    assert "record the names that you added for web1" in made["actions"]
    assert recorded(certs) == {"id": "/subscriptions/s/web1", **ADDED}
    certs.settled(hosts=[host(ADDED)])
    # Who does not decide about the names does not touch them.
    certs.settled(hosts=[host(None)])
    certs.settled()
    assert recorded(certs) == {"id": "/subscriptions/s/web1", **ADDED}
    assert certs.run(hosts=[host(NOTHING)], check=True)["changed"] is True
    assert certs.run(hosts=[host(NOTHING)])["actions"] == ["record the names that you added for web1"]
    assert recorded(certs) is None
    certs.settled(hosts=[host(NOTHING)])


def test_a_host_that_is_removed_leaves_no_names(certs: Certs) -> None:
    certs.run(hosts=[host(ADDED), {"name": "web2"}])
    certs.run(state="absent", hosts=[{"name": "web1"}])
    assert recorded(certs) is None
    certs.settled(hosts=[{"name": "web2"}])


def test_only_those_who_may_issue_certificates_can_change_the_record(certs: Certs) -> None:
    certs.run(hosts=[host(ADDED)])
    assert certs.path(".docker-tls-certs/state.json").stat().st_mode & 0o777 == 0o600
    assert certs.path(".docker-tls-certs").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("bad", ["a.example.com", {"dns_names": ["a b"]}, {"ip_addresses": ["a.example.com"]}])
def test_names_that_cannot_be_in_a_certificate_are_refused(certs: Certs, bad: t.Any) -> None:
    with pytest.raises(OptionError, match="extra_names"):
        certs.run(hosts=[host(bad)])


def test_a_record_of_an_earlier_version_has_no_names(certs: Certs) -> None:
    certs.run(hosts=[host(None)])
    path = certs.path(".docker-tls-certs/state.json")
    text = path.read_text().replace(' "names": {},\n', "")
    assert '"names"' not in text
    path.write_text(text)
    assert recorded(certs) is None
    certs.settled(hosts=[host(NOTHING)])
