from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from warehouse import gaps, inventory, lease, ledger, looked
from warehouse.inventory import EvidenceDiffers
from warehouse.ledger import Capture, CaptureOver, CaptureUnknown, EvidenceObject, Progress

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ACCOUNT = "bluesky:did:plc:a"


def begin(
    engine: Engine,
    minute: int = 0,
    *,
    account_id: str = ACCOUNT,
    resource: str = "posts",
    resumed_from: Capture | None = None,
    since: datetime | None = None,
) -> Capture:
    at = NOON + minute * MINUTE
    return ledger.begin_capture(
        engine,
        capture_id=f"{at:%Y%m%dT%H%M%S%f}-{abs(hash((account_id, resource))):016x}",
        account_id=account_id,
        platform="bluesky",
        resource=resource,
        started_at=at,
        software="onrecord test",
        since=since,
        resumed_from=resumed_from,
        last_complete=looked.last_complete(engine, account_id, resource),
    )


def unfinished(engine: Engine) -> Capture | None:
    latest, _ = looked.standing(engine, ACCOUNT, ["posts", "comments"])
    last = latest["posts"]
    return last if last and ledger.can_go_on(last) else None


def end(engine: Engine, capture: Capture, outcome: str = "complete", **more: object) -> Capture:
    at = capture.started_at + timedelta(seconds=30)
    return ledger.end_capture(engine, capture.capture_id, ended_at=at, outcome=outcome, **more)  # type: ignore[arg-type]


def evidence(capture: Capture, part: int = 1, *, exchanges: int = 3) -> EvidenceObject:
    return EvidenceObject(
        key=f"evidence/{capture.capture_id}.{part}.warc.gz",
        capture_id=capture.capture_id,
        account_id=capture.account_id,
        part=part,
        sha256=f"{part:064x}",
        bytes=9_000_000_000,
        exchanges=exchanges,
        written_at=NOON,
        version_id="v1",
    )


def test_a_capture_is_read_back_as_it_was_begun(engine: Engine) -> None:
    begun = begin(engine, since=NOON - MINUTE)
    assert ledger.get_capture(engine, begun.capture_id) == begun
    assert (begun.outcome, begun.ended_at, begun.newest_published) == ("running", None, None)


def test_an_unknown_capture_is_named(engine: Engine) -> None:
    with pytest.raises(CaptureUnknown, match="20260101T0-x"):
        ledger.get_capture(engine, "20260101T0-x")


def test_a_checkpoint_keeps_progress_and_evidence_together(engine: Engine) -> None:
    begun = begin(engine)
    progress = Progress(3, 250, 900, {"pinned_repeat": 1}, {"cursor": "c3", "page": 3}, NOON)
    saved = ledger.checkpoint(engine, begun.capture_id, progress, now=NOON + MINUTE, evidence=[evidence(begun)])
    assert ledger.get_capture(engine, begun.capture_id) == saved
    assert (saved.pages, saved.items, saved.platform_total) == (3, 250, 900)
    assert (saved.skipped, saved.checkpoint) == ({"pinned_repeat": 1}, {"cursor": "c3", "page": 3})
    assert (saved.newest_published, saved.progressed_at) == (NOON, NOON + MINUTE)
    assert list(inventory.objects(engine, capture_id=begun.capture_id)) == [evidence(begun)]


def test_a_checkpoint_with_other_bytes_for_a_known_key_moves_nothing(engine: Engine) -> None:
    begun = begin(engine)
    inventory.store(engine, [evidence(begun)])
    forged = replace(evidence(begun), sha256="f" * 64)
    with pytest.raises(EvidenceDiffers, match="nothing was changed"):
        ledger.checkpoint(engine, begun.capture_id, Progress(pages=1), now=NOON, evidence=[forged])
    assert ledger.get_capture(engine, begun.capture_id) == begun
    assert list(inventory.pending(engine)) == [evidence(begun)]


