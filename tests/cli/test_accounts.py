"""An account of a platform is archived with three commands, and nothing is asked of one that is not approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import ok, run

if TYPE_CHECKING:
    from samplecity.server import City


@pytest.mark.parametrize(
    ("platform", "handle", "native"),
    [
        ("bluesky", "parks.harborfalls.example", "did:plc:t6nr7otc3kivjkulqnjq5p36"),
        ("mastodon", "publicworks@social.harborfalls.example", "social.harborfalls.example/109301855914236108"),
    ],
)
def test_three_commands_archive_an_account(
    onrecord_environment: dict[str, str], sample_city: City, platform: str, handle: str, native: str
) -> None:
    added = ok(onrecord_environment, "accounts", "add", platform, handle)
    assert native in added
    name = added.partition(":")[0]
    asked = len(sample_city.requests)
    run(onrecord_environment, "capture", name).refused(3, name, "approve")
    assert len(sample_city.requests) == asked
    ok(onrecord_environment, "accounts", "approve", name, "--reason", "official account")
    assert "complete" in ok(onrecord_environment, "capture", name)


def test_a_site_is_registered_once_and_its_capture_can_end(onrecord_environment: dict[str, str]) -> None:
    site = ("accounts", "add", "wordpress", "https://news.harborfalls.example", "--name", "site")
    assert "news.harborfalls.example" in ok(onrecord_environment, *site)
    run(onrecord_environment, *site).refused(3, "site")
    ok(onrecord_environment, "accounts", "deactivate", "site", "--reason", "closed")
    run(onrecord_environment, "capture", "site").refused(3, "site")


def test_a_handle_nobody_has_is_a_sentence(onrecord_environment: dict[str, str]) -> None:
    run(onrecord_environment, "accounts", "add", "bluesky", "nobody.harborfalls.example").refused(4, "nobody")
    run(onrecord_environment, "accounts", "add", "mastodon", "nobody@social.harborfalls.example").refused(4, "nobody")
    run(onrecord_environment, "accounts", "add", "mastodon", "no-host").refused(4, "no-host")
    run(onrecord_environment, "accounts", "add", "friendster", "x").refused(2, "friendster")


def test_loading_the_register_again_changes_nothing(onrecord_environment: dict[str, str]) -> None:
    assert "8 added" in ok(onrecord_environment, "accounts", "load", "policy/accounts.yaml")
    assert "0 added, 0 changed, 8 unchanged" in ok(onrecord_environment, "accounts", "load", "policy/accounts.yaml")
