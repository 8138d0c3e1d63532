from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from filelock import FileLock
from pages_of_alder import (
    ACCOUNT,
    RESIDENT,
    Captures,
    gate,
    gone,
    labels,
    minutes,
    post,
    posts,
    record_id,
    reply,
    view,
    views,
)
from small_city import fresh_buckets
from sqlalchemy import Engine, text

from pipeline.normalize import AlreadyNormalizing, NormalizeReport, normalize
from warehouse import inventory, ledger
from warehouse.bucket import Bucket, Buckets
from warehouse.database import open_database
from warehouse.endpoint import Endpoint
from warehouse.ledger import EvidenceObject
from warehouse.tables import Archive

Tables = dict[str, list[tuple[Any, ...]]]


class City:
    """An archive, its evidence and its ledger, in a folder."""

    def __init__(self, folder: Path, endpoint: Endpoint, buckets: Buckets) -> None:
        folder.mkdir(exist_ok=True)
        self.home = folder
        self.url = f"sqlite:///{folder / 'onrecord.db'}"
        self.engine: Engine = open_database(self.url)
        self.buckets = buckets
        self.archive = Archive(self.url, endpoint, buckets.tables.name)
        self.captures = Captures(self.engine, buckets.evidence, folder / "spool")

    def normalize(self) -> NormalizeReport:
        return normalize(
            self.archive, self.engine, self.buckets.evidence, self.home, clock=lambda: datetime(2026, 4, 1, tzinfo=UTC)
        )

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        table = self.archive.scan(name)
        return sorted(zip(*(table[column].to_pylist() for column in columns), strict=True), key=str)


@pytest.fixture
def city(tmp_path: Path, s3_endpoint: Endpoint, buckets: Buckets) -> Iterator[City]:
    made = City(tmp_path, s3_endpoint, buckets)
    yield made
    made.engine.dispose()


def everything(city: City) -> Tables:
    """All rows of all tables that evidence gives."""
    names = (
        "posts",
        "comments",
        "moderation_actions",
        "profiles",
        "sightings",
        "media",
        "metrics",
        "quarantine",
        "evidence",
    )
    return {name: city.rows(name, *city.archive.scan(name).column_names) for name in names}


def forget_marks(city: City) -> None:
    """As if the process had died before it could note what is normalized."""
    with city.engine.begin() as connection:
        connection.execute(text("UPDATE evidence_objects SET normalized_at = NULL"))


STORY = ("record_id", "version", "change", "state", "text", "seen_before", "seen_after")


def test_a_first_look_gives_first_versions_and_sightings(city: City) -> None:
    city.captures.add(posts(minutes(0), post("a", "one"), post("b", "two")))
    report = city.normalize()
    assert city.rows("posts", *STORY) == [
        (record_id("a"), 1, "first_seen", "present", "one", None, minutes(0)),
        (record_id("b"), 1, "first_seen", "present", "two", None, minutes(0)),
    ]
    assert len(city.rows("sightings", "record_id")) == 2
    assert (report.evidence, report.rows["posts"], report.changes) == (1, 2, {"first_seen": 2})


def test_an_edit_is_a_second_version_with_the_interval_in_which_it_happened(city: City) -> None:
    city.captures.add(posts(minutes(0), post("a", "one")))
    city.captures.add(posts(minutes(5), post("a", "one")))
    city.captures.add(posts(minutes(10), post("a", "two")))
    city.normalize()
    assert city.rows("posts", *STORY)[1:] == [
        (record_id("a"), 2, "edited", "present", "two", minutes(5), minutes(10)),
    ]


def test_the_interval_reaches_over_separate_runs(city: City) -> None:
    for at, words in ((0, "one"), (5, "one"), (10, "two"), (15, "one")):
        city.captures.add(posts(minutes(at), post("a", words)))
        city.normalize()
    assert [row[1:] for row in city.rows("posts", *STORY)] == [
        (1, "first_seen", "present", "one", None, minutes(0)),
        (2, "edited", "present", "two", minutes(5), minutes(10)),
        (3, "edited", "present", "one", minutes(10), minutes(15)),
    ]


