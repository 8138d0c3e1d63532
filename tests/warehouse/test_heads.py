from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from transforms.history import HEADS, KEYS, KNOWN_MEDIA, KNOWN_METRICS, Changes, workbench
from transforms.records import TABLES
from warehouse.bucket import Buckets
from warehouse.endpoint import Endpoint
from warehouse.heads import Heads, HeadsBusy
from warehouse.tables import Archive

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def minute(count: int) -> datetime:
    return START + timedelta(minutes=count)


def table(name: str, *rows: dict[str, Any]) -> pa.Table:
    """Rows of a table; what is not given is a stand-in of the right type."""
    stand_ins: dict[pa.DataType, Any] = {pa.string(): "x", pa.int32(): 1, pa.int64(): 1}
    filled = [
        {
            field.name: row.get(field.name, None if field.nullable else stand_ins.get(field.type))
            for field in TABLES[name]
        }
        for row in rows
    ]
    return pa.Table.from_pylist(filled, schema=TABLES[name])


def version(record_id: str, number: int, state: str, content: str, at: int) -> dict[str, Any]:
    return {
        "record_id": record_id,
        "account_id": "x:city",
        "version": number,
        "state": state,
        "content_sha256": content,
        "seen_after": minute(at),
        "root_id": "x:root",
    }


def sighting(record_id: str, kind: str, state: str, content: str | None, at: int) -> dict[str, Any]:
    return {
        "record_id": record_id,
        "kind": kind,
        "state": state,
        "content_sha256": content,
        "seen_at": minute(at),
        "capture_id": f"c{at}",
        "evidence_key": f"e{at}",
    }


@pytest.fixture
def archive(tmp_path: Path, s3_endpoint: Endpoint, buckets: Buckets) -> Archive:
    return Archive(f"sqlite:///{tmp_path / 'catalog.db'}", s3_endpoint, buckets.tables.name)


