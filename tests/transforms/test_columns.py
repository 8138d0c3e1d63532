from __future__ import annotations

from archived_pages import archived, show

from transforms.columns import Sheet
from transforms.observations import OBSERVED_CONTENT
from transforms.rows import Attachment, Content

SHARED = {name: name for name in OBSERVED_CONTENT.names} | {"evidence_offset": 1, "seen_at": None}


def test_rows_keep_their_order_and_their_page_over_many_batches() -> None:
    pages, per_page = 300, 100
    records = [
        [
            {"uri": f"at://did:plc:cityofexample00000000001/app.bsky.feed.post/{page}x{item}", "value": {"text": "x"}}
            for item in range(per_page)
        ]
        for page in range(pages)
    ]
    batch = show(
        *(
            archived("bluesky", "post_records", {"records": found}, evidence_offset=place)
            for place, found in enumerate(records)
        )
    )
    keys = [record.rpartition("/")[2] for record in batch.posts["record_id"].to_pylist()]
    assert keys == [f"{page}x{item}" for page in range(pages) for item in range(per_page)]
    assert batch.posts["evidence_offset"].to_pylist() == [page for page in range(pages) for _ in range(per_page)]


def test_attachments_come_out_as_they_went_in() -> None:
    lists = [None, [Attachment("a", "image"), Attachment("b", alt="B")], None, [Attachment("c")], None]
    sheet = Sheet(OBSERVED_CONTENT, Content)
    for place, files in enumerate(lists):
        sheet.add(Content(f"r{place}", "c", "p", attachments=files))
    sheet.end_page({**SHARED, "seen_at": 0})
    found = sheet.table()["attachments"].to_pylist()
    assert [None if files is None else [file["media_id"] for file in files] for files in found] == [
        None, ["a", "b"], None, ["c"], None
    ]  # fmt: skip


def test_each_file_of_each_record_is_a_row_of_media() -> None:
    value = {
        "text": "x",
        "embed": {"images": [{"alt": "A", "image": {"ref": {"$link": f"bafk{place}"}}} for place in range(3)]},
    }
    items = [
        {"uri": "at://did:plc:cityofexample00000000001/app.bsky.feed.post/1", "value": {"text": "none"}},
        {"uri": "at://did:plc:cityofexample00000000001/app.bsky.feed.post/2", "value": value},
    ]
    batch = show(archived("bluesky", "post_records", {"records": items}))
    assert batch.media["media_id"].to_pylist() == ["bluesky:bafk0", "bluesky:bafk1", "bluesky:bafk2"]
    assert {record.rpartition("/")[2] for record in batch.media["record_id"].to_pylist()} == {"2"}
    assert batch.media["payload_sha256"].unique() == batch.posts["payload_sha256"][1:].unique()
