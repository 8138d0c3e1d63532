"""One record on the screen and as JSON: its history word by word, its past, its looks; and nothing it says is obeyed."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from commands import ok, run
from filled_mart import filled
from rich.console import Console
from small_city import ACCOUNT, AUTHORS, START, small_city

from cli import show_text
from compliance import certainty, dossier
from compliance.faults import UnknownRecord
from warehouse.query import NoMart

if TYPE_CHECKING:
    from pathlib import Path

    from demo_fixtures import Demo

POST = "bluesky:at://did:plc:alder/app.bsky.feed.post/post"
QUESTION = "bluesky:at://did:plc:alder/app.bsky.feed.post/question"
REGRETTED = "bluesky:at://did:plc:alder/app.bsky.feed.post/regretted"
RUDE = "bluesky:at://did:plc:alder/app.bsky.feed.post/rude"
HOSTILE = "Plain \x1b]0;owned\x07 and \u202eesrever"


def look(hours: float, capture: str) -> dict[str, Any]:
    return {
        "seen_at": START + timedelta(hours=hours), "state": "present", "capture_id": capture, "evidence_key": "evidence/1", "evidence_offset": 7
    }  # fmt: skip


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small city in a file, with a block of an author, a gate of a thread, files, counts and a hostile text."""
    rows = small_city().rows
    for action, subject in (("block", f"bluesky:{AUTHORS['troll']['author_id']}"), ("reply_gate", POST)):
        rows["moderation_actions"].append(
            {
                "record_id": f"x:{action}",
                "account_id": ACCOUNT,
                "action": action,
                "subject_id": subject,
                "state": "present",
            }
        )
    rows["moderation_actions"].append(
        {
            "record_id": "x:label",
            "account_id": ACCOUNT,
            "action": "label",
            "reason": "rude",
            "actor_id": "did:plc:labeler",
            "acted_at": START,
            "subject_id": RUDE,
            "state": "present",
        }
    )
    rows["comments"].append(
        {"record_id": "x:hostile", "account_id": ACCOUNT, "text": HOSTILE, "change": "first_seen", "state": "present"}
    )
    rows["media"].append(
        {"media_id": "x:file", "record_id": POST, "alt": "A map of Pine Street", "kind": "image", "seen_after": START}
    )
    rows["metrics"].append({"record_id": POST, "name": "likes", "value": 1234, "seen_at": START})
    path = tmp_path_factory.mktemp("shown") / "mart.duckdb"
    with filled(**rows) as connection:
        connection.execute(f"ATTACH '{path}' AS copy; COPY FROM DATABASE memory TO copy; DETACH copy")
    return path


def shown(
    mart: Path, record: str, moment: datetime | None = None, *, looks: Any = (), all_looks: bool = False, **console: Any
) -> str:
    out = StringIO()
    show_text.write(
        dossier.read(mart, record, moment),
        looks,
        Console(file=out, width=400, highlight=False, **console),
        all_looks=all_looks,
    )
    return out.getvalue()


def test_an_edit_is_shown_word_by_word_with_color_and_without(mart: Path) -> None:
    plain = shown(mart, QUESTION)
    assert "Which library{+, please+}?" in plain
    assert "\x1b" not in plain
    assert "state: [-present-] {+deleted+}" in shown(mart, REGRETTED)
    colored = shown(mart, REGRETTED, force_terminal=True, color_system="standard")
    assert "\x1b[31m[-present-]\x1b[0m" in colored
    assert "\x1b[32m{+deleted+}\x1b[0m" in colored


def test_the_thread_files_counts_and_evidence_are_there(mart: Path) -> None:
    said = shown(mart, POST)
    for words in (
        "Thread (",
        "> portalder.example",
        "[hidden]: You are all fools",
        "A map of Pine Street",
        "likes 1,234",
        "SHA-256",
    ):
        assert words in said


def test_actions_on_the_record_its_author_and_its_thread_are_listed(mart: Path) -> None:
    said = shown(mart, RUDE)
    for words in (
        "hide of the record by port-alder",
        "block of the author by port-alder",
        "reply_gate of the thread by port-alder",
        "label of the record by did:plc:labeler (rude): dated 2026-03-02",
    ):
        assert words in said


def test_a_deletion_names_its_cause(mart: Path) -> None:
    said = shown(mart, REGRETTED)
    assert "Version 2: deleted" in said
    assert "Cause: unknown" in said


