"""What moderation services say becomes actions; what they took back is undone; what is hostile is neither."""

from __future__ import annotations

from typing import Any

import pytest
from archived_pages import archived, show
from hypothesis import given
from hypothesis import strategies as st

CITY, RESIDENT = "did:plc:cityofexample00000000001", "did:plc:resident0000000000000001"
LABELER = "did:plc:moderation00000000000001"
COMMENT = f"at://{RESIDENT}/app.bsky.feed.post/3kbbbbbbbbb2b"
SPAM = f"label/{LABELER}/spam/{COMMENT}"


def label(value: str = "spam", **more: Any) -> dict[str, Any]:
    return {"src": LABELER, "uri": COMMENT, "val": value, "cts": "2026-01-20T08:00:00Z", **more}


def comment(labels: Any) -> dict[str, Any]:
    root = {"uri": f"at://{CITY}/app.bsky.feed.post/3kaaaaaaaaa2a", "cid": "c"}
    record = {"$type": "app.bsky.feed.post", "text": "hm", "reply": {"root": root, "parent": root}}
    return {"uri": COMMENT, "cid": "c", "author": {"did": RESIDENT}, "record": record, "labels": labels}


def beside(labels: Any) -> Any:
    return show(archived("bluesky", "thread", {"thread": {"post": comment(labels)}}, subject=COMMENT))


def confirmed(*labels: Any, asked: str = SPAM, limit: int = 250) -> Any:
    url = f"https://m.example/xrpc/com.atproto.label.queryLabels?uriPatterns={COMMENT}&sources={LABELER}&limit={limit}"
    return show(archived("bluesky", "confirm_labels", {"labels": list(labels)}, subject=asked, url=url))


def undone(batch: Any) -> dict[str, str]:
    return {row["record_id"].removeprefix("bluesky:"): row["state_basis"] for row in batch.marks.to_pylist()}


def test_a_label_beside_a_comment_is_an_action_of_the_one_who_gave_it() -> None:
    (row,) = beside([label()]).moderation_actions.to_pylist()
    assert (row["record_id"], row["action"], row["reason"]) == (f"bluesky:{SPAM}", "label", "spam")
    assert (row["actor_id"], row["subject_id"]) == (LABELER, f"bluesky:{COMMENT}")
    assert row["acted_at"].isoformat() == "2026-01-20T08:00:00+00:00"


@pytest.mark.parametrize(("value", "action"), [("!takedown", "takedown"), ("!suspend", "takedown"), ("!hide", "label")])
def test_what_removes_from_view_is_a_take_down(value: str, action: str) -> None:
    assert beside([label(value)]).moderation_actions["action"].to_pylist() == [action]


def test_the_view_and_the_labeler_tell_the_same_action() -> None:
    (seen,), (told,) = (batch.moderation_actions.to_pylist() for batch in (beside([label()]), confirmed(label())))
    differ = {name for name in seen if seen[name] != told[name]}
    assert differ == {"state_basis"}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([label(src=RESIDENT)], "self_label"),
        ([label(neg=True)], "label_over"),
        ([label(exp="2026-02-01T12:00:00Z")], "label_over"),
        ([label(uri=f"at://{CITY}/app.bsky.feed.post/3kaaaaaaaaa2a")], "strange_label"),
        ([label("two words")], "strange_label"),
        ([label("a/b")], "strange_label"),
        ([label("x" * 129)], "strange_label"),
        ([label("\u202egnp.exe")], "strange_label"),
        ([label(src="nobody")], "strange_label"),
        ([{"val": "spam"}], "strange_label"),
        (["spam"], "strange_label"),
        ({"spam": True}, "strange_label"),
        ("spam", "strange_label"),
    ],
)
def test_what_is_no_label_costs_neither_the_comment_nor_silence(labels: Any, reason: str) -> None:
    batch = beside(labels)
    assert batch.moderation_actions.num_rows == 0
    assert batch.comments.num_rows == 1
    assert batch.skipped == {reason: 1}


def test_a_label_taken_back_is_undone_and_the_answer_says_when() -> None:
    assert undone(confirmed(label(neg=True))) == {SPAM: "labeler:queryLabels: negated 2026-01-20T08:00:00.000Z"}
    over = confirmed(label(exp="2026-01-31T00:00:00Z"))
    assert undone(over) == {SPAM: "labeler:queryLabels: expired 2026-01-31T00:00:00.000Z"}
    assert undone(confirmed()) == {SPAM: "labeler:queryLabels: not shown"}


def test_a_label_on_one_version_of_a_post_is_in_force_though_it_was_taken_back_on_another() -> None:
    both = [label(cid="first"), label(cid="second", neg=True)]
    for labels in (both, both[::-1]):
        batch = confirmed(*labels)
        assert batch.moderation_actions.num_rows == 1
        assert undone(batch) == {}


def test_an_answer_that_may_be_cut_off_or_cannot_be_read_undoes_nothing() -> None:
    assert undone(confirmed(label("other"), limit=1)) == {}
    assert undone(confirmed({"src": LABELER, "uri": COMMENT})) == {}


def test_another_services_word_undoes_nothing_and_does_nothing() -> None:
    batch = confirmed(label(src="did:plc:forger"), asked="")
    assert (batch.moderation_actions.num_rows, batch.marks.num_rows, batch.skipped) == (0, 0, {"strange_label": 1})


def test_a_listing_undoes_nothing() -> None:
    url = f"https://m.example/xrpc/q?uriPatterns=at%3A%2F%2F{RESIDENT}%2F*&sources={LABELER}&limit=250"
    batch = show(archived("bluesky", "labels", {"labels": [label(neg=True), label("rude")]}, url=url))
    assert batch.marks.num_rows == 0
    assert batch.moderation_actions["reason"].to_pylist() == ["rude"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("src", "uri", "val", "neg", "cts", "exp"), anything)))
def test_whatever_a_service_writes_is_accounted_for(strange: dict[str, Any]) -> None:
    for batch in (beside([strange, label()]), confirmed(strange, label())):
        assert f"bluesky:{SPAM}" in batch.moderation_actions["record_id"].to_pylist()
