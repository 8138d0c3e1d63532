from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text import addresses, digest, folded, known


@pytest.mark.parametrize(
    ("text", "folding"),
    [
        (None, None),
        ("", None),
        ("already folded 123", None),
        ("City HALL", "city hall"),
        ("Räumplan Straße", "raumplan strasse"),
        ("ÇA ARRIVE À ZÜRICH", "ca arrive a zurich"),
        ("A\u0308rger", "arger"),
        ("Минск ЁЛКА", "минск елка"),
        ("\ufb01rst \u2116 \uff12", "first no 2"),
        ("日本語", None),
        ("❄️ snow", "❄️ snow"),
    ],
)
def test_folding_drops_case_and_accents_and_says_nothing_where_that_changes_nothing(
    text: str | None, folding: str | None
) -> None:
    assert folded(text) == (None if folding == text else folding)


@given(st.text())
def test_the_quick_way_of_folding_is_the_definition(text: str) -> None:
    decomposed = unicodedata.normalize("NFKD", text)
    slow = "".join(part for part in decomposed if not unicodedata.combining(part)).casefold()
    assert (text if folded(text) is None else folded(text)) == slow


def test_a_digest_is_the_hash_of_a_json_array_and_never_changes_as_it_marks_versions_for_ever() -> None:
    written = '["Grüße ❄️",null,[["bluesky:cid","image",null]],["https://city.example"],null,"en",null]'
    files = [("bluesky:cid", "image", None)]
    found = digest("Grüße ❄️", None, files, ["https://city.example"], None, "en", None)
    assert found == hashlib.sha256(written.encode()).hexdigest()
    assert found == "d2500dea1dd95a3d49d169b952740bb0614643cb82da508bf9e095cca1649513"


def test_what_moves_from_one_part_to_the_next_is_another_digest() -> None:
    assert len({digest("ab", None), digest("a", "b"), digest(None, "ab"), digest("ab", "")}) == 4


def test_blank_is_absent() -> None:
    assert [known(value) for value in (None, "", " \n\t", " a ")] == [None, None, None, " a "]


def test_addresses_end_before_the_punctuation_of_the_sentence() -> None:
    text = "See https://city.example/a?b=c, (http://x.example) and https://city.example/a?b=c."
    assert addresses(text) == ["https://city.example/a?b=c", "http://x.example"]
    assert addresses(None) is None
