from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from compliance import holds
from compliance.faults import HoldRefused, UnknownHold
from compliance.holds import Hold, Scope

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCOPE = Scope(
    account_ids=("bluesky:a", "mastodon:b"),
    kinds=("post",),
    published_from=NOW - timedelta(days=30),
    published_until=NOW,
    text="flood",
)


def place(engine: Engine, scope: Scope = SCOPE, reason: str = "lawsuit", hold_id: str = "H-1") -> Hold:
    return holds.place(engine, hold_id, reason=reason, scope=scope, by="os:clerk", at=NOW)


def test_a_hold_is_read_back_as_it_was_placed(engine: Engine) -> None:
    placed = place(engine)
    assert list(holds.listing(engine)) == [placed]
    assert (placed.scope, placed.placed_by, placed.released_at) == (SCOPE, "os:clerk", None)


def test_placing_the_same_hold_again_changes_nothing(engine: Engine) -> None:
    placed = place(engine)
    assert (
        holds.place(engine, "H-1", reason="lawsuit", scope=SCOPE, by="os:other", at=NOW + timedelta(days=1)) == placed
    )


def test_another_hold_under_the_same_id_is_refused(engine: Engine) -> None:
    place(engine)
    for scope, reason in ((replace(SCOPE, text="fire"), "lawsuit"), (SCOPE, "audit")):
        with pytest.raises(HoldRefused, match="choose another id"):
            place(engine, scope, reason)
    assert [one.scope for one in holds.listing(engine)] == [SCOPE]


@pytest.mark.parametrize(
    ("scope", "reason", "told"),
    [
        (SCOPE, "  ", "needs a reason"),
        (Scope(), "lawsuit", "say what it covers"),
        (Scope(published_from=NOW, published_until=NOW), "lawsuit", "ends before it begins"),
    ],
)
def test_a_hold_without_reason_or_scope_is_refused(engine: Engine, scope: Scope, reason: str, told: str) -> None:
    with pytest.raises(HoldRefused, match=told):
        place(engine, scope, reason)
    assert list(holds.listing(engine)) == []


def test_a_released_hold_stays_on_record(engine: Engine) -> None:
    place(engine)
    place(engine, Scope(everything=True), hold_id="H-2")
    released = holds.release(engine, "H-1", by="os:dana", at=NOW + timedelta(days=9), reason="settled")
    assert (released.released_by, released.release_reason) == ("os:dana", "settled")
    assert [one.hold_id for one in holds.listing(engine, in_force_only=True)] == ["H-2"]
    assert released in list(holds.listing(engine))


def test_a_hold_is_released_once(engine: Engine) -> None:
    place(engine)
    holds.release(engine, "H-1", by="os:dana", at=NOW, reason="settled")
    with pytest.raises(HoldRefused, match="was released on 2026-03-01 by os:dana"):
        holds.release(engine, "H-1", by="os:other", at=NOW, reason="again")
    with pytest.raises(HoldRefused, match="is released"):
        place(engine)
    with pytest.raises(UnknownHold, match="no hold H-7"):
        holds.release(engine, "H-7", by="os:dana", at=NOW, reason="settled")