def test_a_deletion_keeps_the_content_and_points_to_the_answer_that_shows_it(city: City) -> None:
    city.captures.add(posts(minutes(0), post("a", "one")))
    city.normalize()
    city.captures.add(gone(minutes(5), "a"))
    city.normalize()
    rows = city.rows("posts", *STORY, "evidence_key")
    assert rows[1] == (
        record_id("a"), 2, "deleted", "deleted", "one", minutes(0), minutes(5), city.captures.keys[1],
    )  # fmt: skip


def test_a_reply_on_the_gate_is_hidden_until_it_is_no_longer_listed(city: City) -> None:
    city.captures.add(posts(minutes(0), post("root", "news")), views(minutes(1), reply("reply", "rude", root="root")))
    city.captures.add(gate(minutes(2), "root"))
    city.captures.add(gate(minutes(3), "root", "reply"))
    city.captures.add(gate(minutes(4), "root"))
    city.normalize()
    assert [row[1:] for row in city.rows("comments", *STORY)] == [
        (1, "first_seen", "present", "rude", None, minutes(1)),
        (2, "hidden", "hidden", "rude", minutes(2), minutes(3)),
        (3, "shown", "present", "rude", minutes(3), minutes(4)),
    ]
    actions = [
        row for row in city.rows("moderation_actions", "action", "version", "change", "seen_after") if row[0] == "hide"
    ]
    assert actions == [("hide", 1, "first_seen", minutes(3)), ("hide", 2, "deleted", minutes(4))]


def test_a_label_is_an_action_until_its_giver_says_it_is_none(city: City) -> None:
    city.captures.add(labels(minutes(3), "reply", rude=True, old=False))
    city.captures.add(labels(minutes(8), "reply", known="rude", rude=False))
    city.captures.add(labels(minutes(13), "reply", rude=True))
    city.normalize()
    columns = ("action", "reason", "version", "change", "seen_before", "seen_after", "acted_at")
    assert city.rows("moderation_actions", *columns) == [
        ("label", "rude", 1, "first_seen", None, minutes(3), minutes(3)),
        ("label", "rude", 2, "deleted", minutes(3), minutes(8), minutes(3)),
        ("label", "rude", 3, "restored", minutes(8), minutes(13), minutes(13)),
    ]


def test_normalizing_the_same_evidence_again_adds_nothing(city: City) -> None:
    city.captures.add(
        posts(minutes(0), post("root", "news"), {"uri": "broken"}),
        views(minutes(1), reply("reply", "rude", root="root", likes=3)),
        gate(minutes(2), "root", "reply"),
    )
    city.captures.add(posts(minutes(5), post("root", "news, corrected")), gone(minutes(6), "reply", RESIDENT))
    city.normalize()
    before = everything(city)
    forget_marks(city)
    report = city.normalize()
    assert everything(city) == before
    assert sum(report.rows.values()) == 0


def test_the_fuller_look_at_the_same_content_completes_the_row(city: City) -> None:
    city.captures.add(posts(minutes(0), post("a", "one")), views(minutes(1), view("a", "one", likes=2)))
    city.normalize()
    assert city.rows("posts", "version", "author_handle", "seen_after") == [(1, "alder.example", minutes(0))]
    assert city.rows("metrics", "name", "value") == [("likes", 2)]


CAPTURES = [
    (posts(minutes(0), post("root", "news")), views(minutes(1), reply("reply", "rude", root="root", likes=1))),
    (gate(minutes(2), "root"), labels(minutes(3), "reply", rude=True)),
    (
        posts(minutes(5), post("root", "news, corrected")),
        views(minutes(6), reply("reply", "ruder", root="root", likes=2)),
    ),
    (gate(minutes(7), "root", "reply"), labels(minutes(8), "reply", known="rude", rude=False)),
    (gone(minutes(9), "root"), gone(minutes(10), "reply", RESIDENT)),
    (gate(minutes(12), "root"), labels(minutes(13), "reply", spam=True, rude=True)),
    (posts(minutes(14), post("root", "news")), views(minutes(15), reply("reply", "ruder", root="root", likes=2))),
]


