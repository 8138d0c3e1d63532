"""Alarms: many of them stay readable, and times are told in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console import alarms

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)


def account(number: int, capture: str, **values: Any) -> dict[str, Any]:
    given = {"complete_as_of": None, "gap_since": None, "last_error": None}
    return {"name": f"account-{number}", "title": f"Account {number}", "capture": capture, **given, **values}


def test_a_hundred_failing_accounts_do_not_fill_the_page() -> None:
    found = alarms.of_accounts([account(number, "failing", last_error="dead") for number in range(100)], NOW)
    assert len(found) == alarms.SHOWN + 1
    assert found[-1].heading == "The last look failed at 90 accounts more"


def test_silent_accounts_share_one_alarm_that_tells_the_oldest() -> None:
    late = [account(number, "late", complete_as_of=NOW - timedelta(hours=number)) for number in (2, 50, 3)]
    [alarm] = alarms.of_accounts(late, NOW)
    assert alarm.heading == "No recent complete look: 3 accounts"
    assert "2026-06-15 10:00 UTC, 2 days ago" in alarm.text
    assert alarm.accounts == late


def test_what_is_well_or_not_approved_is_no_alarm() -> None:
    assert alarms.of_accounts([account(1, "up to date"), account(2, "not captured")], NOW) == []


def test_an_error_without_a_message_is_still_an_alarm() -> None:
    [alarm] = alarms.of_accounts([account(1, "failing")], NOW)
    assert (alarm.heading, alarm.text) == ("The last look failed", "")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-5, "just now"), (1.9, "just now"), (2, "2 minutes ago"), (119, "119 minutes ago"), (120, "2 hours ago"), (47 * 60, "47 hours ago"), (48 * 60, "2 days ago")],
)  # fmt: skip
def test_how_long_ago_is_told_in_words(minutes: float, words: str) -> None:
    assert alarms.ago(NOW - timedelta(minutes=minutes), NOW) == words
