from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from conftest import ROOT

from compliance import detection
from compliance.accounts import Account
from compliance.findings import Condition
from compliance.mart_facts import Habit, MartFacts, SetAside
from compliance.policy import load_policy
from compliance.standing import LastLook, Standing
from warehouse.gaps import Gap

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TERMS = load_policy(ROOT / "policy").findings
EVERY = 15 * MINUTE
LIBRARY = Account(
    name="library", title="Library", platform="mastodon", native_id="library.example/1", handle="branches@library.example",
    service="library.example", department="Library", office=None, head=None, credential="library", retention=None,
    status="active", registered_at=NOW - 400 * DAY,
)  # fmt: skip


def look(resource: str = "posts", outcome: str = "complete", **more: Any) -> LastLook:
    values = {
        "resource": resource,
        "outcome": outcome,
        "progressed_at": NOW - MINUTE,
        "retry_at": None,
        "completed_at": NOW - MINUTE,
        "told": outcome,
        "told_by": f"look-{resource}",
        "told_at": NOW - MINUTE,
        "message": None,
        "reason": None,
    }
    return LastLook(**{**values, **more})


def standing(*looks: LastLook, gaps: tuple[Gap, ...] = (), **of_account: Any) -> Standing:
    return Standing(replace(LIBRARY, **of_account), NOW - 400 * DAY, looks, gaps)


def of_ledger(one: Standing, now: datetime = NOW) -> list[Condition]:
    return list(detection.of_ledger([one], TERMS, now, every=EVERY))


def codes(one: Standing, now: datetime = NOW) -> list[str]:
    return [found.code for found in of_ledger(one, now)]


def of_mart(one: Standing, now: datetime = NOW, **facts: Any) -> list[Condition]:
    empty: dict[str, Any] = {"built_at": now, "handles": {}, "habits": {}, "set_aside": {}}
    return list(detection.of_mart([one], MartFacts(**{**empty, **facts}), TERMS, now))


def test_an_account_whose_looks_are_complete_has_no_finding() -> None:
    assert of_ledger(standing(look("profile"), look(), look("comments"), look("moderation"))) == []


@pytest.mark.parametrize(
    ("outcome", "code", "severity"),
    [
        ("credential_rejected", "credential_rejected", "error"),
        ("credential_missing", "credential_missing", "error"),
        ("scope_missing", "scope_missing", "error"),
        ("contract_broken", "answer_broken", "error"),
        ("paging_loop", "paging_broken", "error"),
        ("suspicious_shrink", "suspicious_shrink", "error"),
        ("account_unavailable", "account_unavailable", "error"),
    ],
)
def test_what_a_look_ended_with_is_told_once_for_the_account(outcome: str, code: str, severity: str) -> None:
    looks = [
        look("posts", outcome, message="the platform said no"),
        look("comments", outcome, message="not tried: posts"),
    ]
    (found,) = of_ledger(standing(*looks))
    assert (found.code, found.severity, found.account_id) == (code, severity, LIBRARY.account_id)
    assert found.message == "library, posts, comments: the platform said no"
    assert found.detail == {"resources": ["posts", "comments"], "capture_id": "look-posts"}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("suspended", "account_suspended"),
        ("takedown", "account_suspended"),
        ("withheld", "account_suspended"),
        ("deleted", "account_vanished"),
        ("deactivated", "account_vanished"),
        ("not_found", "account_vanished"),
        ("moved", "account_unavailable"),
        ("api_closed", "account_unavailable"),
    ],
)
def test_the_state_of_an_account_tells_suspended_from_vanished(state: str, code: str) -> None:
    refused = look("profile", "account_unavailable", message="get_profile was answered with 400 'no'", reason=state)
    why = "not tried: profile ended with account_unavailable"
    untried = look("posts", "account_unavailable", message=why, reason=state)
    (found,) = of_ledger(standing(refused, untried))
    assert found.code == code
    assert found.severity == ("error" if code == "account_unavailable" else "critical")


def test_words_of_a_platform_are_not_taken_for_a_state() -> None:
    said = look("profile", "account_unavailable", message="answered with '[suspended]'", reason="moved")
    assert codes(standing(said)) == ["account_unavailable"]


def test_a_day_that_does_not_fit_the_budget_is_told_by_lane() -> None:
    (found,) = detection.of_budgets({"mastodon-library": (50_400.0, 43_200.0)})
    assert (found.code, found.severity, found.subject, found.account_id) == (
        "budget_exceeded",
        "warning",
        "mastodon-library",
        None,
    )
    assert "takes 50,400 requests a day, 43,200 may be spent" in found.message


@pytest.mark.parametrize("outcome", ["running", "interrupted", "unreachable", "rate_limited", "not_covered"])
def test_a_look_that_tells_nothing_does_not_hide_a_dead_token(outcome: str) -> None:
    assert codes(standing(look("posts", outcome, told="credential_rejected", completed_at=None))) == [
        "credential_rejected"
    ]


def test_silence_of_captures_is_told_within_one_interval_and_its_tolerance() -> None:
    allowed = EVERY + TERMS.overdue_minutes * MINUTE
    looks = [look(completed_at=NOW - allowed), look("comments", "unreachable", told=None, completed_at=NOW - allowed)]
    assert codes(standing(*looks)) == []
    (found,) = of_ledger(standing(*looks), NOW + MINUTE)
    assert found.code == "capture_overdue"
    assert (
        found.message
        == "library: no complete look at posts, comments since 2026-03-01 11:25 UTC; the last ended with complete, unreachable"
    )