@dataclass(frozen=True)
class Story:
    """Captures that lie locked in a bucket, and the tables they give when all are normalized in time."""

    evidence: Bucket
    objects: tuple[EvidenceObject, ...]
    tables: Tables


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, s3_endpoint: Endpoint) -> Story:
    folder = tmp_path_factory.mktemp("story")
    calm = City(folder, s3_endpoint, fresh_buckets(s3_endpoint, "story"))
    objects = tuple(calm.captures.add(*answers) for answers in CAPTURES)
    calm.normalize()
    calm.engine.dispose()
    return Story(calm.buckets.evidence, objects, everything(calm))


def again(story: Story, folder: Path, endpoint: Endpoint) -> City:
    """An empty archive over the story's evidence."""
    return City(folder, endpoint, Buckets(story.evidence, fresh_buckets(endpoint, "again").tables))


@pytest.mark.parametrize(
    ("order", "runs_after"),
    [
        ([0, 1, 2, 3, 4, 5, 6], {1, 3}),
        ([6, 5, 4, 3, 2, 1, 0], {5, 2}),
        ([3, 0, 6, 1, 5, 2, 4], {0, 1}),
    ],
)
def test_evidence_normalized_late_gives_the_tables_of_evidence_in_time(
    story: Story, tmp_path: Path, s3_endpoint: Endpoint, order: list[int], runs_after: set[int]
) -> None:
    city = again(story, tmp_path, s3_endpoint)
    for place in order:
        city.captures.tell(story.objects[place])
        if place in runs_after:
            city.normalize()
    city.normalize()
    assert everything(city) == story.tables


def test_heads_lost_between_runs_make_no_difference(story: Story, tmp_path: Path, s3_endpoint: Endpoint) -> None:
    city = again(story, tmp_path, s3_endpoint)
    for number, one in enumerate(story.objects):
        city.captures.tell(one)
        if number not in (2, 5):
            continue
        city.normalize()
        for file in tmp_path.glob("heads*"):
            file.write_bytes(b"not a database") if file.suffix == ".duckdb" else file.unlink()
    city.normalize()
    assert everything(city) == story.tables


def test_a_second_process_is_told_that_one_is_normalizing(city: City) -> None:
    with FileLock(city.home / "normalize.lock"), pytest.raises(AlreadyNormalizing, match="Wait until it ends"):
        city.normalize()


def test_captures_and_gaps_of_the_ledger_become_rows_once(city: City) -> None:
    for minute, outcome in ((0, "unreachable"), (10, "complete")):
        name = f"c{minute}"
        ledger.begin_capture(
            city.engine,
            capture_id=name,
            account_id=ACCOUNT,
            platform="bluesky",
            resource="posts",
            started_at=minutes(minute),
            software="onrecord test",
        )
        ledger.end_capture(city.engine, name, ended_at=minutes(minute + 1), outcome=outcome)
        city.normalize()
        city.normalize()
    assert city.rows("captures", "capture_id", "outcome") == [("c0", "unreachable"), ("c10", "complete")]
    assert city.rows("gaps", "cause", "opened_at", "closed_at") == [("unreachable", minutes(0), minutes(10))]


KILLS = 5


def test_killed_at_random_moments_the_tables_are_those_of_an_undisturbed_run(
    story: Story, tmp_path: Path, s3_endpoint: Endpoint
) -> None:
    city = again(story, tmp_path, s3_endpoint)
    for one in story.objects:
        city.captures.tell(one)
    chance = random.Random()  # noqa: S311 - where to kill, not a secret
    lived = 2.0
    for _ in range(KILLS):
        moment = chance.uniform(0, lived)
        if not killed_after(city, moment):
            lived = moment
    assert not killed_after(city, None)
    assert everything(city) == story.tables
    assert list(inventory.pending(city.engine)) == []


def killed_after(city: City, seconds: float | None) -> bool:
    """Run the step in a process, killed so many seconds after it begins; whether it was still at work then."""
    endpoint = city.archive.endpoint
    reached = {name: getattr(endpoint, name) for name in ("url", "region", "access_key", "secret_key")}
    script = Path(__file__).with_name("normalize_until_killed.py")
    arguments = [city.home, city.url, json.dumps(reached), city.buckets.evidence.name, city.buckets.tables.name]
    with subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    assert status == 0
    return False
