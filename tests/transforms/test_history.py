from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.history import HEADS, KEYS, KNOWN_HEADS, KNOWN_MEDIA, KNOWN_METRICS, Unsettled, changes, workbench
from transforms.observations import EDIT_HISTORY, SCHEMAS, Batch
from transforms.records import TABLES
from transforms.remake import KINDS_OF, OF_RECORDS, ids_of, remade

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


# --- observations, a line each --------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """One thing that one exchange shows."""

    minute: int
    what: str
    """post, comment, mark or gate."""
    name: str
    text: str = ""
    state: str = "present"
    hidden: tuple[str, ...] = ()
    likes: int | None = None
    capture: str = ""
    edited: int | None = None
    told: bool = False
    root: str = "x:root"

    @property
    def seen_at(self) -> datetime:
        return at(self.minute)


def batch(*seen: Seen) -> Batch:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for one in seen:
        table, row = _row(one)
        rows[table].append(row)
        if table in ("posts", "comments"):
            if one.likes is not None and not one.told:
                rows["metrics"].append({**row, "name": "likes", "value": one.likes})
            if one.text == "picture" and not one.told:
                rows["media"].append({**row, "media_id": f"x:{one.text}", "seen_after": one.seen_at})
        if table == "gates":
            rows["moderation_actions"] += [_hide(row, name) for name in one.hidden]
    return Batch(**{name: _table(name, found) for name, found in rows.items()})


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = SCHEMAS[name]
    return pa.Table.from_pylist([{column: row.get(column) for column in schema.names} for row in rows], schema=schema)


def _row(one: Seen) -> tuple[str, dict[str, Any]]:
    shared = {
        "account_id": "x:city",
        "platform": "x",
        "capture_id": one.capture or f"capture-{one.minute:04}",
        "evidence_key": f"evidence/{one.minute:04}",
        "evidence_offset": 100,
        "payload_sha256": f"payload of {one.name} at {one.minute}",
        "normalizer_version": "1",
        "seen_at": one.seen_at,
        "record_id": one.name,
    }
    if one.what == "gate":
        return "gates", {**shared, "root_id": one.name, "hidden_ids": list(one.hidden)}
    if one.what == "mark":
        return "marks", {**shared, "kind": None, "state": one.state, "state_basis": "direct read"}
    content = {
        **shared,
        "state": one.state,
        "state_basis": EDIT_HISTORY if one.told else None,
        "text": one.text,
        "content_sha256": f"sha of {one.text}",
        "published_at": START - timedelta(days=1),
        "platform_edited_at": None if one.edited is None else at(one.edited),
        "root_id": one.root if one.what == "comment" else None,
    }
    return ("posts" if one.what == "post" else "comments"), content


def _hide(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        **row,
        "record_id": name.replace(":", ":hide/", 1),
        "action": "hide",
        "subject_id": name,
        "state": "present",
        "content_sha256": f"hide {name}",
    }


# --- a small archive in memory --------------------------------------------------------------------