def test_the_cursor_never_moves_back(engine: Engine) -> None:
    first = begin(engine)
    end(engine, first, progress=Progress(1, 1, newest_published=NOON))
    second = begin(engine, 15)
    assert second.newest_published == NOON
    ended = end(engine, second, progress=Progress(1, 1, newest_published=NOON - MINUTE))
    assert ended.newest_published == NOON
    assert looked.last_complete(engine, ACCOUNT, "posts") == ended


def test_the_cursor_of_a_failed_look_does_not_count(engine: Engine) -> None:
    end(engine, begin(engine), progress=Progress(1, 1, newest_published=NOON))
    end(engine, begin(engine, 15), "unreachable", progress=Progress(1, 1, newest_published=NOON + MINUTE))
    assert begin(engine, 30).newest_published == NOON


def test_a_cut_off_look_is_resumed_with_its_window_place_and_cursor(engine: Engine) -> None:
    cut = begin(engine, since=NOON - MINUTE)
    ledger.checkpoint(engine, cut.capture_id, Progress(2, 10, None, {}, {"cursor": "c2"}, NOON), now=NOON)
    end(engine, cut, "rate_limited", retry_at=NOON + 5 * MINUTE)
    before = unfinished(engine)
    assert before is not None
    resumed = begin(engine, 15, resumed_from=before)
    assert (resumed.resumed_from, resumed.checkpoint) == (cut.capture_id, {"cursor": "c2"})
    assert (resumed.since, resumed.newest_published) == (NOON - MINUTE, NOON)


def test_a_resumed_look_that_fails_on_its_first_page_keeps_the_place(engine: Engine) -> None:
    cut = begin(engine)
    end(engine, cut, "unreachable", progress=Progress(2, 10, checkpoint={"cursor": "c2"}))
    again = begin(engine, 15, resumed_from=unfinished(engine))
    end(engine, again, "unreachable", progress=Progress(pages=1))
    left = unfinished(engine)
    assert left is not None
    assert left.checkpoint == {"cursor": "c2"}


@pytest.mark.parametrize("outcome", ["complete", "cursor_expired", "paging_loop"])
def test_nothing_is_resumed_after_an_end_or_a_lost_place(engine: Engine, outcome: str) -> None:
    end(engine, begin(engine), outcome, progress=Progress(2, 10, checkpoint={"cursor": "c2"}))
    assert unfinished(engine) is None


def test_an_ended_capture_cannot_go_on(engine: Engine) -> None:
    ended = end(engine, begin(engine))
    with pytest.raises(CaptureOver, match="has ended"):
        ledger.checkpoint(engine, ended.capture_id, Progress(), now=NOON)
    with pytest.raises(CaptureOver):
        end(engine, ended, "unreachable")
    assert end(engine, ended) == ended


def test_a_dead_capture_ends_as_interrupted_at_its_last_sign_of_life(engine: Engine) -> None:
    dead = begin(engine)
    ledger.checkpoint(engine, dead.capture_id, Progress(1, 5, checkpoint={"cursor": "c1"}), now=NOON + MINUTE)
    inventory.store(engine, [evidence(dead, 1, exchanges=1), evidence(dead, 2, exchanges=4)])
    (ended,) = ledger.interrupt(engine, ACCOUNT)
    assert (ended.outcome, ended.ended_at, ended.pages) == ("interrupted", NOON + MINUTE, 5)
    assert unfinished(engine) == ended
    assert ledger.interrupt(engine, ACCOUNT) == []


