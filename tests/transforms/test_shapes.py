from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.shapes import MOST_PATHS, OPEN, is_name, parent_of, shape_of


def paths(value: Any) -> dict[str, list[str]]:
    shape = shape_of(json.dumps(value).encode())
    assert shape is not None
    return {path: sorted(kinds) for path, kinds in shape.items()}


def test_fields_are_paths_with_the_kinds_and_counts_of_what_they_hold() -> None:
    page = b'{"posts": [{"id": "1", "edited_at": null, "likes": 2}, {"id": "2", "edited_at": "2026", "likes": 1.5, "sensitive": true}]}'
    assert shape_of(page) == {
        "$": Counter(object=1),
        "$.posts": Counter(array=1),
        "$.posts[]": Counter(object=2),
        "$.posts[].id": Counter(string=2),
        "$.posts[].edited_at": Counter(null=1, string=1),
        "$.posts[].likes": Counter(number=2),
        "$.posts[].sensitive": Counter(boolean=1),
    }


@pytest.mark.parametrize(
    "key", ["$type", "@context", "in_reply_to_id", "createdAt", "version-history", "like_count2", "_links", "parent"]
)
def test_names_of_fields_are_kept(key: str) -> None:
    assert is_name(key)


@pytest.mark.parametrize(
    "key",
    ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", "at://did/app.bsky.feed.post/3k", "109301842205417733", "Ines", "ines@example.org", "a b", "ines.example",
     "wp:term", "3kabc", "bafyreia2kjh4kz3wmvhwaqmtq", "مرحبا", "x" * 41, ""],
)  # fmt: skip
def test_keys_that_are_data_are_folded(key: str) -> None:
    assert paths({"by": {key: 1, "known": 2}})["$.by"] == ["object"]
    if key != "bafyreia2kjh4kz3wmvhwaqmtq":
        assert not is_name(key)


def test_an_object_whose_keys_are_many_or_alike_is_a_map() -> None:
    assert list(paths({"counts": {f"k{number % 10}{chr(97 + number // 10)}": 1 for number in range(65)}})) == [
        "$",
        "$.counts",
        f"$.counts.{OPEN}",
    ]
    alike = {name: {"id": 1, "name": "x"} for name in ("sharks", "rays", "eels")}
    assert f"$.tags.{OPEN}.id" in paths({"tags": alike})
    assert not any("sharks" in path for path in paths({"tags": alike}))
    assert not any("whales" in path for path in paths({"tags": {"whales": 1, "Great Whites": 2}}))


def test_replies_of_replies_have_the_shape_of_replies() -> None:
    def thread(depth: int) -> dict[str, Any]:
        return {"post": {"uri": "x"}, "replies": [thread(depth - 1)] if depth else [], "parent": None}

    assert paths(thread(30)) == paths(thread(1))
    chain: dict[str, Any] = {"uri": "root"}
    for _ in range(20):
        chain = {"uri": "x", "parent": chain}
    assert sorted(paths(chain)) == ["$", "$.parent", "$.parent.uri", "$.uri"]


def test_what_is_not_json_or_nests_without_end_has_no_shape() -> None:
    for body in (b"<html>", b'{"a": ', b"\xff\xfe", b"", b"[" * 100_000):
        assert shape_of(body) is None


def test_a_shape_stays_small_however_much_a_platform_invents() -> None:
    body: dict[str, Any] = {
        "a": [
            {f"{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}{chr(97 + number // 676)}": number}
            for number in range(9_000)
        ]
    }
    assert len(paths(body)) == MOST_PATHS


def test_a_field_belongs_to_its_object() -> None:
    assert parent_of("$.posts[].id") == "$.posts[]"
    assert parent_of("$.posts") == "$"
    assert [parent_of(path) for path in ("$", "$.posts[]", f"$.by.{OPEN}")] == [None, None, None]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "text", "by"]), inner),
)


@given(values, st.text(min_size=1))
def test_no_value_of_an_answer_is_in_its_shape(value: Any, secret: str) -> None:
    def told(one: Any) -> Any:
        if isinstance(one, str):
            return f"secret {secret}"
        if isinstance(one, list):
            return [told(item) for item in one]
        return {key: told(item) for key, item in one.items()} if isinstance(one, dict) else one

    assert shape_of(json.dumps(told(value)).encode()) == shape_of(json.dumps(value).encode())


@pytest.mark.parametrize("platform", ["bluesky", "mastodon", "wordpress"])
def test_recorded_answers_have_shapes_without_data_in_them(shared: Path, platform: str) -> None:
    seen = 0
    for file in (shared / "payloads" / platform).rglob("*.json"):
        shape = shape_of(file.read_bytes())
        if shape is None:
            continue
        seen += 1
        assert not [path for path in shape if any(sign in path for sign in (":", "/", " "))]
    assert seen > 50