@dataclass
class Memory:
    """What batch after batch has given, as the tables would hold it."""

    bench: duckdb.DuckDBPyConnection
    tables: dict[str, pa.Table] = field(
        default_factory=lambda: {name: schema.empty_table() for name, schema in TABLES.items()}
    )
    known: pa.Table = field(default_factory=HEADS.empty_table)
    observed: list[Seen] = field(default_factory=list)
    remade: int = 0

    def heads(self, keys: pa.Table, roots: Sequence[str]) -> pa.Table:
        ids = pa.concat_arrays([keys["record_id"].combine_chunks(), pa.array(roots, pa.string())])
        listed = self.known.filter(pc.is_in(self.known["gate_root"], value_set=pa.array(roots, pa.string())))
        hides = pa.array([name.replace(":", ":hide/", 1) for name in listed["record_id"].to_pylist()], pa.string())
        wanted = pc.or_(
            pc.is_in(self.known["record_id"], value_set=pa.concat_arrays([ids, hides])),
            pc.is_in(self.known["gate_root"], value_set=pa.array(roots, pa.string())),
        )
        found = self.known.filter(wanted)
        return found.append_column("fresh", pa.repeat(False, found.num_rows)).cast(KNOWN_HEADS)  # noqa: FBT003

    def sightings(self, record_ids: Sequence[str]) -> pa.Table:
        return _having(self.tables["sightings"], record_ids)

    def versions(self, name: str, wanted: Mapping[str, int]) -> pa.Table:
        rows = [row for row in self.tables[name].to_pylist() if wanted.get(row["record_id"]) == row["version"]]
        return pa.Table.from_pylist(rows, schema=TABLES[name])

    def metrics(self, record_ids: pa.ChunkedArray) -> pa.Table:
        last: dict[tuple[str, str], dict[str, Any]] = {}
        for row in sorted(
            _having(self.tables["metrics"], record_ids.to_pylist()).to_pylist(), key=lambda row: row["seen_at"]
        ):
            last[row["record_id"], row["name"]] = row
        return pa.Table.from_pylist(list(last.values()), schema=KNOWN_METRICS)

    def media(self, shown: pa.Table) -> pa.Table:
        return _having(self.tables["media"], shown["record_id"].to_pylist()).select(KNOWN_MEDIA.names)

    def take(self, *seen: Seen) -> None:
        """Compare a batch and keep what it gives; make late records again from everything observed so far."""
        self.observed += seen
        found = changes(batch(*seen), self, self.bench)
        for name, rows in found.tables.items():
            self.tables[name] = pa.concat_tables([self.tables[name], rows])
        self._know(found.heads, found.heads.select(KEYS.names))
        if found.late.num_rows:
            self._remake(found.late)

    def _remake(self, keys: pa.Table) -> None:
        self.remade += 1
        found = remade(batch(*self.observed), keys, self.bench)
        ids = ids_of(keys)
        for name, rows in found.tables.items():
            kept = [row for row in self.tables[name].to_pylist() if not _goes(name, row, ids)]
            self.tables[name] = pa.concat_tables([pa.Table.from_pylist(kept, schema=TABLES[name]), rows])
        self._know(found.heads, keys)

    def _know(self, heads: pa.Table, keys: pa.Table) -> None:
        gone = set(zip(keys["family"].to_pylist(), keys["record_id"].to_pylist(), strict=True))
        kept = [row for row in self.known.to_pylist() if (row["family"], row["record_id"]) not in gone]
        self.known = pa.concat_tables([pa.Table.from_pylist(kept, schema=HEADS), heads])

    def rows(self) -> dict[str, list[str]]:
        """All rows, in an order of their own."""
        return {name: sorted(map(repr, table.to_pylist())) for name, table in self.tables.items()}

    def story(self, name: str, table: str = "posts") -> list[tuple[Any, ...]]:
        """Version, change, state, text and interval in minutes, for one record."""
        rows = [row for row in self.tables[table].to_pylist() if row["record_id"] == name]
        return [
            (
                row["version"],
                row["change"],
                row["state"],
                row["text"],
                _minute(row["seen_before"]),
                _minute(row["seen_after"]),
            )
            for row in sorted(rows, key=lambda row: int(row["version"]))
        ]


def _minute(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - START).total_seconds() / 60


def _goes(name: str, row: dict[str, Any], ids: Mapping[str, pa.ChunkedArray]) -> bool:
    if name == "sightings":
        if row["kind"] == "gate":
            return row["record_id"].split(" ")[0] in ids["gate"].to_pylist()
        family = next(family for family, kinds in KINDS_OF.items() if row["kind"] in kinds)
    elif name in ("posts", "comments", *OF_RECORDS):
        family = "record"
    else:
        family = {"moderation_actions": "moderation_action", "profiles": "profile"}[name]
    return row["record_id"] in ids[family].to_pylist()


def _having(table: pa.Table, ids: Sequence[str]) -> pa.Table:
    return table.filter(pc.is_in(table["record_id"], value_set=pa.array(ids, pa.string())))


@pytest.fixture(scope="module")
def bench() -> duckdb.DuckDBPyConnection:
    return workbench()


@pytest.fixture
def memory(bench: duckdb.DuckDBPyConnection) -> Memory:
    return Memory(bench)


# --- facts ----------------------------------------------------------------------------------------


