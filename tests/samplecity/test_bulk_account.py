from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from samplecity.bulk import BulkAccount
from samplecity.people import APPVIEW, PDS
from samplecity.server import City
from samplecity.world import POST_COLLECTION

if TYPE_CHECKING:
    from pathlib import Path


def test_pages_hold_every_post_once_newest_first() -> None:
    account = BulkAccount(1234)
    uris = [record["uri"] for page in account.pages(100) for record in json.loads(page)["records"]]
    assert uris == [account.uri(number) for number in range(1233, -1, -1)]


def test_the_server_pages_through_the_same_posts() -> None:
    with City.start(bulk_posts=250) as city:
        assert city.bulk
        base, cursor, pages = city.services()[PDS], "", []
        while True:
            params = {"repo": city.bulk.did, "collection": POST_COLLECTION, "limit": "100", "cursor": cursor}
            page = requests.get(f"{base}/xrpc/com.atproto.repo.listRecords", params=params, timeout=10).json()
            pages.append(page["records"])
            if not (cursor := page.get("cursor", "")):
                break
        assert [len(page) for page in pages] == [100, 100, 50, 0]
        uris = [record["uri"] for record in pages[2]][:25]
        posts = requests.get(
            f"{city.services()[APPVIEW]}/xrpc/app.bsky.feed.getPosts", params={"uris": uris}, timeout=10
        ).json()["posts"]
        assert [post["uri"] for post in posts] == uris
        assert [post["cid"] for post in posts] == [record["cid"] for record in pages[2]][:25]


@pytest.mark.parametrize("shape", ["records", "posts", "feed"])
def test_files_hold_the_pages_in_the_shape_asked_for(tmp_path: Path, shape: str) -> None:
    files = BulkAccount(130).write(tmp_path, shape=shape)  # type: ignore[arg-type]
    held = [item for file in files for item in json.loads(file.read_bytes())[shape]]
    assert [file.name for file in files] == ["00000.json", "00001.json"]
    assert len(held) == 130


def test_a_post_is_as_large_as_a_real_one_and_no_two_are_alike() -> None:
    account = BulkAccount(50)
    page = account.posts([account.uri(number) for number in range(25)])
    posts = json.loads(page)["posts"]
    assert 2200 < len(page) / len(posts) < 2700
    assert len({post["record"]["text"] for post in posts}) == 25
    assert all(len(post["record"]["text"]) <= 300 for post in posts)
