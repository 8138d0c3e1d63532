"""The comparison itself: it finds what is missing, what is false, and lets pass what no look could show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from completeness.compare import Gap, Result, Row, compare
from completeness.life import Look, Outage, Span, Truth

ACCOUNT = "bluesky:did:plc:city"
POST = "bluesky:at://city/post/1"


def at(minute: float) -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)


def moment(minute: float) -> Span:
    return Span(at(minute), at(minute))


def truth(*looks: float) -> Truth:
    """A post written at minute 0; looks of one minute each."""
    made = Truth(looks=[Look(ACCOUNT, at(minute), at(minute + 1)) for minute in looks])
    made.begin(POST, "post", ACCOUNT, moment(0), content="first")
    return made


def row(version: int, change: str, seen: tuple[float | None, float], content: str = "first", **more: str) -> Row:
    state = {"deleted": "deleted", "hidden": "hidden"}.get(change, "present")
    before, after = seen
    return Row(POST, "post", version, change, state, content, None if before is None else at(before), at(after), **more)


def scored(made: Truth, *rows: Row, gaps: tuple[Gap, ...] = ()) -> Result:
    return compare(made, rows, gaps)


FIRST = row(1, "first_seen", (None, 10.5))


def test_all_that_happened_and_nothing_else_is_whole() -> None:
    made = truth(10, 20)
    made.lives[POST].became(moment(15), content="second")
    result = scored(made, FIRST, row(2, "edited", (10.5, 20.5), "second"))
    assert result.is_whole
    assert {kind: score.expected for kind, score in result.scores.items()} == {"post": 1, "post edited": 1, "gap": 0}


def test_an_edit_that_a_look_saw_and_the_archive_lacks_is_missing() -> None:
    made = truth(10, 20)
    made.lives[POST].became(moment(15), content="second")
    result = scored(made, FIRST)
    assert (result.scores["post edited"].recall, result.scores["post"].recall) == (0, 1)
    assert POST in result.scores["post edited"].missing[0]


def test_what_lived_only_between_two_looks_is_listed_and_not_missing() -> None:
    made = truth(10, 20)
    made.lives[POST].became(moment(13), content="second")
    made.lives[POST].became(moment(15), content="third")
    result = scored(made, FIRST, row(2, "edited", (10.5, 20.5), "third"))
    assert result.is_whole
    assert result.unseen == {"post edited": [POST]}


def test_what_was_undone_between_two_looks_needs_no_row() -> None:
    made = truth(10, 20)
    made.lives[POST].became(moment(13), state="hidden")
    made.lives[POST].became(moment(15), state="present")
    assert scored(made, FIRST).is_whole


def test_a_deletion_that_never_was_is_false() -> None:
    result = scored(truth(10, 20), FIRST, row(2, "deleted", (10.5, 20.5)))
    assert (result.scores["post deleted"].precision, result.scores["post"].precision) == (0, 1)


def test_a_record_that_never_was_is_false() -> None:
    invented = Row("bluesky:at://city/post/2", "post", 1, "first_seen", "present", "", None, at(10))
    assert scored(truth(10), FIRST, invented).scores["post"].precision == 0.5


def test_an_interval_without_the_moment_of_the_change_is_false() -> None:
    made = truth(10, 20, 30)
    made.lives[POST].became(moment(15), state="deleted", cause="removed_by_city")
    told = row(2, "deleted", (10.5, 20.5), cause="removed_by_city")
    assert scored(made, FIRST, told).is_whole
    late = row(2, "deleted", (20.5, 30.5), cause="removed_by_city")
    result = scored(made, FIRST, late)
    assert (result.scores["post deleted"].recall, result.scores["post deleted"].precision) == (0, 0)


def test_another_cause_than_the_true_one_is_missing_and_false() -> None:
    made = truth(10, 20)
    made.lives[POST].became(moment(15), state="deleted", cause="removed_by_city")
    result = scored(made, FIRST, row(2, "deleted", (10.5, 20.5), cause="author_gone"))
    assert result.scores["cause: removed_by_city"].recall == 0
    assert result.scores["cause: author_gone"].precision == 0
    assert result.scores["post deleted"].is_whole


def test_a_change_in_the_midst_of_a_look_may_be_found_by_it_or_by_the_next() -> None:
    made = truth(10, 20)
    made.lives[POST].became(moment(10.6), content="second")
    for seen in (10.8, 20.5):
        assert scored(made, FIRST, row(2, "edited", (10.5, seen), "second")).is_whole
    assert not scored(made, FIRST).is_whole


def test_a_post_that_was_gone_before_the_first_look_cannot_be_found() -> None:
    made = truth(10)
    made.lives[POST].became(moment(5), state="deleted", cause="removed_by_city")
    result = scored(made)
    assert result.is_whole
    assert set(result.unseen) == {"post", "post deleted"}


def test_an_outage_needs_a_gap_around_it_that_was_closed() -> None:
    made = truth(10, 30)
    made.outages.append(Outage(ACCOUNT, frozenset({"posts"}), "unreachable", Span(at(20), at(21))))
    around = Gap(ACCOUNT, "posts", "unreachable", at(10), at(30))
    assert scored(made, FIRST, gaps=(around,)).is_whole
    for gap in (Gap(ACCOUNT, "posts", "unreachable", at(10), None), Gap(ACCOUNT, "posts", "x", at(22), at(30))):
        assert scored(made, FIRST, gaps=(gap,)).scores["gap"].recall == 0


def test_a_gap_without_an_outage_or_of_another_cause_is_false() -> None:
    gap = Gap(ACCOUNT, "posts", "unreachable", at(10), at(30))
    assert scored(truth(10), FIRST, gaps=(gap,)).scores["gap"].precision == 0
    made = truth(10)
    made.outages.append(Outage(ACCOUNT, frozenset({"posts"}), "rate_limited", Span(at(20), at(21))))
    assert scored(made, FIRST, gaps=(gap,)).scores["gap"].precision == 0