def known(heads: Heads, *names: str, family: str = "record", roots: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    keys = pa.Table.from_pylist([{"family": family, "record_id": name} for name in names], schema=KEYS)
    return {row["record_id"]: row for row in heads.heads(keys, roots).to_pylist()}


def test_heads_are_made_from_the_tables_and_again_when_these_change(tmp_path: Path, archive: Archive) -> None:
    archive.append(
        "comments",
        table("comments", version("x:1", 1, "present", "a", 0), version("x:1", 2, "deleted", "b", 5)),
        batch="1",
    )
    archive.append(
        "sightings",
        table(
            "sightings",
            sighting("x:1", "comment", "present", "a", 0),
            sighting("x:1", "comment", "present", "b", 4),
            sighting("x:1", "comment", "deleted", None, 5),
        ),
        batch="1",
    )
    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        assert heads.refresh()
        assert not heads.refresh()
        head = known(heads, "x:1")["x:1"]
        archive.append("sightings", table("sightings", sighting("x:1", "comment", "deleted", None, 9)), batch="2")
        assert heads.refresh()
        later = known(heads, "x:1")["x:1"]
    assert (head["kind"], head["version"], head["state"], head["content_sha256"]) == ("comment", 2, "deleted", "b")
    assert (head["content_at"], head["presence_at"], head["last_seen"]) == (minute(4), minute(5), minute(5))
    assert later["last_seen"] == minute(9)
    assert not head["fresh"]


def test_a_reply_is_hidden_while_the_last_look_at_its_gate_lists_it(tmp_path: Path, archive: Archive) -> None:
    rows = [
        sighting("x:root", "gate", "present", None, 1),
        sighting("x:root x:1", "gate", "hidden", None, 1),
        sighting("x:1", "comment", "hidden", None, 1),
        sighting("x:root x:2", "gate", "hidden", None, 1),
        sighting("x:2", "comment", "hidden", None, 1),
        sighting("x:root", "gate", "present", None, 2),
        sighting("x:root x:2", "gate", "hidden", None, 2),
        sighting("x:2", "comment", "hidden", None, 2),
    ]
    archive.append("sightings", table("sightings", *rows), batch="1")
    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        heads.refresh()
        found = known(heads, roots=("x:root",))
    assert {name: row["gate_hidden"] for name, row in found.items()} == {"x:1": False, "x:2": True}
    assert {row["version"] for row in found.values()} == {0}


def test_a_file_left_in_the_middle_of_a_batch_is_made_again(tmp_path: Path, archive: Archive) -> None:
    from transforms.history import changes
    from transforms.observations import SCHEMAS, Batch

    columns = {**version("x:1", 1, "present", "a", 0), "seen_at": minute(0)}
    row = {field.name: columns.get(field.name, None if field.nullable else "x") for field in SCHEMAS["posts"]}
    post = pa.Table.from_pylist([{**row, "evidence_offset": 1}], schema=SCHEMAS["posts"])
    empty = {name: schema.empty_table() for name, schema in SCHEMAS.items()}
    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        heads.refresh()
        heads.remember(changes(Batch(**{**empty, "posts": post}), heads, workbench()))
        assert known(heads, "x:1")["x:1"]["fresh"]
    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        assert heads.refresh()
        assert known(heads, "x:1") == {}


def test_a_damaged_file_is_thrown_away(tmp_path: Path, archive: Archive) -> None:
    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        heads.refresh()
    (file,) = tmp_path.glob("heads*.duckdb")
    file.write_bytes(b"\0" * 10_000)
    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        assert heads.refresh()
        assert known(heads, "x:1") == {}


def test_a_file_in_use_is_left_alone(tmp_path: Path, archive: Archive) -> None:
    import subprocess
    import sys

    with Heads.open(tmp_path / "heads.duckdb", archive) as heads:
        heads.refresh()
    (file,) = tmp_path.glob("heads*.duckdb")
    hold = f"import duckdb, sys; c = duckdb.connect({str(file)!r}); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(HeadsBusy, match="in use by another process"):
            Heads.open(tmp_path / "heads.duckdb", archive)
        holder.communicate(b"")
    assert duckdb.connect(str(file)).execute("SELECT count(*) FROM reflected").fetchone() != (0,)


def counts(heads: Heads, *names: str) -> dict[tuple[str, str], int]:
    known(heads, *names)
    found = heads.metrics(pa.chunked_array([pa.array(names, pa.string())])).to_pylist()
    return {(row["record_id"], row["name"]): row["value"] for row in found}


def files(heads: Heads, *shown: tuple[str, str]) -> set[tuple[str, str]]:
    known(heads, *(name for name, _ in shown))
    asked = pa.Table.from_pylist([{"record_id": name, "media_id": file} for name, file in shown], schema=KNOWN_MEDIA)
    return {(row["record_id"], row["media_id"]) for row in heads.media(asked).to_pylist()}


def test_counts_and_files_are_the_same_from_what_was_remembered_and_from_the_tables(
    tmp_path: Path, archive: Archive
) -> None:
    def seen(at: int, likes: dict[str, int], shown: dict[str, str]) -> Changes:
        metrics = [
            {"record_id": name, "name": "likes", "value": value, "seen_at": minute(at), "capture_id": "c"}
            for name, value in likes.items()
        ]
        media = [
            {field.name: file.get(field.name, None if field.nullable else "x") for field in TABLES["media"]}
            for file in (
                {"record_id": name, "media_id": media_id, "seen_after": minute(at), "evidence_offset": 1}
                for name, media_id in shown.items()
            )
        ]
        told = {
            "metrics": pa.Table.from_pylist(metrics, schema=TABLES["metrics"]),
            "media": pa.Table.from_pylist(media, schema=TABLES["media"]),
        }
        posts = table("posts", version("x:1", 1, "present", "a", 0)) if at == 0 else TABLES["posts"].empty_table()
        looks = table("sightings", sighting("x:1", "post", "present", "a", at))
        none = {name: TABLES[name].empty_table() for name in ("comments", "moderation_actions", "profiles")}
        head = {
            "family": "record",
            "record_id": "x:1",
            "kind": "post",
            "version": 1,
            "presence": "present",
            "held": False,
            "gate_hidden": False,
        }
        head |= {
            "state": "present",
            "content_sha256": "a",
            "account_id": "x:me",
            "content_at": minute(at),
            "presence_at": minute(at),
            "last_seen": minute(at),
        }
        heads = pa.Table.from_pylist([head], schema=HEADS)
        return Changes(
            {**none, **told, "posts": posts, "sightings": looks},
            heads,
            told["metrics"].select(KNOWN_METRICS.names),
            KEYS.empty_table(),
        )

    batches = [
        seen(0, {"x:1": 1, "x:alone": 7}, {"x:1": "m:1"}),
        seen(1, {"x:1": 5}, {"x:1": "m:2"}),
        seen(2, {}, {}),
        seen(3, {"x:alone": 8}, {}),
    ]
    for number, batch in enumerate(batches):
        for name, rows in batch.tables.items():
            archive.append(name, rows, batch=f"{number}.{name}")
    asked = [("x:1", "m:1"), ("x:1", "m:2"), ("x:1", "m:3"), ("x:alone", "m:1")]
    with Heads.open(tmp_path / "remembered.duckdb", archive) as heads:
        for batch in batches:
            known(heads, "x:1", "x:alone")
            heads.remember(batch)
        heads.settle()
        remembered = counts(heads, "x:1", "x:alone"), files(heads, *asked)
    with Heads.open(tmp_path / "made.duckdb", archive) as heads:
        heads.refresh()
        made = counts(heads, "x:1", "x:alone"), files(heads, *asked)
    assert remembered == made
    assert made == ({("x:1", "likes"): 5, ("x:alone", "likes"): 8}, {("x:1", "m:1"), ("x:1", "m:2")})