def test_a_failure_opens_one_gap_from_the_last_success_and_the_next_success_closes_it(engine: Engine) -> None:
    end(engine, begin(engine))
    failed = end(engine, begin(engine, 15), "credential_rejected")
    end(engine, begin(engine, 30), "unreachable")
    assert list(gaps.listing(engine, unclosed_only=True)) == [
        gaps.Gap(failed.capture_id, ACCOUNT, "posts", "credential_rejected", NOON, None, failed.capture_id)
    ]
    end(engine, begin(engine, 45, resource="comments"))
    assert len(list(gaps.listing(engine, unclosed_only=True))) == 1
    end(engine, begin(engine, 60))
    assert [gap.closed_at for gap in gaps.listing(engine, account_id=ACCOUNT)] == [NOON + 60 * MINUTE]
    end(engine, begin(engine, 75), "unreachable")
    assert [gap.opened_at for gap in gaps.listing(engine, unclosed_only=True)] == [NOON + 60 * MINUTE]


def test_a_gap_of_an_account_never_seen_begins_with_the_first_look(engine: Engine) -> None:
    end(engine, begin(engine), "unreachable")
    end(engine, begin(engine, 15), "unreachable")
    assert [gap.opened_at for gap in gaps.listing(engine)] == [NOON]


def test_storing_the_same_evidence_twice_adds_nothing(engine: Engine) -> None:
    begun = begin(engine)
    assert inventory.store(engine, [evidence(begun)]) == 1
    assert inventory.store(engine, [evidence(begun), evidence(begun, 2)]) == 1


def test_pending_evidence_comes_in_capture_order_and_each_object_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PAGE_ROWS", 2)
    begun = [begin(engine, minute) for minute in (0, 15, 30)]
    objects = [evidence(capture, part) for capture in begun for part in (1, 2)][:-1]
    inventory.store(engine, reversed(objects))
    seen = []
    for one in inventory.pending(engine):
        seen.append(one)
        inventory.mark_normalized(engine, [one.key], at=NOON, version="1")
    assert seen == objects
    assert list(inventory.pending(engine)) == []
    assert {one.normalizer_version for one in inventory.objects(engine, account_id=ACCOUNT)} == {"1"}


def test_ended_captures_are_tabled_once_in_order(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "PAGE_ROWS", 2)
    ended = [end(engine, begin(engine, minute)) for minute in (0, 15, 30)]
    running = begin(engine, 45)
    assert list(ledger.untabled_captures(engine)) == ended
    ledger.mark_tabled(engine, (one.capture_id for one in ended[:2]), at=NOON)
    assert list(ledger.untabled_captures(engine)) == ended[2:]
    assert [one.capture_id for one in ledger.captures(engine)] == [one.capture_id for one in [*ended, running]]


def due(engine: Engine, minute: int, *account_ids: str) -> list[str]:
    now = NOON + minute * MINUTE
    return looked.due(engine, account_ids or (ACCOUNT,), now=now, every_seconds=900)


def test_an_account_is_due_when_never_looked_at_or_long_enough_ago(engine: Engine) -> None:
    assert due(engine, 0, "bluesky:b", ACCOUNT) == ["bluesky:b", ACCOUNT]
    end(engine, begin(engine))
    assert due(engine, 14, "bluesky:b", ACCOUNT) == ["bluesky:b"]
    assert due(engine, 15) == [ACCOUNT]


def test_an_account_that_asked_for_patience_is_due_when_it_said(engine: Engine) -> None:
    end(engine, begin(engine), "rate_limited", retry_at=NOON + 40 * MINUTE)
    assert due(engine, 39) == []
    assert due(engine, 40) == [ACCOUNT]


def test_an_account_whose_look_was_cut_off_is_due_at_once_unless_a_process_lives(engine: Engine) -> None:
    begin(engine)
    assert due(engine, 1) == [ACCOUNT]
    with lease.leased(engine, ACCOUNT, clock=lambda: NOON + MINUTE):
        assert due(engine, 2) == []


def test_thousands_of_accounts_are_asked_at_once(engine: Engine) -> None:
    names = [f"bluesky:{number}" for number in range(1201)]
    end(engine, begin(engine, account_id=names[1200]))
    assert due(engine, 1, *names) == names[:1200]