def test_an_account_never_looked_at_is_overdue_counted_from_its_approval() -> None:
    approved = Standing(LIBRARY, NOW, (), ())
    assert codes(approved, NOW + 35 * MINUTE) == []
    assert codes(approved, NOW + 36 * MINUTE) == ["capture_overdue"]


def test_a_long_look_that_goes_on_is_not_overdue_and_one_that_hangs_is() -> None:
    working = look("posts", "running", told=None, completed_at=None, progressed_at=NOW - MINUTE)
    assert codes(standing(working)) == []
    assert codes(standing(replace(working, progressed_at=NOW - HOUR))) == ["capture_overdue"]


def test_an_overdue_look_says_when_the_platform_wants_to_be_asked_again() -> None:
    limited = look("posts", "rate_limited", told=None, completed_at=NOW - DAY, retry_at=NOW + HOUR)
    assert "to be tried again 2026-03-01 13:00 UTC" in of_ledger(standing(limited))[0].message


def test_what_is_told_already_is_not_told_again_as_overdue() -> None:
    dead = look("posts", "credential_rejected", completed_at=NOW - DAY)
    assert codes(standing(dead, look("comments", "not_covered", completed_at=None))) == ["credential_rejected"]


def test_a_gap_is_told_once_it_is_long() -> None:
    gap = Gap("g", LIBRARY.account_id, "comments", "unreachable", NOW - 25 * HOUR, None, "g")
    assert codes(standing(look(), gaps=(gap,))) == ["gap_open"]
    assert codes(standing(look(), gaps=(replace(gap, opened_at=NOW - 23 * HOUR),))) == []
    assert codes(standing(look(), gaps=(replace(gap, cause="not_covered"),))) == []


def test_a_credential_is_warned_of_fourteen_days_before_its_last_day() -> None:
    def at(last: date) -> list[tuple[str, str]]:
        return [(one.code, one.message) for one in of_ledger(standing(look(), credential_expires=last))]

    today = NOW.date()
    assert at(today + 15 * DAY) == []
    assert at(today + 14 * DAY) == [
        ("credential_expiring", "Credential library of library expires after 2026-03-15: 14 days left")
    ]
    assert at(today + DAY) == [
        ("credential_expiring", "Credential library of library expires after 2026-03-02: 1 day left")
    ]
    assert at(today) == [
        ("credential_expiring", "Credential library of library expires after 2026-03-01: today is its last day")
    ]
    assert at(today - DAY) == [("credential_expired", "Credential library of library expired after 2026-02-28")]


def test_an_account_with_another_handle_is_renamed_and_the_advice_names_the_command() -> None:
    (found,) = of_mart(standing(look()), handles={LIBRARY.account_id: "reading@library.example"})
    assert found.code == "account_renamed"
    assert "note the handle reading@library.example of library in policy/accounts.yaml" in found.advice
    assert "onrecord accounts load policy/accounts.yaml" in found.advice
    assert of_mart(standing(look()), handles={LIBRARY.account_id: "@Branches@Library.example"}) == []


def test_an_account_is_silent_when_it_is_silent_longer_than_its_habit() -> None:
    def at(last: datetime, usual: timedelta = DAY, **more: Any) -> list[str]:
        habit = Habit(40, last, usual)
        return [one.code for one in of_mart(standing(look(**more)), habits={LIBRARY.account_id: habit})]

    assert at(NOW - 7 * DAY) == [], "never before the least number of days"
    assert at(NOW - 8 * DAY) == ["account_silent"]
    assert at(NOW - 19 * DAY, usual=10 * DAY) == []
    assert at(NOW - 21 * DAY, usual=10 * DAY) == ["account_silent"]
    assert at(NOW - 8 * DAY, completed_at=NOW - 2 * DAY) == [], "nobody looked for two days"
    assert at(NOW - 8 * DAY, completed_at=None) == []


def test_few_unreadable_items_are_borne_and_many_are_told() -> None:
    def at(quarantined: int, items: int) -> list[str]:
        aside = SetAside(quarantined, items, "statuses", "not_an_object")
        return [one.code for one in of_mart(standing(look()), set_aside={LIBRARY.account_id: aside})]

    assert at(4, 4) == []
    assert at(5, 501) == []
    assert at(5, 500) == ["quarantine_high"]


def test_a_mart_is_stale_when_old_or_never_built_though_there_is_what_to_build_it_from() -> None:
    def at(built_at: datetime | None, *looks: LastLook) -> list[str]:
        return [one.message for one in detection.of_age([standing(*looks)], built_at, TERMS, NOW)]

    assert at(NOW - 26 * HOUR, look()) == []
    assert at(NOW - 27 * HOUR, look()) == ["The mart was last built 2026-02-28 09:00 UTC"]
    assert at(None) == []
    assert at(None, look()) == []
    assert at(None, look(completed_at=NOW - 2 * DAY)) == [
        "The mart was never built, though captures were complete since 2026-02-27 12:00 UTC"
    ]