def test_equal_looks_are_one_version_and_a_text_that_comes_back_is_a_third(memory: Memory) -> None:
    memory.take(*(Seen(minute, "post", "x:1", text) for minute, text in enumerate(["a", "a", "b", "b", "a"])))
    assert memory.story("x:1") == [
        (1, "first_seen", "present", "a", None, 0),
        (2, "edited", "present", "b", 1, 2),
        (3, "edited", "present", "a", 3, 4),
    ]
    assert memory.tables["sightings"].num_rows == 5


def test_a_deletion_and_a_return_are_versions_with_the_last_content(memory: Memory) -> None:
    memory.take(Seen(0, "post", "x:1", "a"))
    memory.take(Seen(1, "mark", "x:1", state="unavailable"), Seen(2, "mark", "x:1", state="deleted"))
    memory.take(Seen(3, "mark", "x:1", state="deleted"), Seen(4, "post", "x:1", "a"))
    assert memory.story("x:1") == [
        (1, "first_seen", "present", "a", None, 0),
        (2, "unavailable", "unavailable", "a", 0, 1),
        (3, "deleted", "deleted", "a", 1, 2),
        (4, "restored", "present", "a", 3, 4),
    ]


def test_a_row_without_content_of_its_own_points_to_the_exchange_that_shows_the_change(memory: Memory) -> None:
    memory.take(Seen(0, "post", "x:1", "a"))
    memory.take(Seen(7, "mark", "x:1", state="deleted"))
    row = memory.tables["posts"].to_pylist()[1]
    assert (row["evidence_key"], row["capture_id"]) == ("evidence/0007", "capture-0007")
    assert (row["payload_sha256"], row["state_basis"]) == ("payload of x:1 at 7", "direct read")


def test_a_row_without_content_of_its_own_has_the_content_of_the_version_before(memory: Memory) -> None:
    looks = Seen(0, "post", "x:1", "a", edited=0), Seen(1, "post", "x:1", "a"), Seen(2, "mark", "x:1", state="deleted")
    memory.take(*looks)
    edited = memory.tables["posts"]["platform_edited_at"].to_pylist()
    assert edited == [at(0), at(0)]


def test_content_and_state_that_change_in_one_look_are_one_row_named_after_the_state(memory: Memory) -> None:
    memory.take(Seen(0, "comment", "x:1", "a"), Seen(1, "comment", "x:1", "b", state="hidden"))
    assert memory.story("x:1", "comments")[1] == (2, "hidden", "hidden", "b", 0, 1)


def test_an_edit_of_what_is_hidden_stays_hidden(memory: Memory) -> None:
    memory.take(
        Seen(0, "comment", "x:1", "a"), Seen(1, "gate", "x:root", hidden=("x:1",)), Seen(2, "comment", "x:1", "b")
    )
    assert memory.story("x:1", "comments")[2] == (3, "edited", "hidden", "b", 0, 2)


def test_a_reply_hidden_before_it_is_known_is_hidden_when_first_seen(memory: Memory) -> None:
    memory.take(Seen(0, "gate", "x:root", hidden=("x:1",)))
    assert memory.story("x:1", "comments") == []
    memory.take(Seen(1, "comment", "x:1", "a"))
    memory.take(Seen(2, "gate", "x:root"))
    assert memory.story("x:1", "comments") == [
        (1, "first_seen", "hidden", "a", None, 1),
        (2, "shown", "present", "a", 0, 2),
    ]


def test_the_interval_of_a_hide_rests_on_looks_at_the_gate_not_at_the_reply(memory: Memory) -> None:
    memory.take(Seen(0, "gate", "x:root"), Seen(1, "comment", "x:1", "a"), Seen(5, "comment", "x:1", "a"))
    memory.take(Seen(6, "gate", "x:root", hidden=("x:1",)))
    assert memory.story("x:1", "comments")[1] == (2, "hidden", "hidden", "a", 0, 6)


def test_a_hide_on_a_gate_never_read_before_has_no_earlier_bound(memory: Memory) -> None:
    memory.take(Seen(0, "comment", "x:1", "a"), Seen(1, "gate", "x:root", hidden=("x:1",)))
    assert memory.story("x:1", "comments")[1] == (2, "hidden", "hidden", "a", None, 1)


