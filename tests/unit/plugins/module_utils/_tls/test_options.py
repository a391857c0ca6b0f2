# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every bad option: one clear error before anything is written. And values that come through unharmed."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._host_keys import HOST_KEYS
from ansible_collections.dockerhost.azure.plugins.module_utils._tls import names, times
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.argument_spec import SPEC
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.option_reader import check_fingerprint

if t.TYPE_CHECKING:
    from .conftest import Certs

NOW = dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=dt.timezone.utc)


def host(**options: t.Any) -> dict[str, t.Any]:
    return {"hosts": [{"name": "web1", **options}]}


BAD: list[tuple[dict[str, t.Any], str, str]] = [
    ({"hosts": [{}]}, "hosts[0].name", "must not be empty"),
    (host(dns_nams=["web1"]), "hosts[0].dns_nams", "did you mean dns_names?"),
    ({"hosts": [{"name": "a"}, {"name": "b", "q": 1}]}, "hosts[1].q", "is not a key of a host"),
    ({"hosts": [{"name": ""}]}, "hosts[0].name", "must not be empty"),
    ({"hosts": [{"name": "web1"}, {"name": "a/b"}]}, "hosts[1].name", "'a/b' cannot be the name of a directory"),
    ({"hosts": [{"name": "a\\b"}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": ".."}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "."}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "a..b"}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "web1."}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "-web1"}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "web 1"}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "web1\n"}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "w\u00e9b"}]}, "hosts[0].name", "cannot be the name of a directory"),
    ({"hosts": [{"name": "w" * 65}]}, "hosts[0].name", "1 to 64"),
    ({"hosts": [{"name": "web1"}, {"name": "web1"}]}, "hosts[1].name", "'web1' is given twice"),
    ({"hosts": [{"name": "web1"}, {"name": "WEB1"}]}, "hosts[1].name", "'WEB1' is given twice"),
    ({"clients": ["robot", "Robot"]}, "clients[1]", "'Robot' is given twice"),
    ({"clients": ["../robot"]}, "clients[0]", "cannot be the name of a directory"),
    ({"clients": [""]}, "clients[0]", "must not be empty"),
    (host(dns_names=["10.0.0.5"]), "hosts[0].dns_names[0]", "'10.0.0.5' is an IP address; put it into ip_addresses"),
    (host(dns_names=["::1"]), "hosts[0].dns_names[0]", "put it into ip_addresses"),
    (host(dns_names=["ok.example", ""]), "hosts[0].dns_names[1]", "must not be empty"),
    (host(dns_names=["a b"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["a..b"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["-a.example"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["x" * 64 + ".example"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=[".".join(["abcdefgh"] * 30)]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["tcp://web1"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["web1:2376"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["a.*.example"]), "hosts[0].dns_names[0]", "is not a DNS name"),
    (host(dns_names=["b\u00fccher.example"]), "hosts[0].dns_names[0]", "xn--"),
    (host(ip_addresses=["web1.example"]), "hosts[0].ip_addresses[0]", "put DNS names into dns_names"),
    (host(ip_addresses=["10.0.0"]), "hosts[0].ip_addresses[0]", "is not an IP address"),
    (host(ip_addresses=["10.0.0.0/24"]), "hosts[0].ip_addresses[0]", "is not an IP address"),
    (host(ip_addresses=[""]), "hosts[0].ip_addresses[0]", "is not an IP address"),
    (host(ip_addresses=["fe80::1%eth0"]), "hosts[0].ip_addresses[0]", "has a zone"),
    ({"ca_not_after": "soon"}, "ca_not_after", "'soon' is not a time; use a relative time such as +397d"),
    ({"ca_not_after": "+"}, "ca_not_after", "is not a time"),
    ({"ca_not_after": "-1d"}, "ca_not_after", "must be in the future"),
    ({"ca_not_after": "20201231235959Z"}, "ca_not_after", "must be in the future"),
    ({"server_not_after": "20261399000000Z"}, "server_not_after", "is not a time"),
    ({"server_not_after": "+99999999d"}, "server_not_after", "after the year 9999"),
    ({"server_not_after": "+99999999999w"}, "server_not_after", "is too long"),
    ({"client_renew_before": "30"}, "client_renew_before", "is not a time span"),
    ({"client_renew_before": "-30d"}, "client_renew_before", "is not a time span"),
    ({"client_not_after": "+10d"}, "client_renew_before", "must be shorter than the validity"),
    ({"server_renew_before": "+397d"}, "server_renew_before", "must be shorter than the validity"),
    ({"ca_key_passphrase": "abc"}, "ca_key_passphrase", "must have at least 4 characters"),
    ({"ca_path": "x", "ca_content": "y"}, "ca_content", "must not be set together with ca_path"),
    ({"ca_key_path": "x", "ca_key_content": "y"}, "ca_key_content", "must not be set together with ca_key_path"),
    ({"ca_common_name": ""}, "ca_common_name", "1 to 64 characters"),
    ({"client_common_name": "x" * 65}, "client_common_name", "1 to 64 characters"),
    ({"subject": {"CN": "x"}}, "subject.CN", "common names are made from the names of hosts and clients"),
    ({"subject": {"organisation": "x"}}, "subject.organisation", "is not a field of a subject"),
    ({"subject": {"O": ""}}, "subject.O", "1 to 128 characters"),
    ({"subject": {"C": "Germany"}}, "subject.C", "is not a country code"),
    ({"subject": {"O": "x", "organizationName": "y"}}, "subject.organizationName", "is given twice"),
    ({"cert_dir": "a\0b"}, "cert_dir", "NUL"),
    ({"host_trust": [{"name": "web1", "ca_fingerprints": ["12"]}]}, "host_trust[0].ca_fingerprints[0]", "SHA-256"),
    (
        {"host_trust": [{"name": "web1", "ca_fingerprints": [], "fingerprint": "x"}]},
        "host_trust[0].fingerprint",
        "64 hexadecimal digits",
    ),
    ({"state": "absent", "rotate_ca": "start", "remove_ca": True}, "rotate_ca", "state: present"),
]


@pytest.mark.parametrize(("options", "option", "problem"), BAD, ids=[f"{entry[1]}-{n}" for n, entry in enumerate(BAD)])
def test_bad_options(certs: Certs, options: dict[str, t.Any], option: str, problem: str) -> None:
    for check in (True, False):
        with pytest.raises(OptionError) as caught:
            certs.run(check=check, **options)
        assert caught.value.option == option
        assert problem in str(caught.value)
        assert str(caught.value).startswith(f"{option}: ")
    assert not certs.directory.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"ca_key_type": "rsa_1024"},
        {"server_key_type": "dsa"},
        {"regenerate": "sometimes"},
        {"signed_certificates": [{}]},
        {"signed_certificates": [{"path": "x", "content": "y"}]},
        {"host_trust": [{"name": "web1"}]},
    ],
)
def test_what_the_argument_spec_refuses(options: dict[str, t.Any]) -> None:
    spec = {name: dict(option) for name, option in SPEC.argument_spec.items()}
    assert ArgumentSpecValidator(spec, **SPEC.rules()).validate(options).error_messages


def test_empty_answers_of_a_survey_count_as_unset(certs: Certs) -> None:
    certs.run(ca_path="", ca_content="", ca_key_path="", ca_key_content="", ca_key_passphrase="", client_common_name="")
    assert certs.cert("cert.pem").subject.rfc4514_string() == "CN=docker client"


def test_names_that_differ_in_case_only(certs: Certs) -> None:
    certs.run(hosts=[{"name": "web1"}], clients=["robot"])
    for options, option in (({"hosts": [{"name": "Web1"}]}, "hosts"), ({"clients": ["ROBOT"]}, "clients")):
        before = certs.tree()
        with pytest.raises(OptionError, match="differs only in case") as caught:
            certs.run(**options)
        assert caught.value.option == option
        assert certs.tree() == before


def test_a_passphrase_that_would_be_masked_everywhere(certs: Certs) -> None:
    certs.run(ca_key_passphrase="correct horse")
    assert not any("mask" in warning for warning in certs.warnings)
    certs.directory = certs.directory.with_name("mycerts")
    certs.run(ca_key_passphrase="mycerts")
    assert any("Ansible masks it in every result" in warning for warning in certs.warnings)


@given(
    weeks=st.integers(0, 500), days=st.integers(0, 4000), hours=st.integers(0, 99), minutes=st.integers(0, 99),
    seconds=st.integers(0, 99), sign=st.sampled_from("+-"), upper=st.booleans(),
)  # fmt: skip
def test_relative_times(weeks: int, days: int, hours: int, minutes: int, seconds: int, sign: str, upper: bool) -> None:
    text = f"{sign}{weeks}w{days}d{hours}h{minutes}m{seconds}s"
    span = dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    parsed = times.parse_time("option", text.upper() if upper else text, NOW)
    assert parsed == (NOW + span if sign == "+" else NOW - span)


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9998, 12, 31)))
def test_absolute_times(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=dt.timezone.utc)
    assert times.parse_time("option", moment.strftime("%Y%m%d%H%M%SZ"), NOW) == moment
    assert times.parse_time("option", moment.strftime("%Y%m%d%H%M%S+0000"), NOW) == moment
    assert dt.datetime.strptime(times.iso(moment), "%Y-%m-%dT%H:%M:%S%z") == moment


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(OptionError):
        assert times.parse_time("option", text, NOW).tzinfo is not None


@pytest.mark.parametrize(("seconds", "days"), [(0, 0), (86399, 0), (86400, 1), (-1, -1), (-86400, -1), (-86401, -2)])
def test_whole_days(seconds: int, days: int) -> None:
    assert times.whole_days(dt.timedelta(seconds=seconds)) == days


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_addresses_go_into_a_certificate_and_come_back(address: t.Any) -> None:
    text = names.check_ip_address("option", str(address))
    san = names.make_san([], [text])
    assert next(iter(san)).value == ipaddress.ip_address(text)
    with pytest.raises(OptionError):
        names.check_dns_name("option", text)


@given(
    st.lists(st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?", fullmatch=True), min_size=2, max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_dns_names_go_in_and_come_back(labels: list[str], wild: bool, dot: bool) -> None:
    name = ("*." if wild else "") + ".".join(labels)
    if names.is_ip_address(name):
        return
    checked = names.check_dns_name("option", name + ("." if dot else ""))
    assert checked == name.lower()
    assert names.make_san([checked], []).get_values_for_type(x509.DNSName) == [checked]


@given(st.text(max_size=80))
def test_any_text_is_a_safe_name_or_a_clear_error(text: str) -> None:
    """Whatever passes is one path component that stays where it is put."""
    try:
        name = names.check_identity_name("option", text)
    except OptionError:
        return
    assert name == text
    assert "/" not in name
    assert "\\" not in name
    assert ".." not in name
    assert name not in ("", ".")
    assert name.isascii()
    assert name.isprintable()


@given(st.binary(min_size=32, max_size=32), st.booleans(), st.booleans())
def test_fingerprints_in_every_spelling(data: bytes, colons: bool, upper: bool) -> None:
    text = data.hex(":") if colons else data.hex()
    assert check_fingerprint("option", text.upper() if upper else text) == data.hex()


def test_a_host_is_accepted_as_docker_vm_host_returns_it(certs: Certs) -> None:
    whole = {
        **dict.fromkeys(HOST_KEYS),
        "name": "web1",
        "dns_names": ["web1.example.org"],
        "ip_addresses": ["10.0.0.4"],
    }
    certs.run(hosts=[whole])
    certs.settled(hosts=[{"name": "web1", "dns_names": "web1.example.org", "ip_addresses": "10.0.0.4"}])


def test_names_that_are_not_known_yet_renew_nothing(certs: Certs) -> None:
    future = {"name": "web1", "dns_names": ["web1.example.org"], "unknown": ["dns_names", "ip_addresses", "id"]}
    predicted = certs.run(check=True, hosts=[future])
    assert predicted["servers"]["web1"]["reasons"] == ["it does not exist"]
    certs.run(hosts=[{"name": "web1", "dns_names": ["web1.example.org"], "ip_addresses": ["10.0.0.4"]}])
    assert not certs.run(check=True, hosts=[future])["changed"]
    reasons = certs.run(check=True, hosts=[{**future, "ip_addresses": ["10.0.0.5"]}])["servers"]["web1"]["reasons"]
    assert reasons == ["SAN lacks 10.0.0.5"]
    for key in ("dns_names", "ip_addresses"):
        with pytest.raises(OptionError, match="the names of web1 are not known yet"):
            certs.run(hosts=[{**future, "unknown": [key]}])
    # Names that Azure does not know yet do not matter where nothing is issued.
    certs.run(state="absent", hosts=[future])
