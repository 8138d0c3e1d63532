from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.contract import AccountRef, Connection
from connectors.faults import AccountUnavailable
from connectors.kit.address import base_url, is_public, is_trusted, origin, service_name


def connection(*, allow_private: bool = False, **services: str) -> Connection:
    named = {name.replace("_", "."): url for name, url in services.items()}
    account = AccountRef("test", "1", "city", "city.gov")
    return Connection(account, print, lambda: datetime.now(UTC), print, services=named, allow_private=allow_private)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("City.GOV", "city.gov"),
        (" https://city.gov/ ", "city.gov"),
        ("https://city.gov/news/", "city.gov/news"),
        ("münchen.example", "xn--mnchen-3ya.example"),
    ],
)
def test_a_service_has_one_name(written: str, name: str) -> None:
    assert service_name(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "", "city.gov:8443", "user@city.gov", "city.gov/../etc", "city.gov/./x", "city.gov?x=1", "city.gov#x", "-a.gov", "ftp://city.gov",
        "city gov", "city.gov\\@evil.example", "city.gov\n.evil.example", "[::1]", "a" * 300 + ".gov", "https://https://city.gov",
    ],
)  # fmt: skip
def test_what_is_not_a_host_name_is_refused(written: str) -> None:
    with pytest.raises(AccountUnavailable, match="not a host name") as refused:
        service_name(written)
    assert refused.value.state == "address_refused"


def test_a_public_host_is_asked_by_https() -> None:
    assert base_url(connection(), "city.gov") == "https://city.gov"
    assert base_url(connection(), "city.gov/news") == "https://city.gov/news"
    assert not is_trusted(connection(), "city.gov")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "10.0.0.8", "169.254.169.254", "2130706433", "0x7f.1", "intranet"]
)
def test_numbers_and_bare_names_are_not_asked(host: str) -> None:
    with pytest.raises(AccountUnavailable, match="public host names"):
        base_url(connection(), host)
    assert base_url(connection(allow_private=True), host) == f"https://{host}"


def test_a_mapped_host_is_trusted_with_its_paths() -> None:
    mapped = connection(city_gov="http://127.0.0.1:8080/wordpress/")
    assert base_url(mapped, "city.gov") == "http://127.0.0.1:8080/wordpress"
    assert base_url(mapped, "city.gov/news") == "http://127.0.0.1:8080/wordpress/news"
    assert is_trusted(mapped, "city.gov/news")
    assert not is_trusted(mapped, "other.gov")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "ff02::1",
    ],
)  # fmt: skip
def test_private_addresses_in_all_their_spellings(address: str) -> None:
    assert not is_public(address)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://City.gov/x") == origin("https://city.gov:443/y")
    assert origin("http://city.gov") != origin("https://city.gov")
    assert origin("https://city.gov:8443") != origin("https://city.gov")