def test_the_action_of_a_hide_ends_when_the_gate_no_longer_lists_the_reply(memory: Memory) -> None:
    memory.take(Seen(0, "gate", "x:root", hidden=("x:1", "x:2")))
    memory.take(Seen(1, "gate", "x:root", hidden=("x:2",)))
    actions = memory.tables["moderation_actions"].to_pylist()
    assert [(row["subject_id"], row["change"], _minute(row["seen_after"])) for row in actions] == [
        ("x:1", "first_seen", 0),
        ("x:2", "first_seen", 0),
        ("x:1", "deleted", 1),
    ]


def test_a_direct_read_outweighs_the_listing_of_the_same_capture(memory: Memory) -> None:
    memory.take(Seen(0, "post", "x:1", "a"))
    memory.take(
        Seen(1, "mark", "x:1", state="unavailable", capture="c"),
        Seen(2, "post", "x:1", "a", capture="c"),
        Seen(3, "post", "x:1", "a"),
    )
    assert [row[1] for row in memory.story("x:1")] == ["first_seen", "unavailable", "restored"]


def test_versions_told_by_the_platform_stand_before_the_look_that_came_first(memory: Memory) -> None:
    memory.take(
        Seen(5, "post", "x:1", "c", edited=4),
        Seen(6, "post", "x:1", "a", told=True),
        Seen(6, "post", "x:1", "b", told=True, edited=2),
        Seen(6, "post", "x:1", "c", told=True, edited=4),
    )
    assert [(row[0], row[1], row[3]) for row in memory.story("x:1")] == [
        (1, "first_seen", "a"),
        (2, "edited", "b"),
        (3, "edited", "c"),
    ]


def test_a_version_told_again_adds_no_row(memory: Memory) -> None:
    for minute in (0, 10):
        memory.take(
            Seen(minute + 5, "post", "x:1", "b", edited=4),
            Seen(minute + 6, "post", "x:1", "a", told=True),
            Seen(minute + 6, "post", "x:1", "b", told=True, edited=4),
        )
    assert [row[3] for row in memory.story("x:1")] == ["a", "b"]
    assert memory.remade == 0


def test_counts_are_kept_where_they_change_and_files_when_first_seen(memory: Memory) -> None:
    memory.take(*(Seen(minute, "post", "x:1", "picture", likes=likes) for minute, likes in enumerate([1, 1, 2])))
    memory.take(Seen(3, "post", "x:1", "picture", likes=2), Seen(4, "post", "x:1", "picture", likes=1))
    assert memory.tables["metrics"]["value"].to_pylist() == [1, 2, 1]
    assert memory.tables["media"]["media_id"].to_pylist() == ["x:picture"]


def test_what_was_seen_already_adds_nothing(memory: Memory) -> None:
    seen = (
        Seen(0, "post", "x:1", "picture", likes=1),
        Seen(1, "comment", "x:2", "b"),
        Seen(2, "gate", "x:root", hidden=("x:2",)),
        Seen(3, "mark", "x:1", state="deleted"),
        Seen(4, "post", "x:1", "c", told=True, edited=0),
    )
    memory.take(*seen)
    before = memory.rows()
    memory.take(*seen)
    assert memory.rows() == before
    assert memory.remade == 0


def test_rows_that_are_not_committed_yet_must_be_before_they_are_built_upon(memory: Memory) -> None:
    memory.take(Seen(0, "post", "x:1", "a"))
    uncommitted = memory.heads

    def fresh(keys: pa.Table, roots: Sequence[str]) -> pa.Table:
        found = uncommitted(keys, roots)
        return found.set_column(found.num_columns - 1, KNOWN_HEADS.field("fresh"), pa.repeat(True, found.num_rows))  # noqa: FBT003

    memory.heads = fresh  # type: ignore[method-assign]
    with pytest.raises(Unsettled):
        memory.take(Seen(1, "mark", "x:1", state="deleted"))


# --- laws -----------------------------------------------------------------------------------------

