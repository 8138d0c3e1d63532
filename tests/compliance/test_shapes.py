from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from conftest import ROOT
from sqlalchemy import text

from compliance import shapes
from compliance.policy import load_policy
from compliance.shapes import Changed
from transforms.shapes import Shape, shape_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = msgspec.structs.replace(load_policy(ROOT / "policy").findings.shapes, learn_pages=5, new_fields=1)


def page(**more: Any) -> dict[str, Any]:
    return {"id": "1", "text": "hello", "poll": None, "media": [], **more}


def shape(*items: dict[str, Any]) -> Shape:
    made = shape_of(json.dumps({"items": list(items)}).encode())
    assert made is not None
    return made


def learn(engine: Engine, *pages: Shape, at: datetime = NOW) -> None:
    shapes.learn(engine, "mastodon", "statuses", pages, at=at, terms=TERMS)


def changed(engine: Engine, at: datetime = NOW) -> Changed | None:
    return next(shapes.changes(engine, TERMS, at), None)


@pytest.fixture
def learned(engine: Engine) -> Engine:
    """The database after it has seen enough pages that were all alike."""
    learn(engine, *[shape(page(), page())] * 6)
    return engine


def test_what_is_seen_first_is_learned_silently(engine: Engine) -> None:
    learn(engine, *[shape(page(**{f"field_{name}": 1})) for name in "abcd"])
    assert changed(engine) is None


def test_new_fields_are_told_once_enough_pages_have_them(learned: Engine) -> None:
    learn(learned, *[shape(page(quote={"id": "2", "state": "accepted"}))] * 2)
    assert changed(learned) is None
    learn(learned, shape(page(quote={"id": "2"})))
    assert changed(learned) == Changed("mastodon", "statuses", ("$.items[].quote",), (), ())
    (told,) = shapes.conditions(shapes.changes(learned, TERMS, NOW))
    assert (told.severity, told.account_id, told.subject) == ("warning", None, "mastodon statuses")
    assert told.message == "Answers to statuses of mastodon changed. new: $.items[].quote"


def test_a_new_field_that_few_pages_have_is_no_change(learned: Engine) -> None:
    learn(learned, *[shape(page(rare=1)), *[shape(page())] * 9] * 3)
    assert changed(learned) is None


def test_an_optional_field_that_is_filled_for_the_first_time_is_no_change(learned: Engine) -> None:
    filled = page(poll={"id": "9", "options": [{"title": "yes"}]}, media=[{"id": "7", "url": "https://x.example"}])
    learn(learned, *[shape(filled)] * 9)
    assert changed(learned) is None


def test_a_field_that_was_always_there_and_is_no_more_is_an_error(learned: Engine) -> None:
    without = {"id": "1", "poll": None, "media": []}
    learn(learned, *[shape(without)] * 3)
    assert changed(learned) == Changed("mastodon", "statuses", (), ("$.items[].text",), ())
    (told,) = shapes.conditions(shapes.changes(learned, TERMS, NOW))
    assert (told.severity, told.detail["vanished"]) == ("error", ["$.items[].text"])
    learn(learned, shape(page()))
    assert changed(learned) is None, "it came back"


def test_empty_pages_and_fields_that_come_and_go_have_not_vanished(learned: Engine) -> None:
    learn(learned, *[shape()] * 20)
    assert changed(learned) is None
    learn(
        learned,
        shape(page(), {"id": "1", "poll": None, "media": []}),
        *[shape({"id": "1", "poll": None, "media": []})] * 20,
    )
    assert changed(learned) is None


def test_a_field_of_another_type_is_an_error(learned: Engine) -> None:
    learn(learned, *[shape(page(id=1))] * 3)
    assert changed(learned) == Changed("mastodon", "statuses", (), (), ("$.items[].id",))


def test_after_some_time_a_change_is_how_the_platform_is(learned: Engine) -> None:
    learn(learned, *[shape({"id": 1, "poll": None, "media": [], "note": "x"})] * 9)
    assert changed(learned) == Changed(
        "mastodon", "statuses", ("$.items[].note",), ("$.items[].text",), ("$.items[].id",)
    )
    assert changed(learned, NOW + timedelta(days=TERMS.settled_days)) is None


def test_changes_below_the_threshold_are_borne(learned: Engine) -> None:
    learn(learned, *[shape(page(one=1, two=2))] * 3)
    assert list(shapes.changes(learned, msgspec.structs.replace(TERMS, new_fields=3), NOW)) == []
    assert len(list(shapes.changes(learned, msgspec.structs.replace(TERMS, new_fields=2), NOW))) == 1


def test_the_order_of_writing_in_parts_does_not_matter(learned: Engine) -> None:
    for _ in range(3):
        learn(learned, shape(page(new=1)))
    once = changed(learned)
    assert once == Changed("mastodon", "statuses", ("$.items[].new",), (), ())


def test_calls_and_platforms_are_learned_apart(learned: Engine) -> None:
    shapes.learn(learned, "mastodon", "context", [shape({"other": 1})] * 9, at=NOW, terms=TERMS)
    shapes.learn(learned, "bluesky", "statuses", [shape({"other": 1})] * 9, at=NOW, terms=TERMS)
    assert changed(learned) is None


def test_no_word_of_a_person_is_kept(engine: Engine) -> None:
    said = {
        "id": "1",
        "text": "I live at 12 Elm Avenue",
        "by": {"did:plc:ines": {"Inés López": "sad"}},
        "ines@example.org": True,
    }
    learn(engine, *[shape(said)] * 3)
    with engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM shape_paths")).fetchall())
    assert "$.items[].by.{*}.{*}" in kept
    assert not [word for word in ("Elm", "ines", "López", "sad", "did:plc") if word in kept]


def test_a_sample_is_remembered_up_to_its_moment(engine: Engine) -> None:
    assert shapes.sampled_until(engine) is None
    for moment in (NOW, NOW + timedelta(hours=1)):
        shapes.note_sampled(engine, moment)
        assert shapes.sampled_until(engine) == moment
