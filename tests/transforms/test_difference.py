"""Two versions of a record side by side: nothing of either is lost, and words stay whole in every script."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.difference import Piece, by_words, differences
from transforms.words import words

FAMILY = "👩\u200d👩\u200d👧\u200d👦"


def told(before: str, after: str) -> str:
    """The comparison on one line."""
    marks = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]"}
    return "".join(marks[piece.kind].format(piece.text) for piece in by_words(before, after))


@given(st.text())
def test_the_words_of_a_text_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text


@given(st.text(alphabet="ab 市🇺🇸\u0301\u200d\n."), st.text(alphabet="ab 市🇺🇸\u0301\u200d\n."))
def test_a_comparison_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = by_words(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


@given(st.text())
def test_a_text_compared_with_itself_has_nothing_new(text: str) -> None:
    assert by_words(text, text) == ((Piece("same", text),) if text else ())


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("The library opens at 9.", "The library opens at 10.", "The library opens at [-9-][+10+]."),
        ("Open today", "Open today until noon", "Open today[+ until noon+]"),
        ("don't go", "don\u2019t go", "[-don't -][+don\u2019t +]go"),
        ("", "New", "[+New+]"),
        ("図書館は9時に開きます", "図書館は10時に開きます", "図書館は[-9-][+10+]時に開きます"),
        ("Hello 👍🏽 all", "Hello 👍🏿 all", "Hello [-👍🏽 -][+👍🏿 +]all"),
        (f"We {FAMILY} live", "We 👩 live", f"We [-{FAMILY} -][+👩 +]live"),
        ("🇺🇸🇫🇷", "🇺🇸🇩🇪", "🇺🇸[-🇫🇷-][+🇩🇪+]"),
        ("تفتح المكتبة الساعة التاسعة", "تفتح المكتبة الساعة العاشرة", "تفتح المكتبة الساعة [-التاسعة-][+العاشرة+]"),
        ("नमस्ते दुनिया", "नमस्ते भारत", "नमस्ते [-दुनिया-][+भारत+]"),
        ("cafe\u0301 open", "cafe open", "[-cafe\u0301 -][+cafe +]open"),
    ],
)
def test_words_change_whole_in_every_script(before: str, after: str, line: str) -> None:
    assert told(before, after) == line


def test_long_texts_are_compared_by_lines_and_still_whole() -> None:
    before = "".join(f"line {number} says {number * 7} and no more\n" for number in range(3000))
    after = before.replace("line 5 ", "line five ").replace("line 2990 ", "line many ")
    pieces = by_words(before, after)
    assert [piece.kind for piece in pieces] == ["same", "gone", "new", "same", "gone", "new", "same"]
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == before


def version(**values: Any) -> dict[str, Any]:
    plain = dict.fromkeys(
        (
            "title",
            "text",
            "links",
            "mentions",
            "hashtags",
            "attachments",
            "state",
            "source_visibility",
            "lang",
            "parent_id",
        )
    )
    return {**plain, **values}


def test_titles_links_and_values_are_compared_too() -> None:
    found = differences(
        version(title="Road closed", links=["https://a.example", "https://b.example"], source_visibility="public"),
        version(
            title="Road open", links=["https://b.example", "https://c.example"], source_visibility="unlisted", lang="en"
        ),
    )
    assert {one.field: one.pieces for one in found} == {
        "title": (Piece("same", "Road "), Piece("gone", "closed"), Piece("new", "open")),
        "links": (Piece("gone", "https://a.example"), Piece("new", "https://c.example")),
        "source_visibility": (Piece("gone", "public"), Piece("new", "unlisted")),
        "lang": (Piece("new", "en"),),
    }


def test_files_are_told_apart_by_id_and_their_descriptions_by_words() -> None:
    def file(number: int, alt: str | None) -> dict[str, Any]:
        return {"media_id": f"x:{number}", "kind": "image", "url": None, "alt": alt, "mime": None}

    found = differences(
        version(attachments=[file(1, "A bridge"), file(2, None)]),
        version(attachments=[file(1, "A red bridge"), file(3, None)]),
    )
    assert {one.field: one.pieces for one in found} == {
        "attachments": (Piece("gone", "image x:2"), Piece("new", "image x:3")),
        "alt of x:1": (Piece("same", "A "), Piece("new", "red "), Piece("same", "bridge")),
    }


def test_versions_alike_in_all_that_is_read_have_no_difference() -> None:
    assert differences(version(text="same", state="present"), version(text="same", state="present")) == ()