_looks = st.builds(
    Seen,
    minute=st.just(0),
    what=st.just("comment"),
    name=st.sampled_from(["x:1", "x:2"]),
    text=st.sampled_from(["a", "b", "picture"]),
    state=st.sampled_from(["present", "present", "present", "hidden"]),
    likes=st.sampled_from([None, 1, 2]),
    capture=st.sampled_from(["", "", "c1", "c2"]),
)
_marks = st.builds(
    Seen,
    minute=st.just(0),
    what=st.just("mark"),
    name=st.sampled_from(["x:1", "x:2"]),
    state=st.sampled_from(["deleted", "unavailable"]),
    capture=st.sampled_from(["", "", "c1", "c2"]),
)
_gates = st.builds(
    Seen,
    minute=st.just(0),
    what=st.just("gate"),
    name=st.just("x:root"),
    hidden=st.sampled_from([(), ("x:1",), ("x:2",), ("x:1", "x:2")]),
)
_tellings = st.builds(
    Seen,
    minute=st.just(0),
    what=st.just("comment"),
    name=st.just("x:1"),
    text=st.sampled_from(["a", "b", "c", "d"]),
    edited=st.integers(0, 8),
    told=st.just(True),  # noqa: FBT003
)
_stories = st.lists(st.one_of(_looks, _looks, _marks, _gates, _tellings), min_size=1, max_size=9).map(
    lambda seen: [_when(one, minute) for minute, one in enumerate(seen)]
)


def _when(one: Seen, minute: int) -> Seen:
    from dataclasses import replace

    return replace(one, minute=minute, edited=None if one.edited is None else min(one.edited, minute))


def _known_at_once(bench: duckdb.DuckDBPyConnection, story: Sequence[Seen]) -> dict[str, list[str]]:
    memory = Memory(bench)
    memory.take(*story)
    return memory.rows()


relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@relaxed
@given(story=_stories, data=st.data())
def test_any_split_into_batches_gives_the_same_tables(
    bench: duckdb.DuckDBPyConnection, story: list[Seen], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(story)))))
    memory = Memory(bench)
    for begin, end in zip([0, *cuts], [*cuts, len(story)], strict=True):
        memory.take(*story[begin:end])
    assert memory.rows() == _known_at_once(bench, story)


@relaxed
@given(story=_stories, data=st.data())
def test_any_order_of_normalizing_gives_the_same_tables(
    bench: duckdb.DuckDBPyConnection, story: list[Seen], data: st.DataObject
) -> None:
    memory = Memory(bench)
    for one in data.draw(st.permutations(story)):
        memory.take(one)
    assert memory.rows() == _known_at_once(bench, story)


@relaxed
@given(
    edits=st.lists(st.integers(1, 40), unique=True, max_size=3),
    looks=st.lists(st.integers(1, 40), unique=True, min_size=1, max_size=12),
)
def test_the_interval_of_a_change_holds_its_true_moment(
    bench: duckdb.DuckDBPyConnection, edits: list[int], looks: list[int]
) -> None:
    moments = sorted(edits)
    memory = Memory(bench)
    texts = {minute: f"text {sum(edit <= minute for edit in moments)}" for minute in sorted(looks)}
    memory.take(*(Seen(minute, "post", "x:1", shown) for minute, shown in texts.items()))
    for _, change, _, text, before, after in memory.story("x:1"):
        last = int(text.removeprefix("text "))
        if change == "edited":
            assert before < after
            assert before < moments[last - 1] <= after


@relaxed
@given(
    hides=st.lists(st.integers(1, 40), unique=True, max_size=4),
    looks=st.lists(
        st.tuples(st.integers(0, 40), st.booleans()), unique_by=lambda look: look[0], min_size=1, max_size=14
    ),
)
def test_the_interval_of_a_hide_holds_its_true_moment(
    bench: duckdb.DuckDBPyConnection, hides: list[int], looks: list[tuple[int, bool]]
) -> None:
    """The reply is hidden, shown, hidden, ... at these minutes; looks are at the reply or at the gate."""
    moments = sorted(hides)
    memory = Memory(bench)
    seen = []
    for minute, at_gate in sorted(looks):
        hidden = sum(hide <= minute for hide in moments) % 2 == 1
        at_the_gate = Seen(minute, "gate", "x:root", hidden=("x:1",) if hidden else ())
        seen.append(at_the_gate if at_gate else Seen(minute, "comment", "x:1", "a"))
    memory.take(*seen)
    for _, change, _, _, before, after in memory.story("x:1", "comments"):
        if change in ("hidden", "shown") and before is not None:
            assert any(before < moment <= after for moment in moments)
