from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.spans import Unbalanced, elements, thread_nodes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSON), st.booleans(), JSON)
def test_the_elements_of_a_list_are_found_as_a_decoder_finds_them(items: list[Any], spaced: bool, other: Any) -> None:  # noqa: FBT001
    separators = None if spaced else (",", ":")
    body = json.dumps({"before": other, "records": items, "after": [1]}, separators=separators).encode()
    assert [json.loads(element) for element in elements(body, b"records")] == items
    bare = json.dumps(items, separators=separators, ensure_ascii=False).encode()
    assert [json.loads(element) for element in elements(bare, None)] == items


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"records":[1,', b'{"records":{}}', b'{"x":{"records":[]}}', b"]", b"<p>"]
)
def test_a_body_without_the_whole_list_is_refused(body: bytes) -> None:
    with pytest.raises(Unbalanced):
        elements(body, b"records")


def test_nodes_of_a_thread_are_told_from_what_looks_like_them() -> None:
    post = {
        "uri": "at://a",
        "record": {"reply": {"parent": {"uri": "u"}, "root": {}}, "replies": [{"post": {}}], "text": '"replies":[{'},
    }
    thread = {
        "replies": [{"post": post, "replies": [{"post": post}]}],
        "post": post,
        "parent": {"post": post, "parent": {"post": post}},
    }
    nodes = list(thread_nodes(json.dumps({"thread": thread, "threadgate": {"post": {}}}).encode()))
    assert [json.loads(node.post or b"null") for node in nodes] == [post] * 5
    assert sum(node.above for node in nodes) == 2


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"thread":', b'{"thread":{"post":{}', b'{"thread":[]}', b'{"error":"x"}']
)
def test_a_body_without_a_whole_thread_is_refused(body: bytes) -> None:
    with pytest.raises(Unbalanced):
        list(thread_nodes(body))