def test_looks_are_summed_up_or_listed(mart: Path) -> None:
    looks = [look(2 + hour, f"capture-{hour}") for hour in range(5)]
    said = shown(mart, POST, looks=looks)
    assert (
        "Seen 5 times, from 2026-03-02 14:00:00 UTC to 2026-03-02 18:00:00 UTC, by captures capture-0, capture-1, capture-2 and 2 more"
        in said
    )
    assert "2026-03-02 17:00:00 UTC present, capture capture-3, evidence/1 at byte 7" in shown(
        mart, POST, looks=looks, all_looks=True
    )


@pytest.mark.parametrize(
    ("hours", "words", "others"),
    [
        (-9, ("not there", "knows of nothing to see"), ("Which",)),
        (0.5, ("present", "Presumably", "Which library?"), ("please",)),
        (
            2,
            ("present", "Seen so from 2026-03-02 14:00:00 UTC to 2026-03-02 14:00:00 UTC", "Which library?"),
            ("please",),
        ),
        (50, ("At that moment it was either", "Or already, as version 2", "library{+, please+}?"), ()),
        (24 * 7, ("Last looked at 2026-03-04", "has not looked since", "Which library, please?"), ("[-",)),
    ],
)
def test_the_past_is_shown_with_what_it_rests_on(
    mart: Path, hours: float, words: tuple[str, ...], others: tuple[str, ...]
) -> None:
    said = shown(mart, QUESTION, START + timedelta(hours=hours), looks=[look(48, "a")]).partition("Thread (")[0]
    for word in words:
        assert word in said, said
    for other in others:
        assert other not in said, said


def test_the_thread_of_then_leaves_out_what_came_later(mart: Path) -> None:
    said = shown(mart, POST, START + timedelta(minutes=27)).partition("Thread (")[2]
    assert said.startswith("3 records")
    assert "You are all fools" in said
    assert "[hidden]" not in said
    assert "I said too much" not in said


def test_a_latest_version_looked_at_again_later_is_certain(mart: Path) -> None:
    found = dossier.read(mart, POST, START + timedelta(days=3))
    assert "Seen so from" in certainty.sentence(found, [look(2, "a"), look(24 * 5, "b")])
    assert "no later version is known" in certainty.sentence(found, None)


def test_what_people_wrote_does_not_steer_the_terminal(mart: Path) -> None:
    for said in (shown(mart, "x:hostile"), shown(mart, "x:hostile", force_terminal=True, color_system="standard")):
        assert "\x1b]" not in said
        assert "\x07" not in said
        assert "\u202e" not in said
        assert "\\u001b]0;owned\\u0007 and \\u202eesrever" in said


def test_a_record_that_is_not_there_is_named(mart: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownRecord, match="mastodon:nowhere/1"):
        dossier.read(mart, "mastodon:nowhere/1", None)
    with pytest.raises(NoMart, match="onrecord mart build"):
        dossier.read(tmp_path / "none.duckdb", POST, None)


def test_the_command_answers_in_text_and_json_and_notes_it_in_the_audit_log(demo: Demo) -> None:
    (record,) = demo.sql("SELECT record_id FROM edits ORDER BY 1 LIMIT 1")
    text = ok(demo.environment, "show", record, "--sightings")
    for words in ("Version 2", "{+", "Looks", "Seen 2 times", "Thread"):
        assert words in text
    told = json.loads(ok(demo.environment, "show", record, "--format", "json", "--sightings"))
    assert [one["version"] for one in told["versions"]] == [1, 2]
    assert told["versions"][1]["differences"]
    assert told["looks"]["times"] == len(told["sightings"]) >= 2
    (seen,) = demo.sql(f"SELECT seen_after FROM versions WHERE record_id = '{record}' AND version = 1")
    then = json.loads(ok(demo.environment, "show", record, "--as-of", seen, "--format", "json"))
    assert (then["record"]["version"], then["certainty"]) == (1, "seen")
    with sqlite3.connect(demo.home / "onrecord.db") as database:
        noted = database.execute(
            "SELECT detail FROM audit_log WHERE action = 'show' ORDER BY entry DESC LIMIT 1"
        ).fetchone()
    assert seen[:10] in str(noted)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("mastodon:nowhere/1",), 3, "mastodon:nowhere/1"),
        (("x:1", "--as-of", "yesterday"), 2, "yesterday"),
        (("x:1", "--as-of", "2026-13-01"), 2, "2026-13-01"),
        (("x:1", "--as-of", "2999-01-01"), 2, "yet to come"),
    ],
)
def test_a_wrong_question_gets_a_sentence(demo: Demo, arguments: tuple[str, ...], code: int, word: str) -> None:
    run(demo.environment, "show", *arguments).refused(code, word)
