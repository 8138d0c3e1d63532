from __future__ import annotations

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from compliance import finding_deliveries, findings
from compliance.finding_codes import KINDS, SEVERITIES
from compliance.findings import Condition, Finding, condition, settle
from warehouse.database import open_database

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUIET = timedelta(hours=24)
REJECTED = condition("credential_rejected", "the token is dead", subject="library")
STALE = condition("mart_stale", "the mart is old", subject="mart")


def told(
    engine: Engine, at: datetime, *, channel: str = "desk", minimum: str = "info", fails: bool = False
) -> list[str]:
    """What a channel is told at a moment, as codes."""
    found = finding_deliveries.claim(engine, channel, minimum=minimum, quiet=QUIET, now=at)  # type: ignore[arg-type]
    if fails:
        finding_deliveries.failed(engine, channel, found, problem="no route to host")
    elif found:
        finding_deliveries.delivered(engine, channel, found, at=at)
    return [one.code for one in found]


def listed(engine: Engine, *, open_only: bool = True) -> list[Finding]:
    return findings.listing(engine, open_only=open_only)


def test_what_is_wrong_opens_one_finding_however_often_it_is_seen(engine: Engine) -> None:
    assert settle(engine, [REJECTED], NOW).opened == 1
    again = replace(REJECTED, message="the token is still dead")
    assert settle(engine, [again, REJECTED, again], NOW + HOUR).standing == 1
    (one,) = listed(engine)
    assert (one.opened_at, one.last_seen_at, one.closed_at) == (NOW, NOW + HOUR, None)
    assert (one.message, one.severity) == ("the token is still dead", "error")


def test_what_is_mended_closes_and_stays_on_record(engine: Engine) -> None:
    settle(engine, [REJECTED, STALE], NOW)
    assert settle(engine, [STALE], NOW + HOUR).closed == 1
    assert [one.code for one in listed(engine)] == ["mart_stale"]
    assert [(one.code, one.closed_at) for one in listed(engine, open_only=False)] == [
        ("mart_stale", None),
        ("credential_rejected", NOW + HOUR),
    ]


def test_what_was_not_looked_for_stays_as_it_is(engine: Engine) -> None:
    settle(engine, [REJECTED, STALE], NOW)
    settle(engine, [], NOW + HOUR, codes={"credential_rejected"})
    assert [one.code for one in listed(engine)] == ["mart_stale"]
    with pytest.raises(ValueError, match="not looked for: mart_stale"):
        settle(engine, [STALE], NOW, codes={"credential_rejected"})


def test_a_settlement_that_was_overtaken_closes_nothing(engine: Engine) -> None:
    settle(engine, [REJECTED], NOW + HOUR)
    settle(engine, [], NOW)
    assert len(listed(engine)) == 1


def test_the_gravest_comes_first_and_the_oldest_of_equals(engine: Engine) -> None:
    settle(engine, [STALE, condition("gap_open", "later", subject="b")], NOW)
    settle(
        engine,
        [STALE, condition("gap_open", "later", subject="b"), condition("account_vanished", "x", subject="a"), REJECTED],
        NOW + HOUR,
    )
    assert [one.code for one in listed(engine)] == ["account_vanished", "gap_open", "credential_rejected", "mart_stale"]
    assert [one.code for one in findings.grave(listed(engine))] == [
        "account_vanished",
        "gap_open",
        "credential_rejected",
    ]


def test_processes_that_settle_at_once_open_one_finding(database_url: str) -> None:
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=_settle, args=(database_url,)) for _ in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0] * 4
    engine = open_database(database_url)
    assert len(listed(engine, open_only=False)) == 1
    engine.dispose()


def _settle(url: str) -> None:
    engine = open_database(url)
    settle(engine, [REJECTED], NOW)
    engine.dispose()


def test_each_channel_is_told_once(engine: Engine) -> None:
    settle(engine, [REJECTED, STALE], NOW)
    assert told(engine, NOW, minimum="error") == ["credential_rejected"]
    assert told(engine, NOW, channel="duty") == ["credential_rejected", "mart_stale"]
    settle(engine, [REJECTED, STALE], NOW + 100 * QUIET)
    assert told(engine, NOW + 100 * QUIET, minimum="error") == []
    assert told(engine, NOW + 100 * QUIET, channel="duty") == []
    assert told(engine, NOW + 100 * QUIET) == ["mart_stale"]


def test_what_did_not_arrive_is_told_again(engine: Engine) -> None:
    settle(engine, [REJECTED], NOW)
    assert told(engine, NOW, fails=True) == ["credential_rejected"]
    assert finding_deliveries.told(engine) == {}
    assert told(engine, NOW + HOUR) == ["credential_rejected"]
    assert told(engine, NOW + HOUR) == []
    assert list(finding_deliveries.told(engine).values()) == [NOW + HOUR]


def test_a_claim_keeps_others_away_until_it_lapses(engine: Engine) -> None:
    settle(engine, [REJECTED], NOW)
    assert len(finding_deliveries.claim(engine, "desk", minimum="info", quiet=QUIET, now=NOW)) == 1
    assert told(engine, NOW + timedelta(minutes=5)) == []
    assert told(engine, NOW + finding_deliveries.CLAIMED_FOR) == ["credential_rejected"]


def test_a_condition_that_comes_and_goes_shouts_once_in_the_quiet_time(engine: Engine) -> None:
    shouts = []
    for hour in range(48):
        at = NOW + hour * HOUR
        settle(engine, [REJECTED] if hour % 2 == 0 else [], at)
        shouts += [hour] * len(told(engine, at))
    assert shouts == [0, 26], "told at once, and again more than 24 hours after it first closed"


def test_a_condition_that_comes_back_after_the_quiet_time_shouts_again(engine: Engine) -> None:
    settle(engine, [REJECTED], NOW)
    told(engine, NOW)
    settle(engine, [], NOW + HOUR)
    settle(engine, [REJECTED], NOW + HOUR + QUIET)
    assert told(engine, NOW + HOUR + QUIET) == ["credential_rejected"]


def test_what_closed_before_anybody_was_told_does_not_keep_its_return_quiet(engine: Engine) -> None:
    settle(engine, [REJECTED], NOW)
    told(engine, NOW, fails=True)
    settle(engine, [], NOW + HOUR)
    settle(engine, [REJECTED], NOW + 2 * HOUR)
    assert told(engine, NOW + 2 * HOUR) == ["credential_rejected"]


def test_many_findings_are_told_in_messages_of_a_bearable_size(engine: Engine) -> None:
    many = [condition("gap_open", "x", subject=f"account {number:03}") for number in range(120)]
    settle(engine, [*many, condition("account_vanished", "x", subject="last")], NOW)
    sizes = [len(told(engine, NOW)) for _ in range(4)]
    assert sizes == [50, 50, 21, 0]


def test_what_a_platform_said_is_cut_and_kept_on_one_line() -> None:
    hostile = condition("answer_broken", "a\r\nBcc: everyone\x1b[31m" + "x" * 10_000, subject="news")
    assert hostile.message.startswith("a Bcc: everyone [31mxx")
    assert len(hostile.message) == findings.LONGEST_TEXT


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    for code, kind in KINDS.items():
        made: Condition = condition(code, "x", subject="y", handle="h", call="c")
        assert made.severity == kind.severity
        assert made.severity in SEVERITIES
        assert made.advice
        assert "{" not in made.advice
        assert kind.meaning
